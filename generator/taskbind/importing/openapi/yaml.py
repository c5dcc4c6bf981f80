"""Plain YAML, held to what JSON can say, with the line of each value.

Values are made here and not by PyYAML, of which only the scanner and the parser are used: what a plain scalar means is
what YAML 1.2's core schema says of JSON's words, so that `no` is a text and `012` no octal number. What an alias stands
for is copied, and counts as if it were written out. Tags and merge keys are refused, so nothing is constructed.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

import yaml

from ...diagnostics import Diagnostic, Report
from ...load.files import MAX_DIGITS, Limits, UnreadableError
from ...load.positions import escape
from .codes import SEVERITY

_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _RefusedError(Exception):
    def __init__(self, message: str, fix: str, mark: Any = None) -> None:
        super().__init__(message)
        self.fix, self.line = fix, mark.line + 1 if mark is not None else 0


def read(path: str, text: str, report: Report, limits: Limits) -> tuple[Any, dict[str, int]]:
    """The JSON value of a YAML text, and the line of each value by its pointer.

    Raises UnreadableError once it is reported why there is none.
    """
    try:
        return _value(text, limits)
    except _RefusedError as error:
        message, fix, line = str(error), error.fix, error.line
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = f"is not YAML: {getattr(error, 'problem', None) or 'it holds characters that YAML does not have'}"
        fix, line = "correct the syntax", mark.line + 1 if mark else 0
    report.add(Diagnostic(path, line, "", "TB420", SEVERITY["TB420"], message, fix))
    raise UnreadableError(message)


def _value(text: str, limits: Limits) -> tuple[Any, dict[str, int]]:
    """The events of the parser put together; without recursion, since the text may be nested as deep as it likes."""
    found: dict[str, int] = {}
    documents = 0
    count = _Count(limits)
    anchors: dict[str, Any] = {}
    root: Any = None
    open_: list[tuple[Any, str, list[str]]] = []  # containers, their pointers, and of a mapping the key that waits
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _RefusedError("holds several documents", "keep one of them", event.start_mark)
            continue
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            open_.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        alias, scalar = isinstance(event, yaml.AliasEvent), isinstance(event, yaml.ScalarEvent)
        if not alias and event.tag is not None and event.tag != "!":
            raise _RefusedError("has a tag", "leave it out", event.start_mark)
        holder, around, waiting = open_[-1] if open_ else (None, "", [])
        if isinstance(holder, dict) and not waiting:
            waiting.append(_key(event, holder))
            if event.anchor is not None:
                anchors[event.anchor] = waiting[0]
            continue
        pointer = ""
        if isinstance(holder, dict):
            pointer = f"{around}/{escape(waiting[0])}"
        elif isinstance(holder, list):
            pointer = f"{around}/{len(holder)}"
        value: Any
        if alias:
            if event.anchor not in anchors:
                raise _RefusedError("an alias has no anchor before it", "write the value out", event.start_mark)
            meant = anchors[event.anchor]
            if any(meant is outer for outer, _, _ in open_):
                raise _RefusedError("an alias stands for what it is in", "use $ref", event.start_mark)
            value = count.copied(meant, len(pointer), len(open_), event.start_mark)
        else:
            value = _scalar(event) if scalar else {} if isinstance(event, yaml.MappingStartEvent) else []
            count.add(len(pointer), len(open_) + (not scalar), event.start_mark)
            if event.anchor is not None:
                anchors[event.anchor] = value
        if isinstance(holder, dict):
            holder[waiting.pop()] = value
        elif isinstance(holder, list):
            holder.append(value)
        else:
            root = value
        found[pointer] = event.start_mark.line + 1
        if not (scalar or alias):
            open_.append((value, pointer, []))
    return root, found


class _Count:
    """How much a text holds, with what its aliases stand for. Raises _RefusedError for more than is read."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.values = self.characters = 0

    def add(self, pointer: int, depth: int, mark: Any) -> None:
        """Count a value by the length of its pointer, and the containers that are open then."""
        self.values, self.characters = self.values + 1, self.characters + pointer
        if self.values > self.limits.values or self.characters > self.limits.pointers:
            raise _RefusedError(f"holds more than {self.limits.values:,} values", "split the file", mark)
        if depth > self.limits.depth:
            raise _RefusedError(f"is nested deeper than {self.limits.depth} levels", "nest less", mark)

    def copied(self, value: Any, pointer: int, depth: int, mark: Any) -> Any:
        """A copy of a value, which is counted where it is put."""
        inner = depth + isinstance(value, dict | list)
        self.add(pointer, inner, mark)
        if isinstance(value, dict):
            return {key: self.copied(item, pointer + len(key) + 1, inner, mark) for key, item in value.items()}
        if isinstance(value, list):
            return [self.copied(item, pointer + 2, inner, mark) for item in value]
        return value


def _key(event: Any, holder: dict[str, Any]) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise _RefusedError("a key is no text", "write a text", event.start_mark)
    key = _whole(event)
    if key in holder:
        raise _RefusedError(f"key {key[:60]!r} stands twice in a mapping", "keep one of them", event.start_mark)
    if key == "<<" and event.implicit[0]:
        raise _RefusedError("has a merge key, `<<`", "write its members out, or use $ref", event.start_mark)
    return key


def _scalar(event: Any) -> Any:
    text = _whole(event)
    if not event.implicit[0]:  # in quotation marks, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    try:
        if _INTEGER.fullmatch(text) and len(text) <= MAX_DIGITS:
            return int(text)
        number = float(text) if _NUMBER.fullmatch(text) else math.nan
    except ValueError:
        return text
    if math.isinf(number):
        raise _RefusedError(f"{text[:40]} is beyond the range of a number", "write a finite number", event.start_mark)
    return text if math.isnan(number) else number


def _whole(event: Any) -> str:
    text = str(event.value)
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _RefusedError("holds half of a surrogate pair", "write the whole character", event.start_mark)
    return text
