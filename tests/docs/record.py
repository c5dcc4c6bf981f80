"""Record what a generated server answers to every example: ``python -m tests.docs.record``.

Writes into ``specs/<task>/examples/``:

* ``<name>.response.json``, the answer that the docs print, where the task has a trained demo model. Numbers keep four
  decimals, so that another machine's arithmetic does not show.
* ``<name>.raw.txt``, the whole HTTP response of the demo server. Most demo models have random weights, so this shows an
  answer's form and not its sense. One that still has the form of a new answer is kept, whatever its numbers are.
* ``<name>.text.txt``, the answer of the docs as ``inference-tasks run`` shows it to people.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import httpx

from inference_tasks._runtime.command.output import Shown
from inference_tasks._runtime.command.schema import Schemas
from inference_tasks._runtime.torch.demo import BUILDERS
from inference_tasks._runtime.types import dump
from inference_tasks._tasks import TASKS
from tests.support.server import TOKEN, running_server

from .pages import GENERATED
from .specs import Example, examples, output_validator

_LONGEST = 200
_MOST = 16
_SHOWN = 3
_CHANGING = ("date", "server")
_SHORTENED = re.compile(r"… \([\d,]+ (characters|items)\)$")


def rounded(value: Any) -> Any:
    """A JSON value with four decimals at most."""
    match value:
        case float():
            return round(value, 4)
        case list():
            return [rounded(item) for item in value]
        case dict():
            return {key: rounded(item) for key, item in value.items()}
    return value


def has_trained_model(example: Example) -> bool:
    """Whether an embedded model that was trained answers it, and not one with random weights."""
    return (GENERATED / "inference_tasks" / "_demo" / example.task).is_dir()


def answer(example: Example, url: str) -> httpx.Response | None:
    """What the demo server answers to one example; None if no demo model of the task takes such a request.

    A task may have several demo models: the first that takes the request answers it. Raises for any other error status,
    and for an answer that breaks the schema.
    """
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": example.content_type}
    further = [f"models/{example.task}-{kind}" for kind in BUILDERS.get(example.task, ()) if kind]
    for route in (f"tasks/{example.task}", *further):
        response = httpx.post(f"{url}/{route}", headers=headers, content=example.body, timeout=120, trust_env=False)
        if response.status_code != httpx.codes.UNPROCESSABLE_ENTITY:
            response.raise_for_status()
            output_validator(example.task).validate(response.json())
            return response
    return None


# ---------------------------------------------------------------------------------------------------------- raw answers


def raw_path(example: Example) -> Path:
    return example.recorded.with_name(f"{example.name}.raw.txt")


def raw(response: httpx.Response) -> str:
    """A response as text: status line, headers but those that say when and by what, and a body that can be read."""
    headers = [f"{name}: {value}" for name, value in response.headers.items() if name not in _CHANGING]
    body = response.json()
    text = (
        response.text
        if shortened(body) == body
        else json.dumps(shortened(body), ensure_ascii=False, separators=(",", ":"))
    )
    return "\n".join(
        (f"{response.http_version} {response.status_code} {response.reason_phrase}", *headers, "", text, "")
    )


def shortened(value: Any) -> Any:
    """A JSON value with the start of each long text and list, and how long it was."""
    match value:
        case str() if len(value) > _LONGEST:
            return f"{value[:40]}… ({len(value):,} characters)"
        case list():
            items = [shortened(item) for item in value[: _SHOWN if len(value) > _MOST else None]]
            return items if len(value) <= _MOST else [*items, f"… ({len(value):,} items)"]
        case dict():
            return {key: shortened(item) for key, item in value.items()}
    return value


def parsed(text: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON body of a recorded raw answer. Raises ValueError for what is none."""
    head, _, body = text.partition("\n\n")
    status, *lines = head.split("\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(status.split(" ")[1]), headers, json.loads(body)


def same_form(one: Any, other: Any) -> bool:
    """Whether two JSON values have the same members and types all the way down; lists may be of any length."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(same_form(one[name], other[name]) for name in one)
        case list(), list():
            one, other = _whole(one), _whole(other)
            pairs = ((one, other), (other, one))
            return not (one and other) or all(
                any(same_form(a, b) for b in right) for left, right in pairs for a in left
            )
        case (bool(), bool()) | (str(), str()) | (None, None):
            return True
        case (bool(), _) | (_, bool()):
            return False
    return isinstance(one, int | float) and isinstance(other, int | float)


def _whole(items: list[Any]) -> list[Any]:
    """A list without the note on how long it was."""
    noted = bool(items) and isinstance(items[-1], str) and items[-1].startswith("… (") and _SHORTENED.match(items[-1])
    return items[:-1] if noted else items


def still_right(path: Path, new: str) -> bool:
    """Whether a raw answer was recorded that differs from a new one by its values alone."""
    try:
        (status, old_headers, old), (new_status, headers, body) = parsed(path.read_text(encoding="utf-8")), parsed(new)
    except (OSError, ValueError):
        return False
    return status == new_status and old_headers.keys() == headers.keys() and same_form(old, body)


# --------------------------------------------------------------------------------------------------- answers for people


def text_path(example: Example) -> Path:
    return example.recorded.with_name(f"{example.name}.text.txt")


def text(example: Example) -> str:
    """The answer of the docs, as the command shows it on a terminal."""
    binding = TASKS[example.task]
    model = binding.output_adapter.validate_python(example.response, by_name=False, by_alias=True)
    schemas = Schemas.of(binding)
    return f"{Shown(schemas, schemas.named(binding.output_type), as_json=False, target=None).text(dump(model))}\n"


def main() -> int:
    """Record all examples; the exit status is 0 if every one of them was answered as it should be."""
    with running_server() as url:
        for example in examples().values():
            response = answer(example, url)
            if response is not None and has_trained_model(example):
                value = rounded(response.json())
                example.recorded.parent.mkdir(exist_ok=True)
                example.recorded.write_text(f"{json.dumps(value, indent=2, ensure_ascii=False)}\n", encoding="utf-8")
                example.written.unlink(missing_ok=True)
            if response is None:
                raw_path(example).unlink(missing_ok=True)
                outcome = "no demo model takes it"
            elif still_right(raw_path(example), raw(response)):
                outcome = "as before"
            else:
                raw_path(example).write_text(raw(response), encoding="utf-8")
                outcome = "recorded"
            text_path(example).write_text(text(example), encoding="utf-8")
            print(f"{example.task}/{example.name}: {outcome}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
