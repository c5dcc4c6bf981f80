"""A few values of a schema that between them have everything in it: each member, each variant, at each place."""

from __future__ import annotations

from collections.abc import Iterator

from .bundle import Json, Schema
from .edges import edges
from .places import Change, places
from .samples import samples, sparse
from .shapes import Shape, Shapes

_MOST_VALUES = 400

_Point = tuple[int, str]


def cover(shapes: Shapes, schema: Schema) -> list[Json]:
    """Valid values of a schema, fullest first, that between them have all its members and variants.

    Each member that may be left out is left out in one of them. They are made by rule, so they are the same every
    time. Where no valid value with some variant is found, it is left out.
    """
    found: list[Json] = []
    seen: set[_Point] = set()
    todo: list[Iterator[Json]] = [_variants(shapes, shapes.of(schema))]
    while todo and len(found) < _MOST_VALUES:
        for value in todo.pop(0):
            points = set(_points(shapes, schema, value)) if shapes.bundle.accepts(schema, value) else set()
            if points - seen:
                seen |= points
                found.append(value)
                todo.append(_swapped(shapes, schema, value, seen))
    return found


def _points(shapes: Shapes, schema: Schema, value: Json) -> Iterator[_Point]:
    for place in places(shapes, schema, value):
        for shape in place.shapes:
            if shapes.fits(shape, place.value):
                yield id(shape), ""
                if isinstance(place.value, dict):
                    yield from ((id(shape), name if name in shape.names else "*") for name in place.value)
                    yield from ((id(shape), f"without {name}") for name in shape.names if name not in place.value)


def _variants(shapes: Shapes, options: tuple[Shape, ...]) -> Iterator[Json]:
    for shape in options:
        yield from samples(shapes, shape)
    for shape in options:
        yield from sparse(shapes, shape)


def _swapped(shapes: Shapes, schema: Schema, value: Json, seen: set[_Point]) -> Iterator[Json]:
    """The value with another variant at one place, with a member that no value had so far, or without all of them."""
    for place in places(shapes, schema, value):
        new = [shape for shape in place.shapes if (id(shape), "") not in seen]
        for other in _variants(shapes, tuple(new)):
            yield Change(value, place.path, "", other).payload
    for change in edges(shapes, schema, value):
        if change.what.startswith(("with '", "nothing but")):
            yield change.payload
