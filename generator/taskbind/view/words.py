"""Types in words: plain text with code in backticks, for tables, docstrings and whatever else describes a member."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from .. import ir
from ..normalize.oracle import Oracle
from ..schema import type_schema
from .checks import remarks
from .phrases import bounds, length, ticked

NESTED: Final = ir.Object | ir.Array | ir.Map | ir.Union
"""The types with others inside: where a union has several of them, they are told apart by number."""

_SUCH: Final = "such a value"
_PLURALS: Final = {
    "null": "null",
    "nothing": "nothing",
    "any JSON value": "any JSON values",
    _SUCH: "such values",
}


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
    """A type in words: ``array of objects``, ``number or null``, ``boolean or string``.

    A type that holds itself is opened once: ``string or array of such values``.
    """
    return _named(api, type, (), 0)


def _named(api: ir.Api, type: ir.Type, opened: tuple[str, ...], steps: int) -> str:
    """The same inside the definitions `opened`, the innermost last, of which `steps` were reached through checks."""

    def named(inner: ir.Type) -> str:
        return _named(api, inner, opened, steps)

    def plural(inner: ir.Type) -> str:
        return _plural(named(inner))

    match type:
        case ir.Ref(id=id):
            return _SUCH if id in opened else _named(api, api.definition(id).type, (*opened, id), steps)
        case ir.Checked(base=ir.Any()):
            return _checked_name(api, type, opened, steps)
        case ir.Checked(base=base):
            return named(base)
        case ir.Scalar(type=name):
            return name
        case ir.Enum(values=values):
            return _either(_json_type(value) for value in values)
        case ir.Media(media=media):
            return f"{media} file in base64" if media != "binary" else "file in base64"
        case ir.Array(prefix=prefix, items=None):
            return f"array of {len(prefix)}: {', '.join(map(named, prefix))}"
        case ir.Array(items=items):
            return f"array of {plural(items or ir.Any())}"
        case ir.Map(values=values):
            return "object" if values == ir.Any() else f"object of {plural(values)}"
        case ir.Object():
            return "object"
        case ir.Union(variants=variants):
            return _either(map(named, variants))
        case ir.Any():
            return "any JSON value"


def _checked_name(api: ir.Api, type: ir.Checked, opened: tuple[str, ...], steps: int) -> str:
    """The name of a type of which only a check says what it is."""
    check = type.data
    if check is False:
        return "nothing"
    if (known := _known(check)) is not None:
        return _either(map(_json_type, known))
    if check.keys() != {"$ref"}:
        return "JSON value"
    # Types in types are opened once: each may hold several others.
    if (id := check["$ref"]) in opened or steps:
        return _SUCH if opened[-1:] == (id,) else "nested value"
    return _named(api, api.definition(id).type, (*opened, id), steps + 1)


def _plural(name: str) -> str:
    if name.startswith(("array of", "object of")):
        kind, of, inner = name.partition(" of ")
        return f"{kind}s{of}{inner}"
    if " or " in name:
        return f"({name})"
    return _PLURALS.get(name, f"{name}s")


def _either(names: Iterable[str]) -> str:
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
        case list():
            return "array"
        case dict():
            return "object"
    return "number"


def values(api: ir.Api, type: ir.Type) -> list[str]:
    """Which values of its JSON type a type admits; strings are in quotes, so that they read as strings."""
    return _values(api, type, ())


def _values(api: ir.Api, type: ir.Type, opened: tuple[str, ...]) -> list[str]:
    """The same inside the definitions `opened`, none of which is opened again."""
    match type:
        case ir.Ref(id=id):
            return [] if id in opened else _values(api, api.definition(id).type, (*opened, id))
        case ir.Checked():
            return _checked(api, type, opened)
        case ir.Scalar():
            return _bounds(type)
        case ir.Enum(values=known):
            return [ticked(value) for value in known]
        case ir.Media(content_type=content_type):
            return [f"`{content_type}`"]
        case ir.Array(min_items=low, max_items=high, unique=unique, prefix=prefix, items=items):
            size = [] if prefix and items is None else length("items", low, high)
            inner = _values(api, items, opened) if items is not None else []
            each = [f"each {'further ' if prefix else ''}item: {', '.join(inner)}"] if inner else []
            return [*size, *(["no two alike"] if unique else []), *each]
        case ir.Map(values=each):
            inner = _values(api, each, opened)
            return [f"each member: {', '.join(inner)}"] if inner else []
        case ir.Union(variants=variants):
            return _alternatives(api, variants, opened)
    return []


def _alternatives(api: ir.Api, variants: tuple[ir.Type, ...], opened: tuple[str, ...]) -> list[str]:
    """The same for a union: of several objects, what holds for one is said with its number, as tables count them."""
    limits = [_values(api, variant, opened) for variant in variants]
    if not any(limits):
        return []
    nested = [i for i, variant in enumerate(variants) if isinstance(api.resolve(variant), NESTED)]
    out = []
    for index, (variant, limit) in enumerate(zip(variants, limits, strict=True)):
        if len(nested) > 1 and index in nested and limit:
            out.append(f"({nested.index(index) + 1} of {len(nested)}) {', '.join(limit)}")
        elif limit or not (variant == ir.NULL or isinstance(api.resolve(variant), ir.Object)):
            out += limit or _all(api, variant)
    return out


def _checked(api: ir.Api, type: ir.Checked, opened: tuple[str, ...]) -> list[str]:
    """What the checks of a type say, and the type that they check; where they list values, those that fit."""
    fitting = listed_values(api, type)
    if fitting is not None:
        # The name of the type says that null is among them.
        return list(dict.fromkeys(ticked(v) for v in fitting if v is not None or len(fitting) == 1)) or ["nothing fits"]
    base, checks = _parts(type)
    out = _values(api, base, opened)
    for check in reversed(checks):
        if isinstance(check, dict) and check.keys() == {"$ref"}:
            id = check["$ref"]
            # One that holds itself, or is far inside, is opened no further.
            out += [] if opened or id in opened else _values(api, api.definition(id).type, (*opened, id))
        else:
            out += remarks(check, partial(_told, api, base))
    return list(dict.fromkeys(out))


def listed_values(api: ir.Api, type: ir.Checked) -> list[Any] | None:
    """All values of a type of which a check lists them; None where none does."""
    _, checks = _parts(type)
    known = next((found for check in checks if (found := _known(check)) is not None), None)
    return None if known is None else _fitting(api, type, known)


def _parts(type: ir.Type) -> tuple[ir.Type, list[Any]]:
    """The type inside of checks, and the schemas of these, the outermost first."""
    checks: list[Any] = []
    while isinstance(type, ir.Checked):
        checks.append(type.data)
        type = type.base
    return type, checks


def _told(api: ir.Api, type: ir.Type, names: tuple[str, ...], schema: Any) -> bool:
    """Whether a type says of the member that `names` lead to what a schema says of it."""
    for name in names:
        inner = api.resolve(ir.split_null(type)[0])
        field = inner.field(name) if isinstance(inner, ir.Object) else None
        if field is None:
            return schema is True
        type = field.type
    return schema is True or (isinstance(type, ir.Ref) and schema == {"$ref": type.id})


def _known(check: Any) -> list[Any] | None:
    """The values that a check lists; None if it lists none."""
    if not isinstance(check, dict) or not check.keys() & {"enum", "const"}:
        return None
    return list(check["enum"]) if "enum" in check else [check["const"]]


def _fitting(api: ir.Api, type: ir.Type, known: list[Any]) -> list[Any]:
    """Those of the values that a type admits."""

    ids = api.reachable(ir.refs(type))
    oracle = Oracle(
        {id: type_schema(api.definition(id).type, _reference) for id in ids} | {"": type_schema(type, _reference)}
    )
    return [value for value in known if oracle.accepts("", value) is not False]


def _reference(id: str) -> dict[str, Any]:
    return {"$ref": id}


def _all(api: ir.Api, type: ir.Type) -> list[str]:
    """A variant without limits of its own must be listed beside those that have some."""
    resolved = api.resolve(type)
    if isinstance(resolved, ir.Scalar) and resolved.type == "boolean":
        return ["`true`", "`false`"]
    return [f"any {type_name(api, type)}"]


def _bounds(type: ir.Scalar) -> list[str]:
    return [*bounds(type_schema(type, _reference)), *([f"format {ticked(type.format)}"] if type.format else [])]
