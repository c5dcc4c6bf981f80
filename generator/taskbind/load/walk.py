"""Which values in a schema are schemas themselves. Everything else (enum, const, default, examples, …) is data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from .positions import escape, unescape

ONE: Final = (
    "additionalProperties",
    "additionalItems",
    "items",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
)
MANY: Final = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
NAMED: Final = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas", "dependencies")
IN_PLACE: Final = frozenset(
    ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies")
)
"""The applicators of a schema that apply to the same instance as the schema itself."""

_ONE, _MANY, _NAMED = frozenset(ONE), frozenset(MANY), frozenset(NAMED)


def subschemas(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What stands where a schema is expected directly inside `schema`: ``(relative pointer, value)``.

    The value need not be a schema. Array-form items (before 2020-12) and the schemas of `dependencies` are included.
    """
    for key, value in schema.items():
        if isinstance(value, dict):
            if key in _NAMED:
                for name, item in value.items():
                    if key != "dependencies" or not isinstance(item, list):
                        yield f"/{escape(key)}/{escape(name)}", item
            elif key in _ONE:
                yield f"/{key}", value
        elif isinstance(value, list):
            if key in _MANY:
                for index, item in enumerate(value):
                    yield f"/{key}/{index}", item
        elif key in _ONE:
            yield f"/{key}", value


def put(schema: dict[str, Any], step: str, value: Any) -> None:
    """Put another schema where `subschemas` found one."""
    _, key, *rest = step.split("/")
    if not rest:
        schema[key] = value
    elif isinstance(container := schema[key], list):
        container[int(rest[0])] = value
    else:
        container[unescape(rest[0])] = value


def walk(schema: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """`schema` and every schema inside it that is an object, outer before inner: ``(pointer, schema)``."""
    if not isinstance(schema, dict):
        return
    todo = [(pointer, schema)]
    while todo:
        here, current = todo.pop()
        yield here, current
        inner = [(here + step, value) for step, value in subschemas(current) if isinstance(value, dict)]
        todo += reversed(inner)
