"""Record what the server of the examples answers to predict calls: ``python -m tests.docs.record_predict``.

Writes into ``specs/<task>/examples/``, of the example that the pages call with:

* ``<name>.clarifai.json``, the whole answer, with long texts and lists shortened. One that still says the same is kept,
  whatever its ids and times are.
* ``<name>.clarifai.txt``, what is in it for people.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import httpx

from tests.support.server import TOKEN, running_server

from .checker import close
from .predicted import DIALECT, Predicted, data_of, predicted
from .programs import BASE_URL
from .record import rounded, same_form, shortened

_CUT = re.compile(r"… \(([\d,]+) characters\)$")


def answer(own: Predicted, url: str) -> Any:
    """The whole answer of the server at `url`, as it is to be kept. Raises httpx.HTTPStatusError."""
    headers = {"Authorization": f"{DIALECT.auth} {TOKEN}"}
    body = own.body("predict-url", url)
    response = httpx.post(url + own.route, headers=headers, json=body, timeout=120, trust_env=False)
    response.raise_for_status()
    return shortened(rounded(json.loads(response.text.replace(url, BASE_URL))))


def still_right(own: Predicted, new: Any) -> bool:
    """Whether what was recorded says what a `new` answer says."""
    try:
        old = json.loads(own.answer.read_text(encoding="utf-8"))
        return same_form(old, new) and close(data_of(new), data_of(old))
    except (OSError, ValueError, AssertionError, LookupError):
        return False


# --------------------------------------------------------------------------------------------------- answers for people


def text(answer: Any) -> str:
    """The data of the outputs of an answer as people read them."""
    return "".join(f"{line}\n" for output in answer["outputs"] for line in _lines(output["data"]))


def _lines(data: Any) -> Iterator[str]:
    for kind, value in data.items():
        match kind:
            case "text":
                yield value["raw"]
            case "concepts":
                yield from _table([(concept["name"], _number(concept["value"])) for concept in value])
            case "regions":
                yield from _table([tuple(_region(region)) for region in value])
            case "time_segments":
                yield from _table([tuple(_segment(segment)) for segment in value])
            case "embeddings":
                yield from (" ".join(map(_number, embedding["vector"])) for embedding in value)
            case "heatmaps":
                yield from (f"heat map: {_size(image['base64'])}" for image in value)
            case _:
                yield f"{kind}: {_size(value['base64'])}"


def _region(region: Any) -> Iterator[str]:
    for concept in region["data"]["concepts"]:
        yield concept["name"]
        yield _number(concept["value"])
    match region["region_info"]:
        case {"bounding_box": box}:
            yield ", ".join(f"{edge} {_number(value)}" for edge, value in box.items())
        case {"mask": mask}:
            yield f"mask: {_size(mask['image']['base64'])}"
        case {"span": span}:
            yield f"{span['char_start']}–{span['char_end']}"
            yield span["raw_text"]


def _segment(segment: Any) -> Iterator[str]:
    times = segment["time_info"]
    yield f"{_number(times['begin_time'])}–{_number(times['end_time'])} s"
    yield segment["data"]["text"]["raw"]


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _size(base64: str) -> str:
    cut = _CUT.search(base64)
    return f"{cut[1] if cut else format(len(base64), ',')} characters of base64"


def main() -> int:
    """Record all; the exit status is 0 if every call was answered as it should be."""
    with running_server(("-m", "tests.docs.example_server")) as url:
        for own in predicted().values():
            new = answer(own, url)
            outcome = "as before"
            if not still_right(own, new):
                own.answer.write_text(f"{json.dumps(new, indent=2, ensure_ascii=False)}\n", encoding="utf-8")
                outcome = "recorded"
            own.text.write_text(text(json.loads(own.answer.read_text(encoding="utf-8"))), encoding="utf-8")
            print(f"{own.task}/{own.example.name}, predict: {outcome}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
