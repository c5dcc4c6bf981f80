"""What a rule of the catalogue is, and how its example is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any as Json, Final

from ..verdict import Level

SAFE: Final = Level.SAFE
DANGEROUS: Final = Level.DANGEROUS
BREAKING: Final = Level.BREAKING

BUILT: Final = "Python code that builds an answer with another value is refused by the generated model."
"""Why fewer values of one Python type break code: where its type changes too, a type checker points it out."""

Files = Mapping[str, Json]
"""Files below a spec root: a JSON Schema, the text of a TOML file, or None where there is no such file."""

_FRAME: Final[Files] = {
    f"{task}/{file}.json": {"title": f"{task.title()}{file.title()}", "type": "object", "properties": {"text": {}}}
    for task in ("example", "other")
    for file in ("input", "output")
}


@dataclass(frozen=True)
class Example:
    """The files of a spec tree that a change is about, before and after it."""

    old: Files
    new: Files

    def specs(self, files: Files) -> dict[str, str]:
        """A whole spec tree with these files in it: two small tasks, `example` and `other`."""
        return {path: file_text(data) for path, data in {**_FRAME, **files}.items() if data is not None}


@dataclass(frozen=True)
class Rule:
    """What one change in one direction means, `wire` for callers and `python` for users of generated code.

    `text` says why, in Markdown. `example` is a test: exactly this rule with exactly these levels comes out of it.
    """

    id: str
    title: str
    text: str
    wire: Level
    python: Level
    example: Example


Side = tuple[Level, Level, str]
"""The levels on the wire and in Python, and why."""


def both(name: str, title: str, old: Json, new: Json, *, request: Side, response: Side) -> tuple[Rule, Rule]:
    """The two rules on one change of the schema of a member `x`: in a request, and in an answer."""
    return (
        in_request(name, title, of_x(old), of_x(new), request),
        in_response(name, title, of_x(old), of_x(new), response),
    )


def in_request(name: str, title: str, old: Json, new: Json, side: Side) -> Rule:
    """The rule on a change of the schema of a request."""
    return of_file(f"request-{name}", f"Request: {title}", "example/input.json", old, new, side)


def in_response(name: str, title: str, old: Json, new: Json, side: Side) -> Rule:
    """The rule on a change of the schema of an answer, or of an event of a streamed one."""
    return of_file(f"response-{name}", f"Answer: {title}", "example/output.json", old, new, side)


def of_file(id: str, title: str, path: str, old: Json, new: Json, side: Side) -> Rule:
    """The rule on a change of one file."""
    wire, python, why = side
    return Rule(id, title, why, wire, python, Example({path: old}, {path: new}))


def of_x(schema: Json, *required: str, **rest: Json) -> dict[str, Json]:
    """An object with the member `x`."""
    out: dict[str, Json] = {"type": "object", "properties": {"x": schema}}
    return out | ({"required": list(required)} if required else {}) | rest


def file_text(data: Json) -> str:
    """A file of an example as people read it: JSON if it is no text yet."""
    return data if isinstance(data, str) else json.dumps(data, indent=2, ensure_ascii=False) + "\n"
