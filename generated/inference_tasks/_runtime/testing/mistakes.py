"""Changes that break one thing at one place: the mistakes that generators, clients and servers make.

They are enumerated, not drawn, so that none is missed. Not every one is invalid (taking out an optional member is
fine): the verdict is the validator's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from .bundle import Json, Schema
from .places import GONE, Change, Path, Place, places
from .samples import samples
from .shapes import Shape, Shapes, type_of

_KINDS: Final[tuple[tuple[str, Json], ...]] = (
    ("null", None),
    ("true", True),
    ("false", False),
    ("an integer", 1),
    ("zero", 0),
    ("a whole float", 1.0),
    ("a fraction", 0.5),
    ("an empty string", ""),
    ("a digit in a string", "1"),
    ("a number in a string", "0.5"),
    ("true in a string", "true"),
    ("null in a string", "null"),
    ("an empty array", []),
    ("an array of null", [None]),
    ("an array of a string", ["x"]),
    ("an empty object", {}),
    ("an object", {"x": 1}),
)
_OTHERS: Final[tuple[tuple[str, Json], ...]] = (
    ("null", None),
    ("a number", 1),
    ("a fraction", 0.5),
    ("a string", "x"),
    ("an object", {}),
)
_STRANGE: Final = "undeclared_"
_LONGEST: Final = 5_000


def mistakes(shapes: Shapes, schema: Schema, payload: Json) -> Iterator[Change]:
    """Every mistake that can be made at one place of a valid payload, each once."""
    for place in places(shapes, schema, payload):
        if not place.told:
            continue
        seen: set[tuple[Path, str]] = set()
        for path, what, value in _at(shapes, place):
            key = (path, "" if value is GONE else repr(value))
            if key not in seen and not (path == place.path and repr(value) == repr(place.value)):
                seen.add(key)
                yield Change(payload, path, what, value)


_Found = Iterator[tuple[Path, str, object]]


def _at(shapes: Shapes, place: Place) -> _Found:
    path, value = place.path, place.value
    for what, other in _KINDS:
        yield path, what, other
    yield path, "wrapped in an array", [value]
    yield path, "wrapped in an object", {"value": value}
    if isinstance(value, str):
        yield from _text(path, value)
    elif isinstance(value, list):
        yield from _array(shapes, place, value)
    elif isinstance(value, dict):
        yield from _object(shapes, place, value)
    elif isinstance(value, int | float):
        yield path, "as a string", str(value).lower()
        yield path, "one more", value + 1
        yield path, "one less", value - 1
        yield path, "negated", -value
    for shape in place.shapes:
        yield from _shape(path, value, shape)
        if len(place.shapes) > 1:
            yield from _variant(shapes, place, shape)


# ------------------------------------------------------------------------------------------------------- scalars


def _text(path: Path, value: str) -> _Found:
    yield path, "upper case", value.upper()
    yield path, "lower case", value.lower()
    yield path, "title case", value.title()
    yield path, "one character more", f"{value}x"
    yield path, "one character less", value[:-1]
    yield path, "a space before", f" {value}"
    yield path, "a line break after", f"{value}\n"
    yield path, "a hyphen for a low line", value.replace("_", "-")
    yield path, "a low line for a hyphen", value.replace("-", "_")


def _shape(path: Path, value: Json, shape: Shape) -> _Found:
    for each in shape.enum or ():
        yield from _near(path, each)
    for keyword, tight in (
        ("minimum", shape.most("minimum")),
        ("maximum", shape.least("maximum")),
        ("exclusiveMinimum", shape.most("exclusiveMinimum")),
        ("exclusiveMaximum", shape.least("exclusiveMaximum")),
    ):
        if tight is not None:
            for what, number in (
                ("", tight),
                (" - 1", tight - 1),
                (" + 1", tight + 1),
                (" - a bit", math.nextafter(tight, -math.inf)),
                (" + a bit", math.nextafter(tight, math.inf)),
                (" - 0.001", tight - 0.001),
                (" + 0.001", tight + 0.001),
                (" negated", -tight),
                (" as a string", str(tight)),
            ):
                yield path, f"{keyword}{what}", number
    for step in shape.all("multipleOf"):
        base = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
        yield path, "half a step of multipleOf further", base + step / 2
        yield path, "a step of multipleOf further", base + step
        yield path, "multipleOf itself", step
    for keyword, length in (("minLength", shape.most("minLength")), ("maxLength", shape.least("maxLength"))):
        if length is not None and length <= _LONGEST:
            for by in (-1, 0, 1):
                if length + by >= 0:
                    yield path, f"{keyword} {by:+d} characters", "x" * (length + by)
                    yield path, f"{keyword} {by:+d} characters of two units", "\U0001f389" * (length + by)


def _near(path: Path, value: Json) -> _Found:
    """What is nearly a value of an enum."""
    yield path, f"{value!r} of the enum", value
    if isinstance(value, str):
        for _, what, other in _text(path, value):
            yield path, f"{value!r} of the enum, {what}", other
    elif isinstance(value, bool):
        yield path, "a boolean of the enum as a number", int(value)
        yield path, "a boolean of the enum as a string", str(value).lower()
    elif isinstance(value, int | float):
        yield path, f"{value} of the enum as a string", str(value)
        yield path, f"{value} of the enum as a boolean", bool(value)
        yield path, f"{value} of the enum, one more", value + 1


# ---------------------------------------------------------------------------------------------------- containers


def _array(shapes: Shapes, place: Place, value: list[Json]) -> _Found:
    path = place.path
    yield path, "empty", []
    yield path, "null after the last item", [*value, None]
    yield path, "an object after the last item", [*value, {}]
    yield path, "a string after the last item", [*value, "x"]
    if not value:
        return
    yield path, "its first item alone", value[0]
    yield path, "without the first item", value[1:]
    yield path, "without the last item", value[:-1]
    yield path, "the last item twice", [*value, value[-1]]
    yield path, "all items twice", value + value
    yield path, "in the other order", value[::-1]
    for shape in place.shapes:
        for keyword, length in (("minItems", shape.min_items), ("maxItems", shape.max_items)):
            for by in (-1, 0, 1):
                if length is not None and 0 <= length + by <= _LONGEST:
                    few = (value * (length + 1))[: length + by]
                    yield path, f"{keyword} {by:+d} items", few


def _object(shapes: Shapes, place: Place, value: dict[str, Json]) -> _Found:
    path = place.path
    for name in value:
        yield (*path, name), "left out", GONE
        for what, other in _respelled(name):
            if other not in value:
                yield path, f"{name!r} {what}", {other if key == name else key: v for key, v in value.items()}
    for what, item in (("1", 1), ("null", None), ("a string", "x"), ("an object", {})):
        yield path, f"an undeclared member that is {what}", {**value, _STRANGE: item}
    yield path, "as an array of its values", list(value.values())
    for shape in place.shapes:
        for name in shape.names:
            if name not in value:
                yield path, f"null for the absent {name!r}", {**value, name: None}
                yield path, f"an object for the absent {name!r}", {**value, name: {"x": []}}


def _respelled(name: str) -> Iterator[tuple[str, str]]:
    yield "with an underscore after it", f"{name}_"
    if name.upper() != name:
        yield "in upper case", name.upper()
    camel = "".join(part.title() if i else part for i, part in enumerate(name.split("_")))
    snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in name).strip("_")
    for what, other in (("in camel case", camel), ("in snake case", snake)):
        if other and other != name:
            yield what, other


# -------------------------------------------------------------------------------------------------------- unions


def _variant(shapes: Shapes, place: Place, shape: Shape) -> _Found:
    """One variant of a union in place of another: both at once, one with a member gone, one with a wrong member."""
    path, value = place.path, place.value
    for sample in samples(shapes, shape):
        yield path, f"a variant: {type_of(sample)}", sample
        if isinstance(sample, dict):
            if isinstance(value, dict):
                yield path, "members of two variants", {**sample, **value}
                yield path, "members of two variants, the other first", {**value, **sample}
            yield from _members(path, sample)
        elif isinstance(sample, list) and sample:
            for what, item in _OTHERS:
                yield path, f"a variant with {what} for its first item", [item, *sample[1:]]
        elif isinstance(sample, str | int | float) and not isinstance(sample, bool):
            yield from _near(path, sample)


def _members(path: Path, sample: dict[str, Json]) -> _Found:
    for name in sample:
        yield path, f"a variant without {name!r}", {key: item for key, item in sample.items() if key != name}
        for what, item in _OTHERS:
            yield path, f"a variant with {what} for {name!r}", {**sample, name: item}
    yield path, "a variant with an undeclared member", {**sample, _STRANGE: 1}
