"""The suggested version."""

from __future__ import annotations

import pytest

from taskbind.evolve.change import Change, Kind
from taskbind.evolve.semver import suggest
from taskbind.evolve.verdict import Level, Verdict

SAFE, DANGEROUS, BREAKING = Level


def verdict(wire: Level = SAFE, python: Level = SAFE, kind: Kind = Kind.ADDED) -> Verdict:
    return Verdict(Change("t", "request", "p", kind), "r", wire, python, "m")


WORDING = verdict(kind=Kind.DESCRIPTION)
ADDITION = verdict()
RISK = verdict(DANGEROUS)
BREAK = verdict(BREAKING)
BREAK_IN_PYTHON = verdict(python=BREAKING)


@pytest.mark.parametrize(
    ("old", "verdicts", "bump", "new"),
    [
        ("1.2.3", [], None, "1.2.3"),
        ("1.2.3", [WORDING], "patch", "1.2.4"),
        ("1.2.3", [WORDING, ADDITION], "minor", "1.3.0"),
        ("1.2.3", [verdict(DANGEROUS, kind=Kind.DESCRIPTION)], "minor", "1.3.0"),
        ("1.2.3", [RISK], "minor", "1.3.0"),
        ("1.2.3", [ADDITION, BREAK], "major", "2.0.0"),
        ("1.2.3", [BREAK_IN_PYTHON], "major", "2.0.0"),
        ("0.2.3", [BREAK], "minor", "0.3.0"),
        ("0.2.3", [BREAK_IN_PYTHON], "minor", "0.3.0"),
        ("0.2.3", [RISK, ADDITION], "patch", "0.2.4"),
        ("0.0.1", [BREAK], "minor", "0.1.0"),
        ("1.3.0rc1", [], None, "1.3.0rc1"),
        ("1.3.0rc1", [WORDING], "patch", "1.3.0"),
        ("1.3.0rc1", [ADDITION], "minor", "1.3.0"),
        ("1.3.0rc1", [BREAK], "major", "2.0.0"),
        ("2.0.0a1", [BREAK], "major", "2.0.0"),
        ("0.3.0b2", [BREAK], "minor", "0.3.0"),
        ("0.3.1rc1", [BREAK], "minor", "0.4.0"),
        (None, [BREAK], "major", None),
        ("1.2.dev0", [ADDITION], "minor", None),
        ("", [], None, None),
    ],
)
def test_what_follows(old: str | None, verdicts: list[Verdict], bump: str | None, new: str | None) -> None:
    found = suggest(verdicts, old)
    assert (found.bump, found.version) == (bump, new)
