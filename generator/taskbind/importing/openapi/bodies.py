"""What goes over the wire in one operation: the schemas of its bodies, and what `wire.toml` has to say about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ...ir import Source
from .codes import Unsayable
from .documents import Documents, inside
from .operations import Content, Operation
from .schemas import Part, Schemas, common_type, media

_DONE: Final = "[DONE]"
_JSON: Final = "application/json"
_KINDS: Final = ("audio", "image", "video")


@dataclass
class Bodies:
    """The schemas of one task, and its wire.

    `wrapped`: the body stands in the spec as the member `inputs` of the request, and alone on the wire; `bare`: it is a
    file, which clients send alone without being told.
    """

    input: Part
    output: Part
    stream: Part | None
    wire: dict[str, Any]
    wrapped: bool
    bare: bool = False

    def parts(self) -> dict[str, Part]:
        """The schemas by the name of the file that they become."""
        found = {"input": self.input, "output": self.output}
        return found | {"stream_output": self.stream} if self.stream else found

    def spoken(self) -> dict[str, Any]:
        """How the task is spoken: its table in wire.toml."""
        moved = self.wrapped and not self.bare
        return self.wire | ({"requests": [{"$.inputs": "$"}]} if moved else {})


def around(schema: Any) -> dict[str, Any]:
    """The request that has a body as its member `inputs`."""
    members = {"inputs": schema}
    return {"type": "object", "properties": members, "required": ["inputs"], "additionalProperties": False}


def read(schemas: Schemas, operation: Operation, base: str) -> Bodies:
    """The bodies of an operation, whose path follows `base`. Raises Unsayable."""
    documents = schemas.documents
    wire: dict[str, Any] = {"route": base + operation.route}
    request, wrapped = _request(schemas, operation.request, wire)
    output = _answer(schemas, operation, wire)
    stream = _events(schemas, operation) if operation.events else None
    if stream is not None and not _asks(schemas, request):
        message = "the answer can be streamed, and the request has no optional member `stream` to ask for it"
        documents.tell("TB429", operation.place, message, "add the member, or leave the stream out")
        stream = None
    return Bodies(request, output, stream, wire, wrapped, operation.request.kind == "file")


def _schema(documents: Documents, content: Content, what: str) -> Source:
    about = documents.at(content.place)
    if not isinstance(about, dict) or "schema" not in about:
        raise Unsayable(f"the {what} has no schema", content.place)
    return inside(content.place, "schema")


def _request(schemas: Schemas, content: Content, wire: dict[str, Any]) -> tuple[Part, bool]:
    """The schema of the body, and whether it needs to be wrapped for its files."""
    documents = schemas.documents
    about = documents.at(content.place)
    if content.kind == "file":
        said = about.get("schema") if isinstance(about, dict) else None
        if len(content.types) == 1 and "*" not in content.types[0]:
            wire["body"] = content.types[0]
        prose = said if isinstance(said, dict) and "$ref" not in said else {}
        file = media({"description": "The file.", **prose}, ",".join(content.types))
        return Part(file, inside(content.place, "schema")), True
    place = _schema(documents, content, "body")
    if content.kind == "form":
        wire["form"] = True
        encoding = about.get("encoding")
        part, files = schemas.form(place, encoding if isinstance(encoding, dict) else {})
        needed = part.schema.get("required", ())
        return part, bool(files) and not (len(files) == 1 and files[0] in needed)
    if content.types[0] != _JSON:
        wire["body"] = content.types[0]
    return schemas.root(place, "request"), False


def _answer(schemas: Schemas, operation: Operation, wire: dict[str, Any]) -> Part:
    content = operation.answer
    if content.kind == "file":
        type = common_type(list(content.types))
        main = type.partition("/")[0]
        name = main if main in _KINDS else "file"
        wire |= {"file": name, "accept": content.types[0]}
        members = {name: {"description": "The file.", "type": "string", "contentEncoding": "base64"}}
        members[name]["contentMediaType"] = type
        return Part({"type": "object", "properties": members, "required": [name]}, content.place)
    if content.types[0] not in (_JSON, "*/*"):
        wire["accept"] = content.types[0]
    return schemas.root(_schema(schemas.documents, content, "answer"), "answer")


def _events(schemas: Schemas, operation: Operation) -> Part | None:
    """The schema of one event's data, without the mark of the end and without errors; None where nothing is said."""
    documents = schemas.documents
    assert operation.events is not None, "the caller has looked"
    about = documents.at(operation.events)
    key = next((key for key in ("itemSchema", "schema") if isinstance(about, dict) and key in about), None)
    if key is None:
        return None
    schema, place = documents.followed(inside(operation.events, key))
    data = schema.get("properties", {}).get("data") if isinstance(schema, dict) else None
    if isinstance(data, dict) and isinstance(schema.get("properties"), dict):
        inner = _told(documents, inside(place, "properties", "data"))
        if inner is None:
            return None
        place = inner
    elif isinstance(schema, dict) and schema.get("type") == "string":
        return None
    return _without_errors(schemas, operation, place)


def _told(documents: Documents, place: Source) -> Source | None:
    """The schema of the JSON that the data of an event is."""
    schema, place = documents.followed(place)
    if not isinstance(schema, dict):
        return None
    if "contentSchema" in schema:
        return inside(place, "contentSchema")
    for key in ("anyOf", "oneOf"):
        held = schema.get(key)
        for index, item in enumerate(held if isinstance(held, list) else ()):
            if isinstance(item, dict) and "contentSchema" in item and item.get("const") != _DONE:
                return inside(place, key, index, "contentSchema")
    return None


def _without_errors(schemas: Schemas, operation: Operation, place: Source) -> Part:
    documents = schemas.documents
    schema = documents.at(place)
    for key in ("anyOf", "oneOf"):
        held = schema.get(key) if isinstance(schema, dict) else None
        if not isinstance(held, list):
            continue
        places = [inside(place, key, index) for index in range(len(held))]
        kept = [each for each in places if documents.followed(each)[1] not in operation.errors]
        if len(kept) == 1:
            return schemas.root(kept[0], "answer")
    return schemas.root(place, "answer")


def _asks(schemas: Schemas, request: Part) -> bool:
    """Whether a request has an optional member `stream`."""
    part: Part | None = request
    for _ in range(32):
        if part is None or not isinstance(part.schema, dict):
            return False
        members = part.schema.get("properties")
        if isinstance(members, dict):
            return "stream" in members and "stream" not in part.schema.get("required", ())
        holder = part.schema
        target = next((to for inner, to in part.links if inner is holder), None)
        part = schemas.targets.get(target) if target else None
    return False
