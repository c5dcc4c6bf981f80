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

MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".flac": "audio/flac", ".wav": "audio/wav"}


@dataclass(frozen=True)
class Example:
    """One example of a task's `task.toml`."""

    task: str
    name: str
    media: Path | None
    inputs: Any
    parameters: dict[str, Any]

    @property
    def payload(self) -> dict[str, Any]:
        """The request as JSON values."""
        inputs = base64.b64encode(self.media.read_bytes()).decode("ascii") if self.media else self.inputs
        return {"inputs": inputs, "parameters": self.parameters} if self.parameters else {"inputs": inputs}

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
        """Where its recorded response is kept."""
        return SPECS / self.task / "examples" / f"{self.name}.response.json"


@cache
def examples() -> dict[tuple[str, str], Example]:
    """All examples, by task and name."""
    found = {}
    for path in sorted(SPECS.glob("*/task.toml")):
        task = path.parent.name
        for data in tomllib.loads(path.read_text(encoding="utf-8"))["examples"]:
            media = path.parent / data["media"] if "media" in data else None
            example = Example(task, data["name"], media, data.get("inputs"), data.get("parameters", {}))
            found[task, example.name] = example
    return found


@cache
def output_validator(task: str) -> Draft202012Validator:
    """Validates answers of a task. References are files under `specs/`, never addresses."""

    def retrieve(uri: str) -> Resource[Any]:
        return Resource.from_contents(json.loads(Path(unquote(urlsplit(uri).path)).read_text(encoding="utf-8")))

    schema = {"$ref": (SPECS / task / "output.json").as_uri()}
    return Draft202012Validator(schema, registry=Registry(retrieve=retrieve))  # type: ignore[call-arg]  # attrs alias
