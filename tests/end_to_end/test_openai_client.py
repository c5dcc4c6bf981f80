"""The unmodified `openai` package against the real server, in the dialect `openai`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from inference_tasks._runtime.server.run import listen
from inference_tasks.server import Settings, create_app

from .canned import WORDS, handler

openai = pytest.importorskip("openai", reason="openai is not installed")

SPECS = Path(__file__).parents[2] / "specs"
DIGITS = SPECS / "automatic-speech-recognition" / "examples" / "digits.flac"
HEY: Any = [{"role": "user", "content": "hey"}]


@pytest.fixture(scope="module")
def handlers() -> dict[str, Any]:
    chats = {name: handler("chat-completion", name) for name in ("small", "org/large")}
    others = {"whisper": "automatic-speech-recognition", "writer": "text-generation", "vectors": "feature-extraction"}
    return chats | {name: handler(task, name) for name, task in others.items()}


@pytest.fixture(scope="module")
def url(handlers: dict[str, Any]) -> Iterator[str]:
    app = create_app(handlers.values(), settings=Settings(token="sk-of-the-tests", cache_size=0))
    socket = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    socket.close()


@pytest.fixture(params=["/v1", "/openai/v1"])
def client(request: pytest.FixtureRequest, url: str) -> Iterator[Any]:
    settings: dict[str, Any] = {"api_key": "sk-of-the-tests", "max_retries": 5}
    with openai.OpenAI(base_url=f"{url}{request.param}", **settings) as made:
        yield made


def test_chat(client: Any, handlers: dict[str, Any]) -> None:
    for name in ("small", "org/large"):
        handlers[name].seen = []
        found = client.chat.completions.create(model=name, messages=HEY, max_tokens=5, temperature=0.5)
        assert found.choices[0].message.content == handlers[name].answer.choices[0].message.content
        assert handlers[name].seen[0].max_tokens == 5


def test_chat_is_streamed(client: Any) -> None:
    with client.chat.completions.create(model="org/large", messages=HEY, stream=True) as events:
        pieces = [(event.model, event.choices[0].delta.content) for event in events]
    assert pieces == [("org/large", word) for word in WORDS]


def test_speech_is_recognized(client: Any, handlers: dict[str, Any]) -> None:
    with DIGITS.open("rb") as file:
        found = client.audio.transcriptions.create(model="whisper", file=file, temperature=0.5)
    assert found.text == handlers["whisper"].answer.text
    inputs, parameters = handlers["whisper"].seen
    assert inputs.seconds > 1
    assert parameters.generation_parameters.temperature == 0.5


def test_text_is_completed(client: Any, handlers: dict[str, Any]) -> None:
    found = client.completions.create(
        model="writer", prompt="Once", max_tokens=3, temperature=0.5, stop=["."], user="me"
    )
    assert found.choices[0].text == handlers["writer"].answer.generated_text
    request = handlers["writer"].seen[0]
    assert (request.inputs, request.parameters.max_new_tokens, request.parameters.stop) == ("Once", 3, ["."])
    with client.completions.create(model="writer", prompt="Once", stream=True) as events:
        assert [event.choices[0].text for event in events] == list(WORDS)


@pytest.mark.parametrize("given", ["a", ["a", "b"]])
def test_texts_are_embedded(client: Any, handlers: dict[str, Any], given: Any) -> None:
    answer = handlers["vectors"].answer
    for known in (answer, [[0.5, 1.0], [2.0, 3.0]], [0.5, 1.0]):
        handlers["vectors"].answer = known
        found = client.embeddings.create(model="vectors", input=given)
        vectors = known if isinstance(known[0], list) else [known]
        assert [item.embedding for item in found.data] == vectors
        assert handlers["vectors"].seen[0].inputs == given
    handlers["vectors"].answer = answer


def test_models_are_listed(client: Any) -> None:
    assert [model.id for model in client.models.list()] == ["small", "org/large", "whisper", "writer", "vectors"]


def test_errors_are_typed(client: Any, url: str) -> None:
    with pytest.raises(openai.NotFoundError, match="served here: org/large, small"):
        client.chat.completions.create(model="gpt-9", messages=HEY)
    with pytest.raises(openai.UnprocessableEntityError, match="temperature"):
        client.chat.completions.create(model="small", messages=HEY, temperature=-1)
    stranger = openai.OpenAI(base_url=f"{url}/v1", api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model="small", messages=HEY)


def test_the_async_client(url: str) -> None:
    async def run() -> None:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-of-the-tests", max_retries=5) as client:
            events = await client.chat.completions.create(model="small", messages=HEY, stream=True)
            assert [event.choices[0].delta.content async for event in events] == list(WORDS)

    asyncio.run(run())
