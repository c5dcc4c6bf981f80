"""Rules that turn every dialect into JSON Schema 2020-12 without changing what a schema means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..diagnostics import Severity
from ..load.positions import escape
from ..load.walk import put, subschemas
from .rule import ASSERTIONS, TRANSLATED, Finding, Place, rule, short, type_names

_AFTER_REF: Final = (ASSERTIONS | TRANSLATED) - {"$ref"}
_UNEVALUATED: Final = frozenset(("unevaluatedItems", "unevaluatedProperties"))
_SINCE: Final = {
    **dict.fromkeys(("const", "contains", "propertyNames"), 6),
    **dict.fromkeys(("if", "then", "else"), 7),
    **dict.fromkeys(("dependentRequired", "dependentSchemas", "minContains", "maxContains", "$recursiveRef"), 2019),
    **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties"), 2019),
    **dict.fromkeys(("prefixItems", "$dynamicRef"), 2020),
}
_COUNTS: Final = tuple(
    f"{most}{what}" for what in ("Length", "Items", "Contains", "Properties") for most in ("min", "max")
)


@rule("TB221", Severity.WARNING, "keyword of a later dialect", *_SINCE)
def later_keywords(place: Place) -> Iterator[Finding]:
    """The keyword came with a later draft than `$schema` declares, so validators ignore it. It is dropped, which keeps
    the meaning; most likely `$schema` should name the later draft."""
    for key in [key for key in place.schema if _SINCE.get(key, 0) > place.dialect]:
        del place.schema[key]
        yield Finding(f"this dialect has no `{key}`", "declare 2020-12 in `$schema`, or remove it", f"/{key}")


@rule("TB201", Severity.WARNING, "$defs in an older dialect", "$defs")
def early_defs(place: Place) -> Iterator[Finding]:
    """Before 2019-09 the keyword for local definitions is `definitions`; `$defs` is unknown there, so validators do not
    check what is inside. The reading is plain, and the result is 2020-12, where `$defs` is right."""
    if place.dialect < 2019:
        yield Finding("this dialect has no `$defs`", "declare 2020-12 in `$schema`", "/$defs")


@rule("TB202", Severity.INFO, "definitions became $defs", "definitions")
def definitions(place: Place) -> Iterator[Finding]:
    """`definitions` was renamed to `$defs` in 2019-09."""
    found = place.schema.pop("definitions")
    if not isinstance(found, dict):
        yield Finding("`definitions` is no object", "remove it", "/definitions")
        return
    held = place.schema.get("$defs")
    defs = held if isinstance(held, dict) else {}
    place.schema["$defs"] = {**found, **defs}
    yield Finding("`definitions` is read as `$defs`", "rename it to `$defs`", "/definitions")


@rule("TB209", Severity.ERROR, "definition stands twice", "definitions")
def doubled_definitions(place: Place) -> Iterator[Finding]:
    """One name stands in `definitions` and in `$defs` of the same schema. They become one, so one of them has to be
    renamed."""
    found, defs = place.schema["definitions"], place.schema.get("$defs")
    if isinstance(found, dict) and isinstance(defs, dict):
        for name in [name for name in found if name in defs]:
            where = f"/definitions/{escape(name)}"
            yield Finding(f"{short(name)} stands in `$defs` too", "rename one", where, repaired=False)


@rule("TB203", Severity.INFO, "boolean exclusive bound of draft-04", "exclusiveMinimum", "exclusiveMaximum")
def exclusive_flags(place: Place) -> Iterator[Finding]:
    """In draft-04 `exclusiveMinimum: true` turns `minimum` into an exclusive bound; since draft-06 the exclusive bound
    is a number of its own."""
    for flag, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(place.schema.get(flag), bool):
            if place.schema.pop(flag) and bound in place.schema:
                place.schema[flag] = place.schema.pop(bound)
            yield Finding(f"`{flag}` is read together with `{bound}`", f"write the bound as `{flag}`", f"/{flag}")


@rule("TB204", Severity.INFO, "array-form items became prefixItems", "items", "additionalItems")
def array_items(place: Place) -> Iterator[Finding]:
    """Before 2020-12 a list of schemas in `items` types the first items one by one and `additionalItems` the rest; they
    are now called `prefixItems` and `items`. `additionalItems` beside a single `items` has no effect and goes."""
    if place.dialect >= 2020:
        return
    if isinstance(place.schema.get("items"), list):
        place.schema["prefixItems"] = place.schema.pop("items")
        rest = place.schema.pop("additionalItems", None)
        if isinstance(rest, dict | bool):
            place.schema["items"] = rest
        if not place.schema["prefixItems"]:
            del place.schema["prefixItems"]
        yield Finding("a list in `items` is read as `prefixItems`", "write `prefixItems`", "/items")
    elif "additionalItems" in place.schema:
        del place.schema["additionalItems"]
        yield Finding("`additionalItems` has no effect here", "remove it", "/additionalItems")


@rule("TB222", Severity.INFO, "dependencies split in two", "dependencies")
def dependencies(place: Place) -> Iterator[Finding]:
    """`dependencies` became two keywords in 2019-09: a list of names goes to `dependentRequired`, a schema to
    `dependentSchemas`. Validators read the old keyword in every draft."""
    found = place.schema.pop("dependencies")
    for name, value in found.items() if isinstance(found, dict) else ():
        key = "dependentRequired" if isinstance(value, list) else "dependentSchemas"
        held = place.schema.setdefault(key, {})
        if isinstance(held, dict) and name not in held:
            held[name] = value
        else:
            members = place.schema.setdefault("allOf", [])
            if isinstance(members, list):
                members.append({key: {name: value}})
                place.work.adopt(members[-1], place)
    place.work.rearranged(place.schema)
    fix = "write `dependentRequired` and `dependentSchemas`"
    yield Finding("`dependencies` is read as the two keywords that replace it", fix, "/dependencies")


@rule("TB223", Severity.INFO, "count written with a fraction", *_COUNTS)
def whole_counts(place: Place) -> Iterator[Finding]:
    """`minLength: 2.0` counts like `minLength: 2`; it is written as an integer, as programs expect."""
    for key in _COUNTS:
        value = place.schema.get(key)
        if isinstance(value, float) and value.is_integer():
            place.schema[key] = int(value)
            yield Finding(f"`{key}` is read as {int(value)}", f"write {int(value)}", f"/{key}")


@rule("TB205", Severity.WARNING, "keyword beside $ref without effect", "$ref")
def dead_ref_siblings(place: Place) -> Iterator[Finding]:
    """Before 2019-09 everything beside a `$ref` is ignored by validators. Keywords there that decide validity, such as
    a repeated `type`, therefore say nothing and are dropped."""
    if place.dialect >= 2019:
        return
    for key in [key for key in place.schema if key in _AFTER_REF]:
        del place.schema[key]
        yield Finding(f"`{key}` beside `$ref` has no effect in this dialect", "remove it", f"/{key}")


@rule("TB206", Severity.INFO, "annotation beside $ref kept", "$ref")
def kept_ref_siblings(place: Place) -> Iterator[Finding]:
    """Before 2019-09 a title, description or default beside a `$ref` is formally ignored. It says what the author
    meant and contradicts nothing, so it is kept."""
    if place.dialect < 2019:
        for key in ("title", "description", "default"):
            if key in place.schema:
                yield Finding(f"`{key}` beside `$ref` is kept", "declare 2020-12 in `$schema`", f"/{key}")


@rule("TB207", Severity.INFO, "constraints beside $ref became allOf", "$ref")
def live_ref_siblings(place: Place) -> Iterator[Finding]:
    """Since 2019-09 keywords beside a `$ref` hold together with it. A `type` that the target declares itself is
    dropped; other constraints move, with the reference, into an `allOf`, which says the same. Where an
    `unevaluatedProperties` or `unevaluatedItems` judges what the others leave over, only the reference moves."""
    beside = {key: place.schema[key] for key in place.schema if key in _AFTER_REF}
    if not beside:
        return
    target = place.work.target(place.schema)
    allowed = type_names(place.schema)
    if "type" in beside and target is not None and type_names(target) and type_names(target) <= allowed:
        del place.schema["type"], beside["type"]
        yield Finding("`type` beside `$ref` repeats the target's", "remove it", "/type")
    if not _UNEVALUATED.isdisjoint(beside):
        inner = {"$ref": place.schema.pop("$ref")}
        members = place.schema.get("allOf")
        place.schema["allOf"] = [inner, *(members if isinstance(members, list) else ())]
        place.work.adopt(inner, place)
        yield Finding("`$ref` moved into `allOf`", "write the `allOf`", "/$ref")
    elif beside:
        for key in beside:
            del place.schema[key]
        inner = {"$ref": place.schema.pop("$ref")}
        place.schema["allOf"] = [inner, beside]
        place.work.adopt(inner, place)
        place.work.adopt(beside, place)
        keys = ", ".join(f"`{key}`" for key in beside)
        yield Finding(f"{keys} beside `$ref` moved into `allOf`", "write the `allOf`")


@rule("TB208", Severity.INFO, "true became {}")
def true_schemas(place: Place) -> Iterator[Finding]:
    """The schema `true` admits every value, as `{}` does. (As the only value of a keyword, such as
    additionalProperties, it stays.)"""
    for step, value in list(subschemas(place.schema)):
        if value is True and step.count("/") > 1:
            empty: dict[str, Any] = {}
            put(place.schema, step, empty)
            place.work.adopt(empty, place)
            yield Finding("`true` is read as `{}`", "write `{}`", step)


RULES = (
    later_keywords,
    early_defs,
    doubled_definitions,
    definitions,
    exclusive_flags,
    array_items,
    dependencies,
    whole_counts,
    dead_ref_siblings,
    kept_ref_siblings,
    live_ref_siblings,
    true_schemas,
)
