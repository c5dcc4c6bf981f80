"""The rule for oneOf branches that can match together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from ..diagnostics import Severity
from .rule import ANNOTATIONS, Finding, Place, rule, type_names

_MAX_BRANCHES = 40


@rule("TB234", Severity.ERROR, "oneOf branches overlap", "oneOf")
def overlap(place: Place) -> Iterator[Finding]:
    """Two branches of a `oneOf` are objects that one value can match at once, and `oneOf` then rejects that value: a
    message with both `content` and `tool_calls`, say. If that is not meant, write `anyOf`, or tell the branches apart
    by a required property with a `const`."""
    branches = place.schema.get("oneOf")
    if not isinstance(branches, list) or len(branches) > _MAX_BRANCHES:
        return
    shapes = [_object(place, branch) for branch in branches]
    for (i, one), (j, two) in combinations(enumerate(shapes), 2):
        if one is not None and two is not None and not _apart(place, one, two):
            message = f"branches {i} and {j} can match together, and then `oneOf` rejects the value"
            yield Finding(message, "write `anyOf`, or tell them apart by a `const`", "/oneOf", repaired=False)


def _deref(place: Place, schema: Any) -> dict[str, Any]:
    current: dict[str, Any] = schema if isinstance(schema, dict) else {}
    while (target := place.work.target(current)) is not None:
        current = target
    return current


def _object(place: Place, branch: Any) -> dict[str, Any] | None:
    """A branch that is a plain object; None for everything that this rule does not look into."""
    schema = _deref(place, branch)
    plain = schema.keys() - ANNOTATIONS <= {"type", "properties", "required", "additionalProperties", "$defs"}
    return schema if plain and type_names(schema) == {"object"} else None


def _apart(place: Place, one: dict[str, Any], two: dict[str, Any]) -> bool:
    return (
        _closed(one, two)
        or _closed(two, one)
        or any(
            _different(_deref(place, one["properties"][name]), _deref(place, two["properties"][name]))
            for name in _required(one) & _required(two)
            if name in _properties(one) and name in _properties(two)
        )
    )


def _closed(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether `one` forbids a property that `two` requires."""
    return one.get("additionalProperties") is False and not _required(two) <= _properties(one)


def _different(one: dict[str, Any], two: dict[str, Any]) -> bool:
    first, second = _values(one), _values(two)
    if first is not None and second is not None:
        return not any(type(a) is type(b) and a == b for a in first for b in second)
    kinds = type_names(one), type_names(two)
    return all(kinds) and kinds[0].isdisjoint(kinds[1]) and {"integer", "number"} != kinds[0] | kinds[1]


def _values(schema: dict[str, Any]) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    listed = schema.get("enum")
    return listed if isinstance(listed, list) else None


def _required(schema: dict[str, Any]) -> set[str]:
    names = schema.get("required")
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def _properties(schema: dict[str, Any]) -> set[str]:
    names = schema.get("properties")
    return set(names) if isinstance(names, dict) else set()
