"""Schemas in the words that generators of clients understand: other keywords, the same values.

The OpenAPI document is read by tools that know less of JSON Schema than validators do. Each rule here says the same
thing in a form that more of them take in; none lets through or refuses anything else than before. Tools also read
descriptions as Markdown, HTML and all: in the document they are Markdown that says what they say as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import ir
from ..escape import code, markdown_block
from ..load.walk import put, subschemas, walk

Schema = dict[str, Any]

_NOTES: Final = frozenset("title description default examples deprecated".split())
_CHOICES: Final = ("anyOf", "oneOf")
_OPEN: Final = frozenset("additionalProperties unevaluatedProperties unevaluatedItems".split())
"""Where tools know that a schema may be a boolean."""
_ALONE: Final = frozenset("allOf anyOf not oneOf properties required".split())
"""Keywords that mean the same whatever stands beside them."""


def reworded(schemas: Mapping[str, Schema], prefix: str) -> tuple[dict[str, Schema], dict[str, str]]:
    """`schemas` by name in other words, and the names that went: each to the schema that it was but a reference to.

    References to them are `prefix` and a name. The given schemas are changed.
    """
    gone = _aliases(schemas, prefix)
    kept = {name: schema for name, schema in schemas.items() if name not in gone}
    everything = [inner for schema in kept.values() for _, inner in walk(schema)]
    for inner in everything:
        if "description" in inner:
            inner["description"] = markdown_block(inner["description"])
    # Where one asks for items that nothing looked at, others must not begin to look at them.
    closed = any("unevaluatedItems" in inner for inner in everything)
    # From the inside to the outside: a rule sees how what is in a schema has come out.
    for inner in reversed(everything):
        name = inner.get("$ref", "").removeprefix(prefix)
        if name in gone:
            inner["$ref"] = prefix + gone[name]
        _reword(inner, closed)
    for schema in kept.values():
        if "$ref" in schema and schema.keys() - _NOTES > {"$ref"}:
            _apart(schema, "$ref")
    return kept, gone


def _aliases(schemas: Mapping[str, Schema], prefix: str) -> dict[str, str]:
    """The names of those that are nothing but a reference, and what that ends at."""
    to = {
        name: schema["$ref"].removeprefix(prefix)
        for name, schema in schemas.items()
        if schema.keys() - _NOTES == {"$ref"}
    }
    out = {}
    for name, end in to.items():
        seen = {name}
        while end in to and end not in seen:
            seen.add(end)
            end = to[end]
        if end not in to:  # else they go round in a circle
            out[name] = end
    return out


def _reword(schema: Schema, closed: bool) -> None:
    if schema.get("items") is False:
        first = len(schema.get("prefixItems", ()))
        schema["maxItems"] = min(first, schema.get("maxItems", first))
        del schema["items"]
    if schema.get("type") == "array" and not schema.keys() & {"items", "prefixItems"} and not closed:
        schema["items"] = {}
    for step, inner in list(subschemas(schema)):
        if isinstance(inner, bool) and step[1:] not in _OPEN:
            put(schema, step, {} if inner else {"not": {}})
    _list_values(schema)
    _hoist(schema)
    if schema.get("type") == "object" and "properties" in schema:
        for key in _CHOICES:
            if key in schema:
                _apart(schema, key)


def _list_values(schema: Schema) -> None:
    """Have a text list its values, and say in its description what each of them means."""
    parts = schema.get("oneOf", [])
    values = [part.get("const") for part in parts if not part.keys() - {"const", "description"}]
    if schema.get("type") != "string" or "enum" in schema or not all(isinstance(value, str) for value in values):
        return
    if not values or len(set(values)) < len(parts):
        return
    del schema["oneOf"]
    schema["enum"] = values
    if meanings := [f"- {code(part['const'])}: {part['description']}" for part in parts if part.get("description")]:
        about = [schema["description"], ""] if schema.get("description") else []
        schema["description"] = "\n".join([*about, *meanings])


def _hoist(schema: Schema) -> None:
    """Have a schema say itself what the first schema of its `allOf` says, without what the others repeat of that."""
    if schema.keys() - _NOTES != {"allOf"}:
        return
    base, *others = schema["allOf"]
    if "type" not in base or base.keys() & (schema.keys() - {"allOf"} | {"unevaluatedItems", "unevaluatedProperties"}):
        return
    parts = base.get("allOf", [])
    said = {ir.text(part) for part in (*parts, *({key: base[key]} for key in base.keys() & _ALONE))}
    rest = [*parts, *(other for other in others if ir.text(other) not in said)]
    del schema["allOf"]
    schema |= base | ({"allOf": rest} if rest else {})


def _apart(schema: Schema, key: str) -> None:
    """Move a keyword of a schema below its `allOf`: beside others, many tools see nothing else, or nothing of it."""
    schema["allOf"] = [{key: schema.pop(key)}, *schema.get("allOf", [])]
