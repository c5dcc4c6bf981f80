"""What a predict call for an example must be, by the runtime's own dialect, and what was recorded of its answer.

Nothing here is taken from the generator's view.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from inference_tasks import InputError
from inference_tasks._dialects import DIALECTS

from .specs import JSON, SPECS, Example, examples

PROTOCOL = "clarifai"
DIALECT = next(dialect for dialect in DIALECTS.values() if dialect.protocol == PROTOCOL)
TEXT = "text/plain;charset=UTF-8"
"""What a browser says of a body that is a text."""


@dataclass(frozen=True)
class Predicted:
    """The calls of one task: those of its `example`, which `said` as one input: data, and params if there are any."""

    example: Example
    said: dict[str, Any]

    @property
    def task(self) -> str:
        return self.example.task

    @property
    def route(self) -> str:
        return f"/v2/models/{self.task}/outputs"

    @property
    def names(self) -> dict[str, str]:
        """The stems of the programs' files by their way."""
        return {f"predict-{kind}": f"{self.example.name}-{DIALECT.name}-{kind}" for kind in ("url", "data")}

    def needs(self, way: str) -> tuple[str, ...]:
        """The samples that the programs send."""
        return tuple(f"{self.task}/{path.name}" for path in self.example.samples) if way == "predict-data" else ()

    def body(self, way: str, url: str) -> dict[str, Any]:
        """The body of the call to the server at `url`."""
        data = self.said["data"] if way == "predict-data" else self._linked(f"{url}/samples/{self.task}")
        params = self.said.get("params")
        model = {"model": {"model_version": {"output_info": {"params": params}}}} if params else {}
        return {"inputs": [{"data": data}], **model}

    def _linked(self, folder: str) -> dict[str, Any]:
        """The data with the files by URL, or the text if there are none."""
        data = self.said["data"]
        if not self.example.samples:
            return {**data, "text": {"url": f"{folder}/{self.example.name}.txt"}}
        (path,) = self.example.samples
        return {
            kind: {"url": f"{folder}/{path.name}"} if kind in ("audio", "image", "video") else value
            for kind, value in data.items()
        }

    def content_type(self, language: str) -> str:
        return TEXT if language == "browser" else JSON

    @property
    def answer(self) -> Path:
        """Where the whole answer of the server is kept."""
        return SPECS / self.task / "examples" / f"{self.example.name}.{DIALECT.name}.json"

    @property
    def text(self) -> Path:
        """Where what people see of it is kept."""
        return self.answer.with_suffix(".txt")


@cache
def predicted() -> dict[str, Predicted]:
    """The calls by task: those of the first example that can be asked."""
    found: dict[str, Predicted] = {}
    for (task, _), example in examples().items():
        if task in DIALECT.wires and task not in found:
            try:
                found[task] = Predicted(example, DIALECT.wire(task).asked(example.payload))
            except InputError:
                continue
    return found


def data_of(answer: Any) -> Any:
    """The data of the one output of an answer, without what is new each time, its concepts by name.

    Raises AssertionError for an answer that is no success.
    """
    assert (answer["status"]["code"], answer["status"]["description"]) == (10000, "Ok"), json.dumps(answer)[:2000]
    (output,) = answer["outputs"]
    assert output["status"]["code"] == 10000
    return _settled(output["data"])


def _settled(value: Any) -> Any:
    if isinstance(value, list):
        items = [_settled(item) for item in value]
        return sorted(items, key=lambda item: str(item["name"])) if items and _is_concept(items[0]) else items
    if isinstance(value, dict):
        own = {name: _settled(item) for name, item in value.items()}
        return {name: item for name, item in own.items() if name != "id" or "name" in own}
    return value


def _is_concept(value: Any) -> bool:
    return isinstance(value, dict) and {"id", "name", "value"} <= value.keys()
