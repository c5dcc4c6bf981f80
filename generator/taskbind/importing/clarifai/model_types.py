"""The older way in which Clarifai says what models take: a type of models, its parameters by path, its data by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from . import fields
from .codes import Unsayable
from .messages import File, Message, short

FIELD_TYPES: Final = (
    "INVALID_MODEL_TYPE_FIELD_TYPE BOOLEAN STRING NUMBER ARRAY_OF_CONCEPTS ARRAY_OF_CONCEPTS_WITH_THRESHOLD  RANGE "
    "ENUM COLLABORATORS JSON ARRAY_OF_NUMBERS WORKFLOW_EMBED_MODELS ARRAY_OF_STRINGS RECURSIVE_ENUM PYTHON_CODE "
    "DATASET_ID DATASET_VERSION_ID ARRAY_OF_MODEL_CONCEPTS DATASET DATASET_VERSION ENCRYPTED_STRING CHECKPOINT_MODEL "
    "ARRAY_OF_SECRETS"
).split(" ")
"""ModelTypeField.ModelTypeFieldType, by number; there is no 6."""

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}
_SAID: Final[dict[str, dict[str, Any]]] = {
    "BOOLEAN": {"type": "boolean"},
    "STRING": _TEXT,
    "NUMBER": _NUMBER,
    "RANGE": _NUMBER,
    "ENUM": _TEXT,
    "JSON": {},
    "ARRAY_OF_NUMBERS": {"type": "array", "items": _NUMBER},
    "ARRAY_OF_STRINGS": {"type": "array", "items": _TEXT},
    "PYTHON_CODE": _TEXT,
    "ENCRYPTED_STRING": _TEXT,
}
_OF_CALLS: Final = re.compile(r"(?:model_version\.)?output_info\.(?:params|output_config)\.(?P<name>[^.]+)")
_DATA: Final = re.compile(r"(?P<name>[a-z_]+)(\[\.\.\.\])?(\.[a-z_.\[\]]*)?")
_INPUTS: Final = ("text", *fields.FILES)


def inputs(message: Message) -> list[str]:
    """The kinds of data that models of a type take."""
    found: dict[str, None] = {}
    for value, pointer in message.items("input_fields"):
        name = _data(value, pointer)
        if name not in _INPUTS:
            raise Unsayable(f"takes {name}, which is no input of a task", pointer)
        found[name] = None
    return list(found)


def answer(message: Message) -> tuple[dict[str, Any], dict[str, str]]:
    """The schema of what models of a type answer, and the kinds of data in it, by their place."""
    found = dict.fromkeys(_data(value, pointer) for value, pointer in message.items("output_fields"))
    if not found:
        raise Unsayable("says no output", message.pointer)
    if len(found) == 1:
        (name,) = found
        return dict(fields.DATA[name]), {"": name}
    properties = {name: {"description": f"The {name}."} | fields.DATA[name] for name in found}
    return {"type": "object", "properties": properties}, {name: name for name in found}


def _data(value: Any, pointer: str) -> str:
    """The member of `data` that a path leads to, such as ``regions[...].data.concepts``."""
    path = _DATA.fullmatch(value) if isinstance(value, str) else None
    if path is None or path["name"] not in fields.DATA:
        raise Unsayable(f"{short(value)} is no data with a counterpart here", pointer)
    return path["name"]


def parameters(file: File, message: Message) -> Iterator[tuple[Message, str, dict[str, Any]]]:
    """The fields that are parameters of a call, each with its name and its type."""
    others = 0
    for field in message.messages("model_type_fields"):
        path = _OF_CALLS.fullmatch(field.text("path"))
        if path is None:
            others += 1
            continue
        name = path["name"]
        if not name.isidentifier() or len(name) > 100:
            raise Unsayable(f"{name[:60]!r} is no name of a field", field.at("path"))
        kind = field.enum("field_type", FIELD_TYPES)
        if kind in _SAID:
            yield field, name, dict(_SAID[kind])
        elif field.flag("required"):
            raise Unsayable(f"needs {name!r}, of the type {kind}, which has no counterpart", field.at("field_type"))
        else:
            file.tell("TB434", field.pointer, f"{name!r} is of the type {kind}, and left out")
    if others:
        said = f"{others} field{'s' * (others != 1)} of training and of other things than calls left out"
        file.tell("TB434", message.at("model_type_fields"), said)
