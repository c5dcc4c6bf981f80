"""The report as workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...formats import Command, github_command
from ..compare import Audience, Comparison
from ..verdict import Level
from . import words
from .entry import Entry, told_once

_COMMAND: Final[Mapping[Level, Command]] = {Level.BREAKING: "error", Level.DANGEROUS: "warning"}


def as_github(comparison: Comparison, audience: Audience) -> str:
    """One line for each entry that is not safe, the worst first, since GitHub shows ten of a kind for each step.

    What is ignored is a notice, and what is wrong with the ignore list a warning.
    """
    told = [e for e in told_once(comparison.findings, at_one_place=True) if e.finding.level(audience) is not Level.SAFE]
    told.sort(key=lambda entry: (bool(entry.finding.ignored), -entry.finding.level(audience).rank))
    lines = [_annotation(entry, comparison, audience) for entry in told]
    lines += [
        github_command("warning", said, file=comparison.ignore_file, line=line, title="taskbind diff: ignore list")
        for line, said in words.ignore_list(comparison)
    ]
    return "\n".join(lines)


def _annotation(entry: Entry, comparison: Comparison, audience: Audience) -> str:
    finding, place = entry.finding, entry.finding.place
    level = finding.level(audience)
    return github_command(
        "notice" if finding.ignored else _COMMAND[level],
        "\n".join([words.about(entry, comparison), *words.notes(entry)]),
        file=place.file if place else "",
        line=place.line if place else 0,
        title=f"{finding.verdict.rule} ({level})",
    )
