"""Whether an IR that was read from a file is one: :mod:`taskbind.ir_json` builds it from whatever the file says."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from . import ir
from .load.dialects import LATEST

_FREE: Final = (Any, ir.Absent)
_DEEPEST: Final = 200
"""Types nest as deep as one schema file does, at most 64 levels; each is a member and its type."""


def check(api: ir.Api) -> None:
    """Raise ValueError for a value of another type than its attribute's, and for references that lead nowhere, or in a
    circle with nothing in it."""
    hints: dict[Any, dict[str, Any]] = {}
    todo: list[tuple[Any, int]] = [(api, 0)]
    while todo:
        part, depth = todo.pop()
        if depth > _DEEPEST:
            raise ValueError(f"a type is nested deeper than {_DEEPEST} levels")
        if isinstance(part, tuple):
            todo += [(item, depth) for item in part]
        elif is_dataclass(part):
            if type(part) not in hints:
                hints[type(part)] = get_type_hints(type(part))
            for field in fields(part):
                value = getattr(part, field.name)
                if value is field.default:
                    continue
                if not _fits(value, hints[type(part)][field.name]):
                    raise ValueError(f"{field.name} of {type(part).__name__} is {str(value)[:40]!r}")
                todo.append((value, depth + 1))
            _sound(part)
    if len({definition.id for definition in api.definitions}) < len(api.definitions):
        raise ValueError("two definitions have one id")
    if len({task.id for task in api.tasks}) < len(api.tasks):
        raise ValueError("two tasks have one id")
    _references(api)


def _sound(part: Any) -> None:
    """Raise ValueError for what no spec becomes, although its attributes are of their types."""
    match part:
        case ir.Enum(values=()) | ir.Union(variants=()):
            raise ValueError(f"{type(part).__name__} is empty")
        case ir.Object(fields=members) if len({member.name for member in members}) < len(members):
            raise ValueError("two members have one name")
        case ir.Checked():
            import jsonschema_rs

            schema = part.data
            if isinstance(schema, dict):
                schema["$schema"] = LATEST
            if not jsonschema_rs.meta.is_valid(schema):
                raise ValueError(f"{part.schema[:80]!r} is no JSON Schema")


def _references(api: ir.Api) -> None:
    known = {definition.id for definition in api.definitions}
    for definition in api.definitions:
        _known(known, *ir.refs(definition.type))
    for task in api.tasks:
        _known(known, *(root for root in (task.input, task.output, task.stream) if root))
    for definition in api.definitions:
        _ended(api, definition.id)
    for task in api.tasks:
        request = _ended(api, task.input)
        if not isinstance(request, ir.Object) or not request.fields:
            raise ValueError(f"the request of {task.id[:40]} is no object with members")


def _known(known: set[str], *ids: str) -> None:
    for id in ids:
        if id not in known:
            raise ValueError(f"there is no definition {id[:80]}")


def _ended(api: ir.Api, id: str) -> ir.Type:
    """The type that a chain of references ends at."""
    seen, type = {id}, api.definition(id).type
    while isinstance(type := ir.bare(type), ir.Ref):
        if type.id in seen:
            raise ValueError(f"{type.id[:80]} refers to itself and to nothing else")
        seen.add(type.id)
        type = api.definition(type.id).type
    return type


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type, as far as it is no dataclass; those are looked into by themselves."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _FREE:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if origin is Literal:
        return isinstance(value, str) and value in arguments
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if arguments[1:] == (...,):
            return all(_fits(item, arguments[0]) for item in value)
        return len(value) == len(arguments) and all(map(_fits, value, arguments))
    if hint is float:
        return type(value) in (int, float)
    return isinstance(value, hint) and (hint is not int or not isinstance(value, bool))
