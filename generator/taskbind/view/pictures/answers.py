"""The right half of a picture: the answer of an example, by its kind."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ...escape import json_text
from ..kinds import BOXES, LABELS, SPANS, OutputKind
from .drawing import COLOURS, SMALL, WIDTH, Card, short, width
from .inputs import as_json, file, messages

_MOST: Final = 5
_TOKEN: Final = re.compile(r"\S+")


@dataclass(frozen=True)
class Given:
    """What of the request an answer is drawn with: the image it is about, the text, the texts it compares."""

    image: bytes | None = None
    text: str = ""
    texts: tuple[str, ...] = ()


def draw_answer(card: Card, kind: OutputKind, value: Any, given: Given) -> None:
    """Draw an answer. One that is not of the expected form is drawn as JSON."""
    if kind in _DRAW:
        _DRAW[kind](card, value, given)
    if not card.parts:
        as_json(card, value)


def _dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, which may be in a list, or one alone."""
    if isinstance(value, dict):
        return [value]
    items = value if isinstance(value, list) else []
    return [
        found
        for item in items
        for found in (_dicts(item) if isinstance(item, list) else [item])
        if isinstance(found, dict)
    ]


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _shown(value: float | int | None) -> str:
    """A number in short."""
    if value is None:
        return ""
    return str(round(value, 4)) if abs(value) < 10_000 else f"{value:.3g}"


def _label(item: dict[str, Any]) -> str:
    found = next((item[name] for name in LABELS if isinstance(item.get(name), str | int | float)), "")
    return found if isinstance(found, str) else json_text(found)


def _scores(card: Card, value: Any, given: Given) -> None:
    items = [(item, score) for item in _dicts(value)[:_MOST] if (score := _number(item.get("score"))) is not None]
    top = max([1.0, *(abs(score) for _, score in items)])
    for item, score in items:
        card.bar(_label(item), _shown(float(score)), score / top)


def _boxes(card: Card, value: Any, given: Given) -> None:
    items = [(item, corners) for item in _dicts(value)[:_MOST] if (corners := _corners(item))]
    if not items:
        return
    place = card.image(given.image, "the image with boxes")
    for number, (item, (left, upper, right, lower)) in enumerate(items):
        label, score = _label(item), _shown(_number(item.get("score")))
        if place is None:
            card.row(label, score)
            continue
        x, y, scale = place
        left, upper = x + left * scale, y + upper * scale
        wide, high = x + right * scale - left, y + lower * scale - upper
        card.box(left, upper, max(0.0, wide), max(0.0, high), f"s{number % COLOURS}", 2)
        text = short(label, 120, SMALL)
        chip = width(text, SMALL) + 8
        left, upper = max(0.0, min(left, WIDTH - chip)), upper - 18 if upper >= 18 else upper
        card.box(left, upper, chip, 18, f"c{number % COLOURS}", 3)
        card.put(text, left + 4, upper + 14, "on", SMALL)
        card.say(f"{label} {score}")


def _corners(item: dict[str, Any]) -> tuple[float, float, float, float] | None:
    for box in item.values():
        for names in BOXES if isinstance(box, dict) else ():
            numbers = [number for name in names if (number := _number(box.get(name))) is not None]
            if len(numbers) == len(names):
                return numbers[0], numbers[1], numbers[2], numbers[3]
    return None


def _masks(card: Card, value: Any, given: Given) -> None:
    items = _dicts(value)[:_MOST]
    place = card.image(given.image, "the image with masks", keep=32, look="pale")
    for number, item in enumerate(items):
        data = next((data for name, text in item.items() if name not in LABELS and (data := _file(text))), None)
        found = card.assets.image(data) if data else None
        if found and place:
            x, y, scale = place
            id, wide, high = found
            mask = f'<mask id="m{number}"><use href="#{id}"/></mask>'
            area = f'<rect width="{wide}" height="{high}" class="c{number % COLOURS}" mask="url(#m{number})"/>'
            move = f"translate({x:.1f} {y:.1f}) scale({scale:.4f})"
            card.parts.append(f'{mask}<g class="tint" transform="{move}">{area}</g>')
    x = 0.0
    for number, item in enumerate(items):
        text = short(_label(item), WIDTH / 2 - 20, SMALL)
        if x + width(text, SMALL) + 18 > WIDTH:
            break
        card.box(x, card.y + 4, 12, 12, f"c{number % COLOURS}", 3)
        card.put(text, x + 17, card.y + 15, "", SMALL)
        card.say(_label(item))
        x += width(text, SMALL) + 29


def _transcript(card: Card, value: Any, given: Given) -> None:
    item = next(iter(_dicts(value)), {})
    pieces = next((found for part in item.values() if (found := [*_pieces(part)])), [])
    for when, text in pieces[:7]:
        card.row(when, text)
    if not pieces:
        _text(card, value, given)


def _pieces(part: Any) -> Iterator[tuple[str, str]]:
    """The timed pieces of a transcript: from when to when, and what was said."""
    for piece in part if isinstance(part, list) else ():
        if isinstance(piece, dict) and isinstance(text := piece.get("text"), str):
            ends = next((piece[name] for name in ("timestamp", "timestamps") if name in piece), None)
            ends = ends if isinstance(ends, list) else [piece.get(name) for name in SPANS]
            times = [f"{number:.1f}" if (number := _number(end)) is not None else "" for end in ends[:2]]
            yield f"{'–'.join(times)} s", text


def _spans(card: Card, value: Any, given: Given) -> None:
    items = _dicts(value)
    marks: list[tuple[int, int, str]] = []
    for item in items:
        start, end = (item.get(name) for name in SPANS)
        if not (isinstance(start, int) and isinstance(end, int)):
            continue
        if (marks[-1][1] if marks else 0) <= start < end <= len(given.text):
            marks.append((start, end, _kind(item)))
    if not marks:
        for item in items[:7]:
            card.row(_kind(item), _label(item))
        return
    kinds = [*dict.fromkeys(kind for _, _, kind in marks)]
    pen, at = _Pen(card), 0
    for start, end, kind in marks:
        pen.words(given.text[at:start])
        pen.marked(given.text[start:end], kind, kinds.index(kind) % COLOURS)
        at = end
    pen.words(given.text[at:])


def _kind(item: dict[str, Any]) -> str:
    """What a piece of text is called: its first text that is no piece of the text."""
    names = ("entity_group", "entity", "label", "type", "tag")
    return next((text for name in names if isinstance(text := item.get(name), str)), "")


@dataclass
class _Pen:
    """Writes a text word by word, some of it on coloured ground."""

    card: Card
    x: float = 0

    def words(self, text: str) -> None:
        for match in _TOKEN.finditer(text):
            self._write(match[0], width(match[0]), "")

    def marked(self, text: str, kind: str, colour: int) -> None:
        text, kind = short(text, WIDTH - 80), short(kind, 60, SMALL)
        wide = width(text) + width(kind, SMALL) + 18
        self._turn(wide)
        if self.card.room < 24:
            return
        self.card.box(self.x, self.card.y, wide, 24, f"c{colour}", 4)
        self._write(text, width(text), "on", 6)
        self.card.put(kind, self.x, self.card.y + 17, "on strong", SMALL)
        self.x += width(kind, SMALL) + 12
        self.card.say(f"({kind})")

    def _turn(self, wide: float) -> None:
        if self.x and self.x + wide > WIDTH:
            self.x = 0
            self.card.y += 29

    def _write(self, text: str, wide: float, look: str, before: float = 0) -> None:
        if not before:
            self._turn(wide)
        if self.card.room < 24:
            return
        self.card.put(text, self.x + before, self.card.y + 17, look)
        self.x += wide + before + 6
        self.card.say(text)


def _answers(card: Card, value: Any, given: Given) -> None:
    items = [item for item in _dicts(value)[:_MOST] if isinstance(item.get("answer"), str)]
    if len(items) == 1:
        score = _number(items[0].get("score"))
        card.bubble(items[0]["answer"], most=6)
        if score is not None:
            card.y += 4
            card.bar("score", _shown(float(score)), score)
        return
    for item in items:
        score = _number(item.get("score"))
        if score is None:
            card.bubble(item["answer"], most=2)
        else:
            card.bar(item["answer"], _shown(float(score)), score)


def _text(card: Card, value: Any, given: Given) -> None:
    if isinstance(value, str):
        card.bubble(value)
        return
    texts = [next((text for text in item.values() if isinstance(text, str)), "") for item in _dicts(value)[:3]]
    for text in filter(str.strip, texts):
        card.bubble(text)


def _chat(card: Card, value: Any, given: Given) -> None:
    choices = value.get("choices") if isinstance(value, dict) else None
    for choice in _dicts(choices if choices is not None else value)[:1]:
        message = choice.get("message", choice)
        messages(card, [message])


def _media(kind: str) -> Callable[[Card, Any, Given], None]:
    def draw(card: Card, value: Any, given: Given) -> None:
        items = [{"": value}] if isinstance(value, str) else _dicts(value)
        files = [(item, data) for item in items for text in item.values() if (data := _file(text))][:2]
        for number, (item, data) in enumerate(files):
            room = card.room * (len(files) - number - 1) / (len(files) - number)
            name = _label(item) or {"image": "an image", "audio": "audio"}.get(kind, "")
            if kind == "audio":
                card.sound(data, name, room)
            else:
                file(card, name, data, kind, room)

    return draw


def _file(text: Any) -> bytes | None:
    """The file that a text is in base64; the text may be a data: URI."""
    if not isinstance(text, str) or len(text) < 60:
        return None
    try:
        return base64.b64decode(text.partition(";base64,")[2] or text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _numbers(card: Card, value: Any, given: Given) -> None:
    flat = [*_flat(value)]
    if 0 < len(flat) <= _MOST and all(_number(item) is not None for item in value):
        top = max([1.0, *map(abs, flat)])
        labels = [*given.texts, *[""] * len(flat)]
        for label, number in zip(labels, flat, strict=False):
            card.bar(label, _shown(float(number)), number / top)
    elif flat:
        card.strip(flat[:40])
        card.note(f"{len(flat)} numbers: {', '.join(map(_shown, flat[:4]))}, …")


def _flat(value: Any) -> Iterator[float]:
    for item in value if isinstance(value, list) else ():
        number = _number(item)
        if number is None:
            yield from _flat(item)
        else:
            yield number


def _cells(card: Card, value: Any, given: Given) -> None:
    rows = value if isinstance(value, list) else []
    if rows:
        shown = [cell if isinstance(cell, str) else json_text(cell) for cell in rows]
        card.table(("row", "answer"), [[str(number), cell] for number, cell in enumerate(shown, 1)])


_DRAW: Final[dict[OutputKind, Callable[[Card, Any, Given], None]]] = {
    "scores": _scores,
    "boxes": _boxes,
    "masks": _masks,
    "transcript": _transcript,
    "spans": _spans,
    "answers": _answers,
    "text": _text,
    "chat": _chat,
    "image": _media("image"),
    "audio": _media("audio"),
    "video": _media("video"),
    "numbers": _numbers,
    "cells": _cells,
}
