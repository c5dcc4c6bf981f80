"""Each task is drawn as what it is, which its schema alone tells."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from taskbind import ir, ir_json
from taskbind.view.kinds import INPUT_WORDS, OUTPUT_WORDS, InputKind, OutputKind, input_kind, output_kind

from .pages import GENERATED

API = ir_json.from_json(json.loads((GENERATED / "api.json").read_text(encoding="utf-8")))

OURS = {
    "audio-classification": ("audio", "scores"),
    "audio-to-audio": ("audio", "audio"),
    "automatic-speech-recognition": ("audio", "transcript"),
    "chat-completion": ("chat", "chat"),
    "depth-estimation": ("image", "image"),
    "document-question-answering": ("question", "answers"),
    "feature-extraction": ("text", "numbers"),
    "fill-mask": ("text", "scores"),
    "image-classification": ("image", "scores"),
    "image-segmentation": ("image", "masks"),
    "image-text-to-image": ("image", "image"),
    "image-text-to-video": ("image", "video"),
    "image-to-image": ("image", "image"),
    "image-to-text": ("image", "text"),
    "image-to-video": ("image", "video"),
    "object-detection": ("image", "boxes"),
    "question-answering": ("question", "answers"),
    "sentence-similarity": ("texts", "numbers"),
    "summarization": ("text", "text"),
    "table-question-answering": ("question", "answers"),
    "tabular-classification": ("table", "cells"),
    "tabular-regression": ("table", "cells"),
    "text-classification": ("text", "scores"),
    "text-generation": ("text", "text"),
    "text-to-audio": ("text", "audio"),
    "text-to-image": ("text", "image"),
    "text-to-speech": ("text", "audio"),
    "text-to-video": ("text", "video"),
    "token-classification": ("text", "spans"),
    "translation": ("text", "text"),
    "video-classification": ("video", "scores"),
    "visual-question-answering": ("question", "answers"),
    "zero-shot-classification": ("text", "scores"),
    "zero-shot-image-classification": ("image", "scores"),
    "zero-shot-object-detection": ("image", "boxes"),
}

TEXT, NUMBER, WHOLE = ir.Scalar("string"), ir.Scalar("number"), ir.Scalar("integer")
IMAGE, AUDIO, BINARY = ir.Media("image", "image/*"), ir.Media("audio", "audio/*"), ir.Media("binary", "*/*")


def some(**members: ir.Type) -> ir.Object:
    """An object that has these members at least, as far as their names do not end in ``_``."""
    return ir.Object(tuple(ir.Field(name.rstrip("_"), type, not name.endswith("_")) for name, type in members.items()))


def many(items: ir.Type) -> ir.Array:
    return ir.Array(items)


def optional(type: ir.Type) -> ir.Union:
    return ir.Union((type, ir.NULL))


def api_of(inputs: ir.Type, output: ir.Type) -> tuple[ir.Api, ir.Task]:
    """A made-up task of a nameless domain, so that only its structure can tell."""
    task = ir.Task("zorp", "Zorp", "in", "out")
    ends = (ir.Definition("in", "In", some(inputs=inputs)), ir.Definition("out", "Out", output))
    return ir.Api((task,), ends), task


@pytest.mark.parametrize("task", API.tasks, ids=lambda task: task.id)
def test_our_tasks(task: ir.Task) -> None:
    assert (input_kind(API, task), output_kind(API, task)) == OURS[task.id]


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        (many(some(label=TEXT, score=NUMBER)), "scores"),
        (some(label=ir.Enum(("yes", "no")), score=NUMBER), "scores"),
        (many(optional(some(label=TEXT, score=NUMBER))), "scores"),
        (many(some(class_name=TEXT, score=NUMBER)), "scores"),
        (many(some(score=NUMBER)), "list"),
        (many(some(rect=some(x1=WHOLE, y1=WHOLE, x2=WHOLE, y2=WHOLE), what=TEXT)), "boxes"),
        (many(some(rect=some(x1=WHOLE, y1=WHOLE), what=TEXT)), "list"),
        (many(some(label=TEXT, mask=TEXT, score_=NUMBER)), "masks"),
        (many(some(label=TEXT, layer=IMAGE)), "masks"),
        (some(text=TEXT, segments_=many(some(text=TEXT, start=NUMBER, end=NUMBER))), "transcript"),
        (some(text=TEXT, words=many(some(text=TEXT, confidence=NUMBER))), "object"),
        (many(some(word=TEXT, start=optional(WHOLE), end=optional(WHOLE))), "spans"),
        (some(answer=TEXT, score=NUMBER, start=WHOLE, end=WHOLE), "answers"),
        (TEXT, "text"),
        (optional(TEXT), "text"),
        (some(summary=TEXT, tokens_=WHOLE), "text"),
        (many(some(generated_text=TEXT)), "text"),
        (some(text=TEXT, count=WHOLE), "object"),
        (some(choices=many(some(message=some(role=TEXT, content=optional(TEXT))))), "chat"),
        (some(role=TEXT, content=TEXT), "chat"),
        (some(choices=many(some(text=TEXT))), "object"),
        (optional(some(text_=TEXT)), "object"),
        (IMAGE, "image"),
        (some(sampling_rate=WHOLE, sound=AUDIO), "audio"),
        (many(some(clip=ir.Media("video", "video/mp4"))), "video"),
        (BINARY, "json"),
        (many(NUMBER), "numbers"),
        (many(many(many(WHOLE))), "numbers"),
        (ir.Union((many(NUMBER), many(many(NUMBER)))), "numbers"),
        (many(ir.Union((TEXT, WHOLE))), "list"),
        (many(TEXT), "list"),
        (ir.Array(None, (NUMBER, NUMBER)), "list"),
        (ir.Map(NUMBER), "object"),
        (ir.Any(), "json"),
        (ir.Union((NUMBER, some())), "json"),
        (some(), "object"),
        (ir.NULL, "json"),
    ],
)
def test_answers(output: ir.Type, kind: str) -> None:
    assert output_kind(*api_of(TEXT, output)) == kind


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [
        (IMAGE, "image"),
        (BINARY, "json"),
        (TEXT, "text"),
        (ir.Union((many(TEXT), TEXT)), "texts"),
        (some(photo=IMAGE), "image"),
        (some(photo=IMAGE, question=TEXT), "question"),
        (some(photo=IMAGE, caption=TEXT), "image"),
        (some(query=TEXT, about=TEXT), "question"),
        (some(first=TEXT, last=TEXT), "texts"),
        (some(first=TEXT, age=WHOLE), "object"),
        (some(first=TEXT, last=TEXT, age=WHOLE), "object"),
        (some(question=TEXT), "object"),
        (some(question=TEXT, grid=ir.Map(many(TEXT))), "question"),
        (some(first=TEXT, others=many(TEXT)), "texts"),
        (some(rows=many(many(NUMBER))), "table"),
        (ir.Map(many(ir.Union((NUMBER, TEXT)))), "table"),
        (many(some(role=TEXT, content=TEXT)), "chat"),
        (many(some(role=TEXT)), "list"),
        (ir.Map(NUMBER), "object"),
        (ir.Union((NUMBER, ir.Map(NUMBER))), "json"),
        (NUMBER, "json"),
        (some(), "object"),
        (ir.Any(), "json"),
    ],
)
def test_inputs(inputs: ir.Type, kind: str) -> None:
    assert input_kind(*api_of(inputs, TEXT)) == kind


def test_what_the_input_says_of_the_answer() -> None:
    assert output_kind(*api_of(ir.Map(many(NUMBER)), many(NUMBER))) == "cells"
    assert output_kind(*api_of(ir.Map(many(NUMBER)), many(TEXT))) == "cells"
    assert output_kind(*api_of(AUDIO, some(words=TEXT))) == "transcript"


def test_types_that_hold_themselves_come_to_an_end() -> None:
    tree = ir.Union((ir.Ref("tree"), ir.Array(ir.Ref("tree"))))
    api, task = api_of(ir.Ref("tree"), ir.Ref("tree"))
    api = ir.Api(api.tasks, (*api.definitions, ir.Definition("tree", "Tree", tree)))
    assert (input_kind(api, task), output_kind(api, task)) == ("list", "list")


def test_a_tree_is_an_object_and_no_question_or_text() -> None:
    node = some(name=TEXT, kids_=many(ir.Ref("node")))
    api, task = api_of(ir.Ref("node"), ir.Ref("node"))
    api = ir.Api(api.tasks, (*api.definitions, ir.Definition("node", "Node", node)))
    assert (input_kind(api, task), output_kind(api, task)) == ("object", "object")


def test_every_kind_has_words() -> None:
    assert set(INPUT_WORDS) == set(get_args(InputKind))
    assert set(OUTPUT_WORDS) == set(get_args(OutputKind))
