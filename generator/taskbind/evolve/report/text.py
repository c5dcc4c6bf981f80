"""The report for a terminal: the worst first, coloured, with places that terminals and editors make links of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import inf
from typing import Final

from click import style

from ...diagnostics import one_line
from ..change import Kind
from ..compare import Audience, Comparison
from ..verdict import Level
from . import words
from .entry import Entry, told_once

_COLOURS: Final = {Level.BREAKING: "red", Level.DANGEROUS: "yellow", Level.SAFE: "green"}
_WIDTH: Final = max(map(len, (*Level, "ignored")))
_FEW: Final = 10
"""No more descriptions than this are named one by one."""


def as_text(comparison: Comparison, audience: Audience) -> str:
    """All entries under their tasks, what became of the ignore list, and a last line that counts.

    What is breaking for any task comes first, then what is dangerous for any, and then the rest, one line each; where
    many descriptions are worded anew, one line for all.
    """
    entries = told_once(comparison.findings)
    reworded = [entry for entry in entries if _reworded(entry)]
    many = len(reworded) > _FEW
    listed = [entry for entry in entries if not (many and _reworded(entry))]
    lines: list[str] = []
    for tasks, group in groupby(_in_order(listed, audience), key=lambda entry: words.tasks(entry, comparison)):
        lines.append(style(one_line(tasks), bold=True))
        lines += [line for entry in group for line in _entry(entry, audience)]
        lines.append("")
    if many:
        lines += [f"{words.count(reworded, 'descriptions')} are worded anew; `--format json` lists them.", ""]
    for line, said in words.ignore_list(comparison):
        lines.append(one_line(f"{comparison.ignore_file}:{line}: {said}"))
    if any(entry.finding.verdict.level is not Level.SAFE for entry in listed):
        lines.append("`taskbind explain RULE` says why a change is what it is.")
    if suggested := words.version(comparison.suggested):
        lines.append(f"This asks for {suggested}.")
    lines.append(f"{comparison.old.name} → {comparison.new.name}: {words.summary(comparison, audience)}")
    return "\n".join(lines)


def _reworded(entry: Entry) -> bool:
    """Whether an entry tells of other words alone."""
    verdict = entry.finding.verdict
    return verdict.change.kind is Kind.DESCRIPTION and verdict.level is Level.SAFE and not entry.finding.ignored


def _in_order(entries: Sequence[Entry], audience: Audience) -> list[Entry]:
    """The worst first, what is ignored last; of one level what most tasks share first, what one task has together."""
    first: dict[tuple[str, ...], int] = {}
    for entry in entries:
        first.setdefault(entry.tasks, len(first))

    def key(entry: Entry) -> tuple[float, ...]:
        rank = -1 if entry.finding.ignored else entry.finding.level(audience).rank
        return -rank, -(len(entry.tasks) or inf), first[entry.tasks]

    return sorted(entries, key=key)


def _entry(entry: Entry, audience: Audience) -> Iterator[str]:
    finding, level = entry.finding, entry.finding.level(audience)
    word = style(level.ljust(_WIDTH), fg=_COLOURS[level])
    if finding.ignored:
        word = style("ignored".ljust(_WIDTH), dim=True)
    yield f"  {word}  {one_line(words.sentence(finding.verdict))}"
    if finding.verdict.level is Level.SAFE and not finding.ignored:
        return
    places, rest = words.places(entry)
    where = f"{one_line(', '.join(filter(None, (*places, rest))))}: " if places else ""
    margin = " " * (_WIDTH + 4)
    yield f"{margin}{where}{finding.verdict.rule}{f' ({levels})' if (levels := words.levels(finding)) else ''}"
    if told := words.witness(entry):
        yield f"{margin}{told[0]}: {one_line(told[1])}"
    for note in (words.assumed(finding), words.ignored(finding.ignored)):
        if note:
            yield f"{margin}{one_line(note)}"
