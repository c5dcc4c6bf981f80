"""Types in words: plain text with code in backticks, for tables, docstrings and whatever else describes a member."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .. import ir
from ..escape import json_text

_PLURALS: Final = {"null": "null", "any JSON value": "any JSON values"}


def ticked(value: object) -> str:
    """A JSON value as inline code, whatever backticks are in it."""
    text = json_text(value)
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def said(api: ir.Api, field: ir.Field) -> str:
    """What a spec says about a member, or else about its type."""
    doc = field.doc or api.doc(field.type)
    return f"Deprecated. {doc}".strip() if field.deprecated else doc


def is_closed(api: ir.Api, id: str) -> bool:
    """Whether every object in a definition refuses names that it does not know."""
    todo: list[ir.Type] = [ir.Ref(id)]
    seen: set[str] = set()
    while todo:
        type = todo.pop()
        if isinstance(type, ir.Map) or (isinstance(type, ir.Object) and type.additional is not False):
            return False
        if isinstance(type, ir.Ref) and type.id not in seen:
            seen.add(type.id)
            todo.append(api.definition(type.id).type)
        todo += ir.children(type)
    return True


def type_name(api: ir.Api, type: ir.Type) -> str:
    """A type in words: ``array of objects``, ``number or null``, ``boolean or string``."""
    match type:
        case ir.Ref() | ir.Checked():
            return type_name(api, api.resolve(type))
        case ir.Scalar(type=name):
            return name
        case ir.Enum(values=values):
            return _either(_json_type(value) for value in values)
        case ir.Media(media=media):
            return f"{media} file in base64" if media != "binary" else "file in base64"
        case ir.Array(prefix=prefix, items=None):
            return f"array of {len(prefix)}: {', '.join(type_name(api, item) for item in prefix)}"
        case ir.Array(items=items):
            return f"array of {_plural(api, items or ir.Any())}"
        case ir.Map(values=values):
            return "object" if values == ir.Any() else f"object of {_plural(api, values)}"
        case ir.Object():
            return "object"
        case ir.Union(variants=variants):
            return _either(type_name(api, variant) for variant in variants)
        case ir.Any():
            return "any JSON value"


def _plural(api: ir.Api, type: ir.Type) -> str:
    name = type_name(api, type)
    if name.startswith("array of"):
        return f"arrays{name.removeprefix('array')}"
    if " or " in name:
        return f"({name})"
    return _PLURALS.get(name, f"{name}s")


def _either(names: Iterator[str]) -> str:
    return " or ".join(dict.fromkeys(names))


def _json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int():
            return "integer"
    return "number"


def values(api: ir.Api, type: ir.Type) -> list[str]:
    """Which values of its JSON type a type admits; strings are in quotes, so that they read as strings."""
    match type:
        case ir.Ref() | ir.Checked():
            return values(api, api.resolve(type))
        case ir.Scalar():
            return _bounds(type)
        case ir.Enum(values=known):
            return [ticked(value) for value in known]
        case ir.Media(content_type=content_type):
            return [f"`{content_type}`"]
        case ir.Array(min_items=low, max_items=high, unique=unique, prefix=prefix, items=items):
            size = [] if prefix and items is None else _range("items", low, high)
            return [*size, *(["no two alike"] if unique else [])]
        case ir.Union(variants=variants):
            limits = [values(api, variant) for variant in variants]
            if not any(limits):
                return []
            pairs = zip(variants, limits, strict=True)
            return [text for v, limit in pairs for text in limit or ([] if v == ir.NULL else _all(api, v))]
    return []


def _all(api: ir.Api, type: ir.Type) -> list[str]:
    """A variant without limits of its own must be listed beside those that have some."""
    resolved = api.resolve(type)
    if isinstance(resolved, ir.Scalar) and resolved.type == "boolean":
        return ["`true`", "`false`"]
    return [f"any {type_name(api, type)}"]


def _bounds(type: ir.Scalar) -> list[str]:
    out = []
    for sign, bound in (
        ("≥", type.minimum),
        (">", type.exclusive_minimum),
        ("≤", type.maximum),
        ("<", type.exclusive_maximum),
    ):
        if bound is not None:
            out.append(f"{sign} {json_text(int(bound) if bound == int(bound) else bound)}")
    if type.multiple_of is not None:
        out.append(f"multiple of {type.multiple_of}")
    out += _range("characters", type.min_length, type.max_length)
    if type.pattern is not None:
        out.append(f"matches {ticked(type.pattern)}")
    return [*out, *([f"format {ticked(type.format)}"] if type.format else [])]


def _range(unit: str, low: int | None, high: int | None) -> list[str]:
    """A length in words; `unit` is a plural."""
    if low is None and high is None:
        return []
    if low == high or high is None:
        said = f"{low}" if low == high else f"at least {low}"
    else:
        said = f"at most {high}" if low is None else f"{low} to {high}"
    return [f"{said} {unit.removesuffix('s') if said.split()[-1] == '1' else unit}"]
