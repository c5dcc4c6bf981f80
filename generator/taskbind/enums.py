"""Lower `enum`, `const`, and the union of constants that documents each value of an enum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from . import ir

NOTHING: Final = frozenset(
    "title description default examples deprecated $defs format contentEncoding contentMediaType contentSchema".split()
)
"""The keywords that accept every value."""


def enum(schema: Mapping[str, Any]) -> tuple[ir.Type, frozenset[str]]:
    """Strings, null and both booleans have types of their own; of other values a type says the JSON type only."""
    keyword = "enum" if "enum" in schema else "const"
    values = list(schema["enum"]) if "enum" in schema else [schema["const"]]
    said = {keyword}
    if "type" in schema:
        wanted = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
        values = [value for value in values if _type_names(value) & wanted]
        said.add("type")
    texts = tuple(dict.fromkeys(value for value in values if isinstance(value, str)))
    variants: list[ir.Type] = [ir.Enum(texts)] if texts else []
    flags = {value for value in values if isinstance(value, bool)}
    if len(flags) == 1:
        said.discard(keyword)
    variants += [ir.Scalar("boolean")] if flags else []
    others = [value for value in values if not isinstance(value, str | bool) and value is not None]
    if others:
        said.discard(keyword)
        if any(isinstance(value, list | dict) for value in others):
            return ir.Any(), frozenset()
        # Beyond 2**53 an int has more digits than the float that was written, and would be another value to a check.
        whole = all("integer" in _type_names(value) and abs(value) <= 2**53 for value in others)
        variants.append(ir.Scalar("integer" if whole else "number"))
    variants += [ir.NULL] if None in values else []
    if not variants:
        return ir.Any(), frozenset()
    return variants[0] if len(variants) == 1 else ir.Union(tuple(variants)), frozenset(said)


def constants(schema: Mapping[str, Any]) -> tuple[ir.Type, frozenset[str]] | None:
    """A oneOf or anyOf of string constants is an enum whose values have descriptions."""
    for keyword in ("oneOf", "anyOf"):
        members = schema.get(keyword)
        if not members or schema.get("type", "string") != "string":
            continue
        if all(isinstance(m, dict) and isinstance(m.get("const"), str) and _only(m, "const", "type") for m in members):
            values = tuple(m["const"] for m in members)
            if len(set(values)) == len(values) and all(m.get("type", "string") == "string" for m in members):
                docs = tuple(m.get("description", "") for m in members)
                return ir.Enum(values, docs), frozenset((keyword, "type"))
    return None


def _only(schema: Mapping[str, Any], *keywords: str) -> bool:
    return schema.keys() <= {*keywords, *NOTHING}


def _type_names(value: Any) -> set[str]:
    """The names of JSON types that a value has: an integer is a number too."""
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, int | float):
        whole = isinstance(value, int) or (math.isfinite(value) and value.is_integer())
        return {"integer", "number"} if whole else {"number"}
    names: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return {names.get(type(value), "null")}
