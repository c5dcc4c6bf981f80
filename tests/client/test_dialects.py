"""Dialects: what is spoken is understood, for every valid payload; files, nulls, addresses; and Hugging Face's own."""

from __future__ import annotations

import base64
import copy
import json
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import assume, given, settings, strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime._ask import Ask
from inference_tasks._runtime._payload import payload
from inference_tasks._runtime._urls import joined
from inference_tasks._runtime.dialect import Dialect, Wire
from inference_tasks._runtime.encoded import Base64
from inference_tasks._runtime.errors import InputError
from inference_tasks._runtime.forms import EACH, Form, hear, on_wire, speak
from inference_tasks._runtime.media import from_bytes
from inference_tasks._runtime.types import dump
from inference_tasks._runtime.validation import validate_request, validate_response
from inference_tasks._tasks import TASKS
from inference_tasks.testing import requests, responses

HF = DIALECTS["huggingface"]
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
IN_JSON = b'{"inputs":"' + base64.b64encode(PICTURE) + b'"}'
WRAPPED: Form = (((), (0,)),)
ALONE: Form = (((0,), ()),)
COLUMNS: Form = (((EACH, "label"), ("labels", EACH)), ((EACH, "score"), ("scores", EACH)))
RENAMED: Form = ((("inputs", "question"), ("inputs", "query")),)
FLAT: Form = ((("parameters", "generation"), ("parameters",)),)
BESIDE: Form = ((("inputs", "image"), ("image",)), (("inputs", "question"), ("question",)))


def anything(value: Any) -> Any:
    return value


def only(shape: Any) -> Callable[[Any], Any]:
    """Accepts just the values of a type."""
    adapter: TypeAdapter[Any] = TypeAdapter(shape)
    return lambda value: adapter.dump_python(adapter.validate_python(value))


def equal_to(wanted: Any) -> Callable[[Any], Any]:
    """Accepts just one value."""

    def check(value: Any) -> Any:
        if value != wanted:
            raise ValueError("another value")
        return value

    return only(Annotated[Any, AfterValidator(check)])


class Piece(BaseModel):
    """One piece, of a closed kind."""

    model_config = ConfigDict(extra="forbid")
    label: str
    score: float = 0.0
    note: str | None = None


class Whole(BaseModel):
    """A value with pieces in it."""

    model_config = ConfigDict(extra="forbid")
    name: str
    pieces: list[Piece] = []
    choice: Piece | list[Piece] = []


# ------------------------------------------------------------------------------------------------- speak and hear


@pytest.mark.parametrize(
    ("form", "spec", "wire"),
    [
        ((), {"a": 1}, {"a": 1}),
        (WRAPPED, {"a": 1}, [{"a": 1}]),
        (WRAPPED, [1, 2], [[1, 2]]),
        (WRAPPED, None, [None]),
        (ALONE, [{"a": 1}], {"a": 1}),
        (RENAMED, {"inputs": {"question": "q", "table": {}}}, {"inputs": {"query": "q", "table": {}}}),
        (RENAMED, {"inputs": {"question": "q"}, "parameters": {}}, {"inputs": {"query": "q"}, "parameters": {}}),
        (FLAT, {"inputs": 1, "parameters": {"generation": {"a": 1}}}, {"inputs": 1, "parameters": {"a": 1}}),
        (BESIDE, {"inputs": {"image": 1, "question": 2}}, {"image": 1, "question": 2}),
        (COLUMNS, [{"label": "a", "score": 1}, {"label": "b", "score": 0}], {"labels": ["a", "b"], "scores": [1, 0]}),
        (COLUMNS, [{"label": "a"}], {"labels": ["a"]}),
        ((((EACH, "a", EACH), ("a", EACH, EACH)),), [{"a": [1, 2]}, {"a": [3]}], {"a": [[1, 2], [3]]}),
    ],
)
def test_a_form_is_spoken_and_heard(form: Form, spec: Any, wire: Any) -> None:
    before = copy.deepcopy(spec)
    assert speak((form,), spec) == wire
    assert spec == before, "what is moved stays as it is for the caller"
    assert hear((form,), wire, equal_to(spec)) == spec


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (ALONE, []),
        (ALONE, [1, 2]),
        (ALONE, {"a": 1}),
        (RENAMED, {"inputs": {}}),
        (RENAMED, {"inputs": "q"}),
        (RENAMED, []),
        (COLUMNS, []),
        (COLUMNS, {"label": "a"}),
        (COLUMNS, {"x": {"label": "a"}}),
        (((("a",), (1,)),), {"a": 1}),
        (FLAT, {"parameters": {}}),
    ],
)
def test_what_a_form_cannot_hold_is_said_as_it_is(form: Form, value: Any) -> None:
    assert speak((form,), value) == value


def test_the_first_form_that_can_hold_it_is_spoken() -> None:
    assert speak((ALONE, WRAPPED), [1]) == 1
    assert speak((ALONE, WRAPPED), [1, 2]) == [[1, 2]]
    assert speak((RENAMED, WRAPPED), {"x": 1}) == [{"x": 1}], "there is nothing to rename"
    assert speak(((), WRAPPED), [1]) == [1]
    assert speak((), [1]) == [1]


def test_all_forms_are_heard_and_the_specs_own_wins() -> None:
    pieces = only(list[Piece])
    own = [{"label": "a", "score": 1.0, "note": None}]
    for wire in (own, own[0], {"labels": ["a"], "scores": [1.0]}, [own]):
        assert hear((ALONE, COLUMNS, WRAPPED), wire, pieces) == own
    assert hear((WRAPPED,), [[1]], anything) == [[1]], "any value is valid, so this is the spec's own shape"


def test_what_has_no_place_is_left_out_but_no_item_of_a_list_is() -> None:
    image = {"inputs": "data", "image": "data", "question": "q", "parameters": {"top_k": 1}}
    class_ = dict[str, dict[str, str | int]]
    assert hear((BESIDE,), image, only(class_)) == {
        "inputs": {"image": "data", "question": "q"},
        "parameters": {"top_k": 1},
    }
    with pytest.raises(ValidationError):
        hear((COLUMNS,), {"labels": ["a"], "scores": [1.0, 2.0]}, only(list[Piece]))
    assert hear((COLUMNS,), {"sequence": "s", "labels": ["a"], "scores": [1.0]}, only(list[Piece]))[0]["label"] == "a"


def test_the_error_is_that_of_the_shape_that_comes_closest() -> None:
    piece = {"label": "a", "score": "much"}
    columns = {"labels": ["a"], "scores": ["much"]}
    for forms, wire in (((WRAPPED, ALONE), [[piece]]), ((ALONE,), [piece]), ((ALONE,), piece), ((COLUMNS,), columns)):
        with pytest.raises(ValidationError) as error:
            hear(forms, wire, only(list[Piece]))
        assert [item["loc"] for item in error.value.errors()] == [(0, "score")]


def test_of_two_shapes_that_fail_alike_the_one_in_less_is_told_of() -> None:
    form: Form = ((("name",), ("title",)), (("pieces", EACH, "label"), ("labels", EACH)))
    blamed: list[Any] = []

    def blame(error: ValidationError, form: Form) -> Exception:
        blamed.append((error.error_count(), form))
        return LookupError()

    for forms, wire, expected in (
        ((form,), {"title": "n", "x": 1}, (1, form)),
        ((form,), {"name": "n", "x": 1}, (1, ())),
        ((RENAMED, form), {"title": 1}, (1, form)),
    ):
        with pytest.raises(LookupError):
            hear(forms, wire, only(Whole), blame=blame)
        assert blamed.pop() == expected


@pytest.mark.parametrize(
    ("form", "place", "there"),
    [
        ((), ("a", 0), ("a", 0)),
        (WRAPPED, ("a",), (0, "a")),
        (RENAMED, ("inputs", "question", 1), ("inputs", "query", 1)),
        (RENAMED, ("inputs",), ("inputs",)),
        (COLUMNS, (2, "score"), ("scores", 2)),
        (COLUMNS, ("x", "score"), ("x", "score")),
    ],
)
def test_a_place_of_the_spec_is_named_on_the_wire(form: Form, place: Any, there: Any) -> None:
    assert on_wire(form, place) == there


def test_a_completion_of_other_servers_is_understood() -> None:
    choice = {"index": 0, "text": "hi", "finish_reason": "stop", "logprobs": None}
    answer = {"id": "x", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]}
    binding = TASKS["text-generation"]
    wire = DIALECTS["openai"].wires[binding.id]
    assert wire.heard(answer, lambda value: validate_response(binding, value)).generated_text == "hi"


@pytest.mark.parametrize(
    ("value", "kept"), [(1, False), (1.0, False), (True, True), (2, True), (None, True), ("1", True), ([1], True)]
)
def test_only_the_value_that_says_nothing_is_left_out(value: Any, kept: bool) -> None:
    assert Wire(neutral=(("n", 1),)).telling({"n": value, "m": 1}) == ({"n": value, "m": 1} if kept else {"m": 1})


def test_what_stays_may_join_what_is_moved_and_the_callers_value_is_as_it_was() -> None:
    request = {"parameters": {"generation": {"a": 1}, "top_k": 2}}
    assert speak((FLAT,), request) == {"parameters": {"a": 1, "top_k": 2}}
    assert request == {"parameters": {"generation": {"a": 1}, "top_k": 2}}


# ------------------------------------------------------------------------------------------------------- defaults


@pytest.mark.parametrize(
    ("path", "default", "value", "completed"),
    [
        (("a",), 1, {}, {"a": 1}),
        (("a",), 1, {"a": None}, {"a": None}),
        (("a",), [], [], []),
        (("a", "b"), 1, {"a": {}}, {"a": {"b": 1}}),
        (("a", "b"), 1, {}, {}),
        (("a", "b"), 1, {"a": [{}]}, {"a": [{}]}),
        ((EACH, "a"), "", [{}, {"a": "x"}, 1], [{"a": ""}, {"a": "x"}, 1]),
        ((EACH, "a"), (EACH, "b"), [{"b": 1}, {"b": 1, "a": 2}, {}], [{"b": 1, "a": 1}, {"b": 1, "a": 2}, {}]),
        ((1, "a"), 1, [{}, {}], [{}, {"a": 1}]),
        ((1, "a"), 1, [{}], [{}]),
        ((EACH, "a"), 1, {"a": {}}, {"a": {}}),
    ],
)
def test_members_that_are_missing_are_added(path: Any, default: Any, value: Any, completed: Any) -> None:
    assert Wire(defaults=((path, default),)).answered(value) == completed


def test_what_only_the_wire_has_is_added_to_what_was_moved() -> None:
    added: Any = ((("id",), "{id}"), (("data", EACH, "index"), "{index}"), (("kind",), "{other}"))
    wire = Wire(answers=((((EACH,), ("data", EACH, "x")),),), added=added, added_events=((("id",), "{id}"),))
    facts = {"{id}": 7}
    assert wire.answered([1, 2], facts) == {
        "data": [{"x": 1, "index": 0}, {"x": 2, "index": 1}],
        "id": 7,
        "kind": "{other}",
    }
    assert wire.told({}, facts) == {"id": 7}
    assert wire.told({"id": 1}, facts) == {"id": 1}
    assert not wire.answers_as_spec
    assert not wire.events_as_spec


def test_an_answer_is_completed_before_it_is_moved() -> None:
    wire = Wire(answers=(ALONE,), defaults=(((EACH, "a"), 1),))
    assert wire.answered([{}]) == {"a": 1}


# ---------------------------------------------------------------------------------------------------------- nulls


def test_nulls_and_empty_objects_are_none_where_the_spec_has_none() -> None:
    whole = only(Whole)
    wire = {"name": "n", "pieces": [{"label": "a", "score": None, "note": None}, {"label": "b", "score": {}}], "x": {}}
    heard = hear((), wire, whole, nulls=True)
    assert heard["pieces"] == [
        {"label": "a", "score": 0.0, "note": None},
        {"label": "b", "score": 0.0, "note": None},
    ]
    assert wire["x"] == {}, "the value itself stays as it is"
    with pytest.raises(ValidationError):
        hear((), wire, whole)


def test_nulls_are_found_in_rounds_inside_of_unions_and_in_forms() -> None:
    whole = only(Whole)
    many = [{"label": "a", "score": None} for _ in range(20)]
    assert len(hear((), {"name": "n", "pieces": many}, whole, nulls=True)["pieces"]) == 20
    assert hear((), {"name": "n", "choice": {"label": "a", "score": None}}, whole, nulls=True)["choice"]["score"] == 0.0
    assert hear((WRAPPED,), [{"name": "n", "pieces": None}], whole, nulls=True)["pieces"] == []


def test_events_have_the_specs_own_shape_but_for_nulls() -> None:
    token = {"id": 1, "text": "a", "logprob": -0.1, "special": False}
    event = {"index": 1, "token": token, "generated_text": None, "details": None, "top_tokens": None}
    adapter = TASKS["text-generation"].stream_adapter
    assert adapter is not None
    heard = dump(HF.wire("text-generation").heard_event(event, adapter.validate_python))
    assert heard["token"] == token
    assert "top_tokens" not in heard, "null is no list"
    with pytest.raises(ValidationError):
        Wire(answers=(WRAPPED,)).heard_event(event, adapter.validate_python)
    with pytest.raises(ValidationError):
        HF.wire("text-generation").heard_event([event], adapter.validate_python)


@pytest.mark.parametrize("wire", [{"name": None}, {"name": "n", "y": 0}, {"name": "n", "pieces": [None]}, None, {}])
def test_nothing_else_is_left_out(wire: Any) -> None:
    with pytest.raises(ValidationError):
        hear((), wire, only(Whole), nulls=True)


# ---------------------------------------------------------------------------------------------------------- files

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
WAV = b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
WAV += b"data" + struct.pack("<I", 4) + bytes(4)


def test_the_body_may_be_the_file() -> None:
    wire = Wire(file="image")
    assert wire.is_file(PNG, "application/octet-stream")
    assert wire.is_file(b"unheard of", "IMAGE/x-new; a=b")
    assert not wire.is_file(b'{"image": "AAAA"}', "application/json")
    assert not Wire().is_file(PNG, "image/png")
    answer = wire.of_file(PNG)
    assert answer == {"image": Base64.of(PNG)}
    assert Base64(answer["image"]).data == PNG


def test_a_sound_file_says_its_rate() -> None:
    wire = Wire(file="audio", rate="sampling_rate")
    assert wire.of_file(WAV) == {"audio": Base64.of(WAV), "sampling_rate": 8000}
    assert wire.of_file(b"ID3 of no known rate") == {"audio": Base64.of(b"ID3 of no known rate")}
    assert Wire(file="audio").of_file(WAV) == {"audio": Base64.of(WAV)}


@pytest.mark.parametrize("samples", [[0.0, 0.5, -1.0], [[0.0, 0.5, -1]]])
def test_samples_become_a_sound_file(samples: Any) -> None:
    wire = Wire(file="audio", rate="sampling_rate", samples=True)
    heard = wire.heard({"audio": samples, "sampling_rate": 16000, "more": 1}, anything)
    assert heard["sampling_rate"] == 16000
    assert heard["more"] == 1
    data = Base64(heard["audio"]).data
    assert struct.unpack("<3f", data[-12:]) == (0.0, 0.5, -1.0)
    assert wire.of_file(data) == {"audio": heard["audio"], "sampling_rate": 16000}


@pytest.mark.parametrize(
    "answer",
    [
        {"audio": [0.0]},
        {"audio": [0.0], "sampling_rate": 16000.5},
        {"audio": [0.0], "sampling_rate": 0},
        {"audio": [0.0], "sampling_rate": -1},
        {"audio": [0.0], "sampling_rate": 1 << 40},
        {"audio": ["x"], "sampling_rate": 16000},
        {"audio": [[0.0], [0.0]], "sampling_rate": 16000},
        {"audio": [10**400], "sampling_rate": 16000},
        {"audio": "UklGRg==", "sampling_rate": 16000},
        {"sampling_rate": 16000},
        [0.0],
    ],
)
def test_other_answers_stay_as_they_are(answer: Any) -> None:
    assert Wire(file="audio", rate="sampling_rate", samples=True).heard(answer, anything) == answer
    assert Wire(file="audio", rate="sampling_rate").heard(answer, anything) == answer


# ------------------------------------------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    ("base", "route", "address"),
    [
        ("http://h", "", "http://h"),
        ("http://h/x", "", "http://h/x"),
        ("http://h", "/v1/chat", "http://h/v1/chat"),
        ("http://h/v1", "/v1/chat", "http://h/v1/chat"),
        ("http://h/a/v1", "/v1/chat", "http://h/a/v1/chat"),
        ("http://h/v1/chat", "/v1/chat", "http://h/v1/chat"),
        ("http://h/chat", "/v1/chat", "http://h/chat/v1/chat"),
        ("http://h/v", "/v1/chat", "http://h/v/v1/chat"),
        ("http://v1", "/v1/chat", "http://v1/v1/chat"),
        ("http://h/v1/v1", "/v1/v1/x", "http://h/v1/v1/x"),
        ("http://h", "/", "http://h/"),
        ("http://h/v1", "/", "http://h/v1/"),
        ("http://h/v1", "/v1/chat/", "http://h/v1/chat/"),
        ("http://h/v1", "/v1/", "http://h/v1/"),
    ],
)
def test_a_route_joins_an_address(base: str, route: str, address: str) -> None:
    assert joined(base, route) == address


def test_addresses() -> None:
    hosted, own = "https://h.example", "http://localhost:8000"
    dialect = Dialect("d", "D", hosted, models="/m/{model}/run")
    chat, pipeline = Wire(route="/v1/chat"), Wire(route="/r", model_route="/pipeline/x")
    assert dialect.address(hosted, chat, "a/b c", names_model=True) == f"{hosted}/v1/chat"
    assert dialect.address(hosted, chat, "a/b c") == f"{hosted}/m/a/b%20c/run/v1/chat"
    assert dialect.address(hosted + ":443", pipeline, "a") == f"{hosted}:443/m/a/run/pipeline/x"
    assert dialect.address(own, pipeline, None) == f"{own}/r"
    assert dialect.address(own, pipeline, "a") == f"{own}/models/a/r"
    with pytest.raises(InputError, match="D has many"):
        dialect.address(hosted, chat, None)
    with pytest.raises(InputError, match="not the name of a model"):
        dialect.address(hosted, chat, "../admin")
    assert not Dialect("d", "D").hosts(own)
    assert dialect.wire("unknown") == Wire()


def test_addresses_of_a_service_without_models() -> None:
    hosted, own = "https://h.example", "http://localhost:8000"
    dialect, wire = Dialect("d", "D", hosted), Wire(route="/v1/run")
    assert dialect.address(hosted, wire, None) == f"{hosted}/v1/run"
    assert dialect.address(own, wire, None) == f"{own}/v1/run"
    with pytest.raises(InputError, match="D takes none for this task"):
        dialect.address(hosted, wire, "a")
    assert dialect.address(own, wire, "a") == f"{own}/models/a/v1/run"
    closed = Dialect("d", "D", hosted, closed=True)
    for base in (hosted, own):
        assert closed.address(base, wire, None) == f"{base}/v1/run"
        assert closed.address(base, wire, "a", names_model=True) == f"{base}/v1/run"
        with pytest.raises(InputError, match="D takes none for this task"):
            closed.address(base, wire, "a")
    several = Dialect("d", "D", hosted, models="/m/{model}", closed=True)
    assert several.address(own, wire, "a") == f"{own}/models/a/v1/run"


@pytest.mark.parametrize(
    ("accept", "content_type", "is_file"),
    [
        ("application/json", "image/png", True),
        ("application/json", "application/octet-stream", False),
        ("application/octet-stream", "application/octet-stream; x=y", True),
        ("application/json", "application/json", False),
        ("application/vnd.a+json", "application/vnd.a+json", False),
    ],
)
def test_what_was_asked_for_is_a_file(accept: str, content_type: str, is_file: bool) -> None:
    assert Wire(file="f", accept=accept).is_file(b"no known format", content_type) == is_file


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("", ("image/png", PICTURE)),
        ("application/octet-stream", ("application/octet-stream", PICTURE)),
        ("application/json", ("application/json", IN_JSON)),
        ("application/vnd.a+json", ("application/vnd.a+json", IN_JSON)),
    ],
)
def test_the_only_content_type_of_requests(body: str, sent: tuple[str, bytes]) -> None:
    ask = Ask(TASKS["image-classification"], {}, {}, Wire(body=body))
    content, kind = payload(ask, from_bytes(PICTURE, "inputs"))
    assert (kind, content) == sent


# ------------------------------------------------------------------------------------- our own: every valid payload

SPOKEN = [task for task in TASKS if task in HF.wires]
ANSWERS = [(task, index) for task in SPOKEN for index in range(len(HF.wire(task).answers))]
REQUESTS = [(task, index) for task in SPOKEN for index in range(len(HF.wire(task).requests))]


def heard_answer(task: str, value: Any) -> Any:
    return dump(HF.wire(task).heard(value, lambda reading: validate_response(TASKS[task], reading)))


def heard_request(task: str, value: Any) -> Any:
    wire = HF.wire(task)
    return dump(hear(wire.requests, value, lambda reading: validate_request(TASKS[task], reading), nulls=wire.nulls))


def test_every_task_in_the_dialect_is_one_of_ours() -> None:
    assert set(HF.wires) <= set(TASKS)
    assert len(ANSWERS) >= 10
    assert len(REQUESTS) >= 10


@pytest.mark.parametrize("task", SPOKEN)
@settings(max_examples=30)
@given(data=st.data())
def test_the_specs_own_shape_is_heard(task: str, data: st.DataObject) -> None:
    answer = data.draw(responses(task))
    assert heard_answer(task, answer) == answer
    request = data.draw(requests(task))
    assert heard_request(task, request) == request


@pytest.mark.parametrize(("task", "index"), ANSWERS)
@settings(max_examples=60)
@given(data=st.data())
def test_answers_that_are_spoken_are_heard(task: str, index: int, data: st.DataObject) -> None:
    answer, form = data.draw(responses(task)), HF.wire(task).answers[index]
    if form == COLUMNS:  # which have no place for other members
        answer = [{key: item[key] for key in ("label", "score")} for item in answer]
    assert heard_answer(task, speak((form,), answer)) == answer


@pytest.mark.parametrize("task", [task for task in SPOKEN if HF.wire(task).defaults])
@settings(max_examples=60)
@given(data=st.data())
def test_answers_that_are_completed_are_heard(task: str, data: st.DataObject) -> None:
    answer, wire = data.draw(responses(task)), HF.wire(task)
    heard = heard_answer(task, wire.answered(copy.deepcopy(answer)))
    for item, given_item in zip(heard, answer, strict=True):
        assert {name: value for name, value in item.items() if name in given_item} == given_item
        assert set(item) - set(given_item) <= {path[-1] for path, _ in wire.defaults}


@pytest.mark.parametrize(("task", "index"), REQUESTS)
@settings(max_examples=60)
@given(data=st.data())
def test_requests_that_are_spoken_are_heard(task: str, index: int, data: st.DataObject) -> None:
    request, form = data.draw(requests(task)), HF.wire(task).requests[index]
    # No generation parameters at all look like no parameters.
    assume(not form or request.get("parameters", {}).get("generation_parameters") != {})
    assert heard_request(task, speak((form,), request)) == request


@pytest.mark.parametrize("task", [task for task in SPOKEN if HF.wire(task).file])
@settings(max_examples=20)
@given(content=st.binary(max_size=40))
def test_files_are_answers(task: str, content: bytes) -> None:
    wire, sound = HF.wire(task), HF.wire(task).rate is not None
    file = WAV + content if sound else PNG + content
    assert wire.is_file(file, "")
    answer = heard_answer(task, wire.of_file(file))
    assert Base64(answer[wire.file]).data == file
    assert set(answer) == {wire.file, "sampling_rate"} if sound else {wire.file}
    assert answer.get("sampling_rate", 8000) == 8000


# --------------------------------------------------------------------------- what Hugging Face's clients send and take

NOT_UNDERSTOOD = {
    # (client, recorded call): why
    ("chat_completion/all-params", "2.4.0"): "`logit_bias` is a list there; the service itself takes an object",
    ("chat_completion/all-params", "1.29.0"): "the same",
    ("chat_completion/all-params", "0.36.0"): "the same",
    ("zero_shot_image_classification/no-params", "0.26.5"): "the labels are one text with commas",
    ("zero_shot_image_classification/params", "0.26.5"): "the same",
    ("textGeneration", "js"): "OpenAI's completions, at a route of their own: another task",
    ("textGenerationStream", "js"): "the same",
}
LABELS = [{"label": "a", "score": 0.9}, {"label": "b", "score": 0.1}]
ANSWER = {"answer": "x", "score": 0.5, "start": 0, "end": 1}
CELL = {"answer": "1", "coordinates": [[0, 0]], "cells": ["1"], "aggregator": "NONE"}
ENTITY = {"score": 0.5, "word": "w", "start": 0, "end": 1}
CHUNK = {"text": "hi", "timestamp": [0.0, 1.0]}
CHAT = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "system_fingerprint": "f"}
CHAT |= {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}
CHAT |= {"usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
FILE = object()
"""Stands for a body that is a media file."""

BODIES: dict[str, dict[str, Any]] = {
    "audio-classification": {"spec(list)": LABELS},
    "audio-to-audio": {"list": [{"label": "l", "content-type": "audio/wav", "blob": "AAAA"}]},
    "automatic-speech-recognition": {
        "spec(object)": {"text": "hi"},
        "chunks": {"text": "hi", "chunks": [CHUNK]},
        "null-timestamp": {"text": "hi", "chunks": [{**CHUNK, "timestamp": [0.0, None]}]},
    },
    "chat-completion": {"spec": CHAT},
    "document-question-answering": {"spec(list)": [ANSWER]},
    "feature-extraction": {"spec(2d)": [[0.1, 0.2]], "1d": [0.1, 0.2], "3d": [[[0.1]]]},
    "fill-mask": {"spec(list)": [{"sequence": "a b", "score": 0.5, "token": 1, "token_str": "b"}]},
    "image-classification": {"spec(list)": LABELS},
    "image-segmentation": {"spec(list)": [{"label": "l", "mask": "AAAA", "score": 0.5}]},
    "image-to-image": {"raw png": FILE},
    "image-to-text": {"list": [{"generated_text": "g"}], "spec(object)": {"generated_text": "g"}},
    "object-detection": {
        "spec(list)": [{"label": "l", "score": 0.5, "box": {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}}]
    },
    "question-answering": {"spec(list)": [ANSWER], "object": ANSWER},
    "sentence-similarity": {"spec(list[num])": [0.1, 0.2]},
    "summarization": {"list": [{"summary_text": "s"}]},
    "table-question-answering": {"spec(list)": [CELL], "object": CELL},
    "tabular-classification": {"list": ["c"], "list[num]": [1]},
    "tabular-regression": {"list[num]": [1.5], "list": [1.5]},
    "text-classification": {"spec(flat list)": LABELS, "nested list": [LABELS]},
    "text-generation": {"spec(object)": {"generated_text": "g"}, "list": [{"generated_text": "g"}]},
    "text-to-audio": {"raw wav": FILE, "spec-literal json": {"audio": "AAAA", "sampling_rate": 8000}},
    "text-to-image": {"raw png": FILE},
    "text-to-speech": {
        "raw wav": FILE,
        "spec-literal json": {"audio": "AAAA", "sampling_rate": 8000},
        "spec-literal json object": {"audio": "AAAA", "sampling_rate": 8000},
    },
    "token-classification": {
        "spec(list) grouped": [{**ENTITY, "entity_group": "PER"}],
        "spec(list) ungrouped": [{**ENTITY, "entity": "B-PER"}],
    },
    "translation": {"list": [{"translation_text": "x"}]},
    "visual-question-answering": {"spec(list)": [{"answer": "a", "score": 0.5}]},
    "zero-shot-classification": {
        "spec(list)": LABELS,
        "legacy {labels,scores}": {"sequence": "t", "labels": ["a", "b"], "scores": [0.9, 0.1]},
    },
    "zero-shot-image-classification": {"spec(list)": LABELS},
}
"""The answers that the recordings were made with, by task and by their names there."""

NOT_HEARD = {
    ("audio-classification", "nested"): "the client does not look into the list, so that it would take anything",
    ("feature-extraction", "4d"): "nobody sends it",
    ("text-generation", "openai completions"): "another route, another task",
}


@pytest.fixture(scope="module")
def recorded(corpus: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """Calls of Hugging Face's clients: its name, the version, what was recorded."""
    folder = corpus / "hf-client-wire"
    if not folder.is_dir():
        pytest.skip("the corpus has no recordings of clients")
    python = json.loads((folder / "python.json").read_text(encoding="utf-8"))
    javascript = json.loads((folder / "javascript.json").read_text(encoding="utf-8"))
    versions = {python["latest"]["huggingface_hub"]: python["latest"], **python["older_versions"], "js": javascript}
    return [(name, version, call) for version, one in versions.items() for name, call in one["tasks"].items()]


def task_of(name: str) -> str:
    words = re.sub(r"(?<=[a-z])([A-Z])", r"-\1", name.partition("/")[0]).lower().replace("_", "-")
    return words.removesuffix("-stream")


def bodies(call: dict[str, Any]) -> Iterator[Any]:
    """The JSON bodies of a call. Long ones were recorded with texts cut short, which a schema does not look into."""
    sent = call.get("request") or []
    for request in sent if isinstance(sent, list) else [sent]:
        if request["body"]["kind"] == "json":
            try:
                yield json.loads(request["body"]["raw_prefix"])
            except ValueError:  # only its beginning was recorded
                yield request["body"]["value"]


def test_requests_of_their_clients_are_understood(recorded: list[tuple[str, str, dict[str, Any]]]) -> None:
    understood, refused = 0, set()
    for name, version, call in recorded:
        for body in bodies(call):
            try:
                heard_request(task_of(name), body)
            except ValidationError:
                refused.add((name, version))
            else:
                understood += 1
    assert refused == set(NOT_UNDERSTOOD)
    assert understood >= 190


def test_what_is_understood_means_what_was_meant(recorded: list[tuple[str, str, dict[str, Any]]]) -> None:
    sent = {(name, version): body for name, version, call in recorded for body in bodies(call)}
    question = heard_request("visual-question-answering", sent["visual_question_answering/params", "2.4.0"])
    assert question["inputs"]["question"] == "q?"
    assert question["parameters"] == {"top_k": 1}
    assert heard_request("visual-question-answering", sent["visual_question_answering/no-params", "0.26.5"])["inputs"]
    table = heard_request("table-question-answering", sent["table_question_answering/no-params", "2.4.0"])
    assert table["inputs"] == {"question": "q?", "table": {"A": ["1"]}}
    speech = heard_request("text-to-speech", sent["text_to_speech/params", "2.4.0"])
    assert speech["parameters"]["generation_parameters"]["max_new_tokens"] == 3
    vectors = heard_request("feature-extraction", sent["feature_extraction/list+params", "0.26.5"])
    assert vectors["normalize"] is True
    assert "parameters" not in vectors
    data = heard_request("tabular-classification", sent["tabular_classification", "2.4.0"])
    assert data == {"inputs": {"data": {"A": ["1"]}}}
    summary = heard_request("summarization", sent["summarization/params", "2.4.0"])
    assert summary["parameters"]["generation_parameters"] == {"max_length": 3}


def test_answers_that_their_clients_take_are_heard(recorded: list[tuple[str, str, dict[str, Any]]]) -> None:
    for name, version, call in recorded:
        task = task_of(name)
        for shape, verdict in call.get("parse", {}).items():
            streamed = "sse" in shape or "data:" in shape or "[DONE]" in shape  # events, not shapes
            if not verdict.get("ok") or streamed or (task, shape) in NOT_HEARD:
                continue
            assert shape in BODIES[task], f"{version} {name}: {shape}"
    for task, shapes in BODIES.items():
        for shape, body in shapes.items():
            wire = HF.wire(task)
            heard = heard_answer(task, wire.of_file(WAV if wire.rate else PNG) if body is FILE else body)
            if body is FILE:
                assert Base64(heard[wire.file]).data in (WAV, PNG)
            else:
                assert leaves(heard) == leaves(body) - {"t"}, f"{task}: {shape}"


def leaves(value: Any) -> set[Any]:
    """The texts and numbers in a value, wherever they stand."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return set().union(*map(leaves, inner))
    return {value}
