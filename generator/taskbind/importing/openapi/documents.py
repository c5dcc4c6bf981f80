"""The files of an OpenAPI document: the one that is imported, and those beside and below it that it refers to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from ...diagnostics import Diagnostic, Report, TaskbindError
from ...ir import Source
from ...load.files import Limits, Reader, UnreadableError
from ...load.positions import escape, lines, unescape
from .codes import SEVERITY, Unsayable

LIMITS: Final = Limits(bytes=16 << 20, depth=100, values=600_000, pointers=200_000_000)
"""OpenAPI documents describe whole services; a spec, one task."""
_MOST_FILES: Final = 200
_LONGEST_CHAIN: Final = 32
_YAML: Final = (".yaml", ".yml")
_LIKE_YAML: Final = re.compile(r"\s*(#|---|%YAML|['\"]?[A-Za-z_$][\w.$-]*['\"]?[ \t]*:)")


class Documents:
    """Reads files by their path relative to the document's folder (POSIX separators), and follows references."""

    def __init__(self, file: Path, report: Report) -> None:
        self.main = file.name
        self.report = report
        self._reader = Reader(file.parent, report, LIMITS, foreign=True)
        self._values: dict[str, Any] = {}
        self._lines: dict[str, Mapping[str, int]] = {}
        self._texts: dict[str, str] = {}

    def value(self, path: str) -> Any:
        """The content of a file. Raises UnreadableError once it is reported why there is none."""
        if path not in self._values:
            if len(self._values) == _MOST_FILES:
                raise TaskbindError(f"{self.main}: refers to more than {_MOST_FILES} files; bundle them into one")
            if path.lower().endswith(_YAML):
                from . import yaml

                text = self._reader.text(path)
                self._values[path], self._lines[path] = yaml.read(path, text, self.report, LIMITS)
                self._reader.measure(path, self._values[path])
            else:
                if _LIKE_YAML.match(self._reader.text(path)):
                    self._lines[path] = {}
                    self.tell("TB420", Source(path, ""), "is no JSON", "write strict JSON, or name it .yaml")
                    raise UnreadableError("is no JSON")
                self._texts[path], self._values[path] = self._reader.value(path)
        return self._values[path]

    def line(self, place: Source) -> int:
        """The line of a place, or of the nearest value around it."""
        if place.path not in self._lines:
            self._lines[place.path] = lines(self._texts.get(place.path, ""))
        known, pointer = self._lines[place.path], place.pointer
        while pointer and pointer not in known:
            pointer = pointer.rpartition("/")[0]
        return known.get(pointer, 0)

    def tell(self, code: str, place: Source, message: str, fix: str = "", *, repaired: bool = False) -> None:
        """Report a finding at a place."""
        severity = SEVERITY[code]
        line = self.line(place)
        self.report.add(Diagnostic(place.path, line, place.pointer, code, severity, message[:300], fix, repaired))

    def at(self, place: Source) -> Any:
        """The value at a place. Raises Unsayable where there is none."""
        try:
            value = self.value(place.path)
        except UnreadableError as error:
            raise Unsayable(f"{place.path} {error}", place, "correct that file", "TB422") from None
        for token in place.pointer.split("/")[1:]:
            key = unescape(token)
            if isinstance(value, dict) and key in value:
                value = value[key]
            elif isinstance(value, list) and key.isascii() and key.isdecimal() and int(key) < len(value):
                value = value[int(key)]
            else:
                raise _lost(place.pointer, place)
        return value

    def target(self, ref: Any, place: Source) -> Source:
        """What a reference that stands at `place` leads to. Raises Unsayable."""
        if not isinstance(ref, str):
            raise Unsayable("the reference is no text", place, 'write "#/components/schemas/Name"', "TB422")
        path, _, fragment = ref.partition("#")
        path, fragment = unquote(path), unquote(fragment)
        if "://" in path or path.startswith("//") or ":" in path.partition("/")[0]:
            raise Unsayable(f"{_quoted(ref)} is remote", place, "copy it beside the document", "TB422")
        if fragment and not fragment.startswith("/"):
            raise Unsayable(f"{_quoted(ref)} is an anchor", place, "refer by JSON Pointer", "TB422")
        full = posixpath.normpath(posixpath.join(posixpath.dirname(place.path), path)) if path else place.path
        if full.startswith(("/", "../")) or full in (".", "..") or "\\" in full or "\0" in full:
            fix = "copy it beside the document"
            raise Unsayable(f"{_quoted(ref)} leaves the folder of the document", place, fix, "TB422")
        target = Source(full, fragment)
        try:
            self.at(target)
        except Unsayable as problem:
            if problem.place == target:
                raise _lost(ref, place) from None
            raise
        return target

    def followed(self, place: Source) -> tuple[Any, Source]:
        """The value at a place, and where it really stands: at the end of a chain of references. Raises Unsayable."""
        start = place
        for _ in range(_LONGEST_CHAIN):
            value = self.at(place)
            if not isinstance(value, dict) or "$ref" not in value:
                return value, place
            place = self.target(value["$ref"], place)
        raise Unsayable("the references go round in circles", start, "let them end somewhere", "TB422")

    def members(self, place: Source, key: str) -> Iterator[tuple[str, Source]]:
        """The members of the object `key` of the object at `place`, and where they stand; none if it is no object."""
        held = self.at(place)
        held = held.get(key) if isinstance(held, dict) else None
        for name in held if isinstance(held, dict) else ():
            yield name, inside(place, key, name)


def inside(place: Source, *keys: str | int) -> Source:
    """The place of a member, or of a member of a member."""
    return Source(place.path, place.pointer + "".join(f"/{escape(str(key))}" for key in keys))


def _lost(ref: str, place: Source) -> Unsayable:
    return Unsayable(f"{_quoted(ref)} leads nowhere", place, "correct the reference", "TB422")


def _quoted(ref: str) -> str:
    return repr(ref[:120])
