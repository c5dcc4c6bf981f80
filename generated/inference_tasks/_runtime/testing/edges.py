"""Changes to the edge of what a schema admits: bounds, sizes, odd texts, odd names, huge numbers, every variant.

They are meant to stay valid; whether they do is for the validator to say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from .bundle import Json, Schema
from .places import Change, Place, places
from .samples import Most, samples
from .shapes import Shape, Shapes
from .values import NoValueError, value

_TEXTS: Final[tuple[tuple[str, str], ...]] = (
    ("empty", ""),
    ("a space", " "),
    ("NUL", "\0"),
    ("a line separator", "a\u2028b"),
    ("a letter and a combining accent", "e\u0301"),
    ("an accented letter", "\u00e9"),
    ("an emoji", "\U0001f389"),
    ("an emoji of several characters", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
    ("right to left", "\u202eabc"),
    ("a byte order mark", "\ufeffa"),
    ("a long text", "lorem " * 400),
    ("three quotation marks", '"""'),
    ("a quotation mark and a backslash", '\\"\\'),
    ("the end of a script", "</script>"),
    ("a template", "{{7*7}}${7*7}%s"),
    ("a digit", "1"),
    ("a date", "2026-01-01"),
    ("a URL", "https://example.org/a?b=c#d"),
    ("line breaks", "a\r\nb\nc"),
)
_NUMBERS: Final[tuple[Json, ...]] = (
    0, -0.0, 1, -1, 1.0, 0.1, 2**31 - 1, 2**31, -(2**31), 2**53 - 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1,
    10**30, 1e30, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, 1e-7, 123456789.123,
)  # fmt: skip
_NAMES: Final = (
    "", " ", "__proto__", "__class__", "constructor", "model_config", "model_fields", "model_dump", "self", "cls",
    "json", "schema", "copy", "dict", "$ref", "a.b", "a/b", "\u00e9", "\U0001f389", "0",
)  # fmt: skip
_ANY: Final[tuple[tuple[str, Json], ...]] = (
    ("null", None),
    ("true", True),
    ("a huge integer", 2**64 + 1),
    ("a fraction", 0.5),
    ("an empty string", ""),
    ("a string", "x"),
    ("nested values", [{"": [None, {"a": 1.0}]}]),
    ("an object", {"a": {"b": []}}),
)
_MANY: Final = 40


def edges(shapes: Shapes, schema: Schema, payload: Json) -> Iterator[Change]:
    """Every edge that one place of a valid payload can be moved to, each once."""
    for place in places(shapes, schema, payload):
        seen = {repr(place.value)}
        for what, new in _at(shapes, place):
            key = repr(new)
            if key not in seen:
                seen.add(key)
                yield Change(payload, place.path, what, new)


def _at(shapes: Shapes, place: Place) -> Iterator[tuple[str, Json]]:
    if not place.told:
        yield from _ANY
        return
    for shape in place.shapes:
        if shape.enum is not None:
            for each in shape.enum:
                yield f"{each!r} of the enum", each
            continue
        for sample in samples(shapes, shape):
            yield "another value", sample
        if "boolean" in shape.types:
            yield "true", True
            yield "false", False
        if "null" in shape.types:
            yield "null", None
        if "number" in shape.types or "integer" in shape.types:
            yield from _numbers(shape)
        if "string" in shape.types:
            yield from _texts(shape)
        if "array" in shape.types and isinstance(place.value, list):
            yield from _arrays(shapes, shape, place.value)
        if "object" in shape.types and isinstance(place.value, dict):
            yield from _objects(shapes, shape, place.value)


def _numbers(shape: Shape) -> Iterator[tuple[str, Json]]:
    for number in _NUMBERS:
        yield str(number), number
    lows = (shape.most("minimum"), shape.most("exclusiveMinimum"))
    highs = (shape.least("maximum"), shape.least("exclusiveMaximum"))
    for bound in lows:
        if bound is not None:
            yield "the least bound", bound
            yield "the least bound as a float", float(bound)
            yield "just above the least bound", math.nextafter(bound, math.inf)
            yield "one above the least bound", bound + 1
    for bound in highs:
        if bound is not None:
            yield "the greatest bound", bound
            yield "the greatest bound as a float", float(bound)
            yield "just below the greatest bound", math.nextafter(bound, -math.inf)
            yield "one below the greatest bound", bound - 1
    for step in shape.all("multipleOf"):
        yield "a large multiple", step * 1000


def _texts(shape: Shape) -> Iterator[tuple[str, Json]]:
    yield from _TEXTS
    for length in (shape.most("minLength"), shape.least("maxLength")):
        if length is not None and length < 10_000:
            yield f"{length} characters", "\u00e9" * length


def _arrays(shapes: Shapes, shape: Shape, items: list[Json]) -> Iterator[tuple[str, Json]]:
    yield "empty", []
    try:
        one = value(shapes, shape.item(shape.prefix), Most(shapes)) if shape.item(shape.prefix) is not False else None
    except NoValueError:
        return
    for count in {len(items) + 1, shape.min_items, shape.max_items or 0, _MANY}:
        if len(items) < count <= 1_000:
            yield f"{count} items", [*items, *[one] * (count - len(items))]
    yield "no more than it must have", items[: shape.min_items]


def _objects(shapes: Shapes, shape: Shape, members: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    for name in shape.names:
        if name not in members:
            try:
                yield f"with {name!r}", {**members, name: value(shapes, shape.member(name), Most(shapes))}
            except NoValueError:
                continue
        elif name not in shape.required:
            yield f"without {name!r}", {key: item for key, item in members.items() if key != name}
    yield "nothing but what it must have", {key: item for key, item in members.items() if key in shape.required}
    if shape.rest is not False:
        try:
            extra = value(shapes, shape.rest, Most(shapes))
        except NoValueError:
            return
        for name in _NAMES:
            yield f"with an undeclared {name!r}", {**members, name: extra}
        yield "with many undeclared members", members | dict.fromkeys(_NAMES, extra)
