"""Places in JSON values, in the part of JSONPath (RFC 9535) that names one place, or the same one in each item.

``$`` is the whole value, ``.name`` and ``['any name']`` a member, ``[0]`` an item, ``[*]`` every item of a list;
``length($.name)`` is how many items the list there has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Each(Enum):
    """The step that is every item of a list."""

    EACH = "[*]"


EACH: Final = Each.EACH

Step = str | int | Each
Path = tuple[Step, ...]
"""A place: names of members, indexes of items, EACH for all items. The empty path is the whole."""


@dataclass(frozen=True)
class Length:
    """How many items the list at a place has."""

    of: Path


class PlaceError(ValueError):
    """A text is no such place. `column` counts from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.message = message
        self.column = column


# Letters, digits, _ and all that is not ASCII, said by what it is not: `re` compiles that in a hundredth of the time.
_NAME: Final = re.compile(r"[^\x00-@\[-^`{-\x7f][^\x00-/:-@\[-^`{-\x7f]*")
_SEGMENT: Final = re.compile(
    rf"\.(?P<name>{_NAME.pattern})"
    r"|\[(?P<index>0|[1-9][0-9]{0,2})\]"
    r"|\[(?P<each>\*)\]"
    r"""|\['(?P<single>(?:[^'\\\x00-\x1f]|\\(?:['\\/bfnrt]|u[0-9A-Fa-f]{4}))*)'\]"""
    r"""|\["(?P<double>(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*)"\]"""
)
_MOST_STEPS: Final = 64  # as deep as JSON may be nested
_LENGTH: Final = "length("
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WRITTEN: Final = {"'": "\\'", "\\": "\\\\"} | {value: f"\\{key}" for key, value in _ESCAPES.items()}


def is_place(value: object) -> bool:
    """Whether `value` is meant to be a place, rather than some other text or value."""
    return isinstance(value, str) and value.startswith("$")


def parse(text: str) -> Path:
    """The place that a text names. Raises PlaceError."""
    if not is_place(text):
        raise PlaceError("a place begins with `$`, which is the whole value", 1)
    steps: list[Step] = []
    position = 1
    while position < len(text):
        if len(steps) == _MOST_STEPS:
            raise PlaceError(f"more than {_MOST_STEPS} steps", position + 1)
        segment = _SEGMENT.match(text, position)
        if segment is None:
            raise PlaceError(f"{text[position : position + 20]!r} is not understood", position + 1)
        if segment["index"] is not None:
            steps.append(int(segment["index"]))
        elif segment["each"]:
            steps.append(EACH)
        elif segment["name"]:
            steps.append(segment["name"])
        else:
            steps.append(_unescaped(segment["single"] or segment["double"] or "", position + 1))
        position = segment.end()
    return tuple(steps)


def expression(value: object) -> Path | Length | None:
    """The place, or the length of the list at one, that a text names; None for any other value. Raises PlaceError."""
    if not isinstance(value, str) or not value.startswith(_LENGTH):
        return parse(value) if isinstance(value, str) and is_place(value) else None
    if not value.endswith(")"):
        raise PlaceError("`length(` has no `)` at the end", len(value) + 1)
    try:
        return Length(parse(value[len(_LENGTH) : -1]))
    except PlaceError as error:
        raise PlaceError(error.message, len(_LENGTH) + error.column) from None


def written(path: Sequence[Step] | Length) -> str:
    """A place, or a length, as text, always in the same way: members as ``.name`` where that can be."""
    if isinstance(path, Length):
        return f"{_LENGTH}{written(path.of)})"
    return "$" + "".join(map(_segment, path))


def overlap(one: Path, other: Path) -> bool:
    """Whether one of two places is the other, or inside it; ``[0]`` is one of ``[*]``."""
    return all(a == b or {type(a), type(b)} == {Each, int} for a, b in zip(one, other, strict=False))


def contradict(one: Path, other: Path) -> bool:
    """Whether two places are, or may be, the same, or nobody can tell whether one is inside the other."""
    common = min(len(one), len(other))
    return overlap(one, other) and (len(one) == len(other) or one[:common] != other[:common])


def _segment(step: Step) -> str:
    if not isinstance(step, str):
        return "[*]" if step is EACH else f"[{step}]"
    if _NAME.fullmatch(step):
        return f".{step}"
    return "['{}']".format("".join(_WRITTEN.get(c, c if c >= " " else f"\\u{ord(c):04x}") for c in step))


def _unescaped(text: str, column: int) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if code[0] == "u" else _ESCAPES.get(code, code)

    # Half a surrogate pair is a text of its own in Python; with its other half it is one character.
    raw = re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", character, text)
    try:
        return raw.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise PlaceError("half of a surrogate pair", column) from None
