"""Rules for what has no safe or no single reading, which stops `generate`, and for what is most likely a slip."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from ..diagnostics import Severity
from ..load.positions import escape
from ..load.walk import put, subschemas
from .rule import ANNOTATIONS, ASSERTIONS, COMMENTS, Finding, Place, rule, short
from .work import MOST_TOGETHER

_STEERING: Final = re.compile(
    r"x-(python|pydantic|go|java|kotlin|swift|csharp|ts|rust|enum)\b.*|custom[A-Z_].*|default_?factory|"
    r"(python|java|kotlin|ts|go|existingJava|extendsJava)(Type|Name|Import|Class|JSONSchema).*",
    re.IGNORECASE,
)
_KNOWN: Final = ANNOTATIONS | ASSERTIONS | COMMENTS | {"$defs"}
_MAX_NAME: Final = 120
_HIDDEN: Final = ("Cf", "Zl", "Zp")
_NAMING: Final = ("required", "dependentRequired", "dependentSchemas")
_PATTERN_BYTES: Final = 1 << 20
_BOUNDS: Final = (
    ("minimum", "maximum"),
    ("exclusiveMinimum", "maximum"),
    ("minimum", "exclusiveMaximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minContains", "maxContains"),
    ("minProperties", "maxProperties"),
)


@rule("TB240", Severity.ERROR, "key that steers a generator")
def steering_keys(place: Place) -> Iterator[Finding]:
    """Keys such as `x-python-import`, `customTypePath` or `default_factory` tell code generators to import or call
    what the spec's author names. Specs are data here and never choose code, so such keys are refused."""
    for key in [key for key in place.schema if _STEERING.fullmatch(key)]:
        del place.schema[key]
        yield Finding(f"{short(key)} steers code generators", "remove it", f"/{escape(key)}", repaired=False)


@rule("TB241", Severity.WARNING, "required property is not declared", "required")
def required_undeclared(place: Place) -> Iterator[Finding]:
    """`required` names a property that neither the schema nor what it is combined with (allOf, anyOf, if, $ref and so
    on) declares, so nothing says what it is. It is required all the same. Declare it, or correct the name."""
    names = place.schema.get("required")
    if not isinstance(names, list):
        return
    known = place.work.declared(place.schema)
    for index, name in enumerate(names):
        if isinstance(name, str) and name not in known:
            yield Finding(f"required {short(name)} is not declared", "declare it", f"/required/{index}", repaired=False)


@rule("TB242", Severity.ERROR, "unevaluatedItems of 2019-09 with contains", "unevaluatedItems")
def unevaluated_contains(place: Place) -> Iterator[Finding]:
    """In 2019-09 `unevaluatedItems` judges the items that a `contains` beside it has matched, since 2020-12 it does
    not, and many validators read the former like the latter. There is no one reading, so it is refused."""
    if place.dialect == 2019:
        together = place.work.together(place.schema)
        if len(together) >= MOST_TOGETHER or any("contains" in schema for schema in together):
            del place.schema["unevaluatedItems"]
            fix = "declare 2020-12 in `$schema`, or take `contains` out"
            yield Finding("`unevaluatedItems` beside `contains` has two readings", fix, "/unevaluatedItems", False)


@rule("TB243", Severity.ERROR, "no schema where one is expected")
def not_schemas(place: Place) -> Iterator[Finding]:
    """A schema is a JSON object, or `true` (any value) or `false` (no value). Nothing else says which values are
    valid."""
    for step, value in list(subschemas(place.schema)):
        if isinstance(value, dict | bool):
            continue
        if step.count("/") == 1:
            del place.schema[step[1:]]
        else:
            put(place.schema, step, {})
        yield Finding(f"{short(value)} is no schema", "write a schema object", step, repaired=False)


@rule("TB244", Severity.ERROR, "pattern not supported", "pattern", "patternProperties")
def patterns(place: Place) -> Iterator[Finding]:
    """Patterns run on untrusted requests, so they must match in linear time: no look-ahead, look-behind or
    back-references, and a compiled size of at most 1 MiB."""
    fix = "write it without look-around and back-references, and smaller"
    if "pattern" in place.schema and not _linear(pattern := place.schema["pattern"]):
        del place.schema["pattern"]
        yield Finding(f"pattern {short(pattern)} cannot be run in linear time", fix, "/pattern", repaired=False)
    named = place.schema.get("patternProperties")
    for pattern in list(named) if isinstance(named, dict) else ():
        if not _linear(pattern):
            del place.schema["patternProperties"][pattern]
            where = f"/patternProperties/{escape(pattern)}"
            yield Finding(f"pattern {short(pattern)} cannot be run in linear time", fix, where, repaired=False)


def _linear(pattern: object) -> bool:
    import jsonschema_rs

    try:
        options = jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES)
        jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=options, offline=True)
    except (ValueError, jsonschema_rs.ValidationError):
        return False
    return True


@rule("TB245", Severity.WARNING, "bounds that nothing meets", *(low for low, _ in _BOUNDS))
def contradictions(place: Place) -> Iterator[Finding]:
    """The lower bound is above the upper one, so no value of that type is valid. One of them is a slip."""
    for low, high in _BOUNDS:
        least, most = place.schema.get(low), place.schema.get(high)
        if not isinstance(least, int | float) or not isinstance(most, int | float):
            continue
        if least > most or (least == most and "exclusive" in low + high):
            said = f"`{low}` {short(least)} and `{high}` {short(most)} exclude every value"
            yield Finding(said, "correct one of them", f"/{high}", repaired=False)


@rule("TB246", Severity.ERROR, "unsafe name", "properties", "$defs", *_NAMING)
def unsafe_names(place: Place) -> Iterator[Finding]:
    """Names of properties and definitions reach code, docs and terminals. Invisible characters and those that turn the
    direction of text are refused there, as are names of more than 120 characters. NUL, which no command line can
    carry, is refused in the name of a property, every control character in that of a definition."""
    for key in ("properties", "$defs"):
        names = place.schema.get(key)
        for name in list(names) if isinstance(names, dict) else ():
            if why := _unsafe(name, ("Cc", *_HIDDEN) if key == "$defs" else _HIDDEN):
                del place.schema[key][name]
                where = f"/{key}/{escape(name)}" if len(name) <= _MAX_NAME else f"/{key}"
                yield Finding(f"name {short(name)} {why}", "rename it", where, repaired=False)
    for key in _NAMING:
        for name in _named(place.schema.get(key)):
            if why := _unsafe(name, _HIDDEN):
                place.schema.pop(key, None)
                yield Finding(f"name {short(name)} {why}", "rename it", f"/{key}", repaired=False)


def _named(value: Any) -> Iterator[str]:
    """The names of members in the value of a keyword of _NAMING."""
    todo = [value]
    for item in todo:
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            todo += [inner for inner in item if isinstance(inner, str)]
        elif isinstance(item, dict):
            yield from item
            todo += [inner for inner in item.values() if isinstance(inner, list)]


def _unsafe(name: str, categories: tuple[str, ...]) -> str:
    hidden = next((c for c in name if c == "\0" or unicodedata.category(c) in categories), None)
    if hidden is not None:
        return f"holds U+{ord(hidden):04X}"
    return f"has {len(name):,} characters" if len(name) > _MAX_NAME else ""


@rule("TB247", Severity.WARNING, "unknown keyword dropped")
def unknown_keywords(place: Place) -> Iterator[Finding]:
    """The keyword is none of JSON Schema's, or an annotation that nothing uses. It decides nothing about validity and
    is dropped."""
    for key in [key for key in place.schema if key not in _KNOWN]:
        del place.schema[key]
        if not (key == "id" and place.dialect == 4):
            yield Finding(f"{short(key)} is not used", "remove it", f"/{escape(key)}")
    for key in [key for key in place.schema if key in COMMENTS]:
        if key != "$comment" or not place.work.comments:
            del place.schema[key]


RULES = (
    steering_keys,
    required_undeclared,
    unevaluated_contains,
    not_schemas,
    patterns,
    contradictions,
    unsafe_names,
    unknown_keywords,
)
