"""The left half of a picture: what an example sends, by the kind of its input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...escape import json_text
from ..kinds import InputKind
from .drawing import AROUND, LINE, WIDTH, Card, wrap


def draw_input(
    card: Card, kind: InputKind, value: Any, files: Mapping[str, tuple[str, bytes]], prompt: str = ""
) -> None:
    """Draw the primary input of a request.

    `files` are the media in it, name and bytes, by the member that each is; "" is the input itself, and `prompt` what
    is to be done with it.
    """
    if "" in files:
        file(card, *files[""], kind, _height(prompt))
        card.bubble(prompt, "asked", most=2)
    elif kind == "chat" and isinstance(value, list):
        messages(card, value)
    elif isinstance(value, str):
        card.bubble(value)
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        for item in value[:5]:
            card.bubble(item, most=2)
    elif kind == "table" and (table := _table(value)):
        card.table(*table)
    elif isinstance(value, dict):
        _together(card, kind, value, files)
    else:
        as_json(card, value)


def file(card: Card, name: str, data: bytes | None, kind: str, keep: float = 0) -> None:
    """A media file, above `keep` units that stay free."""
    if kind == "audio":
        card.sound(data, name, keep)
    elif kind == "video":
        card.film(name, keep)
    else:
        card.image(data, name, keep)


def as_json(card: Card, value: Any) -> None:
    """Any value, as its JSON text; texts without quotes."""
    if isinstance(value, dict):
        for name, item in list(value.items())[:7]:
            card.row(f"{name}:", item if isinstance(item, str) else json_text(item))
    else:
        card.lines(value if isinstance(value, str) else json_text(value))


def messages(card: Card, value: list[Any]) -> None:
    """The last messages of a chat, the user's on the left."""
    found = [message for message in value if isinstance(message, dict)]
    for message in found[-3:]:
        own = message.get("role") == "user"
        content = message.get("content")
        parts = content if isinstance(content, list) else [content]
        texts = [part["text"] if isinstance(part, dict) and "text" in part else part for part in parts]
        text = " ".join(text for text in texts if isinstance(text, str))
        if len(texts) > 1 and not all(isinstance(text, str) for text in texts):
            card.row("image +")
        if text:
            card.bubble(text, "said" if own else "asked", most=2 if len(found) > 1 else 6, right=not own)
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            _tool_call(card, call)


def _tool_call(card: Card, call: Any) -> None:
    """A function that a model wants to be called."""
    function = call.get("function") if isinstance(call, dict) else None
    if isinstance(function, dict):
        card.bubble(f"{function.get('name')}({function.get('arguments')})", "asked", most=4, right=True)


def _together(card: Card, kind: InputKind, value: dict[str, Any], files: Mapping[str, tuple[str, bytes]]) -> None:
    """A question with what it is about above it, or a text with those that it is compared with below."""
    texts = {name: item for name, item in value.items() if isinstance(item, str)}
    asked = "question" if "question" in texts else next(iter(texts), None)
    lists = [item for item in value.values() if isinstance(item, list) and all(isinstance(one, str) for one in item)]
    if kind == "texts" and asked and lists:
        card.bubble(texts[asked], "asked", most=2)
        for item in lists[0][:3]:
            card.bubble(item, most=2 if len(lists[0]) < 3 else 1)
        return
    keep = _height(texts[asked]) if asked else 0
    for name, data in files.values():
        file(card, name, data, "image", keep)
    tables = [table for item in value.values() if (table := _table(item))]
    if tables:
        card.table(*tables[0], keep)
    for name, text in texts.items():
        if name != asked:
            card.lines(text, int((card.room - keep) // LINE))
            card.y += 6
    if asked:
        card.bubble(texts[asked], "asked", most=2)
    elif not files and not tables:
        as_json(card, value)


def _height(question: str) -> int:
    """The height of a question of up to two lines."""
    return len(wrap(question, WIDTH - 24, 2)) * LINE + AROUND if question else 0


def _table(value: Any) -> tuple[list[str], list[list[str]]] | None:
    """The columns and rows of a table, which may be the only member of an object; None for any other value."""
    if isinstance(value, dict) and len(value) == 1 and (inner := _table(next(iter(value.values())))):
        return inner
    if isinstance(value, dict) and value and all(isinstance(column, list) for column in value.values()):
        rows = zip(*value.values(), strict=False)
        return list(value), [[_cell(cell) for cell in row] for row in rows]
    if isinstance(value, list) and value and all(isinstance(row, list) for row in value):
        columns = range(1, len(value[0]) + 1)
        return [str(number) for number in columns], [[_cell(cell) for cell in row] for row in value]
    return None


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)
