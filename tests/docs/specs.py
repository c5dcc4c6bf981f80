"""What a request for an example must be, read straight from `specs/` and so apart from the generator's view."""

from __future__ import annotations

import base64
import json
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from .pages import SPECS

JSON = "application/json"
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
    def primary(self) -> Any:
        """The primary input as a JSON value."""
        if self.media:
            return _base64(self.media)
        return self.inputs | {name: _base64(path) for name, path in self.files.items()} if self.files else self.inputs

    def by_url(self, base: str) -> Example:
        """This example with the media as a server at `base` has it."""
        urls = {name: f"{base}/samples/{self.task}/{path.name}" for name, path in self.files.items()}
        inputs = f"{base}/samples/{self.task}/{self.media.name}" if self.media else self.inputs | urls
        return replace(self, media=None, files={}, inputs=inputs)

    @property
    def payload(self) -> dict[str, Any]:
        """The request as JSON values."""
        members = request_members(self.task)
        primary = "inputs" if "inputs" in members else next(iter(members))
        root = {name: value for name, value in self.parameters.items() if name in members}
        inner = {name: value for name, value in self.parameters.items() if name not in members}
        first = {} if self.primary is None else {primary: self.primary}
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
        return MEDIA_TYPES[self.media.suffix] if self.media and self.is_raw else JSON

    @property
    def way(self) -> str:
        """How it is sent: as a file, as base64 in JSON, or as JSON without media."""
        return "text" if not self.samples else "file" if self.is_raw else "base64"

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


@dataclass(frozen=True)
class Request:
    """One request for a task: its media type, and what it says. `payload` is its JSON, `body` its very bytes else."""

    content_type: str
    payload: Any
    body: bytes = b""


@dataclass(frozen=True)
class Sending:
    """What one program in each language sends: the `inputs` of some examples, each with the parameters of `example`."""

    task: str
    name: str
    way: str
    example: Example
    inputs: tuple[Example, ...]

    @property
    def samples(self) -> list[Path]:
        """The media files that the programs need."""
        return [] if self.way == "url" else list(dict.fromkeys(path for one in self.inputs for path in one.samples))

    def requests(self, language: str, url: str) -> list[Request]:
        """What comes to the server at `url`; our client sends files even for URLs, and as they are where it can."""
        if self.way == "url" and language != "client":
            return [Request(JSON, self.example.by_url(url).payload)]
        alone = language == "client" or len({one.content_type for one in self.inputs}) == 1
        return [
            Request(one.content_type, None, one.body) if one.is_raw and alone else Request(JSON, one.payload)
            for one in self.inputs
        ]


def _kind(example: Example) -> tuple[bool, list[str]]:
    return bool(example.media), list(example.files)


def _members(value: Any) -> list[str]:
    """The paths of all members of an object: two inputs that have the same are for the same model."""
    inner = value.items() if isinstance(value, dict) else ()
    return [path for name, item in inner for path in (name, *(f"{name}.{rest}" for rest in _members(item)))]


@cache
def sendings() -> dict[tuple[str, str], Sending]:
    """Everything that programs do, by task and by the name of the programs' files."""
    found = []
    for task in sorted({task for task, _ in examples()}):
        own = [example for (of, _), example in examples().items() if of == task]
        found += [Sending(task, one.name, one.way, one, (one,)) for one in own]
        with_media = next((one for one in own if one.samples), None)
        if with_media:
            found.append(Sending(task, f"{with_media.name}-url", "url", with_media, (with_media,)))
        given = [one for one in own if one.media or one.inputs is not None]
        others = [one for one in given if _kind(one) == _kind(given[0]) and one.primary != given[0].primary]
        other = next(
            (one for one in others if _members(one.inputs) == _members(given[0].inputs)), next(iter(others), None)
        )
        if other:
            inputs = (given[0], replace(other, parameters=given[0].parameters))
            found.append(Sending(task, f"{given[0].name}-several", "several", given[0], inputs))
    return {(one.task, one.name): one for one in found}


@cache
def output_validator(task: str) -> Draft202012Validator:
    """Validates answers of a task."""
    return schema_validator(SPECS / task / "output.json")


def schema_validator(path: Path) -> Draft202012Validator:
    """Validates by a file under `specs/`, whose references are others of these, never addresses."""

    def retrieve(uri: str) -> Resource[Any]:
        return Resource.from_contents(json.loads(Path(unquote(urlsplit(uri).path)).read_text(encoding="utf-8")))

    schema = {"$ref": path.as_uri()}
    return Draft202012Validator(schema, registry=Registry(retrieve=retrieve))  # type: ignore[call-arg]  # attrs alias
