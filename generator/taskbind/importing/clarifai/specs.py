"""A method as the files of a task: its request, its answer, its prose, and how it is spoken in the dialect."""

from __future__ import annotations

from typing import Any, Final

from ...escape import visible
from ...jsonpath import Path
from ...load.dialects import LATEST
from ...load.files import MAX_BYTES, MAX_VALUES
from ...names import pascal
from ...spec_text import json_text, toml_text
from ..prose import first_sentence, line
from . import wire
from .codes import Unsayable
from .fields import is_media
from .messages import File
from .methods import PREDICT, Found, Member, Method

_STREAM: Final = {
    "description": "Whether each piece of the answer is sent as an event; otherwise, the answer is a list of them.",
    "type": "boolean",
    "default": False,
}


def task(file: File, id: str, found: Found, method: Method, *, again: bool) -> dict[str, str]:
    """The files of a task, by their path in its folder. Raises Unsayable for one that is too large.

    `again`: another method of the model, which became a task, has the same name.
    """
    title = _title(id, found)
    schemas, places = _schemas(file, id, title, found, method)
    made = {f"{name}.json": json_text({"$schema": LATEST, **schema}) for name, schema in schemas.items()}
    for name, schema in schemas.items():
        if len(made[f"{name}.json"].encode()) > MAX_BYTES or _count(schema) > MAX_VALUES:
            raise Unsayable("has more fields, options or words than a task can have", found.message.pointer)
    made["task.toml"] = toml_text(_meta(title, found))
    try:
        made["wire.toml"] = toml_text({wire.DIALECT: wire.spoken(method, found.name, places, again=again)})
    except wire.NoFormError as problem:
        file.tell("TB437", found.message.pointer, f"{id}: no wire.toml: {problem}")
    return made


def _schemas(
    file: File, id: str, title: str, found: Found, method: Method
) -> tuple[dict[str, dict[str, Any]], dict[str, Path]]:
    """The schemas of a task, and where each field of the method stands in its request."""
    name = pascal(id)
    mains = [member for member in method.members if not member.parameter]
    options = [member for member in method.members if member.parameter]
    if not mains:
        mains, options = options, []
    members: dict[str, Any] = {}
    needed: list[str] = []
    defs: dict[str, Any] = {}
    places: dict[str, Path] = {member.name: ("parameters", member.name) for member in options}
    together = _together(mains)
    if together:
        file.tell("TB436", found.message.pointer, f"{id}: {len(together)} of its fields are now members of `inputs`")
        members["inputs"] = {"description": "The input.", "$ref": f"#/$defs/{name}Inputs"}
        defs[f"{name}Inputs"] = _object(f"{name}Inputs", f"The input of {title}.", together)
        needed += ["inputs"] * any(member.required for member in together)
        places |= {member.name: ("inputs", member.name) for member in together}
    beside = sorted((member for member in mains if member not in together), key=lambda member: not _is_file(member))
    members |= {member.name: member.schema for member in beside}
    needed += [member.name for member in beside if member.required]
    places |= {member.name: (member.name,) for member in beside}
    if options:
        members["parameters"] = {"description": "How it is done.", "$ref": f"#/$defs/{name}Parameters"}
        defs[f"{name}Parameters"] = _object(f"{name}Parameters", f"Options of {title}.", options)
        needed += ["parameters"] * any(member.required for member in options)
    if method.streams:
        members["stream"] = dict(_STREAM)
        file.tell("TB435", found.message.pointer, f"{id}: answers in pieces: `stream` asks for each as an event")
    request = _closed(f"{name}Input", f"A request for {title}.", members, needed) | ({"$defs": defs} if defs else {})
    return {"input": request} | _answers(name, method), places


def _together(mains: list[Member]) -> list[Member]:
    """The fields that become members of one input, `inputs`: files, and what must be there beside them.

    None where each field can be a member of the request itself, since there is but one file, always, or none.
    """
    files = [member for member in mains if _is_file(member)]
    first = files[0] if len(files) == 1 and files[0].required else None
    alone = len(mains) == 1 or not files
    beside = {member.name for member in mains if member is not first}
    if (alone or (first and "inputs" not in beside)) and "parameters" not in beside:
        return []
    return [member for member in mains if member in files or member.required or member.name in ("inputs", "parameters")]


def _is_file(member: Member) -> bool:
    return is_media(member.schema)


def _object(title: str, said: str, members: list[Member]) -> dict[str, Any]:
    needed = [member.name for member in members if member.required]
    return _closed(title, said, {member.name: member.schema for member in members}, needed)


def _closed(title: str, said: str, members: dict[str, Any], needed: list[str]) -> dict[str, Any]:
    required = {"required": needed} if needed else {}
    return {
        "title": title,
        "description": said,
        "type": "object",
        "properties": members,
        **required,
        "additionalProperties": False,
    }


def _answers(name: str, method: Method) -> dict[str, dict[str, Any]]:
    said = method.said or ("A piece of the answer." if method.streams else "The answer.")
    kind = "StreamOutput" if method.streams else "Output"
    whole = {"title": f"{name}{kind}", "description": said} | {k: v for k, v in method.answer.items() if k != "title"}
    if not method.streams:
        return {"output": whole}
    items = {"$ref": "stream_output.json"}
    pieces = {"title": f"{name}Output", "description": "All pieces of the answer.", "type": "array", "items": items}
    return {"output": pieces, "stream_output": whole}


def _title(id: str, found: Found) -> str:
    """A title for people: that of the model, and the method's name beside it if it is another than the usual one."""
    method = " ".join(part for part in found.name.split("_") if part)
    model = line(found.owner.title, 80)
    text = model if model and found.name == PREDICT else f"{model}: {method}" if model else method.capitalize()
    return line(text, 100) or id


def _meta(title: str, found: Found) -> dict[str, Any]:
    """The prose of a task.toml: what the method says of itself, or else what its model does."""
    said = (found.message.text("description") or found.owner.description).strip()
    table = {"title": title, "summary": first_sentence(said, 200), "description": visible(said)[:20_000].strip()}
    return {key: value for key, value in table.items() if value}


def _count(value: Any) -> int:
    """How many values there are in a value."""
    todo: list[Any] = [value]
    for item in todo:
        todo += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return len(todo)
