"""Strict reading of one file under the spec root: whatever is wrong is a typed diagnostic, never a traceback."""

from __future__ import annotations

import json
import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..diagnostics import Report
from ..documents import Document
from . import positions
from .codes import tell

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 64
MAX_VALUES: Final = 20_000
MAX_DIGITS: Final = 300
MAX_POINTERS: Final = 30_000_000
_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Limits:
    """The most that is read of one file: bytes, levels of nesting, values, and characters of the pointers to them."""

    bytes: int = MAX_BYTES
    depth: int = MAX_DEPTH
    values: int = MAX_VALUES
    pointers: int = MAX_POINTERS


class UnreadableError(Exception):
    """Raised by :meth:`Reader.value` once the reason is in the report."""


class _RefusedError(ValueError):
    """Raised inside the JSON parser for what it would take and we do not."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Reader:
    """Reads files by their path relative to the spec root (POSIX separators) and reports what is wrong with them.

    `foreign` files may begin with a byte order mark, which is skipped.
    """

    def __init__(self, root: Path, report: Report, limits: Limits = Limits(), *, foreign: bool = False) -> None:
        self.root = root
        self.report = report
        self.limits = limits
        self.foreign = foreign
        self._real = root.resolve()
        self._folders: dict[str, str] = {}  # with all links followed, for most files stand in a few of them

    def inside(self, path: str) -> bool:
        """Whether a path, with all links followed, stays under the spec root."""
        folder, _, name = path.rpartition("/")
        try:
            if folder not in self._folders:
                self._folders[folder] = os.path.realpath(os.path.join(self.root, folder))
            real = os.path.join(self._folders[folder], name)
            if name in ("", ".", "..") or os.path.islink(real):
                real = os.path.realpath(real)
        except (OSError, ValueError):
            return False
        return Path(real).is_relative_to(self._real)

    def text(self, path: str) -> str:
        """The text of a file. Raises UnreadableError."""
        if not self.inside(path):
            self._refuse("TB102", path, "leads outside the spec root", "replace the link with the file itself")
        try:
            status = (self.root / path).stat()
            if not stat.S_ISREG(status.st_mode):
                self._refuse("TB101", path, "is not a regular file", "put a regular file there")
            if status.st_size > self.limits.bytes:
                said = f"has {status.st_size:,} bytes; at most {self.limits.bytes:,} are read"
                self._refuse("TB103", path, said, "split the file")
            with (self.root / path).open("rb") as file:
                data = file.read(self.limits.bytes + 1)
        except OSError as error:
            self._refuse(
                "TB101", path, f"cannot be read: {error.strerror or error}", "check that it exists and its permissions"
            )
        if self.foreign:
            data = data.removeprefix(_MARK)
        if data.startswith(_MARK):
            self._refuse("TB104", path, "begins with a byte order mark", "save it as UTF-8 without BOM", 1)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self._refuse("TB104", path, f"byte {data[error.start]:#04x} is not UTF-8", "save it as UTF-8", line)
        raise AssertionError("unreachable")

    def value(self, path: str) -> tuple[str, Any]:
        """Text and value of a strict JSON file. Raises UnreadableError."""
        text = self.text(path)
        too_deep = f"is nested deeper than {self.limits.depth} levels"
        if line := positions.too_deep(text, self.limits.depth):
            self._refuse("TB103", path, too_deep, "move inner schemas to $defs", line)
        try:
            value = strict_json(text)
        except _RefusedError as error:
            pointer, line = _place(error.code, text)
            self._refuse(error.code, path, str(error), _FIX[error.code], line, pointer)
        except json.JSONDecodeError as error:
            self._refuse("TB105", path, f"{error.msg} (column {error.colno})", "write strict JSON", error.lineno)
        except RecursionError:
            self._refuse("TB103", path, too_deep, "move inner schemas to $defs")
        self.measure(path, value)
        if "\\u" in text and (line := positions.first_token(text, _is_surrogate)):
            self._refuse("TB108", path, "a string holds half of a surrogate pair", "write the whole character", line)
        return text, value

    def measure(self, path: str, value: Any) -> None:
        """Raises UnreadableError for a value of a file that holds more than is read."""
        count, characters = _size(value)
        if count > self.limits.values:
            said = f"holds {count:,} values; at most {self.limits.values:,} are read"
            self._refuse("TB103", path, said, "split the file")
        if characters > self.limits.pointers:
            most = self.limits.pointers
            said = f"the pointers to its values have {characters:,} characters; at most {most:,} are read"
            self._refuse("TB103", path, said, "shorten the names")

    def document(self, path: str) -> Document | None:
        """One schema file, or None once it is reported why there is none."""
        try:
            text, value = self.value(path)
            if isinstance(value, bool):
                value = {} if value else {"not": {}}  # what the two mean
            if not isinstance(value, dict):
                self._refuse("TB109", path, "holds no JSON object", 'write a schema: {"type": …}', 1)
        except UnreadableError:
            return None
        return Document(path, text, value)

    def _refuse(self, code: str, path: str, message: str, fix: str, line: int = 0, pointer: str = "") -> None:
        tell(self.report, code, path, message, fix=fix, line=line, pointer=pointer)
        raise UnreadableError(message)


def strict_json(text: str) -> Any:
    """The value of a JSON text without a repeated key and a number that is none. Raises ValueError, RecursionError."""
    return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int)


_FIX: Final = {
    "TB106": "keep one of them",
    "TB107": "write a finite number, or the text as a string",
}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RefusedError("TB106", f"key {key[:60]!r} stands twice in an object")
            seen.add(key)
    return value


def _constant(name: str) -> Any:
    raise _RefusedError("TB107", f"{name} is not JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _RefusedError("TB107", f"{digits[:40]} is beyond the range of a number")
    return value


def _int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _RefusedError("TB107", f"an integer of {len(digits)} digits is beyond the range of a number")
    return int(digits)


def _place(code: str, text: str) -> tuple[str, int]:
    if code == "TB106":
        return positions.repeated_key(text)
    for pointer, offset, token in positions.values(text):
        if _unfit(token):
            return pointer, positions.line_at(text, offset)
    return "", 0


def _unfit(token: str) -> bool:
    if token in ("NaN", "Infinity", "-Infinity"):
        return True
    if token[0] not in "-0123456789":
        return False
    try:
        return len(token) > MAX_DIGITS or math.isinf(float(token))
    except ValueError:
        return False


def _is_surrogate(token: str) -> bool:
    if token[0] != '"' or "\\u" not in token:
        return False
    return any("\ud800" <= character <= "\udfff" for character in json.loads(token))


def _size(value: Any) -> tuple[int, int]:
    """How many values there are, and how many characters the pointers to all of them have."""
    count = characters = 0
    todo = [(value, 0)]
    while todo:
        item, length = todo.pop()
        count += 1
        characters += length
        if isinstance(item, dict):
            todo += [(inner, length + len(key) + 1) for key, inner in item.items()]
        elif isinstance(item, list):
            todo += [(inner, length + 6) for inner in item]
    return count, characters
