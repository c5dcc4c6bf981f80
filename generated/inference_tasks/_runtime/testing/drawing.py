"""Hypothesis strategies of the values of a schema."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any, Final, TypeVar

from hypothesis import reject, strategies as st

from .bundle import Bundle, Json, Schema
from .edges import edges
from .mistakes import mistakes
from .places import Change
from .samples import Least
from .shapes import Shapes
from .values import NoValueError, value

T = TypeVar("T")

_NAMES: Final = ("x", "", "self", "model_config", "__proto__", "top_K", "Label", "\u00e9", "a b", "inputs ", "type_")
_ANYTHING: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=2),
    max_leaves=4,
)
_ENCODED: Final = st.binary(max_size=12).map(lambda data: base64.b64encode(data).decode())
_SLACK: Final = 12


class Drawn:
    """Choices that Hypothesis draws."""

    def __init__(self, shapes: Shapes, draw: st.DrawFn) -> None:
        self.shapes = shapes
        self.draw = draw
        self.turn = 0
        # With members drawn one by one, those deep inside would hardly ever come up together.
        self.full = draw(_index(4)) == 3

    def pick(self, options: Sequence[T]) -> T:
        """Any."""
        count = len(options)
        return options[0] if count == 1 else options[(self.draw(_index(count)) + self.turn) % count]

    def members(self, names: Sequence[str]) -> Sequence[str]:
        """None, some, or all."""
        if self.full or not names:
            return names
        chosen = self.draw(_subset(len(names)))
        return [name for index, name in enumerate(names) if chosen >> index & 1]

    def extras(self, taken: Sequence[str], typed: bool, least: int) -> Sequence[str]:
        """Usually none, unless the schema types them."""
        count = self.draw(_index(4))
        count = max(least, count if typed else count - 2)
        if count <= 0:
            return ()
        free = [name for name in _NAMES if name not in taken]
        names = [*free, *Least(self.shapes).extras([*taken, *free], typed, max(0, count - len(free)))]
        start = self.draw(_index(len(names)))
        return [*names[start:], *names[:start]][:count]

    def again(self) -> None:
        """Another turn, for Hypothesis likes to draw the same again and again."""
        self.turn += 1

    def size(self, least: int, most: int | None) -> int:
        """The least and a few more."""
        more = 3 if most is None else min(3, most - least)
        return least + max(self.draw(_index(more + 1)), self.full and more > 0)

    def integer(self, low: int | None, high: int | None) -> Json:
        """Any, also written as a float."""
        number = self.draw(_integers(low, high))
        # JSON Schema calls 1.0 an integer.
        return float(number) if abs(number) < 2**53 and self.draw(_index(6)) == 5 else number

    def number(self, low: Json, high: Json, above: bool, below: bool) -> Json:
        """Any finite one, whole or not."""
        return self.draw(_numbers(low, high, above, below))

    def text(self, least: int, most: int | None) -> str:
        """Any, but not much longer than it must be."""
        return self.draw(_text(least, least + _SLACK if most is None else min(most, least + _SLACK)))

    def matching(self, pattern: str, least: int, most: int | None) -> str:
        """Any that Python's own engine finds the pattern in."""
        try:
            return self.draw(_matching(pattern, least, most))
        except re.error:  # another dialect of patterns
            return Least(self.shapes).matching(pattern, least, most)

    def encoded(self) -> str:
        """Base64, and now and then just any text: a schema does not look inside."""
        return self.draw(_text(0, _SLACK) if self.draw(_index(4)) == 3 else _ENCODED)

    def anything(self) -> Json:
        """Any JSON value."""
        return self.draw(_ANYTHING)


@cache
def _index(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


@cache
def _subset(count: int) -> st.SearchStrategy[int]:
    every = (1 << count) - 1
    return st.sampled_from((0, every)) | st.integers(0, every)


@cache
def _integers(low: int | None, high: int | None) -> st.SearchStrategy[int]:
    return st.integers(low, high)


@cache
def _numbers(low: Any, high: Any, above: bool, below: bool) -> st.SearchStrategy[Json]:
    # A bound beyond 2**53 may have no float; what the nearest one lets through, the validator does not.
    first, last = None if low is None else float(low), None if high is None else float(high)
    floats: st.SearchStrategy[Json] = st.floats(
        first, last, exclude_min=above, exclude_max=below, allow_nan=False, allow_infinity=False
    )
    least = None if low is None else -int(-low // 1) + (above and low == low // 1)
    most = None if high is None else int(high // 1) - (below and high == high // 1)
    return floats if least is not None and most is not None and least > most else floats | st.integers(least, most)


@cache
def _matching(pattern: str, least: int, most: int | None) -> st.SearchStrategy[str]:
    schema: Schema = {"pattern": pattern, "minLength": least, **({} if most is None else {"maxLength": most})}
    # Python's `$` is found before a last line break too, and that of JSON Schema is not.
    anchored = pattern.startswith("^") or pattern.endswith("$")
    return st.from_regex(re.compile(pattern), fullmatch=anchored).filter(partial(Bundle({}).accepts, schema))


@cache
def _text(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(min_size=least, max_size=most)


def valid(shapes: Shapes, schema: Schema) -> st.SearchStrategy[Json]:
    """Values that a schema accepts, each confirmed by the validator."""

    @st.composite
    def values(draw: st.DrawFn) -> Json:
        try:
            return value(shapes, schema, Drawn(shapes, draw))
        except NoValueError:
            reject()

    return values().filter(lambda made: shapes.bundle.accepts(schema, made))


def invalid(shapes: Shapes, schema: Schema) -> st.SearchStrategy[Json]:
    """Values that a schema rejects, one mistake away from a value that it accepts."""
    return _changed(shapes, schema, mistakes, accepted=False)


def boundary(shapes: Shapes, schema: Schema) -> st.SearchStrategy[Json]:
    """Values that a schema accepts, with one place at an edge of what it accepts there."""
    return _changed(shapes, schema, edges, accepted=True)


def _changed(
    shapes: Shapes, schema: Schema, changes: Callable[[Shapes, Schema, Json], Iterable[Change]], accepted: bool
) -> st.SearchStrategy[Json]:
    @st.composite
    def values(draw: st.DrawFn) -> Json:
        base = draw(valid(shapes, schema))
        options = list(changes(shapes, schema, base))
        first = draw(_index(len(options) or 1))
        # The first one from there on that is as wanted; nothing drawn is thrown away.
        for change in (*options[first:], *options[:first]):
            payload = change.payload
            if shapes.bundle.accepts(schema, payload) is accepted:
                return payload
        # A schema of one value is all edge; one that accepts everything has nothing that is invalid.
        return base if accepted else reject()

    return values()
