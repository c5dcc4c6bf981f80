"""TOML files beside schemas, checked key by key: whatever is wrong is a typed diagnostic with its line."""

from __future__ import annotations

import pickle
import re
import tomllib
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Final, TypeGuard

from .codes import tell
from .files import Reader, UnreadableError


class TomlChecker:
    """Checks the tables of one TOML file and reports what is wrong; `valid` says whether nothing was.

    The codes are those of a file that is not TOML, of an unknown key and of a wrong value.
    """

    syntax_code: ClassVar[str]
    unknown_code: ClassVar[str]
    value_code: ClassVar[str]

    def __init__(self, reader: Reader, path: str) -> None:
        self.reader = reader
        self.path = path
        self.lines: list[str] = []
        self.valid = True

    def read(self) -> dict[str, Any] | None:
        """The content of the file, or None once it is reported why there is none."""
        try:
            text = self.reader.text(self.path)
        except UnreadableError:
            return None
        self.lines = text.splitlines()
        try:
            value: dict[str, Any] = pickle.loads(_parsed(text))
            return value
        except (ValueError, RecursionError) as error:
            message, line = str(error) or "nested too deep", syntax_line(str(error), self.lines)
            tell(self.reader.report, self.syntax_code, self.path, message, fix="correct the syntax", line=line)
            return None

    def tables(self, parent: dict[str, Any], key: str, where: str = "") -> list[dict[str, Any]]:
        """The tables of a list of tables; none where it is something else, which is reported."""
        self.value(parent, key, where, _is_tables, f"a list of tables ([[{where}{key}]])")
        found = parent.get(key, [])
        return found if _is_tables(found) else []

    def known(self, table: dict[str, Any], keys: Collection[str], where: str) -> None:
        """Report the keys of a table that are not among `keys`."""
        for key in table:
            if key not in keys:
                self.tell(self.unknown_code, f"{where}{key[:60]}", "unknown key", meant(key, keys, "known keys"), key)

    def value(
        self,
        table: dict[str, Any],
        key: str,
        where: str,
        fits: Callable[[Any], bool],
        wanted: str,
        *,
        required: bool = False,
    ) -> None:
        """Report a value that does not fit, or is missing."""
        if key not in table:
            if required:
                self.tell(self.value_code, f"{where}{key}", "is missing", f"add {wanted}", "")
        elif not fits(table[key]):
            self.tell(self.value_code, f"{where}{key}", f"is not {wanted}", f"write {wanted}", key)

    def tell(self, code: str, where: str, message: str, fix: str, key: str) -> None:
        """Report one finding about the value at `where`, on the line of `key`."""
        self.valid = False
        line = key_line(self.lines, where, key)
        tell(self.reader.report, code, self.path, f"{where}: {message}", fix=fix, line=line)


@lru_cache(1024)  # parsing is slow, and `taskbind watch` reads the same texts again and again
def _parsed(text: str) -> bytes:
    """What a text of TOML says, so that every reader can have a copy of its own."""
    return pickle.dumps(tomllib.loads(text))


def meant(name: str, known: Collection[str], of: str) -> str:
    """A fix for a name that is not known: the nearest one, or a list of those there are."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else f"{of}: {', '.join(known) or '(none)'}"


def syntax_line(message: str, lines: Sequence[str]) -> int:
    """The line of a syntax error that `tomllib` tells of in these words; 0 if it does not say."""
    found = re.search(r"line (\d+)", message)
    return int(found.group(1)) if found else len(lines) if "end of document" in message else 0


def key_line(lines: Sequence[str], where: str, key: str) -> int:
    """The line of a key in a TOML text, in the table that `where` names; 0 if not found.

    `where` is such as ``title``, ``examples[1].inputs`` or ``table.key``, with or without the key. A key that does not
    stand on a line of its own has that of its table.
    """
    steps = _steps(where, key)
    names = tuple(name for name, _ in steps)
    headers = [(number, found) for number, text in enumerate(lines, 1) if (found := _header(text))]
    line, end, depth, is_item = 0, len(lines), 0, False
    for count, (_, index) in enumerate(steps, 1):
        here = [number for number, header in headers if header == names[:count] and line < number <= end]
        if len(here) > (index or 0):
            line, depth, is_item = here[index or 0], count, index is not None
            ends = (n for n, header in headers if header[:count] != names[:count] or (is_item and n in here))
            end = min((number - 1 for number in ends if line < number <= end), default=end)
    own = min((number - 1 for number, _ in headers if line < number <= end), default=end)
    for count in range(len(steps), depth, -1):
        key_of = re.compile(r"\s*" + r"\s*\.\s*".join(map(_quoted, names[depth:count])) + r"\s*[=.]")
        if is_item and count == depth + 1:  # what is told of an item may stand in the tables inside it
            own = end
        of_key = (number for number, text in enumerate(lines[line:own], line + 1) if key_of.match(text))
        inside = (number for number, header in headers if header[:count] == names[:count] and line < number <= end)
        if number := next(of_key, 0) or next(inside, 0):
            return number
    return line


_STEP: Final = re.compile(r"([\w-]+)(?:\[(\d+)\])?")
_HEADER: Final = re.compile(r"""\s*\[\[?((?:\s*(?:[\w-]+|"[^"]*"|'[^']*')\s*\.?)+)\]\]?\s*(?:#.*)?""")


def _steps(where: str, key: str) -> list[tuple[str, int | None]]:
    """The names that lead to a key, each with the index of the item meant; the last is the key itself."""
    last: list[tuple[str, int | None]] = [(key, None)] if key else []
    if key and where.endswith(key[:60]):
        where = where[: -len(key[:60])]
        if item := re.fullmatch(r"([\w-]+)\[(\d+)\]", key):
            last = [(item[1], int(item[2]))]
    found = _STEP.finditer(where.partition('"')[0])
    return [*((step[1], int(step[2]) if step[2] else None) for step in found), *last]


def _header(line: str) -> tuple[str, ...]:
    """The names in the header of a table; none for another line."""
    found = _HEADER.fullmatch(line)
    names = re.findall(r"""[\w-]+|"[^"]*"|'[^']*'""", found[1]) if found else ()
    return tuple(name.strip("\"'") for name in names)


def _quoted(name: str) -> str:
    name = re.escape(name)
    return f"(?:{name}|\"{name}\"|'{name}')"


def is_text(value: Any) -> TypeGuard[str]:
    """Whether a value is a text."""
    return isinstance(value, str)


def _is_tables(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def is_texts(value: Any) -> bool:
    """Whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
