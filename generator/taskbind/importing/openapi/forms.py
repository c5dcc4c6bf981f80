"""Which members of a form are files: what says so, however it is wrapped, and what only may be one."""

from __future__ import annotations

from typing import Any, Final

from ...ir import Source
from ...load.walk import subschemas
from ...normalize.work import MOST_TOGETHER
from .codes import Unsayable
from .documents import Documents, inside

_DEEPEST: Final = 32
_PROSE: Final = ("description", "deprecated")
_WRAPS: Final = frozenset(("$ref", "allOf", "anyOf", "oneOf"))
_KINDS: Final = ("audio", "image", "video")
FILE: Final = "file"
"""A type that JSON Schema does not have, and some frameworks write."""


def file_of(documents: Documents, place: Source, sent: str) -> tuple[dict[str, Any], str] | None:
    """The schema of a form's member that is a file, and its media types; None where it is none, nor holds one.

    `sent` are the media types that the form itself names for it. Raises Unsayable for a list of files, and for what may
    be a file or something else, or is one in base64: no task sends those in a form.
    """
    schema, there = _unwrapped(documents, place)
    if isinstance(schema, dict) and _is_file(schema, sent):
        kind = schema.get("format")
        return schema, sent or (f"{kind}/*" if schema.get("type") == FILE and kind in _KINDS else "")
    if (
        isinstance(schema, dict)
        and "items" in schema
        and _is_file(_unwrapped(documents, inside(there, "items"))[0], sent)
    ):
        raise Unsayable("is a list of files, which no task sends", place)
    if holds_file(documents, schema, there):
        raise Unsayable("may be a file or something else, or is one in base64, which no task sends", place)
    return None


def holds_file(documents: Documents, schema: Any, place: Source) -> bool:
    """Whether a schema, or one inside it or referred to, is that of a file or of one in base64. Raises Unsayable."""
    seen: set[Source] = set()
    todo = [(schema, place)]
    while todo:
        schema, place = todo.pop()
        if not isinstance(schema, dict) or place in seen:
            continue
        seen.add(place)
        if len(seen) > MOST_TOGETHER:
            raise Unsayable(f"more than {MOST_TOGETHER:,} schemas are for one form", place)
        if _is_file(schema, "") or _is_base64(schema):
            return True
        if "$ref" in schema:
            target = documents.target(schema["$ref"], place)
            todo.append((documents.at(target), target))
        held = {key: value for key, value in schema.items() if key not in ("$defs", "definitions")}
        todo += [(value, Source(place.path, place.pointer + step)) for step, value in subschemas(held)]
    return False


def _is_file(schema: Any, sent: str) -> bool:
    if not isinstance(schema, dict) or "contentEncoding" in schema or schema.get("format") == "byte":
        return False
    if schema.get("format") == "binary" or schema.get("type") == FILE:
        return True
    if not _WRAPS.isdisjoint(schema):
        return False
    typed = str(sent or schema.get("contentMediaType") or "")
    texts = typed.startswith("text/") or typed.endswith("json")
    return bool(typed) and not texts and schema.get("type", "string") in ("string", ["string"], ["string", "null"])


def _is_base64(schema: dict[str, Any]) -> bool:
    return schema.get("contentEncoding") == "base64" or schema.get("format") == "byte"


def _unwrapped(documents: Documents, place: Source) -> tuple[Any, Source]:
    """What a schema says behind references, an `allOf` of one, and an alternative to null; with the outermost prose."""
    prose: dict[str, Any] = {}
    for _ in range(_DEEPEST):
        about = documents.at(place)
        if not isinstance(about, dict):
            return about, place
        prose = {key: about[key] for key in _PROSE if key in about} | prose
        wraps = [key for key in about if key in _WRAPS]
        if wraps == ["$ref"]:
            place = documents.target(about["$ref"], place)
            continue
        held = about[wraps[0]] if len(wraps) == 1 else None
        kept = [n for n, each in enumerate(held) if not _is_null(each)] if isinstance(held, list) else []
        if len(kept) != 1:
            return about | prose, place
        place = inside(place, wraps[0], kept[0])
    raise Unsayable("refers to itself, or is wrapped too deep", place)


def _is_null(schema: Any) -> bool:
    """Whether a schema is that of null alone."""
    if not isinstance(schema, dict):
        return False
    return (
        schema.get("type") in ("null", ["null"])
        or schema.get("enum") == [None]
        or ("const" in schema and schema["const"] is None)
    )
