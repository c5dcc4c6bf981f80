"""The laws catch generator bugs: seeded ones by the hundred, and a few that really end up in a package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taskbind import lower as lowering
from taskbind.config import Config
from taskbind.pipeline import generate

from .bugs import Bug, Fate, Hunt, bugs, infected, subjects_of
from .subjects import OURS, Project, Subject, read

EVERY = 12
REAL = (
    "is not required",
    "is required by mistake",
    "is renamed",
    "is not typed",
    "may be null",
    "open and closed are mixed up",
    "is dropped from an enum",
    "a value is added to an enum",
    "minimum is one more",
    "maximum is dropped",
    "an integer is a number",
    "items are not typed",
    "variant 0 is dropped",
    "a tuple is a list",
)


def test_the_data_of_the_laws_shows_seeded_bugs(tables: list[str]) -> None:
    hunt = Hunt(OURS)
    found = list(bugs(hunt.api))[::EVERY]
    fates = [(bug, hunt.fate(bug)) for bug in found]
    left = [f"    {fate.value}: {bug}" for bug, fate in fates if fate in (Fate.SURVIVED, Fate.UNDECIDED)]
    caught = sum(fate is Fate.CAUGHT for _, fate in fates)
    real = caught + len(left)
    tables.append("\n".join([f"{caught} of {real} seeded generator bugs caught ({caught / real:.1%})", *left]))
    assert caught >= 0.99 * real


def test_a_package_with_bugs_breaks_the_laws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One package with a bug in each of several tasks; a task without one keeps the laws."""
    sick = choose()
    api = read(OURS.specs).api
    for bug, _ in sick.values():
        api = infected(api, bug)
    monkeypatch.setattr(lowering, "lower", lambda tree, report: api)
    generate(Config(OURS.specs, tmp_path / "out", package="infected"))
    project = Project(OURS.specs, "infected", tmp_path / "out")
    for what, (bug, subject) in sick.items():
        broken = Subject(project, subject.task, subject.kind).measure(draws=1, limit=5000).tally.broken
        assert any(each.law == "agreement" and each.detail.startswith("the model") for each in broken), (what, bug)
    well = next(s for s in project.subjects() if s.task not in {subject.task for _, subject in sick.values()})
    assert not well.measure(draws=1, limit=500).tally.broken


def choose() -> dict[str, tuple[Bug, Subject]]:
    """A bug of each kind, each in a task of its own."""
    chosen: dict[str, tuple[Bug, Subject]] = {}
    tasks: set[str] = set()
    for bug in bugs(read(OURS.specs).api):
        what = next((what for what in REAL if what not in chosen and re.search(what, bug.what)), None)
        found = subjects_of(OURS, bug) if what else []
        # The root of a request shapes the client's methods, so not every wrong one can be rendered.
        if what and len(found) == 1 and found[0].task not in tasks and bug.definition != found[0].id:
            chosen[what] = (bug, found[0])
            tasks.add(found[0].task)
    assert len(chosen) >= 10, chosen
    return chosen
