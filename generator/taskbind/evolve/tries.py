"""Small values of a type, and those at its edges: what a payload is made of that shows a difference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain, combinations, islice, product
from math import isfinite
from typing import Any as Json, Final

from .. import ir
from ..load.walk import walk

_DEEPEST: Final = 6
"""How deep a value is nested. Types that need themselves have no value."""
_LONGEST: Final = 300
"""Items or characters of a try."""
_FEW: Final = 12
_POOL: Final[tuple[Json, ...]] = (None, True, 0, 1, 0.5, -1, "", "a", [], ["a"], {}, {"other": "a"})
_OF_EACH_TYPE: Final[tuple[Json, ...]] = (None, True, 0, "a", [], {})
_TEXTS: Final = ("", "a", "A", "0", "a0", "aa", "-", " ", "é", "https://e.org/", "2020-01-01", "2020-01-01T00:00:00Z")


def tries(sender: ir.Api, sent: ir.Type, taker: ir.Api, taken: ir.Type) -> Iterator[Json]:
    """Values that may be of the one type and not of the other, in no more order than the same one every time."""
    sides = [edges(sender, sent), edges(taker, taken), iter(_POOL)]
    while sides:
        for side in tuple(sides):
            try:
                yield next(side)
            except StopIteration:
                sides.remove(side)


def least(api: ir.Api, type: ir.Type, depth: int = 0) -> Json:
    """A small value of a type, if one is easily made; checks, and types that need themselves, may refuse it."""
    match type:
        case ir.Ref():
            return least(api, api.resolve(type) if depth > _DEEPEST else api.definition(type.id).type, depth)
        case ir.Checked(base=base):
            data = type.data
            listed = (data.get("enum") or [data[key] for key in ("const",) if key in data]) if _is_schema(data) else []
            return listed[0] if listed else least(api, base, depth)
        case ir.Enum(values=values):
            return values[0]
        case ir.Media():
            return "AA=="
        case ir.Scalar():
            return _least_scalar(type)
        case ir.Map():
            return {}
        case ir.Any():
            return "a"
    if depth > _DEEPEST:
        return None
    match type:
        case ir.Object(fields=fields):
            return {field.name: least(api, field.type, depth + 1) for field in fields if field.required}
        case ir.Array(prefix=prefix, items=items):
            count = min(type.min_items or 0, _LONGEST)
            return [
                _distinct(api, prefix[index] if index < len(prefix) else items or ir.Any(), index, type.unique, depth)
                for index in range(count)
            ]
        case ir.Union(variants=variants):
            simple = [v for v in variants if not isinstance(api.resolve(v), ir.Object | ir.Array | ir.Union)]
            return least(api, (simple or variants)[0], depth + 1)
    return None


def fitting(sender: ir.Api, sent: ir.Type, taker: ir.Api, taken: ir.Type, depth: int = 0) -> Json:
    """A small value of both types, if one is easily made; otherwise one of the first."""
    one, other = sender.resolve(sent), taker.resolve(taken)
    match one, other:
        case ir.Object(), ir.Object() if depth <= _DEEPEST:
            pairs = ((field, other.field(field.name)) for field in one.fields)
            return {
                field.name: fitting(sender, field.type, taker, twin.type if twin else ir.Any(), depth + 1)
                for field, twin in pairs
                if field.required or (twin and twin.required)
            }
        case ir.Enum(values=values), ir.Enum(values=others):
            return next((value for value in values if value in others), values[0])
        case ir.Scalar(type="integer" | "number"), ir.Scalar(type="integer" | "number"):
            numbers = [*_numbers(one), *_numbers(other)]
            return next((n for n in numbers if _within(one, n) and _within(other, n)), least(sender, one))
        case ir.Scalar(type="string"), ir.Scalar(type="string"):
            texts = [*_texts(one), *_texts(other)]
            return next((text for text in texts if _fits(one, text) and _fits(other, text)), least(sender, one))
        case ir.Map(values=free), ir.Object() if depth <= _DEEPEST:
            needed = (field for field in other.fields if field.required)
            return {field.name: fitting(sender, free, taker, field.type, depth + 1) for field in needed}
        case ir.Any() | ir.Union(), _ if not isinstance(other, ir.Any):
            return least(taker, taken)
        case ir.Scalar(type="string"), ir.Enum(values=values):
            return values[0]
    return least(sender, sent)


def _is_schema(data: Json) -> bool:
    return isinstance(data, dict)


def _distinct(api: ir.Api, type: ir.Type, index: int, unique: bool, depth: int) -> Json:
    """An item that no item before it equals, if that matters and can be done."""
    if not unique or not index:
        return least(api, type, depth + 1)
    return next(islice(edges(api, type, depth + 1), index, None), None)


def _least_scalar(type: ir.Scalar) -> Json:
    if type.type == "string":
        if type.pattern:
            return next((text for text in _texts(type) if _fits(type, text)), "a")
        return "a" * min(type.min_length or 0, _LONGEST)
    if type.type in ("integer", "number"):
        return next((number for number in _numbers(type) if _within(type, number)), 0)
    return {"boolean": True, "null": None}[type.type]


def edges(api: ir.Api, type: ir.Type, depth: int = 0) -> Iterator[Json]:
    """Values of a type, at and just beyond its bounds: not all of them are values of it."""
    match type:
        case ir.Ref():
            yield from edges(api, api.definition(type.id).type, depth)
        case ir.Checked(base=base):
            yield from _check_edges(type)
            yield from edges(api, base, depth)
        case ir.Enum(values=values):
            yield from (*values, f"{values[0]}_", *(value.upper() for value in values[:_FEW]))
        case ir.Media():
            yield from ("AA==", "")
        case ir.Scalar(type="string"):
            yield from _texts(type)
        case ir.Scalar(type="integer" | "number"):
            yield from _numbers(type)
        case ir.Scalar():
            yield from (None,) if type.type == "null" else (True, False)
        case ir.Any():
            yield from _POOL
    if depth > _DEEPEST // 2:
        return
    match type:
        case ir.Map(values=others):
            yield {}
            yield from ({"other": value} for value in islice(edges(api, others, depth + 1), _FEW))
        case ir.Object():
            yield from _object_edges(api, type, depth)
        case ir.Array():
            yield from _array_edges(api, type, depth)
        case ir.Union(variants=variants):
            yield from _union_edges(api, variants, depth)


def _object_edges(api: ir.Api, type: ir.Object, depth: int) -> Iterator[Json]:
    small = least(api, type)
    yield small
    extra = {**small, "other": "a"}
    yield extra
    if not isinstance(type.additional, bool):
        yield from ({**small, "other": value} for value in islice(edges(api, type.additional, depth + 1), _FEW))
    for field in type.fields:
        yield {**small, field.name: least(api, field.type)}
        yield {name: value for name, value in small.items() if name != field.name}
    yield {field.name: least(api, field.type) for field in type.fields}
    for field in type.fields:
        for value in islice(edges(api, field.type, depth + 1), _FEW):
            yield {**small, field.name: value}
    for field in type.fields:  # the name may have been a free one, with values of any type
        yield from ({**small, field.name: value} for value in _OF_EACH_TYPE)


def _array_edges(api: ir.Api, type: ir.Array, depth: int) -> Iterator[Json]:
    yield least(api, type)
    prefix = [least(api, item) for item in type.prefix]
    yield prefix
    item = type.items if type.items is not None else ir.Any()
    yield [*prefix, least(api, item)]
    yield [*prefix, least(api, item), least(api, item)]
    for bound in (type.min_items, type.max_items):
        for count in (n for n in ((bound or 0) - 1, bound, (bound or 0) + 1) if bound is not None and n is not None):
            if 0 <= count <= _LONGEST:
                yield [_distinct(api, item, index, type.unique, depth) for index in range(count)]
    for value in islice(edges(api, item, depth + 1), _FEW):
        yield [*prefix, value]


def _union_edges(api: ir.Api, variants: tuple[ir.Type, ...], depth: int) -> Iterator[Json]:
    sides = [edges(api, variant, depth + 1) for variant in variants]
    for _ in range(_FEW * 2):
        yield from chain.from_iterable(islice(side, 1) for side in sides)
    for one, other in combinations(variants[:_FEW], 2):
        both = least(api, one), least(api, other)
        if all(isinstance(value, dict) for value in both):
            yield {**both[0], **both[1]}
            yield {**both[1], **both[0]}


def _check_edges(type: ir.Checked) -> Iterator[Json]:
    """The values and the names of members that a check mentions."""
    names: dict[str, None] = {}
    for _, schema in islice(walk(type.data), _FEW):
        yield from schema.get("enum", ())
        if "const" in schema:
            yield schema["const"]
        for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
            if key in schema:
                yield from (schema[key], schema[key] - 1, schema[key] + 1)
        needed = schema.get("dependentRequired", {})
        for key in ("required", "properties", "dependentSchemas", "dependentRequired"):
            names |= dict.fromkeys(schema.get(key, ()))
        for found in needed.values():
            names |= dict.fromkeys(found)
        for pattern in schema.get("patternProperties", ()):
            names |= dict.fromkeys(name for name in islice(_likely(pattern), 2) if _matches(pattern, name))
    for count in (1, 2):
        yield from (dict.fromkeys(some, "a") for some in combinations(list(names)[:_FEW], count))


# ------------------------------------------------------------------------------------------------- numbers and texts


def _numbers(type: ir.Scalar) -> Iterator[Json]:
    bounds = (type.minimum, type.maximum, type.exclusive_minimum, type.exclusive_maximum)
    known = [bound for bound in bounds if bound is not None]
    step = type.multiple_of or 1
    yield from (0, 1, 2, -1)
    for bound in known:
        yield from (bound, bound + 1, bound - 1)
        nearest = bound // step * step
        yield from (number for number in (nearest, nearest + step, nearest - step) if isfinite(number))
    if type.multiple_of:
        yield from (step, -step, step * 2, step * 3, step + 1)
    if len(known) > 1:
        yield (min(known) + max(known)) / 2
    yield from (0.5, 1.5, -0.5)
    yield from (bound + part for bound in known for part in (0.5, -0.5))


def _within(type: ir.Scalar, number: Json) -> bool:
    return (
        (type.type == "number" or number == number // 1)
        and (type.minimum is None or number >= type.minimum)
        and (type.maximum is None or number <= type.maximum)
        and (type.exclusive_minimum is None or number > type.exclusive_minimum)
        and (type.exclusive_maximum is None or number < type.exclusive_maximum)
        and (type.multiple_of is None or number % type.multiple_of == 0)
    )


def _texts(type: ir.Scalar) -> Iterator[str]:
    for bound in (type.min_length, type.max_length):
        if bound is not None:
            yield from ("a" * count for count in (bound, bound - 1, bound + 1) if 0 <= count <= _LONGEST)
    if type.pattern:
        yield from _likely(type.pattern)
    yield from _TEXTS


def _fits(type: ir.Scalar, text: str) -> bool:
    return (
        _matches(type.pattern or "", text)
        and len(text) >= (type.min_length or 0)
        and (type.max_length is None or len(text) <= type.max_length)
    )


def _matches(pattern: str, text: str) -> bool:
    """Whether a text matches. The engine takes linear time, whatever the pattern, and refuses one that looks ahead."""
    validator = _matcher(pattern)
    return validator is not None and bool(validator.is_valid(text))


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Json:
    import jsonschema_rs

    options = jsonschema_rs.RegexOptions()
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern}, offline=True, pattern_options=options)
    except (ValueError, jsonschema_rs.ValidationError):
        return None


@lru_cache(maxsize=256)
def _likely(pattern: str) -> tuple[str, ...]:
    """Texts made of what a pattern names: its words, and all short ones of its letters; those that match come first."""
    start = pattern[:_LONGEST]
    words = re.findall(r"[^\W_]+|[-_:/.@ ]", re.sub(r"\\[a-zA-Z]|\{[^}]*\}|\[[^\]]*\]|\(\?.", "", start))
    ranges = [letter for low, high in re.findall(r"(\w)-(\w)", start) for letter in (low, high)]
    letters = list(dict.fromkeys([*ranges, *(c for word in words for c in word), *"aA0-"]))[:_FEW]
    made = ["".join(words), *words, *(word + "a" for word in words), *("a" + word for word in words)]
    made += ["".join(some) for count in (1, 2, 3) for some in product(letters[:8], repeat=count)]
    made += [letter * count for letter in letters for count in (4, 5, 8, 16, 32)]
    found: Mapping[str, None] = dict.fromkeys(text for text in made if len(text) <= _LONGEST)
    fitting = [text for text in found if _matches(pattern, text)]
    return (*fitting[:_FEW], *[text for text in found if text not in set(fitting)][:_FEW], *fitting[_FEW : 4 * _FEW])
