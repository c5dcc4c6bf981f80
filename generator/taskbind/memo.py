"""Keep what expensive functions answered, by a hash of all that they were asked.

What is kept is the result of a pure function of complete data, and its key is made of exactly that data: nothing here
knows what depends on what, so nothing can be forgotten. A result under another key is another function's, and one that
no key asks for any more is dropped after the run.
"""

from __future__ import annotations

import contextlib
import json
import marshal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any, Final
from zlib import crc32

from .lock import beside

_ATOMS: Final = frozenset((str, int, float, bool, type(None), bytes))
_OWN: Final = f"{__package__}."
_PARAMETERS: Final = "__dataclass_params__"


@dataclass(frozen=True)
class Result:
    """What is kept of a result: a text, and a note of JSON values beside it, which nobody may change."""

    text: str
    note: Any = None


class Memo:
    """Results of one run and of the one before it, by key.

    `salt` stands for all that decides a result beside the data in its key: the source of the generator and the versions
    of its tools. A memo that does not `keep` finds nothing: all is made anew.
    """

    def __init__(self, salt: str = "", kept: Mapping[str, Result] | None = None, *, keep: bool = True) -> None:
        self.salt = salt
        self.live: dict[str, Any] = {}
        """What lasts no longer than the process, such as compiled templates."""
        self._keep = keep
        self._kept = dict(kept or {})
        self._used: dict[str, Result] = {}

    def get(self, key: str) -> Result | None:
        """The result under a key, None where there is none."""
        found = self._used.get(key) or self._kept.get(key)
        if found is not None:
            self._used[key] = found
        return found

    def put(self, key: str, text: str, note: Any = None) -> None:
        """Keep a result."""
        if self._keep:
            self._used[key] = Result(text, note)

    def forget(self) -> bool:
        """Drop what was not used since the last time; called when a run is done. Returns whether that changed anything.

        (After a run that failed half-way nothing is dropped, for it did not ask for all that it would need.)
        """
        changed = self._used.keys() != self._kept.keys()
        self._kept, self._used = self._used, {}
        return changed

    @property
    def kept(self) -> Mapping[str, Result]:
        """What the last run used."""
        return self._kept


class Hasher:
    """Hashes of complete data: equal for equal data, and never equal for data that differs.

    Complete are texts, bytes, numbers, booleans, None, tuples, lists, dicts (with their order), sets; and of the
    generator's own, since its source is hashed, enumerations, functions of modules, and dataclasses, whose methods may
    be called. Anything else raises TypeError: an object whose address, or code that nobody hashes, could be part of a
    result.

    It remembers the hashes of objects that cannot change, by identity, for as long as it lives: that of one run.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, object]] = {}  # the object itself, so that its id stays its own
        self._shapes: dict[type, tuple[str, tuple[str, ...], bool]] = {}
        self._changeable = 0  # how many objects were met so far that can change

    def hash(self, *data: object) -> str:
        """The hash of some data."""
        return sha256(marshal.dumps(self._plain(data), 0)).hexdigest()

    def _plain(self, value: Any) -> Any:
        """The value in types that marshal writes in one way only; an ellipsis, which is no data, marks the others."""
        kind = type(value)
        if kind in _ATOMS:
            return value
        if kind is list:
            self._changeable += 1
            return [self._plain(item) for item in value]
        if kind is dict:
            self._changeable += 1
            return {self._plain(key): self._plain(item) for key, item in value.items()}
        if kind is set or kind is frozenset:
            self._changeable += kind is set
            return (..., kind.__name__, sorted(self.hash(item) for item in value))
        if (known := self._known.get(id(value))) is not None:
            return known[1]
        before = self._changeable
        if kind is tuple:
            plain: Any = tuple([self._plain(item) for item in value])
            if len(plain) <= 2:
                return plain
        elif isinstance(value, Enum):
            plain = (..., _name(kind), value.name)
        elif kind is FunctionType:
            plain = (..., _function(value))
        else:
            name, members, frozen = self._shapes.get(kind) or self._shape(kind)
            self._changeable += not frozen
            plain = (..., name, [self._plain(getattr(value, member)) for member in members])
        plain = (..., sha256(marshal.dumps(plain, 0)).digest())
        if self._changeable == before:
            self._known[id(value)] = (value, plain)
        return plain

    def _shape(self, kind: type) -> tuple[str, tuple[str, ...], bool]:
        if not is_dataclass(kind):
            raise TypeError(f"{_name(kind)} is no data that a hash could stand for")
        frozen: bool = getattr(kind, _PARAMETERS).frozen
        self._shapes[kind] = shape = (_name(kind), tuple(field.name for field in fields(kind)), frozen)
        return shape


def _function(function: FunctionType) -> str:
    name = _name(function)
    if getattr(sys.modules[function.__module__], function.__name__, None) is not function:
        raise TypeError(f"{name} stands in no module, so its name does not tell what it does")
    return name


def _name(kind: type | FunctionType) -> str:
    if not f"{kind.__module__}.".startswith(_OWN):
        raise TypeError(f"{kind.__module__}.{kind.__qualname__} is not taskbind's own, so nobody hashes what it does")
    return f"{kind.__module__}.{kind.__qualname__}"


class Store:
    """Where a memo is from run to run: this one is nowhere, so that all is made anew."""

    def load(self, salt: str) -> Memo:
        """What was kept under this salt."""
        return Memo(salt, keep=False)

    def save(self, memo: Memo) -> None:
        """Keep what a run used that is done."""


class InFile(Store):
    """A memo in a file beside the output. One that is damaged, foreign or cannot be read is as none at all.

    Its first line is JSON: salt, checksum of the rest, and for each key the length of its text in bytes, and its note.
    The rest are the texts. (Megabytes of text inside of JSON would take longer to read than what they save.)
    """

    def __init__(self, out: Path) -> None:
        self.path = beside(out, "cache")

    def load(self, salt: str) -> Memo:
        """What was kept under this salt."""
        kept: dict[str, Result] = {}
        try:
            first, _, texts = self.path.read_bytes().partition(b"\n")
            head = json.loads(first)
            if head["salt"] == salt and head["crc32"] == crc32(texts):
                start = 0
                for key, (length, note) in head["kept"].items():
                    kept[key] = Result(texts[start : start + length].decode("utf-8", "surrogatepass"), note)
                    start += length
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            kept = {}
        return Memo(salt, kept)

    def save(self, memo: Memo) -> None:
        """Write what the run used, if that is not what is there. A file that cannot be written is no loss."""
        if not memo.forget():
            return
        checksum = 0
        kept = {}
        for key, result in memo.kept.items():
            text = _bytes(result)
            checksum = crc32(text, checksum)
            kept[key] = len(text), result.note
        head = json.dumps({"salt": memo.salt, "crc32": checksum, "kept": kept})
        new = self.path.with_name(f"{self.path.name}.new")
        try:
            with new.open("wb") as file:
                file.write(f"{head}\n".encode())
                file.writelines(map(_bytes, memo.kept.values()))
            new.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)


def _bytes(result: Result) -> bytes:
    return result.text.encode("utf-8", "surrogatepass")


class InProcess(Store):
    """A memo that lasts as long as the process; at first it is what `start` has, if there is one."""

    def __init__(self, start: InFile | None = None) -> None:
        self._start = start
        self._memo: Memo | None = None

    def load(self, salt: str) -> Memo:
        """What was kept under this salt."""
        if self._memo is None or self._memo.salt != salt:
            self._memo = self._start.load(salt) if self._start else Memo(salt)
        return self._memo

    def save(self, memo: Memo) -> None:
        """Forget what is of no more use."""
        memo.forget()
