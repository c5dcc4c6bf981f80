"""What a request for an example must be, read straight from `specs/` and so apart from the generator's view."""

from __future__ import annotations

import base64
import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from .pages import SPECS

MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
    ".mp4": "video/mp4",
}


@dataclass(frozen=True)
class Example:
    """One example of a task's `task.toml`."""

    task: str
    name: str
    media: Path | None
    inputs: Any
    files: dict[str, Path]
    parameters: dict[str, Any]

    @property
    def payload(self) -> dict[str, Any]:
        """The request as JSON values."""
        inputs = _base64(self.media) if self.media else self.inputs
        if self.files:
            inputs = inputs | {name: _base64(path) for name, path in self.files.items()}
        members = request_members(self.task)
        primary = "inputs" if "inputs" in members else next(iter(members))
        root = {name: value for name, value in self.parameters.items() if name in members}
        inner = {name: value for name, value in self.parameters.items() if name not in members}
        first = {} if inputs is None else {primary: inputs}
        return first | root | ({"parameters": inner} if inner else {})

    @property
    def samples(self) -> list[Path]:
        """The media files that its programs need."""
        return [*([self.media] if self.media else []), *self.files.values()]

    @property
    def is_raw(self) -> bool:
        """Whether the body is the media file itself."""
        return self.media is not None and not self.parameters

    @property
    def content_type(self) -> str:
        return MEDIA_TYPES[self.media.suffix] if self.media and self.is_raw else "application/json"

    @property
    def body(self) -> bytes:
        return self.media.read_bytes() if self.media and self.is_raw else json.dumps(self.payload).encode()

    @property
    def recorded(self) -> Path:
        """Where the response that a server gave is kept."""
        return SPECS / self.task / "examples" / f"{self.name}.response.json"

    @property
    def written(self) -> Path:
        """Where a response written by hand is kept, for a task that no embedded model answers yet."""
        return SPECS / self.task / "examples" / f"{self.name}.written.json"

    @property
    def response(self) -> Any:
        """The response that the docs show."""
        path = self.recorded if self.recorded.exists() else self.written
        return json.loads(path.read_text(encoding="utf-8"))


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")


@cache
def meta(task: str) -> dict[str, Any]:
    """The `task.toml` of a task."""
    return tomllib.loads((SPECS / task / "task.toml").read_text(encoding="utf-8"))


@cache
def request_members(task: str) -> list[str]:
    """The members at the root of a task's request, in the spec's order."""
    return list(json.loads((SPECS / task / "input.json").read_text(encoding="utf-8"))["properties"])


@cache
def examples() -> dict[tuple[str, str], Example]:
    """All examples, by task and name."""
    found = {}
    for path in sorted(SPECS.glob("*/task.toml")):
        task = path.parent.name
        for data in meta(task)["examples"]:
            media = path.parent / data["media"] if "media" in data else None
            files = {name: path.parent / file for name, file in data.get("files", {}).items()}
            example = Example(task, data["name"], media, data.get("inputs"), files, data.get("parameters", {}))
            found[task, example.name] = example
    return found


@cache
def output_validator(task: str) -> Draft202012Validator:
    """Validates answers of a task. References are files under `specs/`, never addresses."""

    def retrieve(uri: str) -> Resource[Any]:
        return Resource.from_contents(json.loads(Path(unquote(urlsplit(uri).path)).read_text(encoding="utf-8")))

    schema = {"$ref": (SPECS / task / "output.json").as_uri()}
    return Draft202012Validator(schema, registry=Registry(retrieve=retrieve))  # type: ignore[call-arg]  # attrs alias
