"""The ignore list: what fits, until when, and what is wrong with an entry."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from taskbind.config import load_config
from taskbind.diagnostics import TaskbindError
from taskbind.evolve.change import Change, Kind
from taskbind.evolve.ignore import Ignore, check_rules, sort_out
from taskbind.evolve.verdict import Level, Verdict

HEAD = 'specs = "specs"\nout = "out"\n'
GOOD = '[[diff.ignore]]\nrule = "request-member-required"\nreason = "Agreed."\nuntil = 2027-01-31\n'
LAST = date(2027, 1, 31)


def verdict(rule: str = "r", task: str = "t", path: str = "p") -> Verdict:
    return Verdict(Change(task, "request", path, Kind.REQUIRED), rule, Level.BREAKING, Level.SAFE, "m")


def entry(rule: str = "r", **rest: str) -> Ignore:
    return Ignore(rule, "because", LAST, **rest)


def read(folder: Path, text: str) -> tuple[Ignore, ...]:
    (folder / "taskbind.toml").write_text(HEAD + text, encoding="utf-8")
    return load_config(folder).ignores


def test_entries_are_read_with_their_lines(tmp_path: Path) -> None:
    more = (
        '\n# another\n[[diff.ignore]]\nreason = "So."\nuntil = 2026-02-01\nrule = "r"\ntask = "image-*"\npath = "a.b"\n'
    )
    assert read(tmp_path, GOOD + more) == (
        Ignore("request-member-required", "Agreed.", LAST, line=4),
        Ignore("r", "So.", date(2026, 2, 1), "image-*", "a.b", line=12),
    )
    assert read(tmp_path, "") == ()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[diff]\nignored = []\n", 4, "unknown key 'ignored'"),
        ("[diff]\nignore = {}\n", 4, "must be a list of tables"),
        ("[diff]\nignore = [1]\n", 4, "must be a list of tables"),
        ("diff = 1\n", 3, "must be a table"),
        (GOOD.replace("reason", "why"), 3, "`reason` is missing"),
        (GOOD.replace('rule = "request-member-required"\n', ""), 3, "`rule` is missing"),
        (GOOD.replace("until = 2027-01-31\n", ""), 3, "`until` is missing"),
        (GOOD.replace("2027-01-31", '"2027-01-31"'), 6, "must be a date"),
        (GOOD.replace("2027-01-31", "2027-01-31T00:00:00"), 6, "must be a date"),
        (GOOD.replace('"Agreed."', '" "'), 5, "must be a text"),
        (GOOD + "task = 5\n", 7, "must be a text"),
        (GOOD + 'tasks = "x"\n', 7, "unknown key 'tasks'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(TaskbindError, match=message) as caught:
        read(tmp_path, text)
    assert f"taskbind.toml:{line}: diff" in str(caught.value)


def test_an_unknown_rule_is_told_with_the_nearest_one() -> None:
    with pytest.raises(TaskbindError, match=r"^x\.toml:7: .*'reqest-type'; did you mean 'request-type'\?"):
        check_rules([Ignore("reqest-type", "because", LAST, line=7)], ["request-type", "other"], "x.toml")
    check_rules([entry("other")], ["other"], "x.toml")


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*", "", True),
        ("parameters.*", "parameters.top_k", True),
        ("parameters.*", "parameters", False),
        ("[].box", "[].box", True),
        ("[].*[]", "[].labels[]", True),
        ("[].box", "].box", False),
        ("[0]", "0", False),
        ("top_?", "top_k", True),
        ("TOP_K", "top_k", False),
    ],
)
def test_patterns_of_places(pattern: str, path: str, fits: bool) -> None:
    assert entry(path=pattern).fits(verdict(path=path)) is fits


@given(st.text())
def test_every_place_fits_itself(path: str) -> None:
    pattern = path.replace("*", "?")
    assert entry(path=pattern).fits(verdict(path=path))


def test_a_verdict_gets_the_first_entry_that_fits_and_holds() -> None:
    first, second, past = entry(task="a*"), entry(), Ignore("r", "because", date(2026, 1, 1))
    found = sort_out([verdict(task="ab"), verdict(task="c"), verdict("other")], [past, first, second], LAST)
    assert [ignore for _, ignore in found.verdicts] == [first, second, None]
    assert (found.expired, found.unused) == ((past,), ())


def test_an_entry_holds_on_its_last_day_and_no_longer() -> None:
    for today, holds in ((LAST, True), (date(2027, 2, 1), False)):
        found = sort_out([verdict()], [entry()], today)
        assert [ignore is not None for _, ignore in found.verdicts] == [holds]
        assert found.expired == (() if holds else (entry(),))


def test_what_fits_nothing_is_unused() -> None:
    found = sort_out([verdict()], [entry(task="x"), entry(path="x"), entry("x")], LAST)
    assert len(found.unused) == 3
    assert [ignore for _, ignore in found.verdicts] == [None]


def test_patterns_without_end_take_no_time() -> None:
    assert not entry(path="*a" * 200 + "b").fits(verdict(path="a" * 5000))
