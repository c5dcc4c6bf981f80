"""Changes that a project has decided to live with: `[[diff.ignore]]` in `taskbind.toml`, each with a reason and an end.

::

    [[diff.ignore]]
    rule = "request-member-required"
    task = "image-*"            # optional: ids of tasks; `*` is any text, `?` any character
    path = "parameters.top_k"   # optional: places in the data, likewise
    reason = "The service has refused requests without it since May."
    until = 2027-01-31          # the last day on which it holds
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..diagnostics import TaskbindError

if TYPE_CHECKING:  # the configuration of a project needs this module, but not the IR
    from .verdict import Verdict

_TEXTS: Final = ("rule", "task", "path", "reason")
_REQUIRED: Final = ("rule", "reason", "until")


@dataclass(frozen=True)
class Ignore:
    """One entry, at a line of its file. `task` and `path` are patterns, `until` is the last day on which it holds."""

    rule: str
    reason: str
    until: date
    task: str = "*"
    path: str = "*"
    line: int = 0

    def fits(self, verdict: Verdict) -> bool:
        """Whether the entry is about a verdict, whatever the day."""
        change = verdict.change
        return verdict.rule == self.rule and _like(change.task, self.task) and _like(change.path, self.path)

    def expired(self, today: date) -> bool:
        """Whether it no longer holds."""
        return today > self.until


@dataclass(frozen=True)
class Sorted:
    """Verdicts, and what the ignore list made of them: each verdict with the entry that holds for it, if one does.

    `expired` are the entries of the past, `unused` those that hold and that nothing fits.
    """

    verdicts: tuple[tuple[Verdict, Ignore | None], ...]
    expired: tuple[Ignore, ...]
    unused: tuple[Ignore, ...]


def sort_out(verdicts: Iterable[Verdict], ignores: Iterable[Ignore], today: date) -> Sorted:
    """Give each verdict the first entry that is about it and holds on a day."""
    ignores = tuple(ignores)
    expired = tuple(ignore for ignore in ignores if ignore.expired(today))
    holding = [ignore for ignore in ignores if not ignore.expired(today)]
    told = tuple((verdict, next((i for i in holding if i.fits(verdict)), None)) for verdict in verdicts)
    unused = tuple(ignore for ignore in holding if not any(ignore.fits(verdict) for verdict, _ in told))
    return Sorted(told, expired, unused)


class File(Protocol):
    """The file that the entries stand in."""

    def error(self, where: str, message: str) -> TaskbindError:
        """An error about the key at `where`."""

    def line(self, where: str) -> int:
        """The line of the key at `where`; 0 if that is not known."""


def read_ignores(diff: Mapping[str, Any], file: File) -> tuple[Ignore, ...]:
    """The entries in the table `diff` of a taskbind.toml. Raises TaskbindError for what none can be.

    Whether there is such a rule is not asked here: :func:`check_rules`.
    """
    for key in diff.keys() - {"ignore"}:
        raise file.error(f"diff.{key}", f"unknown key {key[:60]!r}; known keys: ignore")
    entries = diff.get("ignore", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise file.error("diff.ignore", "must be a list of tables ([[diff.ignore]])")
    return tuple(_entry(entry, f"diff.ignore[{index}]", file) for index, entry in enumerate(entries))


def _entry(entry: Mapping[str, Any], where: str, file: File) -> Ignore:
    for key in _REQUIRED:
        if key not in entry:
            raise file.error(where, f"`{key}` is missing")
    for key, value in entry.items():
        if key in _TEXTS:
            if not isinstance(value, str) or not value.strip():
                raise file.error(f"{where}.{key}", "must be a text")
        elif key != "until":
            raise file.error(f"{where}.{key}", f"unknown key {key[:60]!r}; known keys: {', '.join(_TEXTS)}, until")
        elif not isinstance(value, date) or isinstance(value, datetime):
            raise file.error(f"{where}.{key}", "must be a date without quotes and time, such as 2027-01-31")
    return Ignore(**entry, line=file.line(f"{where}.rule"))


def check_rules(ignores: Iterable[Ignore], known: Iterable[str], file: str) -> None:
    """Raise TaskbindError for an entry whose rule is not among those that are known: it would never fit."""
    known = sorted(known)
    for ignore in ignores:
        if ignore.rule not in known:
            from difflib import get_close_matches

            near = get_close_matches(ignore.rule, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else "`taskbind diff` names the rule of each change"
            raise TaskbindError(f"{file}:{ignore.line}: diff.ignore: there is no rule {ignore.rule[:60]!r}; {hint}")


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))  # in a path, brackets are those of a list
