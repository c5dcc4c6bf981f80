"""OLD against NEW: every verdict with its place in the specs, and what the ignore list says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal

from ..config import Config
from ..load.positions import lines
from ..load.toml import key_line
from ..plan import plan
from .change import Change
from .ignore import Ignore, check_rules, sort_out
from .rules import RULES
from .semver import Suggestion, suggest
from .sources import Source
from .surface import Planned, judge_all
from .verdict import Level, Verdict

Audience = Literal["wire", "python", "both"]
"""Whose level counts: that of callers on the wire, of users of the generated Python, or the worse of both."""


def pick(wire: Level, python: Level, audience: Audience) -> Level:
    """The level that counts for an audience."""
    if audience == "both":
        return max(wire, python, key=lambda level: level.rank)
    return wire if audience == "wire" else python


@dataclass(frozen=True)
class Location:
    """Where the specs of NEW say what changed, or would: the nearest that is still there.

    `path` is relative to the spec root, which `specs` leads to from the current folder; that is None where NEW is an
    `api.json`. `line` counts from 1, and is 0 where nothing says which.
    """

    specs: str | None
    path: str
    line: int
    pointer: str

    @property
    def file(self) -> str:
        """The file from the current folder on; where that is not known, from the spec root on."""
        return str(PurePosixPath(self.specs or ".") / self.path)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Finding:
    """One verdict, its place if it has one, and the entry of the ignore list that holds for it."""

    verdict: Verdict
    place: Location | None = None
    ignored: Ignore | None = None

    def level(self, audience: Audience = "both") -> Level:
        """How bad it is for an audience."""
        return pick(self.verdict.wire, self.verdict.python, audience)


@dataclass(frozen=True)
class Comparison:
    """All that is known of the way from OLD to NEW.

    `findings` are in the order of the tasks. `expired` entries of the ignore list ignore nothing any more, `unused`
    ones hold and fit nothing; `ignore_file` is where they stand, relative to the current folder.
    """

    old: Source
    new: Source
    findings: tuple[Finding, ...]
    expired: tuple[Ignore, ...]
    unused: tuple[Ignore, ...]
    ignore_file: str
    suggested: Suggestion

    @cached_property
    def tasks(self) -> frozenset[str]:
        """The tasks that both versions have."""
        old, new = ({task.id for task in source.api.tasks} for source in (self.old, self.new))
        return frozenset(old & new)

    def counting(self, audience: Audience = "both") -> Counter[Level]:
        """How many findings that are not ignored have which level."""
        return Counter(finding.level(audience) for finding in self.findings if not finding.ignored)

    def worst(self, audience: Audience = "both") -> Level | None:
        """The worst of these levels; None where nothing changed."""
        return max(self.counting(audience), key=lambda level: level.rank, default=None)


def compare(old: Source, new: Source, ignores: Iterable[Ignore], ignore_file: str, today: date) -> Comparison:
    """Judge all differences. Raises TaskbindError for an entry of the ignore list whose rule there is none of."""
    ignores = tuple(ignores)
    check_rules(ignores, RULES, ignore_file)
    verdicts = judge_all(*_planned(old, new))
    found = sort_out(verdicts, ignores, today)
    places = _Places(new)
    findings = tuple(Finding(verdict, places.of(verdict), ignore) for verdict, ignore in found.verdicts)
    suggested = suggest(verdicts, old.version or new.version)
    return Comparison(old, new, findings, found.expired, found.unused, ignore_file, suggested)


def _planned(old: Source, new: Source) -> tuple[Planned, Planned]:
    """Both with their names in Python; what is no project has the package of the other one."""
    other = new.config or old.config or Config(Path(), Path())
    before, after = (Planned(source.api, plan(source.api, source.config or other)) for source in (old, new))
    return before, after


class _Places:
    """Finds places in the files of NEW."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines: dict[str, dict[str, int]] = {}

    def of(self, verdict: Verdict) -> Location | None:
        """The place of a verdict; what is gone has that of what it was part of."""
        source = verdict.change.source
        if source is None:
            return None
        text = self._source.texts.get(source.path)
        if text is None:
            return Location(self._source.specs, source.path, 0, source.pointer)
        if source.path.endswith(".toml"):
            return Location(self._source.specs, source.path, _toml_line(text, verdict.change), source.pointer)
        if source.path not in self._lines:
            self._lines[source.path] = lines(text)
        known, pointer = self._lines[source.path], source.pointer
        while pointer and pointer not in known:
            pointer = pointer.rpartition("/")[0]
        return Location(self._source.specs, source.path, known.get(pointer, 0), pointer)


def _toml_line(text: str, change: Change) -> int:
    """The line of the key that an attribute of a task or of a dialect is; what is gone has that of its table."""
    return key_line(text.splitlines(), change.path, change.name)
