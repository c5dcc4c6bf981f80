"""Where a value stands in the text of a JSON file. Needed only once a diagnostic is made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


def escape(token: str) -> str:
    """One reference token of an RFC 6901 pointer."""
    return token.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """The member name or index that a reference token stands for."""
    return token.replace("~1", "/").replace("~0", "~")


def values(text: str) -> Iterator[tuple[str, int, str]]:
    """Every value of a JSON text in its order: ``(pointer, offset, token)``; a container's token is its bracket.

    Never raises: text that is not JSON gives the values that can be told apart. A repeated key gives its pointer again.
    """
    prefixes: list[str] = []  # the pointer of each open container
    slots: list[str | int | None] = []  # its current key, None while a key is due, or its current index
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == ":":
            continue
        if token == ",":
            if slots:
                slot = slots[-1]
                slots[-1] = slot + 1 if isinstance(slot, int) else None
            continue
        if token in ("}", "]"):
            if slots:
                prefixes.pop()
                slots.pop()
            continue
        if slots and slots[-1] is None:
            slots[-1] = _string(token)
            continue
        pointer = f"{prefixes[-1]}/{escape(str(slots[-1]))}" if slots else ""
        yield pointer, match.start(), token
        if token in ("{", "["):
            prefixes.append(pointer)
            slots.append(None if token == "{" else 0)


def lines(text: str) -> dict[str, int]:
    """The 1-based line of every value, by its pointer; of a repeated key, that of the last one."""
    found: dict[str, int] = {}
    line = start = 0
    for pointer, offset, _ in values(text):
        line += text.count("\n", start, offset)
        start = offset
        found[pointer] = line + 1
    return found


def line_of(text: str, pointer: str) -> int:
    """The 1-based line of the value at an RFC 6901 pointer; 0 if there is no such value."""
    for found, offset, _ in values(text):
        if found == pointer:
            return line_at(text, offset)
    return 0


def line_at(text: str, offset: int) -> int:
    """The 1-based line of a character offset."""
    return text.count("\n", 0, offset) + 1


def repeated_key(text: str) -> tuple[str, int]:
    """Pointer and line of the first key that stands twice in its object; ``("", 0)`` if none does."""
    seen: set[str] = set()
    for pointer, offset, _ in values(text):
        if pointer in seen:
            return pointer, line_at(text, offset)
        seen.add(pointer)
    return "", 0


def first_token(text: str, wanted: Callable[[str], bool]) -> int:
    """The line of the first token (string, number, literal or bracket) that is `wanted`; 0 if none is."""
    for match in _TOKEN.finditer(text):
        if wanted(match.group()):
            return line_at(text, match.start())
    return 0


def too_deep(text: str, limit: int) -> int:
    """The line at which brackets are nested deeper than `limit`; 0 if they never are."""
    if text.count("{") + text.count("[") <= limit:
        return 0
    depth = 0
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in ("{", "["):
            depth += 1
            if depth > limit:
                return line_at(text, match.start())
        elif token in ("}", "]"):
            depth -= 1
    return 0


def _string(token: str) -> str:
    try:
        value = json.loads(token)
    except ValueError:
        return token
    return value if isinstance(value, str) else token
