"""The official test suite, held against what `load` and `normalize` make of each schema."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from taskbind.diagnostics import Report
from taskbind.load import load
from taskbind.normalize import normalize
from tests.conformance.suite import DIALECTS, Group, Judge, groups
from tests.generator.test_normalize import assert_normal

MOST_REFUSED = 0.02


def judged(group: Group, root: Path) -> tuple[list[str], list[str]]:
    """The codes that refuse a group; and, if there are none, the tests that come out otherwise than they should."""
    report = Report()
    tree = normalize(load(group.write(root), report), report)
    if report.fatal:
        assert all(finding.code and finding.line and finding.fix for finding in report.fatal), report.fatal
        return sorted({finding.code for finding in report.fatal}), []
    assert_normal(tree)
    judge = Judge(tree)
    return [], [test.name for test in group.tests if judge.accepts(test.data) is not test.valid]


def test_the_official_suite(tmp_path: Path, tables: list[str]) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    refused: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    for number, group in enumerate(groups()):
        codes, disagreed = judged(group, tmp_path / str(number))
        counts[group.draft, "groups"] += 1
        for code in codes:
            refused[group.draft, code] += 1
        if not codes:
            counts[group.draft, "accepted"] += 1
            counts[group.draft, "tests"] += len(group.tests)
            counts[group.draft, "agreed"] += len(group.tests) - len(disagreed)
        wrong += [f"{group}: {name}" for name in disagreed]
    rows = [
        "official JSON Schema test suite, after normalisation",
        "draft         groups  accepted   tests  agreed  refused",
    ]
    for draft in DIALECTS:
        cells = "".join(f"{counts[draft, name]:>8}" for name in ("groups", "accepted", "tests", "agreed"))
        why = ", ".join(f"{code}: {count}" for (of, code), count in sorted(refused.items()) if of == draft)
        rows.append(f"{draft:<12}{cells}  {why}")
    tables.append("\n".join(rows))
    assert not wrong
    total = sum(counts[draft, "groups"] for draft in DIALECTS)
    accepted = sum(counts[draft, "accepted"] for draft in DIALECTS)
    assert total > 600
    assert total - accepted <= MOST_REFUSED * total
