"""Values that a schema accepts, made from choices: Hypothesis makes them at random, the samples by rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final, Protocol, TypeVar

from .bundle import Json, Schema
from .shapes import Shape, Shapes, same

T = TypeVar("T")

_NESTING: Final = 2
_TRIES: Final = 5


class NoValueError(ValueError):
    """No value of a schema was found: it contradicts itself, or no known text matches its pattern."""


class Choices(Protocol):
    """What a value is made from. Every answer is within the bounds that are asked for."""

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; there is at least one."""
        ...

    def members(self, names: Sequence[str]) -> Sequence[str]:
        """Which of the optional members to write."""
        ...

    def extras(self, taken: Sequence[str], typed: bool, least: int) -> Sequence[str]:
        """Names of members that the schema does not name, none of them `taken`; `typed`: the schema types them."""
        ...

    def again(self) -> None:
        """What was made is there already where it may be only once: the next answers should differ."""
        ...

    def size(self, least: int, most: int | None) -> int:
        """The number of items of an array."""
        ...

    def integer(self, low: int | None, high: int | None) -> Json:
        """A whole number."""
        ...

    def number(self, low: Json, high: Json, above: bool, below: bool) -> Json:
        """A number within bounds; `above` the low one, `below` the high one if that is said, else it may be them."""
        ...

    def text(self, least: int, most: int | None) -> str:
        """A string of so many characters."""
        ...

    def matching(self, pattern: str, least: int, most: int | None) -> str:
        """A string that a pattern is found in. Raises NoValueError where none is known."""
        ...

    def encoded(self) -> str:
        """Bytes in base64."""
        ...

    def anything(self) -> Json:
        """A value of a schema that admits all."""
        ...


def value(shapes: Shapes, schema: Schema, choices: Choices) -> Json:
    """A value of a schema: valid but for keywords that shapes do not model, and for variants that exclude each other.

    Raises NoValueError where the schema admits no value.
    """
    return _Making(shapes, choices).value(schema, ())


def value_of(shapes: Shapes, shape: Shape, choices: Choices) -> Json:
    """A value of one shape."""
    return _Making(shapes, choices).shaped(shape, ())


class _Making:
    def __init__(self, shapes: Shapes, choices: Choices) -> None:
        self.shapes = shapes
        self.choices = choices

    def value(self, schema: Schema, trail: tuple[str, ...]) -> Json:
        if schema is True or schema == {}:
            return self.choices.anything()
        options = [shape for shape in self.shapes.of(schema) if self.shapes.height_of(shape) < math.inf]
        if not options:
            raise NoValueError("a schema contradicts itself")
        if self._deep(options, trail):
            flat = min(self.shapes.height_of(shape) for shape in options)
            options = [shape for shape in options if self.shapes.height_of(shape) == flat]
        return self.shaped(self.choices.pick(options), trail)

    def _deep(self, options: Sequence[Shape], trail: tuple[str, ...]) -> bool:
        """Whether a recursive reference has been followed often enough on the way here."""
        return any(trail.count(ref) >= _NESTING for shape in options for ref in shape.refs)

    def shaped(self, shape: Shape, trail: tuple[str, ...]) -> Json:
        if shape.enum is not None:
            values = [value for value in shape.enum if self.shapes.fits(shape, value)]
            if not values:
                raise NoValueError("no value of an enum is valid")
            return self.choices.pick(values)
        deep = self._deep([shape], trail)
        trail = (*trail, *shape.refs)
        match shape.types:
            case (_, _, *_):
                return self.choices.anything()
            case ("null",):
                return None
            case ("boolean",):
                return self.choices.pick((False, True))
            case ("integer",):
                return self._number(shape, whole=True)
            case ("number",):
                return self._number(shape, whole=False)
            case ("string",):
                return self._text(shape)
            case ("array",):
                return self._array(shape, trail, deep)
            case _:
                return self._object(shape, trail, deep)

    # --------------------------------------------------------------------------------------------- scalars

    def _number(self, shape: Shape, whole: bool) -> Json:
        low = max((*shape.all("minimum"), *shape.all("exclusiveMinimum")), default=None)
        high = min((*shape.all("maximum"), *shape.all("exclusiveMaximum")), default=None)
        # Whether the bound itself is outside.
        above, below = low in shape.all("exclusiveMinimum"), high in shape.all("exclusiveMaximum")
        steps = [Fraction(str(step)) for step in shape.all("multipleOf")]
        if steps or whole:
            step = _common([*steps, Fraction(1)] if whole else steps)
            first, last = _multiples(step, low, above), _multiples(step, high, below, up=False)
            if first is not None and last is not None and first > last:
                raise NoValueError("no number is within the bounds")
            times = self.choices.integer(first, last)
            return times if step == 1 else _plain(step * Fraction(times))
        if low is not None and high is not None and (low > high or (low == high and (above or below))):
            raise NoValueError("no number is within the bounds")
        return self.choices.number(low, high, above, below)

    def _text(self, shape: Shape) -> str:
        least, most = shape.most("minLength") or 0, shape.least("maxLength")
        if most is not None and least > most:
            raise NoValueError("no string has this length")
        if patterns := shape.all("pattern"):
            return self.choices.matching(patterns[0], int(least), most)
        if shape.all("contentEncoding") == ["base64"] and not least and most is None:
            return self.choices.encoded()
        return self.choices.text(int(least), most)

    # ------------------------------------------------------------------------------------------ containers

    def _array(self, shape: Shape, trail: tuple[str, ...], deep: bool) -> list[Json]:
        least, most = shape.min_items, shape.max_items
        ends = [i for i in range(shape.prefix + 1) if self.shapes.height(shape.item(i)) == math.inf]
        if ends:
            most = ends[0] if most is None else min(most, ends[0])
        if most is not None and least > most:
            raise NoValueError("no array has this length")
        size = least if deep else self.choices.size(least, most)
        items: list[Json] = []
        unique = any(shape.all("uniqueItems"))
        tries = size * _TRIES
        while len(items) < size and tries:
            tries -= 1
            item = self.value(shape.item(len(items)), trail)
            if unique and any(same(item, other) for other in items):
                self.choices.again()
            else:
                items.append(item)
        return items

    def _object(self, shape: Shape, trail: tuple[str, ...], deep: bool) -> dict[str, Json]:
        names = list(shape.required)
        optional = [n for n in shape.names if n not in names and self.shapes.height(shape.member(n)) < math.inf]
        least, most = shape.most("minProperties") or 0, shape.least("maxProperties")
        if not deep:
            wanted = set(self.choices.members(optional))
            names += [name for name in optional if name in wanted]
        names += [name for name in optional if name not in names][: max(0, least - len(names))]
        if most is not None:
            names = names[: max(most, len(shape.required))]
        if shape.rest is not False and self.shapes.height(shape.rest) < math.inf:
            missing = max(0, least - len(names))
            if missing or not deep:
                typed = shape.rest is not True
                extras = list(self.choices.extras(shape.names, typed, missing))
                names += extras[: None if most is None else max(0, most - len(names))]
        made = {name: self.value(shape.member(name), trail) for name in names}
        # In the order of the schema, as most people write them.
        order = {name: index for index, name in enumerate(shape.names)}
        return dict(sorted(made.items(), key=lambda pair: order.get(pair[0], len(order))))


def _common(steps: Sequence[Fraction]) -> Fraction:
    """The smallest number that is a multiple of all steps."""
    out = steps[0]
    for step in steps[1:]:
        bottom = out.denominator * step.denominator
        out = Fraction(math.lcm(int(out * bottom), int(step * bottom)), bottom)
    return out


def _multiples(step: Fraction, bound: Any, open: bool, up: bool = True) -> int | None:
    """How often `step` goes into a bound, rounded to the inside of it."""
    if bound is None:
        return None
    times = Fraction(str(bound)) / step
    whole = math.ceil(times) if up else math.floor(times)
    if open and whole == times:
        whole += 1 if up else -1
    return whole


def _plain(number: Fraction) -> Json:
    return int(number) if number.denominator == 1 else float(number)
