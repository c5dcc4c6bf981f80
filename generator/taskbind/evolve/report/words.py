"""What all reports for people say alike; plain text, still to be escaped for its target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ... import ir
from ...escape import json_text
from ..change import Change
from ..compare import Audience, Comparison, Finding
from ..ignore import Ignore
from ..semver import Suggestion
from ..verdict import Level, Verdict
from ..wording import are_all
from .entry import Entry, ignored_ones, of_level, told_once

LEVELS: Final = tuple(reversed(Level))
"""The worst first."""

_LONGEST: Final = 400
_FEW: Final = 3
"""No more places than this are named."""


def direction(change: Change) -> str | None:
    """Which way the data goes: ``input`` to the server, ``output`` from it; None for what is no data."""
    return {"request": "input", "response": "output", "stream": "output"}.get(change.side)


def everywhere(entry: Entry, comparison: Comparison) -> bool:
    """Whether an entry is about all tasks, or about none in particular."""
    return not entry.tasks or are_all(entry.tasks, comparison.tasks)


def tasks(entry: Entry, comparison: Comparison) -> str:
    """The tasks that an entry is about."""
    return "all tasks" if everywhere(entry, comparison) else ", ".join(entry.tasks)


def about(entry: Entry, comparison: Comparison) -> str:
    """What an entry says, with its tasks before it where it is about any."""
    told = sentence(entry.finding.verdict)
    return f"{tasks(entry, comparison)}: {told}" if entry.tasks else told


def place(change: Change) -> str:
    """Where in the API something changed: ``request parameters.top_k``."""
    if change.side == "python":
        return change.path or "package"
    return f"{change.side} {change.path}".strip()


def sentence(verdict: Verdict) -> str:
    """What happened, where, and for whom it matters. What only Python sees names its place itself."""
    change = verdict.change
    return verdict.message if change.side == "python" else f"{place(change)}: {verdict.message}"


def summary(comparison: Comparison, audience: Audience) -> str:
    """How much changed, in one line without its end."""
    entries = told_once(comparison.findings)
    found = [(level.value, of_level(entries, level, audience)) for level in LEVELS]
    found.append(("ignored", ignored_ones(entries)))
    return ", ".join(count(some, word) for word, some in found if some) or "no change of the API"


def count(entries: Sequence[Entry], word: str) -> str:
    """How many entries there are, and in how many tasks if that says more: ``2 breaking in 35 tasks``."""
    among = len({task for entry in entries for task in entry.tasks})
    return f"{len(entries)} {word}{f' in {among} tasks' if among > 1 and among != len(entries) else ''}"


def places(entry: Entry) -> tuple[list[str], str]:
    """Where the specs say so: the first places, and how many more there are, in words."""
    named = list(dict.fromkeys(map(str, entry.places)))
    return named[:_FEW], f"{len(named) - _FEW} more" if len(named) > _FEW else ""


def levels(finding: Finding) -> str:
    """Both levels where they differ: ``safe on the wire, breaking in Python``; else nothing."""
    verdict = finding.verdict
    return "" if verdict.wire is verdict.python else f"{verdict.wire} on the wire, {verdict.python} in Python"


def witness(entry: Entry) -> tuple[str, str] | None:
    """What a witness shows, and the witness as JSON; None without one. Long ones are shortened."""
    verdict = entry.finding.verdict
    if verdict.witness is ir.ABSENT:
        return None
    told = json_text(verdict.witness)
    told = told if len(told) <= _LONGEST else f"{told[:_LONGEST]} …"
    output = direction(verdict.change) == "output"
    shows = "new answer that old readers refuse" if output else "was accepted, is refused now"
    return (f"{shows} ({verdict.change.task})" if len(entry.tasks) > 1 else shows), told


def notes(entry: Entry) -> list[str]:
    """All else that there is to say, a sentence each without its end."""
    finding = entry.finding
    shown = ": ".join(witness(entry) or ())
    return [note for note in (levels(finding), assumed(finding), shown, ignored(finding.ignored)) if note]


def assumed(finding: Finding) -> str:
    """A note where a level is assumed and not known; else nothing."""
    unknown = finding.verdict.proof == "unknown"
    return "nothing proves that it is compatible, so it counts as not" if unknown else ""


def version(suggested: Suggestion) -> str:
    """What the suggestion says, in one line without its end; empty where nothing changed."""
    if suggested.bump is None:
        return ""
    follows = f"after {suggested.old} comes {suggested.version}" if suggested.version else "the version is not known"
    return f"a {suggested.bump} version: {follows}"


def ignored(ignore: Ignore | None) -> str:
    """Why something is ignored, and for how long; else nothing."""
    return f"ignored until {ignore.until.isoformat()}: {ignore.reason}" if ignore else ""


def ignore_list(comparison: Comparison) -> list[tuple[int, str]]:
    """What to tell of the ignore list itself: lines and sentences."""
    expired = [
        (ignore.line, f"the ignore of {ignore.rule} ended on {ignore.until.isoformat()}; nothing is ignored by it")
        for ignore in comparison.expired
    ]
    unused = [
        (ignore.line, f"the ignore of {ignore.rule} fits no change; remove it, or correct its task and path")
        for ignore in comparison.unused
    ]
    return sorted(expired + unused)
