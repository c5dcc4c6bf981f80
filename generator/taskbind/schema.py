"""The IR back as JSON Schema 2020-12, for the OpenAPI document, for validators, and for datamodel-code-generator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from . import ir
from .load.walk import walk

_SCALAR: Final = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusive_minimum": "exclusiveMinimum",
    "exclusive_maximum": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
    "format": "format",
}

_DEPENDENT: Final = frozenset(
    "additionalProperties items then else minContains maxContains unevaluatedItems unevaluatedProperties".split()
)
"""Keywords whose meaning depends on what stands beside them."""
_DECISIVE: Final = frozenset("properties patternProperties prefixItems contains if".split())
"""What stands beside them and decides."""

Reference = Callable[[str], dict[str, Any]]


def type_schema(type: ir.Type, reference: Reference) -> dict[str, Any]:
    """The schema of one type; `reference` makes the schema that stands for a definition's id."""
    match type:
        case ir.Any():
            return {}
        case ir.Ref(id=id):
            return reference(id)
        case ir.Scalar():
            bounds = {key: getattr(type, name) for name, key in _SCALAR.items() if getattr(type, name) is not None}
            return {"type": type.type, **bounds}
        case ir.Enum(values=values, docs=docs) if any(docs):
            members = ({"const": value, "description": doc} for value, doc in zip(values, docs, strict=True))
            return {"type": "string", "oneOf": list(members)}
        case ir.Enum(values=values):
            return {"type": "string", "enum": list(values)}
        case ir.Media(content_type=content_type):
            return {"type": "string", "contentEncoding": "base64", "contentMediaType": content_type}
        case ir.Map(values=values):
            return {"type": "object", "additionalProperties": type_schema(values, reference)}
        case ir.Union(variants=variants, exclusive=exclusive):
            return {"oneOf" if exclusive else "anyOf": [type_schema(v, reference) for v in variants]}
        case ir.Array():
            return _array(type, reference)
        case ir.Object():
            return _object(type, reference)
        case ir.Checked(base=base):
            return _both(type_schema(base, reference), _referring(type.data, reference))


def _array(type: ir.Array, reference: Reference) -> dict[str, Any]:
    out: dict[str, Any] = {"type": "array"}
    if type.prefix:
        out["prefixItems"] = [type_schema(item, reference) for item in type.prefix]
    if not isinstance(type.items, ir.Any):
        out["items"] = False if type.items is None else type_schema(type.items, reference)
    for name, key in (("min_items", "minItems"), ("max_items", "maxItems")):
        if getattr(type, name) is not None:
            out[key] = getattr(type, name)
    if type.unique:
        out["uniqueItems"] = True
    return out


def _object(type: ir.Object, reference: Reference) -> dict[str, Any]:
    out: dict[str, Any] = {"type": "object"}
    if type.fields:
        out["properties"] = {field.name: field_schema(field, reference) for field in type.fields}
    if required := [field.name for field in type.fields if field.required]:
        out["required"] = required
    if not isinstance(type.additional, bool):
        out["additionalProperties"] = type_schema(type.additional, reference)
    elif not type.additional:
        out["additionalProperties"] = False
    return out


def _both(base: dict[str, Any], check: Any) -> dict[str, Any]:
    """The schema of what two schemas accept."""
    if isinstance(check, bool):
        return base if check else {**base, "not": {}}
    alone = not base or not (
        base.keys() & check.keys()
        or check.keys() & _DEPENDENT
        or base.keys() & {"unevaluatedItems", "unevaluatedProperties"}
        or (base.keys() & _DEPENDENT and check.keys() & _DECISIVE)
    )
    return {**base, **check} if alone else {"allOf": [base, check]}


def _referring(schema: Any, reference: Reference) -> Any:
    """A copy of a check's schema in which each id is a reference."""
    if not isinstance(schema, dict):
        return schema
    out = json.loads(json.dumps(schema))
    for _, inner in walk(out):
        if "$ref" in inner:
            inner |= reference(inner.pop("$ref"))
    return out


def field_schema(field: ir.Field, reference: Reference) -> dict[str, Any]:
    """The schema of a member, with its annotations."""
    out = type_schema(field.type, reference)
    if field.doc:
        out["description"] = field.doc
    if field.default is not ir.ABSENT:
        out["default"] = field.default
    if field.examples:
        out["examples"] = list(field.examples)
    if field.deprecated:
        out["deprecated"] = True
    return out


def definition_schema(definition: ir.Definition, reference: Reference) -> dict[str, Any]:
    """The schema of a definition, with its title and description."""
    out: dict[str, Any] = {"title": definition.name}
    if definition.doc:
        out["description"] = definition.doc
    return out | type_schema(definition.type, reference)
