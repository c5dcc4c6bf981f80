"""Clarifai's types as JSON Schema: those of fields in method signatures, and the kinds of data that models exchange."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from .codes import Unsayable
from .messages import Message

SHARED: Final = "clarifai.json"
"""The file with the types of Clarifai's own that tasks share."""

DATA_TYPES: Final = (
    "NOT_SET STR BYTES INT FLOAT BOOL NDARRAY JSON_DATA TEXT IMAGE CONCEPT REGION FRAME AUDIO VIDEO NAMED_FIELDS TUPLE "
    "LIST"
).split()
"""ModelTypeField.DataType, by number."""

_DEEPEST: Final = 12
_MEDIA: Final = {"IMAGE": "image", "AUDIO": "audio", "VIDEO": "video"}
FILES: Final = tuple(_MEDIA.values())
_PLAIN: Final = {"STR": "string", "TEXT": "string", "INT": "integer", "FLOAT": "number", "BOOL": "boolean"}
_OWN: Final = {"CONCEPT": "Concept", "REGION": "Region", "FRAME": "Frame", "NDARRAY": "NDArray"}
_LISTED: Final = {"CONCEPT": "concepts", "REGION": "regions", "FRAME": "frames"}


def media(kind: str = "") -> dict[str, Any]:
    """The schema of a file in base64: an ``"image"``, ``"audio"`` or ``"video"``, or one of any kind."""
    return {"type": "string", "contentEncoding": "base64"} | ({"contentMediaType": f"{kind}/*"} if kind else {})


def own(name: str) -> dict[str, Any]:
    """A reference to a type in the shared file."""
    return {"$ref": f"../{SHARED}#/$defs/{name}"}


@cache
def own_types() -> dict[str, Any]:
    """The types of the shared file, by what references to them from a task's folder read."""
    text = shared().replace('"#/$defs/', f'"../{SHARED}#/$defs/')
    return {f"../{SHARED}#/$defs/{name}": schema for name, schema in json.loads(text)["$defs"].items()}


def shared() -> str:
    """The text of the shared file."""
    return (Path(__file__).parent / SHARED).read_text(encoding="utf-8")


def is_media(schema: dict[str, Any]) -> bool:
    """Whether a schema is of a file."""
    return schema.get("contentEncoding") == "base64"


# ---------------------------------------------------------------------------------------------------- kinds of data

DATA: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": "string"},
    **{kind: media(kind) for kind in _MEDIA.values()},
    "concepts": {"type": "array", "items": own("Concept")},
    "regions": {"type": "array", "items": own("Region")},
    "frames": {"type": "array", "items": own("Frame")},
    "embeddings": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
}
"""What a member of Clarifai's `data` is in a spec, by the name of the member."""


# ------------------------------------------------------------------------------------------------ types of signatures


def data_type(field: Message) -> str:
    """The name of a field's type. Raises Unsayable where it has none."""
    name = field.enum("type", DATA_TYPES)
    if name == DATA_TYPES[0]:
        raise Unsayable("has no type", field.pointer, "write one, such as STR")
    return name


def kind(field: Message) -> str:
    """The member of `data` that a value of this type is when Clarifai exchanges it by itself; empty for no such one."""
    name = data_type(field)
    if name == "LIST":
        return _LISTED.get(data_type(_arguments(field, 1)[0]), "")
    return "text" if name in ("STR", "TEXT") else _MEDIA.get(name, "")


def schema(field: Message, title: Callable[[str], str], *, closed: bool, depth: int = 0) -> dict[str, Any]:
    """The schema of a field's type. `title` names a class after the path of names to it; `closed` objects are exact."""
    if depth > _DEEPEST:
        raise Unsayable(f"nests deeper than {_DEEPEST} levels", field.pointer)

    def inner(argument: Message, name: str) -> dict[str, Any]:
        return schema(argument, partial(_inside, title, name), closed=closed, depth=depth + 1)

    match name := data_type(field):
        case "LIST":
            return {"type": "array", "items": inner(_arguments(field, 1)[0], "item")}
        case "TUPLE":
            items = [inner(argument, f"item {n}") for n, argument in enumerate(_arguments(field), 1)]
            return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
        case "NAMED_FIELDS":
            return named(_arguments(field), title, closed=closed, depth=depth + 1)
        case "JSON_DATA":
            return {}
        case "BYTES" | "IMAGE" | "AUDIO" | "VIDEO":
            return media(_MEDIA.get(name, ""))
        case "CONCEPT" | "REGION" | "FRAME" | "NDARRAY":
            return own(_OWN[name])
    return {"type": _PLAIN[name]}


def named(found: Sequence[Message], title: Callable[[str], str], *, closed: bool, depth: int = 0) -> dict[str, Any]:
    """The schema of an object of named fields, all of which are always there."""
    whole = title("")
    members: dict[str, Any] = {}
    for field in found:
        name = field_name(field)
        if name in members:
            raise Unsayable(f"two fields are called {name!r}", field.pointer, "give them names of their own")
        said = description(field)
        of_type = schema(field, partial(_inside, title, name), closed=closed, depth=depth)
        members[name] = ({"description": said} if said else {}) | of_type
    ends = {"additionalProperties": False} if closed else {}
    return {"title": whole, "type": "object", "properties": members, "required": list(members), **ends}


def _inside(title: Callable[[str], str], name: str, path: str) -> str:
    return title(f" {name}{path}")


def _arguments(field: Message, count: int = 0) -> list[Message]:
    """The types inside of a type: as many as are said, or any number but none."""
    found = field.messages("type_args")
    if not found or (count and len(found) != count):
        held = f"{len(found)} types" if found else "no type"
        wanted = f", and needs {count}" if count else ""
        raise Unsayable(f"a {data_type(field)} has {held} in `type_args`{wanted}", field.pointer, "write `type_args`")
    return found


def field_name(field: Message) -> str:
    """The name of a field, as of a variable. Raises Unsayable."""
    name = field.text("name")
    if not name.isidentifier() or len(name) > 100:
        raise Unsayable(f"{name[:60]!r} is no name of a field", field.pointer, "name it like a variable in Python")
    return name


def description(message: Message) -> str:
    """A description without blanks around it."""
    return message.text("description").strip()[:20_000].strip()
