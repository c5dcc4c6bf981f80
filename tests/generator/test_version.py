"""Versions: their order, and which one follows."""

from __future__ import annotations

import pytest

from taskbind.diagnostics import TaskbindError
from taskbind.version import Bump, Version


def test_versions_come_in_their_order() -> None:
    names = (
        "0.9.0",
        "0.10.0a1",
        "0.10.0b1",
        "0.10.0b2",
        "0.10.0rc1",
        "0.10.0",
        "0.10.1",
        "1.0.0rc1",
        "1.0.0",
        "10.0.0",
    )
    assert tuple(sorted(names, key=lambda name: Version(name).order)) == names
    assert [name for name in names if not Version(name).final] == [n for n in names if n.strip("0123456789.")]


@pytest.mark.parametrize(
    "name", ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-x", "1.0.0rc", "1.0.0.post1", "1.0.0\n", "１.0.0"]
)
def test_other_texts_are_refused(name: str) -> None:
    with pytest.raises(TaskbindError, match="is no version"):
        Version(name)


@pytest.mark.parametrize(
    ("name", "bump", "after"),
    [
        ("1.2.3", "major", "2.0.0"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "patch", "1.2.4"),
        ("1.3.0rc1", "patch", "1.3.0"),
        ("1.3.0rc1", "minor", "1.3.0"),
        ("1.3.0rc1", "major", "2.0.0"),
        ("1.2.4a1", "patch", "1.2.4"),
        ("1.2.4a1", "minor", "1.3.0"),
        ("2.0.0b2", "major", "2.0.0"),
    ],
)
def test_what_follows(name: str, bump: Bump, after: str) -> None:
    assert Version(name).after(bump) == Version(after)
    assert Version(name).order < Version(after).order
