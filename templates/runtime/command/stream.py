"""A streamed answer, shown as it comes in: its text to people, its events to programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from ..progress import Status
from . import printable
from .output import json_text
from .schema import Schemas

PLACES = (("token", "text"), ("choices", "delta", "content"))
"""Where the next piece of text stands in an event, in the two shapes that inference servers stream in.

Nothing else in a schema tells the text from other strings, so of an event that has neither, all is shown.
"""


def place_of(schemas: Schemas, event: Any) -> Sequence[str] | None:
    """The members that lead to the text in events of the schema `event`, through lists; None if none is known."""
    return next((place for place in PLACES if _is_text(schemas, event, place)), None)


def _is_text(schemas: Schemas, schema: Any, place: Sequence[str]) -> bool:
    for name in place:
        if schemas.types(schema) == {"array"}:
            schema = schemas.plain(schema).get("items", {})
        schema = schemas.members(schema)[0].get(name)
        if schema is None:
            return False
    return schemas.types(schema) == {"string"}


def show(events: Iterable[Any], place: Sequence[str] | None, status: Status) -> None:
    """Print the text at `place` in `events` as they come in, or without that all of each event, as JSON on a line.

    `status` is shown until the first event. A line of text that was begun is ended, whatever happens.
    """
    last, left_out = "", False
    try:
        with status:
            for event in events:
                status.end()
                if place is None:
                    print(json_text(event), flush=True)
                    continue
                piece, more = _text(event, place)
                left_out |= more
                if piece:
                    last = piece[-1]
                    print(_clean(piece), end="", flush=True)
    finally:
        if last not in ("", "\n"):
            print(flush=True)
    if place is None:
        return
    if left_out:
        print("only the first of several answers is shown: --json prints all of them", file=sys.stderr)
    elif not last:
        print("the answer holds no text: --json prints all of it", file=sys.stderr)


def _text(event: Any, place: Sequence[str]) -> tuple[str, bool]:
    """What `event` adds to the first answer, and whether it adds to another one."""
    value, special, more = event, False, False
    for name in place:
        if isinstance(value, list):
            answers = [item for item in value if isinstance(item, dict)]
            more = any(item.get("index") for item in answers)
            value = next((item for item in answers if not item.get("index")), None)
        if not isinstance(value, dict):
            return "", more
        special = value.get("special") is True  # a mark such as the end of the text, and no part of it
        value = value.get(name)
    return value if isinstance(value, str) and not special else "", more


def _clean(text: str) -> str:
    """`text` for where it goes: to a terminal, without whatever could steer that."""
    if not sys.stdout.isatty():
        return text
    return "".join(char if char in "\n\t" else printable(char) for char in text)
