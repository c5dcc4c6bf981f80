"""Schemas taken apart into shapes: one for each way in which a value can satisfy their unions.

A shape is a conjunction of schemas without references and unions in them. It answers what a value of this shape may
be, member by member and item by item, and leaves it to the validator to know the rest (``not``, ``if``, …).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice, product
from typing import Any, Final

from .bundle import Bundle, Json, Schema

TYPES: Final = ("null", "boolean", "integer", "number", "string", "array", "object")
_MOST_SHAPES: Final = 64
_APPLICATORS: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf", "$defs", "definitions"})
_NOTES: Final = frozenset({"title", "description", "default", "examples", "deprecated", "$comment", "$schema", "$id"})

_Flat = tuple[tuple[Mapping[str, Any], ...], frozenset[str]]


class Shape:
    """What one kind of value has to satisfy: all of `parts`. `refs` are the references that led here."""

    def __init__(self, parts: tuple[Mapping[str, Any], ...], refs: frozenset[str]) -> None:
        self.parts = parts
        self.refs = refs
        self._members: dict[str, Schema] = {}
        self._items: dict[int, Schema] = {}

    @cached_property
    def schema(self) -> Schema:
        """The shape as a schema of its own."""
        return conjunction(self.parts)

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The JSON types that a value may have; "number" stands for all numbers and is then alone for them."""
        if self.enum is not None:
            return tuple(dict.fromkeys(type_of(value) for value in self.enum))
        left = set(TYPES)
        for part in self.parts:
            if "type" in part:
                named = {part["type"]} if isinstance(part["type"], str) else set(part["type"])
                left &= named | ({"integer"} if "number" in named else set())
        return tuple(name for name in TYPES if name in left and not (name == "integer" and "number" in left))

    @cached_property
    def enum(self) -> tuple[Json, ...] | None:
        """The only values that `enum` and `const` leave, or None where neither is said."""
        lists = [part["enum"] for part in self.parts if "enum" in part]
        lists += [[part["const"]] for part in self.parts if "const" in part]
        if not lists:
            return None
        first, *others = lists
        return tuple(value for value in first if all(any(same(value, v) for v in other) for other in others))

    def all(self, keyword: str) -> list[Any]:
        """What the parts say under a keyword."""
        return [part[keyword] for part in self.parts if keyword in part]

    def least(self, keyword: str) -> Any:
        """The tightest upper bound of this keyword, or None."""
        return min(self.all(keyword), default=None)

    def most(self, keyword: str) -> Any:
        """The tightest lower bound of this keyword, or None."""
        return max(self.all(keyword), default=None)

    # ---------------------------------------------------------------------------------------------- objects

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The members that must be there."""
        return tuple(dict.fromkeys(name for names in self.all("required") for name in names))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The members that the schema names, required or not."""
        return tuple(dict.fromkeys([*(name for members in self.all("properties") for name in members), *self.required]))

    def member(self, name: str) -> Schema:
        """What the member of this name has to satisfy."""
        if name not in self._members:
            self._members[name] = conjunction(schema for part in self.parts for schema in _member(part, name))
        return self._members[name]

    @cached_property
    def rest(self) -> Schema:
        """What members that no schema names have to satisfy."""
        return conjunction(part.get("additionalProperties", True) for part in self.parts)

    # ----------------------------------------------------------------------------------------------- arrays

    @property
    def min_items(self) -> int:
        """The least number of items."""
        return int(self.most("minItems") or 0)

    @cached_property
    def max_items(self) -> int | None:
        """The greatest number of items, if there is one; ``items: false`` ends an array as well."""
        ends = [len(part.get("prefixItems", ())) for part in self.parts if part.get("items") is False]
        return min([*self.all("maxItems"), *ends], default=None)

    def item(self, index: int) -> Schema:
        """What the item at this index has to satisfy."""
        index = min(index, self.prefix)
        if index not in self._items:
            self._items[index] = conjunction(_item(part, index) for part in self.parts)
        return self._items[index]

    @cached_property
    def prefix(self) -> int:
        """How many items have schemas of their own."""
        return max((len(part.get("prefixItems", ())) for part in self.parts), default=0)


class Shapes:
    """The shapes of a bundle's schemas, each taken apart once."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._known: dict[int, tuple[Schema, tuple[Shape, ...]]] = {}
        self._heights: dict[int, float] = {}

    def of(self, schema: Schema) -> tuple[Shape, ...]:
        """The shapes that a value of this schema may have, `null` last.

        Those that contradict themselves are left out. A shape is of one JSON type, unless an enum lists its values or
        nothing is said of it at all.
        """
        if id(schema) not in self._known:
            found = islice(self._flatten(schema, frozenset()), _MOST_SHAPES)
            shapes = [each for pair in found for each in _of_one_type(Shape(*pair))]
            self._known[id(schema)] = (schema, tuple(sorted(shapes, key=lambda shape: shape.types == ("null",))))
        return self._known[id(schema)][1]

    def fits(self, shape: Shape, value: Json) -> bool:
        """Whether a value has this shape."""
        return self.bundle.accepts(shape.schema, value)

    def _flatten(self, schema: Schema, refs: frozenset[str]) -> Iterator[_Flat]:
        if isinstance(schema, bool):
            if schema:
                yield (), refs
            return
        own = {key: value for key, value in schema.items() if key not in _APPLICATORS and key not in _NOTES}
        choices: list[list[_Flat]] = [[((own,) if own else (), refs)]]
        if "$ref" in schema:
            if (ref := schema["$ref"]) in refs:  # refers to itself with nothing in between
                return
            choices.append(self._some([self.bundle.target(ref)], refs | {ref}))
        choices += [self._some([member], refs) for member in schema.get("allOf", ())]
        choices += [self._some(schema[keyword], refs) for keyword in ("anyOf", "oneOf") if keyword in schema]
        for chosen in product(*choices):
            yield (
                tuple(part for parts, _ in chosen for part in parts),
                frozenset().union(*(names for _, names in chosen)),
            )

    def _some(self, schemas: Iterable[Schema], refs: frozenset[str]) -> list[_Flat]:
        """The first of all ways to satisfy one of these schemas: unions of unions have too many."""
        return list(islice((flat for schema in schemas for flat in self._flatten(schema, refs)), _MOST_SHAPES))

    # ---------------------------------------------------------------------------------------------- heights

    def height(self, schema: Schema) -> float:
        """How deep the shallowest value of a schema nests; infinity where it has none."""
        return self._height(schema, frozenset())

    def _height(self, schema: Schema, above: frozenset[int]) -> float:
        if id(schema) in self._heights:
            return self._heights[id(schema)]
        if id(schema) in above:
            return math.inf
        shapes = self.of(schema)
        height = min((self._height_of(shape, above | {id(schema)}) for shape in shapes), default=math.inf)
        if height < math.inf:  # else it may only be that the way here was a circle
            self._heights[id(schema)] = height
        return height

    def height_of(self, shape: Shape) -> float:
        """How deep the shallowest value of a shape nests; infinity where it has none."""
        return self._height_of(shape, frozenset())

    def _height_of(self, shape: Shape, above: frozenset[int]) -> float:
        inner: Iterable[Schema]
        if shape.enum is None and shape.types == ("object",):
            inner = (shape.member(name) for name in shape.required)
        elif shape.enum is None and shape.types == ("array",):
            inner = (shape.item(index) for index in range(min(shape.min_items, shape.prefix + 1)))
        else:
            return 0
        return max((1 + self._height(schema, above) for schema in inner), default=0)


def _of_one_type(shape: Shape) -> Iterator[Shape]:
    if shape.types and (shape.enum is not None or not shape.parts or len(shape.types) == 1):
        yield shape
    else:
        for name in reversed(shape.types):
            yield Shape((*shape.parts, {"type": name}), shape.refs)


def conjunction(schemas: Iterable[Schema]) -> Schema:
    """One schema that says what all of these say."""
    telling = [schema for schema in schemas if schema is not True and schema != {}]
    if any(schema is False for schema in telling):
        return False
    if len(telling) < 2:
        return telling[0] if telling else True
    return {"allOf": telling}


def _member(part: Mapping[str, Any], name: str) -> Iterator[Schema]:
    found = [part["properties"][name]] if name in part.get("properties", {}) else []
    found += [schema for pattern, schema in part.get("patternProperties", {}).items() if _found(pattern, name)]
    yield from found or [part.get("additionalProperties", True)]


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:  # another dialect of patterns; the validator knows
        return False


def _item(part: Mapping[str, Any], index: int) -> Schema:
    prefix = part.get("prefixItems", ())
    schema: Schema = prefix[index] if index < len(prefix) else part.get("items", True)
    return schema


def type_of(value: Json) -> str:
    """The JSON type of a value; whole numbers are integers, however they are written."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if value == value // 1 else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def same(a: Json, b: Json) -> bool:
    """Equality of JSON values: 1 equals 1.0, true does not equal 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)
