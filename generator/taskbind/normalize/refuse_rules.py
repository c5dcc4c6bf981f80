"""Rules for what has no safe or no single reading. The offending keyword is taken out and an error stops `generate`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from ..diagnostics import Severity
from ..load.positions import escape
from ..load.walk import subschemas
from .rule import ANNOTATIONS, ASSERTIONS, REFUSED, Finding, Place, rule, short

_STEERING: Final = re.compile(
    r"x-(python|pydantic|go|java|kotlin|swift|csharp|ts|rust|enum)\b.*|custom[A-Z_].*|default_?factory|"
    r"(python|java|kotlin|ts|go|existingJava|extendsJava)(Type|Name|Import|Class|JSONSchema).*",
    re.IGNORECASE,
)
_KNOWN: Final = ANNOTATIONS | ASSERTIONS | REFUSED | {"$defs", "$id", "$schema", "$comment"}
_COMMENTS: Final = ("$id", "$schema", "$comment")
_MAX_NAME: Final = 120
_PATTERN_BYTES: Final = 1 << 20


@rule("TB240", Severity.ERROR, "key that steers a generator")
def steering_keys(place: Place) -> Iterator[Finding]:
    """Keys such as `x-python-import`, `customTypePath` or `default_factory` tell code generators to import or call
    what the spec's author names. Specs are data here and never choose code, so such keys are refused."""
    for key in [key for key in place.schema if _STEERING.fullmatch(key)]:
        del place.schema[key]
        yield Finding(f"{short(key)} steers code generators", "remove it", f"/{escape(key)}", repaired=False)


@rule("TB241", Severity.ERROR, "required property is not declared", "required")
def required_undeclared(place: Place) -> Iterator[Finding]:
    """`required` names a property that neither the schema nor what it is combined with (allOf, anyOf, oneOf, $ref)
    declares, so nothing says what it is. Declare it, or correct the name."""
    names = place.schema.get("required")
    if not isinstance(names, list):
        return
    known = place.work.declared(place.schema)
    for index, name in enumerate(names):
        if isinstance(name, str) and name not in known:
            yield Finding(f"required {short(name)} is not declared", "declare it", f"/required/{index}", repaired=False)
    place.schema["required"] = [name for name in names if isinstance(name, str) and name in known]


@rule("TB242", Severity.ERROR, "keyword not supported yet", *sorted(REFUSED))
def unsupported(place: Place) -> Iterator[Finding]:
    """The keyword decides which values are valid, and the generated models cannot enforce it yet. Ignoring it would
    make them weaker than the schema, so it is refused."""
    for key in [key for key in place.schema if key in REFUSED]:
        del place.schema[key]
        yield Finding(
            f"`{key}` is not supported yet", "say it in other keywords or in prose", f"/{key}", repaired=False
        )


@rule("TB243", Severity.ERROR, "no schema where one is expected")
def false_schemas(place: Place) -> Iterator[Finding]:
    """`false` admits no value. It is understood as `additionalProperties: false` and, after `prefixItems`, as
    `items: false`; elsewhere no model can be made of it, nor of a value that is no schema at all."""
    for step, value in list(subschemas(place.schema)):
        if isinstance(value, dict) or value is True:
            continue
        if value is False and (step == "/additionalProperties" or (step == "/items" and "prefixItems" in place.schema)):
            continue
        _, key, last = (*step.split("/"), "")[:3]
        said = "`false`" if value is False else f"{short(value)}"
        if not last:
            del place.schema[key]
        elif isinstance(container := place.schema[key], list):
            container[int(last)] = {}
        else:
            container[last.replace("~1", "/").replace("~0", "~")] = {}
        yield Finding(f"{said} is not supported as a schema here", "write a schema object", step, repaired=False)


@rule("TB244", Severity.ERROR, "pattern not supported", "pattern")
def patterns(place: Place) -> Iterator[Finding]:
    """Patterns run on untrusted requests, so they must match in linear time: no look-ahead, look-behind or
    back-references, and a compiled size of at most 1 MiB."""
    import jsonschema_rs

    pattern = place.schema.get("pattern")
    try:
        options = jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES)
        jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=options, offline=True)
    except (ValueError, jsonschema_rs.ValidationError):
        del place.schema["pattern"]
        fix = "write it without look-around and back-references, and smaller"
        yield Finding(f"pattern {short(pattern)} cannot be run in linear time", fix, "/pattern", repaired=False)


@rule("TB245", Severity.ERROR, "bounds that nothing meets", "minimum", "minLength", "minItems", "exclusiveMinimum")
def contradictions(place: Place) -> Iterator[Finding]:
    """The lower bound is above the upper one, so no value is valid. One of them is a slip."""
    for low, high in (
        ("minimum", "maximum"),
        ("exclusiveMinimum", "maximum"),
        ("minimum", "exclusiveMaximum"),
        ("exclusiveMinimum", "exclusiveMaximum"),
        ("minLength", "maxLength"),
        ("minItems", "maxItems"),
    ):
        least, most = place.schema.get(low), place.schema.get(high)
        if not isinstance(least, int | float) or not isinstance(most, int | float):
            continue
        if least > most or (least == most and (low, high) not in _CLOSED):
            del place.schema[high]
            said = f"`{low}` {short(least)} and `{high}` {short(most)} exclude every value"
            yield Finding(said, "correct one of them", f"/{high}", repaired=False)


_CLOSED: Final = {("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")}


@rule("TB246", Severity.ERROR, "unsafe name", "properties", "$defs")
def unsafe_names(place: Place) -> Iterator[Finding]:
    """Names of properties and definitions reach code, docs and terminals. Control characters, invisible characters and
    those that turn the direction of text are refused there, as are names of more than 120 characters."""
    for key in ("properties", "$defs"):
        names = place.schema.get(key)
        for name in list(names) if isinstance(names, dict) else ():
            hidden = next((c for c in name if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")), None)
            if hidden is not None or len(name) > _MAX_NAME:
                del place.schema[key][name]
                if isinstance(listed := place.schema.get("required"), list) and key == "properties":
                    place.schema["required"] = [item for item in listed if item != name]
                said = f"holds U+{ord(hidden):04X}" if hidden else f"has {len(name):,} characters"
                where = f"/{key}/{escape(name)}" if len(name) <= _MAX_NAME else f"/{key}"
                yield Finding(f"name {short(name)} {said}", "rename it", where, repaired=False)


@rule("TB247", Severity.WARNING, "unknown keyword dropped")
def unknown_keywords(place: Place) -> Iterator[Finding]:
    """The keyword is none of JSON Schema's, or an annotation that nothing uses. It decides nothing about validity and
    is dropped."""
    for key in [key for key in place.schema if key not in _KNOWN]:
        del place.schema[key]
        if not (key == "id" and place.dialect == 4):
            yield Finding(f"{short(key)} is not used", "remove it", f"/{escape(key)}")
    for key in _COMMENTS:
        place.schema.pop(key, None)


RULES = (
    steering_keys,
    required_undeclared,
    unsupported,
    false_schemas,
    patterns,
    contradictions,
    unsafe_names,
    unknown_keywords,
)
