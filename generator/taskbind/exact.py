"""What Python types can say exactly, and what needs a check at run time.

A generated class takes its fields' types from :func:`sayable`: the nearest type that pydantic validates exactly and
that loses no value. Where that admits more than the spec, the class is checked as a whole (`Plan.checked`), by a
validator of JSON Schema over the package's own schemas. Everything else costs nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from . import ir

_PORTABLE: Final = re.compile(
    r"(?:[^\\.()\[\]{}|]|\\[-.\[\](){}*+?^$|/\\]|\[\^?(?:[\w ]-[\w ]|[\w ,;:_-])+\]|\{\d+(?:,\d*)?\})*", re.ASCII
)
"""Patterns that mean the same to ECMA 262 and to the regex engine of pydantic: no classes of characters by name, no
dot, no groups. What `\\d`, `\\s` or `.` match differs."""


def sayable(type: ir.Type) -> ir.Type:
    """The nearest type that admits all values of `type` and that pydantic validates exactly."""
    if isinstance(type, ir.Union):
        rest, nullable = ir.split_null(type)
        if nullable and isinstance(rest, ir.Array):  # null beside it leaves a list the field's own type
            return ir.Union((_array(rest, alone=True), ir.NULL))
    return _array(type, alone=True) if isinstance(type, ir.Array) else _inside(type)


def _inside(type: ir.Type) -> ir.Type:
    """The same for a type inside another."""
    match type:
        case ir.Checked(base=base):
            return sayable(base)
        case ir.Scalar():
            return _scalar(type)
        case ir.Map(values=values):
            return replace(type, values=_inside(values))
        case ir.Union(variants=variants):
            return ir.Union(tuple(dict.fromkeys(map(_inside, variants))))
        case ir.Array():
            return _array(type, alone=not any(ir.refs(type)))
        case ir.Object(fields=fields, additional=additional):
            others = additional if isinstance(additional, bool) else _inside(additional)
            return replace(
                type, fields=tuple(replace(field, type=sayable(field.type)) for field in fields), additional=others
            )
    return type


def _scalar(type: ir.Scalar) -> ir.Scalar:
    if type.pattern is not None and not _PORTABLE.fullmatch(type.pattern):
        type = replace(type, pattern=None)
    if type.multiple_of is not None and (type.type != "integer" or not isinstance(type.multiple_of, int)):
        type = replace(type, multiple_of=None)  # 0.3 is a multiple of 0.1 in JSON Schema, and not in floating point
    return type


def _array(type: ir.Array, *, alone: bool) -> ir.Array:
    """A list with its bounds, or a tuple. Inside other types either needs a name, and can have one only if it stands
    `alone`: no class in it, which would have to be imported where names are."""
    prefix = tuple(map(_inside, type.prefix))
    items = None if type.items is None else _inside(type.items)
    if alone and items is None and prefix and type.min_items == len(prefix):
        return ir.Array(None, prefix, type.min_items)
    most = type.max_items
    if items is None:  # no item beyond the prefix
        most = min(len(prefix), most if most is not None else len(prefix))
    if prefix:
        anywhere = tuple(dict.fromkeys((*prefix, *(() if items is None else (items,)))))
        items = anywhere[0] if len(anywhere) == 1 else ir.Union(anywhere)
    return ir.Array(items or ir.Any(), (), *((type.min_items, most) if alone else ()))


def inexact(api: ir.Api, type: ir.Type) -> bool:
    """Whether Python types admit more than `type` does, in itself or in what it refers to that has no class."""
    return sayable(type) != type or any(
        inexact(api, api.definition(id).type) for id in ir.refs(type) if not api.has_class(id)
    )
