"""A task's main input out of the command line: a file, a text, JSON, or standard input."""

from __future__ import annotations

import binascii
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..binding import TaskBinding
from . import CommandError, ReadError, printable
from .options import json_or_text, sketch
from .schema import Schemas

STANDARD = "-"


@dataclass(frozen=True)
class Primary:
    """What the main input of a task is: a file of the kind `media`, or JSON of `types`, with files as `members`.

    `sketch` hints at the members of an object.
    """

    name: str
    media: str | None
    types: frozenset[str]
    members: tuple[str, ...]
    optional: bool
    sketch: str

    @classmethod
    def of(cls, binding: TaskBinding, schemas: Schemas) -> Primary:
        """Read it out of the task's schema."""
        root, _ = schemas.members(schemas.named(binding.input_model))
        schema = root.get(binding.primary, {})
        types = schemas.types(schema)
        members = schemas.members(schema)[0] if "object" in types else {}
        files = tuple(name for name, member in members.items() if schemas.media(member))
        return cls(binding.primary, binding.media, types, files, binding.optional, sketch(members))

    @property
    def help(self) -> str:
        """What to type."""
        if self.media:
            return f"the path of a file ({self.media}); {STANDARD} reads standard input"
        if self.types == {"string"}:
            return f"a text; {STANDARD} reads standard input"
        text = "a text, or " if "string" in self.types else ""
        shape = f" like {self.sketch}" if self.sketch else f" ({' or '.join(sorted(self.types - {'string'}))})"
        help = f"{text}JSON{shape}, or @FILE with JSON; {STANDARD} reads standard input"
        return printable(help).replace("%", "%%")

    def read(self, text: str | None, files: Sequence[str] = ()) -> Any:
        """The input, with files as bytes; None where it is missing. `files` are ``member=path``.

        Raises ReadError where that cannot be read, CommandError for a wrong ``--file``.
        """
        if text is None and not files:
            return None
        value = {} if text is None else self._value(text)
        for given in files:
            member, equals, path = given.partition("=")
            if not equals or not path or member not in self.members:
                known = " or ".join(f"{name}=PATH" for name in self.members)
                raise CommandError(f"--file {given}: must be {known}")
            if not isinstance(value, dict):
                raise ReadError(f"--file {given}: INPUT must be a JSON object that this file goes into")
            value = {**value, member: _file(path)}
        return value

    def _value(self, text: str) -> Any:
        if self.media:
            return sys.stdin.buffer.read() if text == STANDARD else _file(text)
        piped = text == STANDARD
        if piped:
            try:
                text = sys.stdin.buffer.read().decode("utf-8")
            except UnicodeDecodeError:
                raise ReadError("standard input is not UTF-8 text") from None
        if self.types == {"string"}:
            return text
        try:
            return json_or_text(text, self.types, files=not piped)
        except OSError as error:
            raise ReadError(f"{text[1:]}: {error.strerror or error}") from None
        except ValueError as error:
            shown = text if len(text) <= 60 else f"{text[:60]}…"
            hint = "" if text[:1] == "@" else ", or @FILE with JSON"
            raise ReadError(f"INPUT {shown!r}: must be JSON{hint}: {error}") from None


def _file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ReadError(f"{path}: {reason}") from None


def encoded(value: Any) -> Any:
    """`value` as JSON: files, its own or those in its members, in base64."""
    if isinstance(value, bytes):
        return binascii.b2a_base64(value, newline=False).decode("ascii")
    if isinstance(value, dict):
        return {name: encoded(member) if isinstance(member, bytes) else member for name, member in value.items()}
    return value
