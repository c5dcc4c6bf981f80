"""The words of verdicts: plain text, short enough for one line."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any as Json, Final

from .. import ir
from .verdict import Level

_MOST: Final = 60
_FEW: Final = 5
_FEW_TASKS: Final = 3

_BOUNDS: Final = {
    "minimum": "the minimum",
    "maximum": "the maximum",
    "exclusive_minimum": "the exclusive minimum",
    "exclusive_maximum": "the exclusive maximum",
    "multiple_of": "the step",
    "min_length": "the least length",
    "max_length": "the greatest length",
    "min_items": "the least count of items",
    "max_items": "the greatest count of items",
}


def are_all(tasks: Collection[str], common: Collection[str]) -> bool:
    """Whether tasks are to be called all: they are those that both versions have, and not just a few."""
    return len(tasks) > _FEW_TASKS and {*tasks} == {*common}


def value(data: Json) -> str:
    """A JSON value, shortened."""
    if data is ir.ABSENT:
        return "none"
    text = json.dumps(data, ensure_ascii=False)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def values(data: tuple[str, ...]) -> str:
    """Several JSON values, the first few of them."""
    shown = ", ".join(map(value, data[:_FEW]))
    return shown if len(data) <= _FEW else f"{shown} and {len(data) - _FEW} more"


def bound(name: str, before: Json, after: Json) -> str:
    """How a bound turned into another one."""
    what = _BOUNDS[name]
    if before is None:
        return f"{what} is {value(after)} now; there was none"
    return f"{what} is no longer {value(before)}" if after is None else f"{what} is {value(after)}, was {value(before)}"


def turned(what: str, before: Json, after: Json) -> str:
    """How a text turned into another one."""
    if not before:
        return f"{what} is {value(after)} now; there was none"
    return f"{what} is no longer {value(before)}" if not after else f"{what} is {value(after)}, was {value(before)}"


def type_words(api: ir.Api, type: ir.Type) -> str:
    """A type in a few words: the name of its definition, or what it is made of."""
    match type:
        case ir.Ref(id=id):
            return api.definition(id).name if api.has_class(id) else type_words(api, api.definition(id).type)
        case ir.Checked(base=base):
            return type_words(api, base)
        case ir.Scalar(type=name):
            return name
        case ir.Enum(values=listed):
            return f"one of {values(listed)}"
        case ir.Media(content_type=content_type):
            return content_type
        case ir.Array(items=items):
            return f"list of {type_words(api, items)}" if items is not None else "list"
        case ir.Map(values=inner):
            return f"map of {type_words(api, inner)}"
        case ir.Union(variants=variants):
            shown = [type_words(api, variant) for variant in variants[:_FEW]]
            return " or ".join([*shown, *(["…"] if len(variants) > _FEW else [])])
        case ir.Object():
            return "object"
        case ir.Any():
            return "any value"


def effect(request: bool, wire: Level, python: Level) -> str:
    """For whom a change matters, and how; empty where for nobody."""
    if wire is Level.BREAKING:
        return "requests that worked are refused" if request else "readers may get what they were told never comes"
    if wire is Level.DANGEROUS:
        return "requests that worked may do something else" if request else "readers may get what they do not expect"
    if python is not Level.SAFE:
        return "what is sent is accepted as before, but Python code may have to change"
    return ""
