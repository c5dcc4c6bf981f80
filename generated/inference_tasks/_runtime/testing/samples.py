"""Choices by rule: the least and the most of a value that a schema can have.

They are what mistakes are made in, so they are short, and the same every time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from .bundle import Json, Schema
from .shapes import Shape, Shapes
from .values import Choices, NoValueError, value, value_of

T = TypeVar("T")

_TEXTS: Final = (
    "x", "a", "A", "0", "1", "-", "_", "abc", "ABC", "a1", "a-b", "a_b", "a/b", "a.b", "a b", "0.5", "1.0.0", "12",
    "123", "1234", "#000000", "2026-01-01", "2026-01-01T00:00:00Z", "a@b.de", "https://a.de/", "data:,", "image/png",
    "en", "en-US", "00000000-0000-0000-0000-000000000000", "", "\u00e9", "\n",
)  # fmt: skip


class Least:
    """The first option, and nothing that may be left out."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.turn = 0

    def again(self) -> None:
        """Another turn: the next option, number or text."""
        self.turn += 1

    def pick(self, options: Sequence[T]) -> T:
        """The first."""
        return options[self.turn % len(options)]

    def members(self, names: Sequence[str]) -> Sequence[str]:
        """None."""
        return ()

    def extras(self, taken: Sequence[str], typed: bool, least: int) -> Sequence[str]:
        """No more than there must be."""
        names = (name for name in (f"extra{n or ''}" for n in range(len(taken) + least + 1)) if name not in taken)
        return [name for name, _ in zip(names, range(least), strict=False)]

    def size(self, least: int, most: int | None) -> int:
        """The least."""
        return least

    def integer(self, low: int | None, high: int | None) -> Json:
        """The one nearest to 1."""
        number = (1 if low is None else max(1, low)) + self.turn
        return number if high is None else min(number, high)

    def number(self, low: Json, high: Json, above: bool, below: bool) -> Json:
        """One with a fraction, if there is one."""
        middle = [] if low is None or high is None else [low + (high - low) / 2]
        beyond = [*([] if low is None else [low + 0.5, low]), *([] if high is None else [high - 0.5, high])]
        for number in (0.5 + self.turn, *middle, *beyond):
            if (low is None or number > low or (number == low and not above)) and (
                high is None or number < high or (number == high and not below)
            ):
                return number
        raise NoValueError("no number is within the bounds")

    def text(self, least: int, most: int | None) -> str:
        """An `x`, or as many as there must be."""
        length = max(least, 1 + self.turn)
        return "x" * (length if most is None else min(length, most))

    def matching(self, pattern: str, least: int, most: int | None) -> str:
        """The first of some usual texts that matches."""
        schema: Schema = {"pattern": pattern, "minLength": least, **({} if most is None else {"maxLength": most})}
        for text in _TEXTS:
            if self.shapes.bundle.accepts(schema, text):
                return text
        raise NoValueError(f"no usual text matches {pattern!r}")

    def encoded(self) -> str:
        """One byte."""
        return "AA=="

    def anything(self) -> Json:
        """Just any value."""
        return "anything"


class Most(Least):
    """Everything that may be there, once."""

    def members(self, names: Sequence[str]) -> Sequence[str]:
        """All."""
        return names

    def extras(self, taken: Sequence[str], typed: bool, least: int) -> Sequence[str]:
        """One where the schema says something of it."""
        return super().extras(taken, typed, max(least, int(typed)))

    def size(self, least: int, most: int | None) -> int:
        """At least one."""
        return max(least, 1) if most is None else min(max(least, 1), most)


class _Also(Least):
    """The least, and one member that may be left out."""

    def __init__(self, shapes: Shapes, name: str) -> None:
        super().__init__(shapes)
        self.name = name

    def members(self, names: Sequence[str]) -> Sequence[str]:
        return [self.name] if self.name in names else []


def samples(shapes: Shapes, shape: Shape) -> Iterator[Json]:
    """A few values of one shape, the fullest first; not all of them need be valid in a union that is exclusive."""
    for choices in (Most(shapes), Least(shapes)):
        yield from tried(shapes, shape, choices)


def sparse(shapes: Shapes, shape: Shape) -> Iterator[Json]:
    """Values of one shape with one optional member each."""
    for name in shape.names:
        if name not in shape.required:
            yield from tried(shapes, shape, _Also(shapes, name))


def tried(shapes: Shapes, shape: Shape, choices: Choices) -> Iterator[Json]:
    """The value of a shape that these choices make, if they make one."""
    try:
        yield value_of(shapes, shape, choices)
    except NoValueError:
        return


def sample(shapes: Shapes, schema: Schema) -> Json:
    """The least value of a schema. Raises NoValueError where none is known."""
    return value(shapes, schema, Least(shapes))
