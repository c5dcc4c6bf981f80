"""Messages of protobuf as proto3 writes them in JSON: names in either spelling, enums by name or number, zero left out.

Every message knows where it stands in the file, as a JSON Pointer. What is of another type than the protobufs say is
raised as Unsayable, never read as something near.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ...diagnostics import Diagnostic, Report
from ...load.files import Limits, Reader
from ...load.positions import escape, lines
from .codes import SEVERITY, Unsayable

LIMITS: Final = Limits(bytes=16 << 20, depth=64, values=600_000, pointers=200_000_000)
"""A list of models describes hundreds of tasks; a spec, one."""


class File:
    """The file that is imported, and what is told of it."""

    def __init__(self, path: Path, report: Report) -> None:
        """Read it. Raises UnreadableError once it is reported why it cannot be read."""
        self.name = path.name
        self._report = report
        text, self.value = Reader(path.parent, report, LIMITS, foreign=True).value(path.name)
        self._lines = lines(text)

    def tell(self, code: str, pointer: str, message: str, fix: str = "") -> None:
        """Report a finding at a place."""
        line = self._lines.get(pointer, 0)
        self._report.add(Diagnostic(self.name, line, pointer, code, SEVERITY[code], message[:300], fix))


class Message:
    """One message: `value` as JSON has it, and the pointer to it. Raises Unsayable for what is no object."""

    def __init__(self, value: Any, pointer: str) -> None:
        if not isinstance(value, dict):
            raise Unsayable("is no object", pointer, "write what Clarifai's API answers")
        self.value: dict[str, Any] = value
        self.pointer = pointer

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str) -> Any:
        """A member by its name in the protobufs; None where there is none."""
        return self.value.get(self._key(name))

    def at(self, name: str) -> str:
        """Where a member stands, or would."""
        return f"{self.pointer}/{escape(self._key(name))}"

    def text(self, name: str) -> str:
        """A string; empty where there is none."""
        return str(self._typed(name, str, "", "a text"))

    def flag(self, name: str) -> bool:
        """A boolean; false where there is none."""
        return bool(self._typed(name, bool, False, "true or false"))

    def number(self, name: str) -> float | None:
        """A float that is finite; None where none is written."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise Unsayable(f"{name} is no number", self.at(name), "write a number")
        return value

    def items(self, name: str) -> list[tuple[Any, str]]:
        """The values of a repeated member, and where they stand."""
        found = self._typed(name, list, [], "a list")
        return [(value, f"{self.at(name)}/{index}") for index, value in enumerate(found)]

    def messages(self, name: str) -> list[Message]:
        """The messages in a repeated member."""
        return [Message(value, pointer) for value, pointer in self.items(name)]

    def message(self, name: str) -> Message | None:
        """A message in this one."""
        return Message(self.get(name), self.at(name)) if name in self else None

    def enum(self, name: str, names: Sequence[str]) -> str:
        """The name of an enum's value, which may be written as a number: its place in `names`. The first is none."""
        value = self.get(name)
        number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else value
        if value is None:
            return names[0]
        if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < len(names) and names[number]:
            return names[number]
        if isinstance(value, str) and value in names and value:
            return value
        raise Unsayable(f"{name} {short(value)} is not known", self.at(name))

    def others(self, *known: str) -> Iterator[tuple[str, str]]:
        """The members that are none of the `known` ones, and where they stand."""
        keys = {key for name in known for key in (name, camel(name))}
        return ((key, f"{self.pointer}/{escape(key)}") for key in self.value if key not in keys)

    def _key(self, name: str) -> str:
        other = camel(name)
        if other == name or self.value.get(other) is None:
            return name
        if self.value.get(name) is not None:
            raise Unsayable(f"has both {name} and {other}", f"{self.pointer}/{other}", "keep one of them")
        return other

    def _typed(self, name: str, kind: type, none: Any, said: str) -> Any:
        value = self.get(name)
        if value is None:
            return none
        if not isinstance(value, kind):
            raise Unsayable(f"{name} is not {said}", self.at(name), f"write {said}")
        return value


def camel(name: str) -> str:
    """A member's name as proto3's JSON has it: ``input_fields`` → ``inputFields``."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def short(value: Any) -> str:
    """A value for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
