"""Diagnostics: what was wrong, where, and what to do about it.

Problems in specs are values, not exceptions: every stage appends to one :class:`Report` and goes on as far as it
can, so that a user sees all of them in one run. Only :class:`TaskbindError` is raised, for problems that leave nothing
to go on with (a missing configuration, a generated file that was edited by hand).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is. Only an error that no rule repaired stops `taskbind generate`."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Code:
    """One kind of finding: its code, how bad it is, a title of a few words, and a paragraph of explanation."""

    code: str
    severity: Severity
    title: str
    text: str


@dataclass(frozen=True, order=True)
class Diagnostic:
    """One finding in one spec file.

    `path` is relative to the spec root (POSIX separators), `pointer` an RFC 6901 JSON Pointer (``""`` is the whole
    document), `line` counts from 1 (0: unknown). `fix` says what to change. `repaired` is true where a rule had
    exactly one reading of the text and generation goes on with it.
    """

    path: str
    line: int
    pointer: str
    code: str
    severity: Severity
    message: str
    fix: str = ""
    repaired: bool = False

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        pointer = f" {self.pointer}" if self.pointer else ""
        fix = f" ({'repaired; ' if self.repaired else ''}fix: {self.fix})" if self.fix else ""
        return f"{where}:{pointer} {self.severity} {self.code}: {self.message}{fix}"


@dataclass
class Report:
    """The findings of one run, in the order in which they were made."""

    diagnostics: list[Diagnostic] = field(default_factory=list)

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep one finding."""
        self.diagnostics.append(diagnostic)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(sorted(set(self.diagnostics)))

    def __len__(self) -> int:
        return len(set(self.diagnostics))

    @property
    def fatal(self) -> list[Diagnostic]:
        """Errors that no rule repaired: `generate` must not go on past them."""
        return [d for d in self if d.severity is Severity.ERROR and not d.repaired]

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
    """The output directory holds work that generating would overwrite."""

    exit_code = 1
