"""Hypothesis strategies that are drawn from the IR: payloads a type should accept, and payloads one mistake away.

The mistakes matter more than the valid payloads. Models that merely round-trip valid payloads can be wrong in most
ways a generator can go wrong; those that also agree with the schema on every single-point mutation hardly can.
"""

from __future__ import annotations

import base64
import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from taskbind import ir

Json = Any
Path = tuple[str | int, ...]

_KEYS = st.sampled_from(["", "x", "self", "model_config", "__proto__", "top_K", "Label", "é", "a b", "inputs "])
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=2),
    max_leaves=4,
)
_WRONG: tuple[Json, ...] = (
    None, True, False, 0, 1, -1, 1.0, 0.5, -0.0, 2**53 + 1, 2**64, 10**30, 5e-324, 1.7976931348623157e308,
    "", "1", "1.0", "true", "null", "none", "softmax", "never", "2026-11-20", "http://a", "\u2028", "é", "🎉",
    [], [None], [1], ["a"], [0, None], [0, 1, 2], {}, {"a": 1}, {"label": "x", "score": 1},
)  # fmt: skip


def valid(api: ir.Api, type: ir.Type) -> st.SearchStrategy[Json]:
    """Payloads that `type` accepts (but for members of exclusive unions that also match a second variant)."""
    match type:
        case ir.Any():
            return _ANY
        case ir.Ref(id=id):
            return st.deferred(lambda: valid(api, api.definition(id).type))
        case ir.Enum(values=values):
            return st.sampled_from(values)
        case ir.Media():
            return st.binary(max_size=12).map(lambda data: base64.b64encode(data).decode()) | st.text(max_size=4)
        case ir.Map(values=values):
            return st.dictionaries(st.text(max_size=4), valid(api, values), max_size=3)
        case ir.Union(variants=variants):
            return st.one_of([valid(api, variant) for variant in variants])
        case ir.Array():
            return _arrays(api, type)
        case ir.Object():
            return _objects(api, type)
        case ir.Scalar():
            return _scalars(type)


def _scalars(type: ir.Scalar) -> st.SearchStrategy[Json]:
    match type.type:
        case "string" if type.pattern:
            return st.from_regex(type.pattern)
        case "string":
            return st.text(min_size=type.min_length or 0, max_size=type.max_length or 12)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    low = max((b for b in (type.minimum, type.exclusive_minimum) if b is not None), default=None)
    high = min((b for b in (type.maximum, type.exclusive_maximum) if b is not None), default=None)

    def inside(number: Json) -> bool:
        below = type.exclusive_maximum is None or number < type.exclusive_maximum
        above = type.exclusive_minimum is None or number > type.exclusive_minimum
        return below and above and (low is None or number >= low) and (high is None or number <= high)

    least = None if low is None else math.ceil(low)
    most = None if high is None else math.floor(high)
    edges = [n for n in (0, 1, 2**31 - 1, 2**53 + 1, 10**30) if inside(n)]
    whole: st.SearchStrategy[Json] = st.sampled_from(edges) if edges else st.nothing()
    if least is None or most is None or least <= most:
        whole |= st.integers(least, most).filter(inside)
    if type.type == "integer":
        # JSON Schema calls 1.0 an integer.
        return whole | whole.filter(lambda n: abs(n) < 2**53).map(float)
    return whole | st.floats(low, high, allow_nan=False, allow_infinity=False).filter(inside)


def _arrays(api: ir.Api, type: ir.Array) -> st.SearchStrategy[Json]:
    if type.prefix:
        return st.tuples(*(valid(api, item) for item in type.prefix)).map(list)
    least = type.min_items or 0
    most = least + 3 if type.max_items is None else type.max_items
    return st.lists(valid(api, type.items or ir.Any()), min_size=least, max_size=most)


def _objects(api: ir.Api, type: ir.Object) -> st.SearchStrategy[Json]:
    required = {f.name: valid(api, f.type) for f in type.fields if f.required}
    optional = {f.name: valid(api, f.type) for f in type.fields if not f.required}
    known = st.fixed_dictionaries(required, optional=optional) | st.fixed_dictionaries(required | optional)
    if type.additional is False:
        return known
    values = _ANY if type.additional is True else valid(api, type.additional)
    names = {f.name for f in type.fields}
    extra = st.dictionaries(_KEYS.filter(lambda key: key not in names), values, max_size=2)
    return known | st.tuples(known, extra).map(lambda pair: pair[0] | pair[1])


# ---------------------------------------------------------------------------------------------------- mutations


@dataclass(frozen=True)
class Place:
    """One place in a payload, with the type that governs it."""

    path: Path
    type: ir.Type


def places(api: ir.Api, type: ir.Type, value: Json, path: Path = ()) -> Iterator[Place]:
    """Every place of `value` that `type` says something about."""
    type = api.resolve(type)
    yield Place(path, type)
    match type:
        case ir.Union(variants=variants):
            for variant in variants:
                if not isinstance(variant, ir.Scalar):
                    yield from places(api, variant, value, path)
        case ir.Object(fields=members) if isinstance(value, dict):
            for member in members:
                if member.name in value:
                    yield from places(api, member.type, value[member.name], (*path, member.name))
        case ir.Map(values=values) if isinstance(value, dict):
            for key, item in value.items():
                yield from places(api, values, item, (*path, key))
        case ir.Array(prefix=prefix, items=items) if isinstance(value, list):
            for index, item in enumerate(value):
                inner = prefix[index] if index < len(prefix) else items
                if inner is not None:
                    yield from places(api, inner, item, (*path, index))


@st.composite
def mutated(draw: st.DrawFn, api: ir.Api, type: ir.Type) -> Json:
    """A valid payload with one change at one place. What the schema says of it is for the judge to tell."""
    value = draw(valid(api, type))
    place = draw(st.sampled_from(list(places(api, type, value))))
    return _replace(value, place.path, draw(_changes(place.type, _at(value, place.path))))


def _changes(type: ir.Type, value: Json) -> st.SearchStrategy[Json]:
    options = list(_WRONG)
    if isinstance(value, dict):
        options += [{k: v for k, v in value.items() if k != gone} for gone in value]
        options += [{**value, "zzz": 1}, {**value, "": None}]
        options += [{(k.upper() if k == name else k): v for k, v in value.items()} for name in value]
    if isinstance(value, list):
        options += [value[1:], [*value, None], [*value, *value], [*value, "x"]]
    if isinstance(value, str):
        options += [value + "x", value.upper(), value[:-1], [value], value * 3]
    if isinstance(type, ir.Scalar):
        for bound in (type.minimum, type.maximum, type.exclusive_minimum, type.exclusive_maximum):
            if bound is not None:
                options += [bound, bound - 1, bound + 1, bound - 1e-9, bound + 1e-9, float(bound), str(bound)]
    return st.sampled_from(options)


def _at(value: Json, path: Path) -> Json:
    for part in path:
        value = value[part]
    return value


def _replace(value: Json, path: Path, new: Json) -> Json:
    if not path:
        return new
    value = copy.deepcopy(value)
    _at(value, path[:-1])[path[-1]] = new
    return value


def same(a: Json, b: Json) -> bool:
    """Equality of JSON values: 1 equals 1.0, true does not equal 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)
