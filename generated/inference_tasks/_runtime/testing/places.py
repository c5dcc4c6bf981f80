"""The places in a value that a schema says something about, and values with one place changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from .bundle import Json, Schema
from .shapes import Shape, Shapes

Path = tuple[str | int, ...]

GONE: Final = object()
"""In place of a new value: the member or item is taken out."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place: what is there, and all shapes that the schema, with its unions, allows there."""

    path: Path
    value: Json
    shapes: tuple[Shape, ...]

    @property
    def told(self) -> bool:
        """Whether the schema, in any of its variants, says anything of this place."""
        return any(shape.parts for shape in self.shapes)


@dataclass(frozen=True, slots=True)
class Change:
    """A value with one place changed: what was done, and where."""

    base: Json
    path: Path
    what: str
    value: object

    @property
    def payload(self) -> Json:
        """The changed value. It shares what is not changed with the value it was made from."""
        return _replaced(self.base, self.path, self.value)

    @property
    def where(self) -> str:
        """The place as a JSON Pointer; the root is the empty text."""
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.path)

    def __str__(self) -> str:
        return f"{self.what} at {self.where or 'the root'}"


def places(shapes: Shapes, schema: Schema, value: Json) -> Iterator[Place]:
    """Every place of a value, from the root on, with the shapes that govern it.

    In a union, the members of all variants that are of the value's JSON type count, whether the value has that
    variant or not: what one variant says of a member is a mistake to make in another.
    """
    yield from _places(shapes, [schema], value, ())


def _places(shapes: Shapes, schemas: list[Schema], value: Json, path: Path) -> Iterator[Place]:
    found = _distinct(shape for schema in schemas for shape in shapes.of(schema))
    yield Place(path, value, found)
    if isinstance(value, dict):
        objects = [shape for shape in found if "object" in shape.types]
        for name, item in value.items():
            yield from _places(shapes, [shape.member(name) for shape in objects], item, (*path, name))
    elif isinstance(value, list):
        arrays = [shape for shape in found if "array" in shape.types]
        for index, item in enumerate(value):
            yield from _places(shapes, [shape.item(index) for shape in arrays], item, (*path, index))


def _distinct(shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    return tuple({id(shape): shape for shape in shapes}.values())


def _replaced(base: Json, path: Path, new: object) -> Json:
    if not path:
        return new
    first, *rest = path
    if isinstance(base, dict):
        if not rest and new is GONE:
            return {key: value for key, value in base.items() if key != first}
        return {**base, first: _replaced(base.get(first), tuple(rest), new)}
    index = int(first)
    if not rest and new is GONE:
        return base[:index] + base[index + 1 :]
    return [*base[:index], _replaced(base[index], tuple(rest), new), *base[index + 1 :]]


# ---------------------------------------------------------------------------------------------------- coverage


def declared(shapes: Shapes, schema: Schema) -> frozenset[str]:
    """The paths of all members that a schema names: ``parameters.top_k``, ``[].label``.

    Recursion is followed once. Members that no value can have are left out.
    """
    return frozenset(_declared(shapes, schema, "", ()))


def _declared(shapes: Shapes, schema: Schema, path: str, trail: tuple[Shape, ...]) -> Iterator[str]:
    for shape in shapes.of(schema):
        if shape in trail:
            continue
        deeper = (*trail, shape)
        if "object" in shape.types:
            for name in shape.names:
                if shapes.height(shape.member(name)) < float("inf"):
                    yield f"{path}.{name}".lstrip(".")
                    yield from _declared(shapes, shape.member(name), f"{path}.{name}", deeper)
            if not isinstance(shape.rest, bool):
                yield from _declared(shapes, shape.rest, f"{path}.*", deeper)
        if "array" in shape.types:
            for index in range(shape.prefix + 1):
                yield from _declared(shapes, shape.item(index), f"{path}[]", deeper)


def hit(shapes: Shapes, schema: Schema, value: Json) -> frozenset[str]:
    """The paths of the named members that a value has."""
    return frozenset(_hit(shapes, schema, value, ""))


def _hit(shapes: Shapes, schema: Schema, value: Json, path: str) -> Iterator[str]:
    for shape in shapes.of(schema):
        if isinstance(value, dict) and "object" in shape.types and shapes.fits(shape, value):
            for name, item in value.items():
                inner = f"{path}.{name}" if name in shape.names else f"{path}.*"
                if name in shape.names:
                    yield inner.lstrip(".")
                yield from _hit(shapes, shape.member(name), item, inner)
        if isinstance(value, list) and "array" in shape.types and shapes.fits(shape, value):
            for index, item in enumerate(value):
                yield from _hit(shapes, shape.item(index), item, f"{path}[]")
