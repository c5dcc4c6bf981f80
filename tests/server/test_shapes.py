"""Requests of other shapes than inputs with parameters: inputs alone, structured inputs, and everything at the root."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import httpx
import pytest
from pydantic import ConfigDict, Field

from inference_tasks._runtime.binding import TaskBinding
from inference_tasks._runtime.server.app import create_app
from inference_tasks._runtime.server.calls import Interpreter
from inference_tasks._runtime.server.handler import Handler, takes
from inference_tasks._runtime.server.problems import RequestProblem
from inference_tasks._runtime.types import Model
from inference_tasks._tasks import TASKS

MODULE = "tests.server.shapes_of_a_made_up_package"


class Pair(Model):
    model_config = ConfigDict(extra="forbid")
    question: str
    context: str


class PairInput(Model):
    model_config = ConfigDict(extra="forbid")
    inputs: Pair


class ChatInput(Model):
    model_config = ConfigDict(extra="forbid")
    messages: list[str]
    do_sample: bool | None = None


class RequiredParameters(Model):
    labels: list[str]


class LabelledInput(Model):
    picture: str = Field(alias="inputs")
    parameters: RequiredParameters


class Answer(Model):
    text: str


@pytest.fixture(autouse=True)
def module() -> Iterator[None]:
    made = ModuleType(MODULE)
    for model in (PairInput, ChatInput, RequiredParameters, LabelledInput, Answer):
        setattr(made, model.__name__, model)
    sys.modules[MODULE] = made
    yield
    del sys.modules[MODULE]


def bind(id: str, model: str, primary: str = "inputs", **options: Any) -> TaskBinding:
    return TaskBinding(id=id, module=MODULE, input_model=model, output_type="Answer", primary=primary, **options)


PAIR = bind("pair", "PairInput")
CHAT = bind("chat", "ChatInput", "messages", options=("do_sample",))
LABELLED = bind(
    "labelled", "LabelledInput", media="image", parameters_model="RequiredParameters", parameters=("labels",)
)


class One(Handler[Any, None, Answer]):
    """Takes one argument and says what it was."""

    def __init__(self, binding: TaskBinding) -> None:
        self.binding = binding

    def __call__(self, inputs: Any) -> Answer:
        return Answer(text=f"{type(inputs).__name__} {inputs!r}"[:60])


def test_shapes_are_told_apart() -> None:
    assert [takes(binding) for binding in (PAIR, CHAT, LABELLED)] == ["plain", "whole", "split"]


@pytest.mark.anyio
async def test_inputs_alone_and_whole_requests() -> None:
    app = create_app({"pair": PAIR, "chat": CHAT}, [One(PAIR), One(CHAT)], package="inference_tasks")
    transport = httpx.ASGITransport(app)
    headers = {"x-wait-for-model": "true"}
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as client:
        answer = await client.post("/tasks/pair", json={"inputs": {"question": "q", "context": "c"}})
        assert answer.json()["text"].startswith("Pair Pair(question='q'")
        wrong = await client.post("/tasks/pair", json={"inputs": {"question": "q"}})
        assert [item["field"] for item in wrong.json()["fields"]] == ["inputs.context"]
        answer = await client.post("/tasks/chat", json={"messages": ["hi"]})
        assert answer.json()["text"].startswith("ChatInput ChatInput(messages=['hi']")
        assert answer.headers["x-cache"] == "miss"
        sampled = await client.post("/tasks/chat", json={"messages": ["hi"], "do_sample": True})
        assert sampled.headers["x-cache"] == "bypass"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_bare_media_is_refused_where_parameters_are_required() -> None:
    with pytest.raises(RequestProblem) as caught:
        Interpreter(LABELLED).read(b"\x89PNG\r\n\x1a\n" + b"\0" * 50, b"image/png")
    assert [problem.field for problem in caught.value.fields] == ["parameters"]


def test_sampling_is_seen_in_parameters_but_not_in_text() -> None:
    speech = Interpreter(TASKS["automatic-speech-recognition"])
    for value in (True, False):
        parameters = {"generation_parameters": {"do_sample": value}}
        assert speech.payload({"inputs": "AAAA", "parameters": parameters}).samples is value
    text = Interpreter(TASKS["text-classification"])
    assert not text.payload({"inputs": '{"do_sample":true}'}).samples
