"""How an answer is shown: as JSON to programs, as tables and lines to people; and its media as files."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from ..encoded import Base64
from . import CommandError, printable
from .schema import Schemas

_WIDEST = 60
_MOST_NUMBERS = 8


@dataclass(frozen=True)
class Medium:
    """A file in an answer, in base64."""

    kind: str
    text: str

    @property
    def data(self) -> bytes | None:
        """The file; None if this is something else, such as the address of one."""
        try:
            return Base64(self.text).data
        except ValueError:
            return None

    def __str__(self) -> str:
        data = self.data
        return f"<{self.kind}>" if data is None else f"<{self.kind}, {size(len(data))}>"


def size(count: int) -> str:
    """A number of bytes for people."""
    return (
        f"{count} bytes" if count < 1000 else f"{count / 1000:.3g} kB" if count < 999_500 else f"{count / 1e6:.3g} MB"
    )


def with_media(schemas: Schemas, schema: Any, value: Any) -> Any:
    """`value`, an answer of `schema`, with each file in it as a :class:`Medium`."""
    for one in schemas.alternatives(schema):
        kind = schemas.media(one)
        if isinstance(value, str) and kind:
            return Medium(kind, value)
        if isinstance(value, list):
            plain = schemas.plain(one)
            first = plain.get("prefixItems", [])
            inner = [*first, *[plain.get("items", {})] * max(0, len(value) - len(first))]
            value = [with_media(schemas, member, item) for member, item in zip(inner, value, strict=False)] or value
        elif isinstance(value, dict):
            members = schemas.members(one)[0]
            rest = schemas.plain(one).get("additionalProperties", {})
            value = {name: with_media(schemas, members.get(name, rest), item) for name, item in value.items()}
    return value


def media(value: Any) -> Iterator[Medium]:
    """Every file in an answer, in its order."""
    if isinstance(value, Medium):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from media(item)


@dataclass(frozen=True)
class Shown:
    """How answers of `schema` are given out: as JSON or to people, and their files to `target` if there is one."""

    schemas: Schemas
    schema: Any
    as_json: bool
    target: Path | None

    def text(self, answer: Any) -> str:
        """An answer for people."""
        return shown(with_media(self.schemas, self.schema, answer))

    def save(self, answer: Any, number: int | None = None) -> None:
        """Save the files of an answer, the `number`-th of several, and say so. Raises CommandError."""
        if (path := self.target) is None:
            return
        if number is not None:
            path = _numbered(path, number)
        for line in save(with_media(self.schemas, self.schema, answer), path):
            print(line, file=sys.stderr)


def json_text(value: Any, indent: int | None = None) -> str:
    """`value` as JSON. A stream that cannot hold every character gets those in JSON's own escapes."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    return json.dumps(value, indent=indent, ensure_ascii=ascii_only)


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def save(value: Any, path: Path) -> Iterator[str]:
    """Write the files in an answer to `path`, numbered if they are several; a line about each.

    Raises CommandError where that cannot be done.
    """
    found = list(media(value))
    if not found:
        raise CommandError("--save: the answer holds no file")
    for number, medium in enumerate(found, 1):
        target = path if len(found) == 1 else _numbered(path, number)
        data = medium.data
        if data is None:
            raise CommandError(f"--save: the {medium.kind} in the answer is not base64")
        try:
            target.write_bytes(data)
        except OSError as error:
            raise CommandError(f"--save {target}: {error.strerror or error}") from None
        yield f"{printable(str(target))}: {medium.kind}, {size(len(data))}"


# ------------------------------------------------------------------------------------------------------- for people


def shown(value: Any) -> str:
    """An answer as text for people."""
    return "\n".join(_lines(value))


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield from _object(value)
    elif _is_table(value):
        yield from _table(value)
    elif isinstance(value, list) and value and not _is_vector(value):
        yield from map(_cell, value)
    else:
        yield _cell(value, None)


def _object(value: dict[str, Any]) -> Iterator[str]:
    widest = max(_width(f"{printable(name)}:") for name in value)
    for name, member in value.items():
        label = f"{printable(name)}:"
        if _is_table(member) or (isinstance(member, dict) and member):
            yield label
            yield from (f"  {line}" for line in _lines(member))
        else:
            yield f"{_padded(label, widest)}  {_cell(member, None)}"


def _is_table(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) and item for item in value)


def _is_vector(value: list[Any]) -> bool:
    return len(value) > _MOST_NUMBERS and all(isinstance(item, int | float) for item in value)


def _table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row[name]) if name in row else "" for name in names] for row in rows]
    cells.insert(0, [printable(name) for name in names])
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    right = [all(_is_number(row.get(name, 0)) for row in rows) for name in names]
    for line in cells:
        columns = zip(line, widths, right, strict=True)
        yield "  ".join(_padded(text, width, to_right) for text, width, to_right in columns).rstrip()


def _cell(value: Any, widest: int | None = _WIDEST) -> str:
    """A value on one line of at most `widest` characters."""
    text = printable(value if isinstance(value, str) else _compact(value))
    return text if widest is None or len(text) <= widest else f"{text[: widest - 1]}…"


def _compact(value: Any) -> str:
    """JSON in short: numbers with four decimals, long vectors by their start, files by their size."""
    if isinstance(value, Medium):
        return str(value)
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, list):
        left = len(value) - _MOST_NUMBERS if _is_vector(value) else 0
        items = [_compact(item) for item in (value[:_MOST_NUMBERS] if left else value)]
        return f"[{', '.join([*items, f'… {left} more'] if left else items)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_compact(item)}" for name, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _width(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _padded(text: str, width: int, to_right: bool = False) -> str:
    space = " " * (width - _width(text))
    return space + text if to_right else text + space
