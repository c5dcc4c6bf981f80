"""Places: what is read is written in one way, and everything else is refused with its column."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from taskbind.jsonpath import EACH, Length, Path, PlaceError, contradict, expression, overlap, parse, written

NAMES = st.text(st.characters(codec="utf-8"), max_size=6)
PATHS = st.lists(NAMES | st.integers(0, 999) | st.just(EACH), max_size=6).map(tuple)


@given(PATHS)
def test_what_is_written_is_read_again(path: Path) -> None:
    assert parse(written(path)) == path


@pytest.mark.parametrize(
    ("text", "path", "normal"),
    [
        ("$", (), "$"),
        ("$.a._b2.é", ("a", "_b2", "é"), "$.a._b2.é"),
        ("$['a'][\"b c\"]", ("a", "b c"), "$.a['b c']"),
        ("$[0][*][12]", (0, EACH, 12), "$[0][*][12]"),
        ("$['']", ("",), "$['']"),
        (r"$['it\'s \\ \n \u00e9 \ud83c\udf89']", ("it's \\ \n é 🎉",), r"$['it\'s \\ \n é 🎉']"),
        ("$['content-type']", ("content-type",), "$['content-type']"),
        ("$['\\u0000']", ("\0",), r"$['\u0000']"),
        ("$['*']", ("*",), "$['*']"),
    ],
)
def test_read_and_written(text: str, path: Path, normal: str) -> None:
    assert parse(text) == path
    assert written(path) == normal


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1),
        ("a", 1),
        (" $", 1),
        ("$.", 2),
        ("$.a.", 4),
        ("$..a", 2),
        ("$.*", 2),
        ("$.2", 2),
        ("$ .a", 2),
        ("$.a b", 4),
        ("$[-1]", 2),
        ("$[01]", 2),
        ("$[1000]", 2),
        ("$[0:1]", 2),
        ("$[?@.a]", 2),
        ("$['a']['b", 7),
        ("$['a\nb']", 2),
        (r"$['\x41']", 2),
        (r"$['\ud83c']", 2),
        ("$" + ".a" * 65, 130),
    ],
)
def test_refused_with_its_column(text: str, column: int) -> None:
    with pytest.raises(PlaceError, match=rf"\(column {column}\)$") as error:
        parse(text)
    assert error.value.column == column


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("$", "$.a", True),
        ("$.a", "$.a", True),
        ("$.a.b", "$.a", True),
        ("$.a.b", "$.a.c", False),
        ("$[*].a", "$[0]", True),
        ("$[0].a", "$[*].b", False),
        ("$[0]", "$[1]", False),
        ("$.ab", "$.a", False),
        ("$['*']", "$[*]", False),
    ],
)
def test_overlap(one: str, other: str, answer: bool) -> None:
    assert overlap(parse(one), parse(other)) is answer
    assert overlap(parse(other), parse(one)) is answer


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("$.a", "$.a", True),
        ("$[*].a", "$[0].a", True),
        ("$[0]", "$[*].a", True),
        ("$[0].a.b", "$[*].a", True),
        ("$", "$.a", False),
        ("$.a", "$.a.b", False),
        ("$[*]", "$[*].a", False),
        ("$[0]", "$[0].a", False),
        ("$[0].a", "$[*].b", False),
        ("$.a", "$.b", False),
    ],
)
def test_contradict(one: str, other: str, answer: bool) -> None:
    assert contradict(parse(one), parse(other)) is answer
    assert contradict(parse(other), parse(one)) is answer


@given(PATHS)
def test_lengths_are_read_as_they_are_written(path: Path) -> None:
    text = written(Length(path))
    assert text == f"length({written(path)})"
    assert expression(text) == Length(path)


@pytest.mark.parametrize("value", ["", "a", " $", "length", "length (x)", "Length($)", 1, 1.5, True, [], None])
def test_what_is_no_expression(value: object) -> None:
    assert expression(value) is None


def test_expressions() -> None:
    assert expression("$['a']") == ("a",)
    assert expression("length($.a)") == Length(("a",))
    assert written(Length(("a", EACH))) == "length($.a[*])"


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("$..a", 2),
        ("length($", 9),
        ("length(", 8),
        ("length()", 8),
        ("length(a)", 8),
        ("length($..a)", 9),
        ("length($.a) ", 13),
    ],
)
def test_refused_expressions(text: str, column: int) -> None:
    with pytest.raises(PlaceError, match=rf"\(column {column}\)$"):
        expression(text)
