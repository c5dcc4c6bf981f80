"""The methods in a file: where signatures and model types stand in what Clarifai's API answers, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field as having, replace
from functools import partial
from typing import Any, Final

from . import fields, model_types, values
from .codes import Unsayable
from .messages import File, Message

PREDICT: Final = "predict"
"""The method that is called where none is named."""
METHOD_TYPES: Final = ("UNKNOWN", "UNARY_UNARY", "UNARY_STREAMING", "STREAMING_UNARY", "STREAMING_STREAMING")
"""RunnerMethodType, by number."""
_SIGNATURE: Final = ("name", "method_type", "description", "input_fields", "output_fields")
_FIELD: Final = (
    "path field_type default_value description placeholder model_type_enum_options internal_only required "
    "model_type_range_info name type type_args iterator default is_param"
).split()
_HOLDERS: Final = ("models", "model", "model_versions", "model_version", "model_types", "model_type")
_MOST: Final = 100
"""Fields of a method."""


@dataclass(frozen=True)
class Owner:
    """The model, or the type of models, that a method is of; its `id` is empty where it is not known."""

    id: str = ""
    title: str = ""
    description: str = ""


@dataclass(frozen=True)
class Found:
    """A method as it stands in the file: its signature, or the type of models that has none."""

    message: Message
    name: str
    owner: Owner
    older: bool = False


@dataclass(frozen=True)
class Member:
    """A field of a request. `kind` is the member of `data` that it is by itself, empty for none."""

    name: str
    schema: dict[str, Any]
    required: bool
    parameter: bool
    kind: str


@dataclass(frozen=True)
class Method:
    """What a method takes, and what it gives: the schema of the answer, or of each piece of it if it `streams`.

    `kinds` are the members of Clarifai's `data` that the answer is made of, by its member that they are, or ``""`` for
    the whole; none where there is more to it. `said` is the answer's description.
    """

    members: tuple[Member, ...]
    answer: dict[str, Any]
    kinds: dict[str, str]
    said: str
    streams: bool = False


@dataclass
class Search:
    """Looks for methods in a file; `none` are the models that publish no signatures."""

    none: list[str] = having(default_factory=list)

    def methods(self, value: Any, owner: Owner, pointer: str = "") -> Iterator[Found]:
        """The methods in a value, each with what it is of. Raises Unsayable for what holds none."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.methods(item, owner, f"{pointer}/{index}")
            return
        message = Message(value, pointer)
        if _is_signature(message):
            yield Found(message, message.text("name") or PREDICT, owner)
            return
        held = [(name, message.at(name)) for name in _HOLDERS if name in message]
        if len(message.items("model_versions")) > 1:
            raise Unsayable("holds several versions of a model", message.at("model_versions"), "keep one", "TB430")
        if "method_signatures" in message or _is_model_type(message):
            yield from self._own(message, _owner(message, owner))
        elif held:
            for name, there in held:
                yield from self.methods(message.get(name), _owner(message, owner), there)
        elif named := _by_name(message):
            for name, each in named:
                yield Found(each, each.text("name") or name, owner)
        elif _owner(message, owner).id or not pointer:
            self.none.append(_owner(message, owner).id or "the file")

    def _own(self, message: Message, owner: Owner) -> Iterator[Found]:
        signatures = message.messages("method_signatures")
        for signature in signatures:
            yield Found(signature, signature.text("name") or PREDICT, owner)
        if not signatures and _is_model_type(message):
            yield Found(message, PREDICT, owner, older=True)
        elif not signatures:
            self.none.append(owner.id or "a model")


def _owner(message: Message, owner: Owner) -> Owner:
    """What the methods in a message are of: itself, if it is a model or a type of models. A version has but an id."""
    if "model_version" in message or "model_type_id" in message or _is_model_type(message):
        title = message.text("name") or message.text("title") or message.text("id")
        return Owner(message.text("id"), title, message.text("description")) if message.text("id") else owner
    return replace(owner, description=owner.description or message.text("description"))


def _is_signature(message: Message) -> bool:
    lists = (message.items(name) for name in ("input_fields", "output_fields"))
    return "method_type" in message or any(isinstance(value, dict) for found in lists for value, _ in found)


def _is_model_type(message: Message) -> bool:
    lists = (message.items(name) for name in ("input_fields", "output_fields"))
    return "model_type_fields" in message or any(isinstance(value, str) for found in lists for value, _ in found)


def _by_name(message: Message) -> list[tuple[str, Message]]:
    """The signatures of an object that holds them by their names, and nothing else."""
    if not all(isinstance(value, dict) for value in message.value.values()):
        return []
    found = [(name, Message(message.value[name], pointer)) for name, pointer in message.others()]
    return found if all(_is_signature(each) for _, each in found) else []


# --------------------------------------------------------------------------------------------------- what a method says


def read(file: File, found: Found, title: Callable[[str], str]) -> Method:
    """What a method takes and gives; `title` names a class after a path. Raises Unsayable."""
    message = found.message
    if found.older:
        method = Method(tuple(_older(file, message)), *_boxed(*model_types.answer(message)), "")
    else:
        for key, pointer in message.others(*_SIGNATURE):
            file.tell("TB434", pointer, f"{key[:60]!r} is not known, and left out")
        method = _signature(file, message, title)
    names = [member.name for member in method.members]
    if not names:
        raise Unsayable("takes no input", message.pointer)
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise Unsayable(f"two fields are called {twice!r}", message.pointer, "give them names of their own")
    if method.streams and "stream" in names:
        raise Unsayable("has a field 'stream', which is how a task is asked for pieces", message.pointer)
    return method


def _signature(file: File, message: Message, title: Callable[[str], str]) -> Method:
    how = message.enum("method_type", METHOD_TYPES)
    inputs, outputs = message.messages("input_fields"), message.messages("output_fields")
    if how.startswith("STREAMING_") or any(field.flag("iterator") for field in inputs):
        raise Unsayable("its input is a stream, and a task has one request", message.at("input_fields"))
    if not outputs or max(len(inputs), len(outputs)) > _MOST:
        raise Unsayable("has no output" if not outputs else f"has more than {_MOST} fields", message.pointer)
    marked = [field for field in outputs if field.flag("iterator")]
    if (how == "UNARY_UNARY" and marked) or (len(outputs) > 1 and (marked or how == "UNARY_STREAMING")):
        raise Unsayable("it is not clear which output is a stream", message.at("output_fields"))
    streams = bool(marked) or how == "UNARY_STREAMING"
    for field in (*inputs, *outputs):
        for key, pointer in field.others(*_FIELD):
            file.tell("TB434", pointer, f"{key[:60]!r} of a field is not known, and left out")
    read = [_member(file, field, title) for field in inputs]
    name = partial(_inside, title, "stream output" if streams else "output")
    if len(outputs) == 1:
        answer, kind = fields.schema(outputs[0], name, closed=False), fields.kind(outputs[0])
        said = fields.description(outputs[0])
    else:
        answer, kind, said = fields.named(outputs, name, closed=False), "", ""
    answer, kinds = _boxed(answer, {"": kind} if kind else {}, said)
    return Method(tuple(member for member in read if member), answer, kinds, said, streams)


def _inside(title: Callable[[str], str], start: str, path: str) -> str:
    return title(start + path)


def _boxed(answer: dict[str, Any], kinds: dict[str, str], said: str = "") -> tuple[dict[str, Any], dict[str, str]]:
    """An answer that is a file as an object with the file as a member, which is how clients get it as a file."""
    if not fields.is_media(answer):
        return answer, kinds
    name = kinds.get("", "file")
    properties = {name: {"description": said or f"The {name}."} | answer}
    return {"type": "object", "properties": properties, "required": [name]}, {name: name} if kinds else {}


def _member(file: File, field: Message, title: Callable[[str], str]) -> Member | None:
    name = fields.field_name(field)
    schema = fields.schema(field, partial(_inside, title, f"input {name}"), closed=True)
    kind = fields.kind(field)
    return member(file, field, name, schema, kind, "default", parameter=field.flag("is_param"))


def _older(file: File, message: Message) -> Iterator[Member]:
    for name in model_types.inputs(message):
        yield Member(name, {"description": f"The {name}."} | fields.DATA[name], True, False, name)
    for field, name, schema in model_types.parameters(file, message):
        if found := member(file, field, name, schema, "", "default_value", parameter=True):
            yield found


def member(
    file: File, field: Message, name: str, schema: dict[str, Any], kind: str, default: str, *, parameter: bool
) -> Member | None:
    """A field with all that is said of its values; None for one that is not for callers."""
    if field.flag("internal_only"):
        if field.flag("required"):
            raise Unsayable(f"needs {name!r}, which is internal", field.pointer)
        file.tell("TB434", field.pointer, f"{name!r} is internal, and left out")
        return None
    value = values.default(file, field, default, schema)
    schema = values.options(file, field, schema)
    schema = values.ranged(file, field, schema, value)
    schema = values.with_default(file, field, default, schema, value)
    said = fields.description(field)
    return Member(name, ({"description": said} if said else {}) | schema, field.flag("required"), parameter, kind)
