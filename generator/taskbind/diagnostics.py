"""Diagnostics: what was wrong, where, and what to do about it.

Problems in specs are values, not exceptions: every stage appends to one :class:`Report` and goes on as far as it
can, so that a user sees all of them in one run. Only :class:`TaskbindError` is raised, for problems that leave nothing
to go on with (a missing configuration, a generated file that was edited by hand).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final


class Severity(StrEnum):
    """How bad a finding is. Only an error can stop `taskbind generate`; see :attr:`Diagnostic.fatal`."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


LOOSENABLE: Final = frozenset(("TB244",))
"""Refusals of a keyword that can be left out; what is generated then differs from the schema by that keyword alone."""
ADVISORY: Final = frozenset(("TB234",))
"""Errors in what a schema says that generated code is exact about all the same, so that they stop nothing."""


@dataclass(frozen=True)
class Code:
    """One kind of finding: its code, how bad it is, a title of a few words, and a paragraph of explanation."""

    code: str
    severity: Severity
    title: str
    text: str

    @property
    def loosenable(self) -> bool:
        """Whether `--allow-loose` may go on past this finding."""
        return self.code in LOOSENABLE


@dataclass(frozen=True, order=True)
class Diagnostic:
    """One finding in one spec file.

    `path` is relative to the spec root (POSIX separators), `pointer` an RFC 6901 JSON Pointer (``""`` is the whole
    document), `line` counts from 1 (0: unknown). `fix` says what to change. `repaired` is true where a rule had
    exactly one reading of the text and generation goes on with it; `loose` where the user lets it go on without the
    keyword that was refused.
    """

    path: str
    line: int
    pointer: str
    code: str
    severity: Severity
    message: str
    fix: str = ""
    repaired: bool = False
    loose: bool = False

    @property
    def fatal(self) -> bool:
        """Whether `generate` must not go on past this finding."""
        harmless = self.repaired or self.loose or self.code in ADVISORY
        return self.severity is Severity.ERROR and not harmless

    def __str__(self) -> str:
        return self.told()

    def told(self, folder: str = "") -> str:
        """One line about it; `folder` leads from where the reader is to the spec root, so that the place is a link."""
        path = f"{folder.rstrip('/')}/{self.path}".removesuffix("/.") if folder not in ("", ".") else self.path
        where = f"{path}:{self.line}" if self.line else path
        pointer = f" {self.pointer}" if self.pointer else ""
        notes = ["repaired"] * self.repaired + ["loose"] * self.loose + [f"fix: {self.fix}"] * bool(self.fix)
        told = f" ({'; '.join(notes)})" if notes else ""
        return one_line(f"{where}:{pointer} {self.severity} {self.code}: {self.message}{told}")


def one_line(text: str) -> str:
    """A text for one line of a terminal or a log: what does not print is escaped, since specs may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def told(error: BaseException) -> str:
    """The kind and the text of somebody else's exception, which may have none, or fail to give it."""
    try:
        text = str(error)
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def relative(path: Path, folder: Path) -> str:
    """How to get to a path from a folder, with slashes."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path.as_posix()


@dataclass
class Report:
    """The findings of one run, in the order in which they were made. Refusals with a code in `loose` are let pass.

    `root` is the spec root, which the paths of the findings are relative to.
    """

    diagnostics: list[Diagnostic] = field(default_factory=list)
    loose: frozenset[str] = frozenset()
    root: Path | None = None

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep one finding."""
        if diagnostic.code in self.loose and diagnostic.fatal:
            diagnostic = replace(diagnostic, loose=True)
        self.diagnostics.append(diagnostic)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(sorted(set(self.diagnostics)))

    def __len__(self) -> int:
        return len(set(self.diagnostics))

    @property
    def fatal(self) -> list[Diagnostic]:
        """The findings that `generate` must not go on past."""
        return [diagnostic for diagnostic in self if diagnostic.fatal]

    def count(self, severity: Severity) -> int:
        """How many distinct findings have this severity."""
        return sum(d.severity is severity for d in self)


class TaskbindError(Exception):
    """A problem that stops the run. Its text is for the user: what, where, what to do.

    `exit_code` is that of the command line: 2 where the command could not run at all, 1 where it ran and found
    something in the specs or in the output that needs a person.
    """

    exit_code = 2


class EditedError(TaskbindError):
    """The output directory holds work that generating would overwrite, at `paths` in it."""

    exit_code = 1

    def __init__(self, message: str, paths: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.paths = tuple(paths)
