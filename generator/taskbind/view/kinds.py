"""What kind of thing goes into a task and comes out of it, so that pages can draw it: told by the schema alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from .. import ir
from ..plan import primary_field

OutputKind = Literal[
    "scores",
    "boxes",
    "masks",
    "transcript",
    "spans",
    "answers",
    "text",
    "chat",
    "image",
    "audio",
    "video",
    "numbers",
    "cells",
    "object",
    "list",
    "json",
]
InputKind = Literal["image", "audio", "video", "text", "table", "question", "chat", "texts", "object", "list", "json"]

LABELS: Final = ("label", "class", "class_name", "category", "token_str", "answer", "word", "name", "text")
"""Names of the member that says what a score is the score of, the best first."""

BOXES: Final = (("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom"))
"""Names of the corners of a box: left, upper, right and lower edge."""

SPANS: Final = ("start", "end")
"""Names of the two ends of a piece of text or of time."""

QUESTIONS: Final = ("question", "query")
"""Names of the member that asks something about the others."""

_TIMES: Final = ("timestamp", "timestamps")
_SHOWN: Final[dict[str, Literal["image", "audio", "video"]]] = {"image": "image", "audio": "audio", "video": "video"}

INPUT_WORDS: Final[dict[InputKind, str]] = {
    "image": "an image",
    "audio": "a sound",
    "video": "a video",
    "text": "a text",
    "table": "a table",
    "question": "a question with what it is about",
    "chat": "messages",
    "texts": "texts",
    "object": "an object",
    "list": "a list",
    "json": "a JSON value",
}
"""What goes in, in words."""

OUTPUT_WORDS: Final[dict[OutputKind, str]] = {
    "scores": "labels with scores",
    "boxes": "labels with boxes",
    "masks": "labels with masks",
    "transcript": "what was said",
    "spans": "pieces of the text with labels",
    "answers": "answers",
    "text": "a text",
    "chat": "a message",
    "image": "an image",
    "audio": "a sound",
    "video": "a video",
    "numbers": "numbers",
    "cells": "a value for each row",
    "object": "an object",
    "list": "a list",
    "json": "a JSON value",
}
"""What comes out, in words."""


def output_kind(api: ir.Api, task: ir.Task) -> OutputKind:
    """The kind of a task's answers.

    ``scores`` label and score · ``boxes`` label, score, box · ``masks`` label and mask · ``transcript`` text, maybe
    with timed pieces · ``spans`` pieces of the text with start and end · ``answers`` to a question · ``text`` ·
    ``chat`` messages to choose from · ``image``, ``audio``, ``video`` a file · ``numbers`` one or more lists of them ·
    ``cells`` a value for each row of a table · ``object``, ``list`` any other of these · ``json`` anything else.
    """
    type = ir.Ref(task.output)
    given = input_kind(api, task)
    if given == "table" and _is_column(api, type):
        return "cells"
    kind = next((kind for one in _alternatives(api, type) if (kind := _out(api, one))), None)
    if kind == "text" and given == "audio":
        return "transcript"
    return kind or _neutral(api, type)


def input_kind(api: ir.Api, task: ir.Task) -> InputKind:
    """The kind of a task's primary input.

    ``image``, ``audio``, ``video`` a file · ``text`` · ``texts`` several that belong together · ``question`` an object
    with a question and what it is about (a text, a file, a table) · ``table`` · ``chat`` messages · ``object``,
    ``list`` any other of these · ``json`` anything else.
    """
    root = api.resolve(ir.Ref(task.input))
    if not isinstance(root, ir.Object) or not root.fields:
        return "json"
    primary = primary_field(root).type
    kind = next((kind for type in _alternatives(api, primary) if (kind := _in(api, type))), None)
    return kind or _neutral(api, primary)


def _neutral(api: ir.Api, type: ir.Type) -> Literal["object", "list", "json"]:
    """What can be said of any type."""
    kinds = [*_alternatives(api, type)]
    if kinds and all(isinstance(kind, ir.Object | ir.Map) for kind in kinds):
        return "object"
    return "list" if kinds and all(isinstance(kind, ir.Array) for kind in kinds) else "json"


# ------------------------------------------------------------------------------------------------------------- answers


def _out(api: ir.Api, type: ir.Type) -> OutputKind | None:
    match type:
        case ir.Object():
            return _out_object(api, type)
        case ir.Media(media=media):
            return _SHOWN.get(media)
        case ir.Array():
            return _out_list(api, type)
    return "text" if _is_text(api, type) else None


def _out_list(api: ir.Api, type: ir.Array) -> OutputKind | None:
    if type.items is None or type.prefix:
        return None
    if _is_numbers(api, type):
        return "numbers"
    inner = [*_alternatives(api, type.items)]
    kinds = dict.fromkeys(_out_object(api, one) for one in inner if isinstance(one, ir.Object))
    if found := next((kind for kind in kinds if kind), None):
        return found
    if media := next((_SHOWN.get(one.media) for one in inner if isinstance(one, ir.Media)), None):
        return media
    return None


def _is_column(api: ir.Api, type: ir.Type) -> bool:
    """Whether this is a list of single values."""
    kinds = [*_alternatives(api, type)]
    inner = [one for kind in kinds if isinstance(kind, ir.Array) for one in _alternatives(api, kind.items or ir.Any())]
    return bool(inner) and all(isinstance(kind, ir.Array) for kind in kinds) and all(map(_is_value, inner))


def _out_object(api: ir.Api, type: ir.Object) -> OutputKind | None:
    """The kind of one answer, alone or in a list of them."""
    names = {field.name for field in type.fields}
    media = [
        kind.media for field in type.fields for kind in _alternatives(api, field.type) if isinstance(kind, ir.Media)
    ]
    has_label = any(_is_label(api, type, name) for name in LABELS)
    if _message(api, type):
        return "chat"
    if any(_is_box(api, field.type) for field in type.fields):
        return "boxes"
    if "mask" in names or ("label" in names and "image" in media):
        return "masks"
    if shown := next((_SHOWN[kind] for kind in media if kind in _SHOWN), None):
        return shown
    if "answer" in names:
        return "answers"
    if names.issuperset(SPANS):
        return "spans"
    if "score" in names and has_label:
        return "scores"
    if any(_is_timed(api, field.type) for field in type.fields):
        return "transcript"
    # A text is an answer of which nothing else is sure to be there; a node of a tree has a name only.
    required = [field for field in type.fields if field.required]
    texts = bool(required) and all(_is_text(api, field.type) for field in required)
    return "text" if texts and not _holds_itself(api, type) else None


def _holds_itself(api: ir.Api, type: ir.Object) -> bool:
    """Whether an object has others of its kind as members, or in lists that are members."""
    kinds = [kind for field in type.fields for kind in _alternatives(api, field.type)]
    lists = (kind.items for kind in kinds if isinstance(kind, ir.Array) and kind.items is not None)
    return any(kind is type for kind in (*kinds, *(one for items in lists for one in _alternatives(api, items))))


def _message(api: ir.Api, type: ir.Object) -> bool:
    """Whether an answer is a chat message, or a list of ones to choose from."""
    inner = (kind for field in type.fields for kind in _alternatives(api, field.type))
    lists = (kind.items for kind in inner if isinstance(kind, ir.Array) and kind.items is not None)
    choices = (kind for items in lists for kind in _alternatives(api, items) if isinstance(kind, ir.Object))
    messages = (field.type for choice in choices for field in choice.fields if field.name == "message")
    return _is_message(type) or any(_is_message(kind) for one in messages for kind in _alternatives(api, one))


def _is_timed(api: ir.Api, type: ir.Type) -> bool:
    """Whether this is a list of pieces with the times at which they were said."""
    for kind in _alternatives(api, type):
        items = _alternatives(api, kind.items) if isinstance(kind, ir.Array) and kind.items is not None else ()
        for piece in items:
            names = {field.name for field in piece.fields} if isinstance(piece, ir.Object) else set()
            if "text" in names and (names.issuperset(SPANS) or not names.isdisjoint(_TIMES)):
                return True
    return False


def _is_box(api: ir.Api, type: ir.Type) -> bool:
    kinds = (kind for kind in _alternatives(api, type) if isinstance(kind, ir.Object))
    return any({field.name for field in kind.fields}.issuperset(box) for kind in kinds for box in BOXES)


def _is_label(api: ir.Api, type: ir.Object, name: str) -> bool:
    field = type.field(name)
    return field is not None and any(map(_is_value, _alternatives(api, field.type)))


# -------------------------------------------------------------------------------------------------------------- inputs


def _in(api: ir.Api, type: ir.Type) -> InputKind | None:
    match type:
        case ir.Media(media=media):
            return _SHOWN.get(media)
        case ir.Object():
            return _in_object(api, type)
        case ir.Array(items=items) if items is not None:
            kinds = [*_alternatives(api, items)]
            if any(isinstance(kind, ir.Object) and _is_message(kind) for kind in kinds):
                return "chat"
            if kinds and all(_is_text(api, kind) for kind in kinds):
                return "texts"
    return "table" if _is_table(api, type) else "text" if _is_text(api, type) else None


def _in_object(api: ir.Api, type: ir.Object) -> InputKind | None:
    parts = {field.name: kind for field in type.fields if (kind := _part(api, field.type))}
    if len(parts) > 1 and any(parts.get(name) == "text" for name in QUESTIONS):
        return "question"
    kinds = [*parts.values()]
    if shown := next((kind for kind in kinds if kind in _SHOWN), None):
        return shown
    if kinds == ["table"]:
        return "table"
    texts = len(parts) == len(type.fields) and set(kinds) <= {"text", "texts"}
    return "texts" if texts and kinds and kinds != ["text"] else None


def _part(api: ir.Api, type: ir.Type) -> InputKind | None:
    """The kind of one member of an input that is an object."""
    for kind in _alternatives(api, type):
        if not isinstance(kind, ir.Object) and (found := _in(api, kind)):
            return found
    return None


def _is_table(api: ir.Api, type: ir.Type) -> bool:
    """Whether this is a table: lists of cells by the name of their column, or in a list."""
    match type:
        case ir.Map(values=inner) | ir.Array(items=inner) if inner is not None:
            rows = [kind for kind in _alternatives(api, inner) if isinstance(kind, ir.Array) and kind.items is not None]
            cells = [kind for row in rows for kind in _alternatives(api, row.items or ir.Any())]
            return bool(cells) and all(map(_is_value, cells))
    return False


# ---------------------------------------------------------------------------------------------------------------- both


def _alternatives(api: ir.Api, type: ir.Type) -> Iterator[ir.Type]:
    """What a value may be besides null, references and checks aside."""
    todo, seen = [type], set()
    while todo:
        one = api.resolve(todo.pop())
        if id(one) in seen or one == ir.NULL:
            continue
        seen.add(id(one))
        if isinstance(one, ir.Union):
            todo += reversed(one.variants)
        else:
            yield one


def _is_value(type: ir.Type) -> bool:
    return isinstance(type, ir.Scalar | ir.Enum)


def _is_text(api: ir.Api, type: ir.Type) -> bool:
    return any(isinstance(kind, ir.Scalar) and kind.type == "string" for kind in _alternatives(api, type))


def _is_numbers(api: ir.Api, type: ir.Type, depth: int = 4) -> bool:
    """Whether this is a list of numbers, or of such lists."""
    if not isinstance(type, ir.Array) or type.items is None or not depth:
        return False
    kinds = [*_alternatives(api, type.items)]
    return bool(kinds) and all(
        _is_numbers(api, kind, depth - 1) or (isinstance(kind, ir.Scalar) and kind.type in ("number", "integer"))
        for kind in kinds
    )


def _is_message(type: ir.Type) -> bool:
    return isinstance(type, ir.Object) and {field.name for field in type.fields} >= {"role", "content"}
