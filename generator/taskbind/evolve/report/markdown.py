"""The report as a comment on a pull request: GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from ...escape import code, markdown
from ..compare import Audience, Comparison
from ..verdict import Level
from . import words
from .entry import Entry, ignored_ones, of_level, told_once

_MOST: Final = 60_000
"""A comment has at most 65,536 characters."""

_TITLES: Final = {Level.BREAKING: "Breaking", Level.DANGEROUS: "Dangerous", Level.SAFE: "Safe"}
_HEAD: Final = "| task | where | what | rule |\n| --- | --- | --- | --- |"


def as_markdown(comparison: Comparison, audience: Audience) -> str:
    """A summary, a table for each level (that of safe changes folded), what is ignored, and the suggested version.

    What is too much for one comment is counted instead.
    """
    left = _MOST
    old, new = (code(source.name) for source in (comparison.old, comparison.new))
    parts = [f"**API changes** from {old} to {new}: {words.summary(comparison, audience)}."]
    if suggested := words.version(comparison.suggested):
        parts.append(f"This asks for {_text(suggested)}.")
    parts += [
        f"- {code(f'{comparison.ignore_file}:{line}')}: {_text(said)}." for line, said in words.ignore_list(comparison)
    ]
    entries = told_once(comparison.findings)
    for level in words.LEVELS:
        found = of_level(entries, level, audience)
        table, left = _table(found, comparison, left)
        if table:
            title = f"{_TITLES[level]} ({len(found)})"
            parts.append(_folded(title, table) if level is Level.SAFE else f"### {title}\n\n{table}")
    ignored = ignored_ones(entries)
    table, left = _table(ignored, comparison, left)
    if table:
        parts.append(_folded(f"Ignored ({len(ignored)})", table))
    return "\n\n".join(parts)


def _table(entries: Sequence[Entry], comparison: Comparison, room: int) -> tuple[str, int]:
    """A table of at most `room` characters, and the room that is left; empty without entries."""
    rows: list[str] = []
    for entry in entries:
        row = _row(entry, comparison)
        if len(row) > room:
            break
        rows.append(row)
        room -= len(row) + 1
    rest = len(entries) - len(rows)
    table = "\n".join([_HEAD, *rows]) if rows else ""
    more = f"… and {rest} more: run `taskbind diff`." if rest else ""
    return "\n\n".join(filter(None, (table, more))), room


def _row(entry: Entry, comparison: Comparison) -> str:
    finding, verdict = entry.finding, entry.finding.verdict
    notes = [_text(verdict.message)]
    if told := words.witness(entry):
        notes.append(f"{_text(told[0])}: {code(told[1])}")
    more = (words.levels(finding), words.assumed(finding), words.ignored(finding.ignored))
    notes += [_text(note) for note in more if note]
    tasks = "all" if words.everywhere(entry, comparison) else ", ".join(map(code, entry.tasks))
    places, rest = words.places(entry)
    where = [*map(code, (words.place(verdict.change), *places)), *filter(None, [rest])]
    return _cells((tasks, "<br>".join(where), "<br>".join(notes), code(verdict.rule)))


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _folded(title: str, table: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{table}\n\n</details>"


def _text(text: str) -> str:
    """Text without links, and without what GitHub makes of names, numbers and hashes: nobody is called by a spec."""
    return re.sub(r"[@#]|(?<=\b[Gg][Hh])-", r"\g<0><!-- -->", markdown(text, links=False))
