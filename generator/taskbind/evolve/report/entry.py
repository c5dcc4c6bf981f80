"""What people are told once: findings that say the same of several tasks, such as of all that share a definition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ... import ir
from ..compare import Audience, Finding, Location
from ..verdict import Level


@dataclass(frozen=True)
class Entry:
    """One or more findings that say the same.

    `finding` stands for all of them: the first that has a witness, or else the first. `tasks` are those that they are
    about, in their order; none where they are about no task in particular. `places` are where the specs say so, each
    once; that of `finding` comes first.
    """

    finding: Finding
    tasks: tuple[str, ...]
    places: tuple[Location, ...]


def told_once(findings: Iterable[Finding], *, at_one_place: bool = False) -> tuple[Entry, ...]:
    """The findings as entries, in the order of the first of each; on request only those of one place are one entry."""
    alike: dict[object, list[Finding]] = {}
    for finding in findings:
        verdict, change = finding.verdict, finding.verdict.change
        said = (verdict.rule, change.side, change.path, verdict.what, verdict.wire, verdict.python, finding.ignored)
        alike.setdefault((said, finding.place if at_one_place else None), []).append(finding)
    return tuple(map(_entry, alike.values()))


def of_level(entries: Iterable[Entry], level: Level, audience: Audience) -> list[Entry]:
    """The entries of a level that are not ignored."""
    return [entry for entry in entries if not entry.finding.ignored and entry.finding.level(audience) is level]


def ignored_ones(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that are ignored."""
    return [entry for entry in entries if entry.finding.ignored]


def _entry(findings: list[Finding]) -> Entry:
    shown = next((finding for finding in findings if finding.verdict.witness is not ir.ABSENT), findings[0])
    tasks = dict.fromkeys(finding.verdict.change.task for finding in findings if finding.verdict.change.task)
    places = dict.fromkeys(finding.place for finding in (shown, *findings) if finding.place)
    return Entry(shown, tuple(tasks), tuple(places))
