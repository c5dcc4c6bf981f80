"""Says whether a value is valid under a normalised schema, with all of its references.

A validator library compiles everything that a schema can reach before it looks at the value, and takes every branch of
every union anew: hostile specs make both of that explode. Here the work is bounded by value times schemas, because each
pair of them is decided once. Only what :data:`~taskbind.normalize.KEYWORDS` names has to be understood.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final

_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and value == value // 1,
    "number": lambda value: _is_number(value),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_BOUNDS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "exclusiveMinimum": lambda value, bound: value > bound,
    "exclusiveMaximum": lambda value, bound: value < bound,
    "multipleOf": lambda value, step: (Fraction(str(value)) / Fraction(str(step))).denominator == 1,
}


class Oracle:
    """Decides values against schemas whose references read ``<path>#<pointer>``; `sites` holds them by that text."""

    def __init__(self, sites: Mapping[str, Any]) -> None:
        self._sites = sites
        self._patterns: dict[str, Callable[[str], bool]] = {}

    def accepts(self, where: str, value: Any) -> bool | None:
        """Whether the schema at ``<path>#<pointer>`` admits a value; None where that cannot be told."""
        try:
            return _Run(self).valid(self._sites[where], value)
        except (RecursionError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError):
            # A keyword of the wrong type, which TB248 reports, or a value and a schema of extreme depth.
            return None

    def target(self, ref: str) -> Any:
        """The schema that a canonical reference means."""
        return self._sites[ref]

    def matches(self, pattern: str, text: str) -> bool:
        """Whether a pattern is found in a text, by an engine of linear time."""
        if pattern not in self._patterns:
            import jsonschema_rs

            options = jsonschema_rs.RegexOptions()
            validator = jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=options, offline=True)
            self._patterns[pattern] = validator.is_valid
        return self._patterns[pattern](text)


class _Run:
    """One decision, with what has been decided on its way."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.known: dict[tuple[int, int], bool] = {}

    def valid(self, schema: Any, value: Any) -> bool:
        if isinstance(schema, bool):
            return schema
        key = (id(schema), id(value))
        if key not in self.known:
            self.known[key] = self._valid(schema, value)
        return self.known[key]

    def _valid(self, schema: dict[str, Any], value: Any) -> bool:
        if "type" in schema:
            declared = schema["type"]
            names = [declared] if isinstance(declared, str) else declared
            if not any(_TYPES[name](value) for name in names):
                return False
        if "enum" in schema and _canonical(value) not in [_canonical(item) for item in schema["enum"]]:
            return False
        if "const" in schema and _canonical(value) != _canonical(schema["const"]):
            return False
        return self._own_kind(schema, value) and self._in_place(schema, value)

    def _own_kind(self, schema: dict[str, Any], value: Any) -> bool:
        if isinstance(value, str):
            low, high = schema.get("minLength", 0), schema.get("maxLength", len(value))
            return low <= len(value) <= high and (
                "pattern" not in schema or self.oracle.matches(schema["pattern"], value)
            )
        if isinstance(value, list):
            return self._array(schema, value)
        if isinstance(value, dict):
            return self._object(schema, value)
        if _is_number(value):
            return all(holds(value, schema[key]) for key, holds in _BOUNDS.items() if key in schema)
        return True

    def _in_place(self, schema: dict[str, Any], value: Any) -> bool:
        if "$ref" in schema and not self.valid(self.oracle.target(schema["$ref"]), value):
            return False
        if not all(self.valid(member, value) for member in schema.get("allOf", ())):
            return False
        if "anyOf" in schema and not any(self.valid(member, value) for member in schema["anyOf"]):
            return False
        return "oneOf" not in schema or sum(self.valid(member, value) for member in schema["oneOf"]) == 1

    def _array(self, schema: dict[str, Any], value: list[Any]) -> bool:
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            return False
        if schema.get("uniqueItems") and len({_canonical(item) for item in value}) != len(value):
            return False
        prefix = schema.get("prefixItems", [])
        schemas = [*prefix, *[schema.get("items", True)] * (len(value) - len(prefix))]
        return all(self.valid(each, item) for each, item in zip(schemas, value, strict=False))

    def _object(self, schema: dict[str, Any], value: dict[str, Any]) -> bool:
        if not all(name in value for name in schema.get("required", ())):
            return False
        members, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        return all(self.valid(members.get(name, others), item) for name, item in value.items())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _canonical(value: Any) -> str:
    """A text that is equal for values that JSON Schema calls equal: `1` is `1.0`, and not `true`."""
    return json.dumps(_integral(value), sort_keys=True)


def _integral(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _integral(item) for key, item in value.items()}
    return [_integral(item) for item in value] if isinstance(value, list) else value
