"""Says whether a value is valid under a normalised schema, with all of its references.

A validator library compiles everything that a schema can reach before it looks at the value, and takes every branch of
every union anew: hostile specs make both of that explode. Here each pair of a value and a schema is decided once, and
where that is still too much work, or a schema asks for what other schemas have left over (`unevaluatedProperties`,
`unevaluatedItems`), the answer is that it cannot be told. Only :data:`~taskbind.normalize.KEYWORDS` are understood.
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


_MOST: Final = 200_000  # steps of one decision
_UNEVALUATED: Final = frozenset(("unevaluatedItems", "unevaluatedProperties"))


class _UndecidedError(Exception):
    """Raised where a value cannot be decided."""


class Oracle:
    """Decides values against schemas whose references read ``<path>#<pointer>``; `sites` holds them by that text."""

    def __init__(self, sites: Mapping[str, Any]) -> None:
        self._sites = sites
        self._patterns: dict[str, Callable[[str], bool]] = {}

    def accepts(self, where: str, value: Any) -> bool | None:
        """Whether the schema at ``<path>#<pointer>`` admits a value; None where that cannot be told."""
        try:
            return _Run(self).valid(self._sites[where], value)
        except (_UndecidedError, RecursionError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError):
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
        self.left = _MOST

    def spend(self, steps: int) -> None:
        """Count work; raise once it is too much."""
        self.left -= steps
        if self.left < 0:
            raise _UndecidedError

    def valid(self, schema: Any, value: Any) -> bool:
        if isinstance(schema, bool):
            return schema
        self.spend(1)
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
        if not (self._own_kind(schema, value) and self._in_place(schema, value)):
            return False
        if not _UNEVALUATED.isdisjoint(schema):
            raise _UndecidedError
        return True

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
        if "oneOf" in schema and sum(self.valid(member, value) for member in schema["oneOf"]) != 1:
            return False
        if "not" in schema and self.valid(schema["not"], value):
            return False
        if "if" in schema:
            return self.valid(schema.get("then" if self.valid(schema["if"], value) else "else", True), value)
        return True

    def _array(self, schema: dict[str, Any], value: list[Any]) -> bool:
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            return False
        if schema.get("uniqueItems") and len({_canonical(item) for item in value}) != len(value):
            return False
        prefix = schema.get("prefixItems", [])
        schemas = [*prefix, *[schema.get("items", True)] * (len(value) - len(prefix))]
        if not all(self.valid(each, item) for each, item in zip(schemas, value, strict=False)):
            return False
        if "contains" not in schema:
            return True
        found = sum(self.valid(schema["contains"], item) for item in value)
        return bool(schema.get("minContains", 1) <= found <= schema.get("maxContains", found))

    def _object(self, schema: dict[str, Any], value: dict[str, Any]) -> bool:
        if not all(name in value for name in schema.get("required", ())):
            return False
        if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
            return False
        if "propertyNames" in schema and not all(self.valid(schema["propertyNames"], name) for name in value):
            return False
        needed = schema.get("dependentRequired", {})
        if not all(other in value for name, others in needed.items() if name in value for other in others):
            return False
        implied = schema.get("dependentSchemas", {})
        if not all(self.valid(inner, value) for name, inner in implied.items() if name in value):
            return False
        return all(self.valid(each, item) for name, item in value.items() for each in self._member(schema, name))

    def _member(self, schema: dict[str, Any], name: str) -> list[Any]:
        """The schemas that hold for a member of an object."""
        patterns = schema.get("patternProperties", {})
        self.spend(len(patterns))
        found = [inner for pattern, inner in patterns.items() if self.oracle.matches(pattern, name)]
        if name in schema.get("properties", {}):
            found.append(schema["properties"][name])
        return found or [schema.get("additionalProperties", True)]


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
