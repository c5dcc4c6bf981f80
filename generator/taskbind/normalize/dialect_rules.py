"""Rules that turn every dialect into JSON Schema 2020-12 without changing what a schema means."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Severity
from ..load.positions import escape
from ..load.walk import subschemas
from .rule import ASSERTIONS, REFUSED, Finding, Place, rule, short, type_names

_AFTER_REF = (ASSERTIONS | REFUSED) - {"$ref"}


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
    dropped; other constraints move, with the reference, into an `allOf`, which says the same."""
    beside = {key: place.schema[key] for key in place.schema if key in _AFTER_REF}
    if not beside:
        return
    target = place.work.target(place.schema)
    allowed = type_names(place.schema)
    if "type" in beside and target is not None and type_names(target) and type_names(target) <= allowed:
        del place.schema["type"], beside["type"]
        yield Finding("`type` beside `$ref` repeats the target's", "remove it", "/type")
    if beside:
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
    """The schema `true` admits every value, as `{}` does. (As the value of additionalProperties and items it stays.)"""
    for step, value in list(subschemas(place.schema)):
        if value is True and step not in ("/additionalProperties", "/items"):
            _, key, last = (*step.split("/"), "")[:3]
            if not last:
                continue
            container = place.schema[key]
            slot = int(last) if isinstance(container, list) else last.replace("~1", "/").replace("~0", "~")
            container[slot] = {}
            place.work.adopt(container[slot], place)
            yield Finding("`true` is read as `{}`", "write `{}`", step)


RULES = (
    early_defs,
    doubled_definitions,
    definitions,
    exclusive_flags,
    array_items,
    dead_ref_siblings,
    kept_ref_siblings,
    live_ref_siblings,
    true_schemas,
)
