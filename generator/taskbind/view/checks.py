"""Checks in words: what a JSON Schema says of values besides their type, as far as a table's cell can hold it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .phrases import BOUNDS, bounds, coded, length, ticked

_TYPE_BOUNDS: Final = {"type", *BOUNDS}


Told = Callable[[tuple[str, ...], Any], bool]
"""Whether the member that some names lead to is known to be what a schema says."""


def remarks(check: Any, told: Told) -> list[str]:
    """What a check asks for. The keywords that would take too many words are named, so that nothing is kept quiet.

    `check` is the schema of an :class:`~taskbind.ir.Checked`, without `enum` and `const`; what is `told` already is
    not said again.
    """
    if isinstance(check, bool):
        return [] if check else ["nothing fits"]
    out: list[str] = []
    rest = []
    for keyword, value in sorted(check.items(), key=lambda item: item[0] == "additionalProperties"):
        found = _remark(keyword, value, check, told)
        if found is None:
            rest.append(keyword)
        else:
            out += found
    out += bounds(check)
    return [*out, *([f"see {', '.join(f'`{keyword}`' for keyword in rest)} in the JSON Schema"] if rest else [])]


def _remark(keyword: str, value: Any, check: Mapping[str, Any], told: Told) -> list[str] | None:
    """What one keyword says; None if that is too much to say."""
    match keyword, value:
        case ("not", dict()):
            return _not(value)
        case ("contains", _) if item := _brief(value):
            low, high = check.get("minContains", 1), check.get("maxContains")
            return [f"{count}: {item}" for count in length("items", low, high)] if low or high is not None else []
        case ("maxContains" | "minContains", _) if "contains" in check:
            return [] if _brief(check["contains"]) else None
        case ("patternProperties", dict()) if all(map(_brief, value.values())):
            return [
                f"each member whose name matches {ticked(pattern)}: {_brief(inner)}" for pattern, inner in value.items()
            ]
        case ("propertyNames", _) if name := _brief(value):
            return [f"each name: {name}"]
        case ("dependentRequired", dict()):
            return [f"with {coded(key)} also {_all(others)}" for key, others in value.items() if others]
        case ("minProperties" | "maxProperties", _):
            low, high = check.get("minProperties"), check.get("maxProperties")
            return [] if keyword == "maxProperties" and low is not None else length("members", low, high)
        case ("required", list()):
            return [f"with {_all(value)}"] if value else []
        case ("anyOf" | "oneOf", list()) if names := _needed(value, told):
            return [f"with {'one or more' if keyword == 'anyOf' else 'exactly one'} of {_listed(names)}"]
        case ("properties", dict()) if all(inner is True for inner in value.values()):
            return []  # stands there for the keywords beside it
        case ("additionalProperties", False):
            return ["no other members"]
        case ("uniqueItems", bool()):
            return ["no two alike"] if value else []
        case ("minItems" | "maxItems", _):
            low, high = check.get("minItems"), check.get("maxItems")
            return [] if keyword == "maxItems" and low is not None else length("items", low, high)
        case _ if keyword in BOUNDS:
            return []  # said together
    return None


def _not(schema: Mapping[str, Any]) -> list[str] | None:
    if schema.keys() == {"required"} and schema["required"]:
        names = schema["required"]
        return [f"without {coded(names[0])}" if len(names) == 1 else f"not with {_all(names)} together"]
    said = _brief(schema)
    return [f"not {said}"] if said else None


def _needed(schemas: list[Any], told: Told) -> list[str]:
    """The members one of which must be there, where alternatives say nothing else."""
    paths = [_path(schema, (), told) for schema in schemas]
    return [".".join(path) for path in paths if path] if all(paths) else []


def _path(schema: Any, at: tuple[str, ...], told: Told) -> tuple[str, ...]:
    """The one member that an object `at` some place must have, or the one inside it; empty if there is more to say."""
    if not isinstance(schema, dict) or not schema.keys() <= {"required", "properties"}:
        return ()
    properties, (name, *others) = schema.get("properties", {}), schema.get("required") or ("",)
    inner = properties.get(name, True)
    if not name or others or not all(told((*at, key), value) for key, value in properties.items() if key != name):
        return ()
    return (*at, name) if told((*at, name), inner) else _path(inner, (*at, name), told)


def _brief(schema: Any) -> str:
    """What values a simple schema accepts; empty for any other."""
    if not isinstance(schema, dict) or not schema:
        return ""
    if schema.keys() == {"const"}:
        return ticked(schema["const"])
    if schema.keys() == {"enum"}:
        return _one_of(schema["enum"])
    if schema.keys() <= _TYPE_BOUNDS:
        types = schema.get("type", ())
        kinds = " or ".join([types] if isinstance(types, str) else types)
        return ", ".join(filter(None, [kinds, *bounds(schema)]))
    return ""


def _one_of(values: list[Any]) -> str:
    return " or ".join(map(ticked, values))


def _listed(names: list[str]) -> str:
    return ", ".join(map(coded, names))


def _all(names: list[str]) -> str:
    return " and ".join(map(coded, names))
