"""The IR as JSON values: `generated/api.json`, which is the plugin contract and the input of spec diffs."""

from __future__ import annotations

from dataclasses import fields
from typing import Any as Json, Final

from .indented import indented
from .ir import (
    ABSENT,
    Any,
    Api,
    Array,
    Checked,
    Definition,
    Dialect,
    Enum,
    Example,
    Field,
    Map,
    Media,
    Object,
    Recommended,
    Ref,
    Scalar,
    Source,
    Task,
    TaskDocs,
    Union,
    Wire,
    text,
)

IR_VERSION: Final = 1

_TYPES: Final = {cls.kind: cls for cls in (Scalar, Enum, Media, Array, Map, Object, Union, Ref, Any, Checked)}
_FORMS: Final = ("requests", "answers", "events")
_EXAMPLE_TABLES: Final = ("parameters", "files")
_WIRE_TABLES: Final = ("neutral", "scales", "defaults", "added", "added_events")
_TABLES: Final = {*_EXAMPLE_TABLES, *_WIRE_TABLES}
_PARTS: Final = (Source, Field, Definition, Recommended, TaskDocs, Example, Wire, Dialect, Task)


def to_json(api: Api) -> dict[str, Json]:
    """`api` as JSON values. Members at their default are left out, so that the file reads like the spec."""
    dialects = {"dialects": [dump(d) for d in api.dialects]} if api.dialects else {}
    return {
        "version": IR_VERSION,
        **dialects,
        "tasks": [dump(t) for t in api.tasks],
        "definitions": [dump(d) for d in api.definitions],
    }


def api_text(api: Api) -> str:
    """The text of the file."""
    return indented(to_json(api))


def dump(value: Json) -> Json:
    """Any part of an IR as JSON values."""
    kind = getattr(value, "kind", None)
    if kind in _TYPES or isinstance(value, _PARTS):
        out: dict[str, Json] = {"kind": kind} if kind in _TYPES else {}
        for f in fields(value):
            item = getattr(value, f.name)
            if item is ABSENT or (item == f.default and type(item) is type(f.default)):
                continue
            if isinstance(value, Checked) and f.name == "schema":
                out[f.name] = value.data
            elif isinstance(value, Wire) and f.name in _FORMS:
                out[f.name] = [dict(form) for form in item]
            else:
                out[f.name] = dict(item) if f.name in _TABLES else dump(item)
        return out
    return [dump(item) for item in value] if isinstance(value, tuple) else value


def from_json(data: dict[str, Json]) -> Api:
    """The Api that :func:`to_json` wrote. Raises ValueError for another version of the format."""
    if data.get("version") != IR_VERSION:
        raise ValueError(f"api.json has version {data.get('version')!r}; this taskbind reads version {IR_VERSION}")
    return Api(
        tuple(_task(t) for t in data["tasks"]),
        tuple(_definition(d) for d in data["definitions"]),
        tuple(Dialect(**d) for d in data.get("dialects", ())),
    )


def _type(data: Json) -> Json:
    if not isinstance(data, dict):
        return data
    rest = {key: value for key, value in data.items() if key != "kind"}
    if "schema" in rest:
        rest["schema"] = text(rest["schema"])
    for key in ("items", "additional", "base"):
        if key in rest:
            rest[key] = _type(rest[key])
    for key in ("prefix", "variants"):
        if key in rest:
            rest[key] = tuple(_type(item) for item in rest[key])
    for key in ("values", "docs"):
        if isinstance(rest.get(key), list):
            rest[key] = tuple(rest[key])
        elif key in rest:
            rest[key] = _type(rest[key])
    if "fields" in rest:
        rest["fields"] = tuple(_field(f) for f in rest["fields"])
    return _TYPES[data["kind"]](**rest)


def _source(data: dict[str, Json]) -> dict[str, Json]:
    return {**data, "source": Source(**data["source"])} if "source" in data else dict(data)


def _field(data: dict[str, Json]) -> Field:
    rest = _source(data) | {"type": _type(data["type"]), "examples": tuple(data.get("examples", ()))}
    return Field(**rest)


def _definition(data: dict[str, Json]) -> Definition:
    return Definition(**(_source(data) | {"type": _type(data["type"])}))


def _task(data: dict[str, Json]) -> Task:
    docs = dict(data.get("docs", {}))
    for key in ("also", "applications"):
        docs[key] = tuple(docs.get(key, ()))
    docs["models"] = tuple(Recommended(**m) for m in docs.get("models", ()))
    examples = tuple(
        Example(**{**e, **{key: tuple(e.get(key, {}).items()) for key in _EXAMPLE_TABLES}})
        for e in data.get("examples", ())
    )
    wires = tuple(_wire(w) for w in data.get("wires", ()))
    return Task(**{**data, "docs": TaskDocs(**docs), "examples": examples, "wires": wires})


def _wire(data: dict[str, Json]) -> Wire:
    forms = {key: tuple(tuple(form.items()) for form in data.get(key, ())) for key in _FORMS}
    others = {"ignored": tuple(data.get("ignored", ()))}
    others |= {key: tuple(data[key].items()) for key in _WIRE_TABLES if key in data}
    return Wire(**{**data, **forms, **others})
