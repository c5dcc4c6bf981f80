"""The unmodified `openai` package against the real server, in the dialect `openai`."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from inference_tasks._runtime.server.ports import listen
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


def test_one_model_is_told_of(client: Any) -> None:
    assert client.models.retrieve("org/large").id == "org/large"
    with pytest.raises(openai.NotFoundError, match="served here: small, org/large") as error:
        client.models.retrieve("gpt-9")
    assert error.value.body["message"] == "no such model; served here: small, org/large, whisper, writer, vectors"


# ----------------------------------------------------------------------------------------- what requests may say


@pytest.mark.parametrize(
    ("given", "tokens", "stop"),
    [
        ({"max_completion_tokens": 7}, 7, None),
        ({"max_completion_tokens": 7, "stop": "a"}, 7, ["a"]),
        ({"max_completion_tokens": 7, "stop": ["a", "b"]}, 7, ["a", "b"]),
        ({"max_tokens": 7, "stop": "a"}, 7, ["a"]),
        ({"stop": None, "temperature": 0, "parallel_tool_calls": True}, None, None),
        ({"metadata": {"a": "b"}, "user": "me", "store": True, "service_tier": "auto"}, None, None),
    ],
)
def test_chats_are_asked_for_in_the_words_of_today(
    client: Any, handlers: dict[str, Any], given: dict[str, Any], tokens: int | None, stop: list[str] | None
) -> None:
    client.chat.completions.create(model="small", messages=HEY, **given)
    request = handlers["small"].seen[0]
    assert (request.max_tokens, request.stop, request.messages[0].content) == (tokens, stop, "hey")


@pytest.mark.parametrize("prompt", ["Once", ["Once"]])
@pytest.mark.parametrize("stop", [".", [".", "!"], None])
def test_texts_are_asked_for_in_the_words_of_today(
    client: Any, handlers: dict[str, Any], prompt: Any, stop: Any
) -> None:
    given = {"temperature": 0, "n": 1, "presence_penalty": 0, "echo": True, "logprobs": None, "suffix": None}
    client.completions.create(model="writer", prompt=prompt, stop=stop, **given)
    request = handlers["writer"].seen[0]
    parameters = request.parameters
    assert (request.inputs, parameters.temperature, parameters.return_full_text) == ("Once", 0, True)
    assert parameters.stop == ([stop] if isinstance(stop, str) else stop)


def test_speech_is_answered_as_json(client: Any, handlers: dict[str, Any]) -> None:
    with DIGITS.open("rb") as file:
        found = client.audio.transcriptions.create(model="whisper", file=file, response_format="json", stream=False)
    assert found.text == handlers["whisper"].answer.text


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"n": 2}, "n: is understood here as 1 only"),
        ({"presence_penalty": 0.5}, "presence_penalty: is understood here as 0 only"),
        (
            {"logprobs": 3},
            "logprobs: unknown name 'logprobs'; known here: best_of, echo, frequency_penalty, max_tokens",
        ),
        ({"stream_options": {"include_usage": True}}, "stream_options: unknown name 'stream_options'"),
        ({"temperature": -1}, "temperature: input should be a number greater than or equal to 0"),
        ({"temperature": -1, "stop": ["a"]}, "temperature: input should be a number greater than or equal to 0"),
        ({"max_tokens": "many"}, "max_tokens: input should be an integer"),
        ({"stop": ["a", 1]}, "stop.1: input should be a valid string"),
        ({"prompt": ["Once", "Twice"]}, "prompt: input should be a valid string"),
        ({"extra_body": {"maxtokens": 1}}, "maxtokens: unknown name 'maxtokens'; did you mean 'max_tokens'?"),
    ],
)
def test_what_a_text_cannot_have_is_told_in_the_dialects_words(client: Any, given: dict[str, Any], told: str) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as error:
        client.completions.create(**{"model": "writer", "prompt": "Once"} | given)
    assert error.value.body["message"].startswith(told)
    assert "inputs" not in str(error.value)
    assert "parameters" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"response_format": "text"}, 'response_format: is understood here as "json" only'),
        ({"response_format": "verbose_json"}, 'response_format: is understood here as "json" only'),
        ({"language": "en"}, "language: unknown name 'language'; known here: file, temperature"),
        ({"prompt": "digits"}, "prompt: unknown name 'prompt'"),
        ({"temperature": -1}, "temperature: input should be a number greater than or equal to 0"),
    ],
)
def test_what_speech_cannot_have_is_told_too(client: Any, given: dict[str, Any], told: str) -> None:
    with DIGITS.open("rb") as file, pytest.raises(openai.UnprocessableEntityError) as error:
        client.audio.transcriptions.create(model="whisper", file=file, **given)
    assert error.value.body["message"].startswith(told)


def test_what_a_chat_cannot_have_is_told_too(client: Any) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match="max_completion_tokens: input should be a"):
        client.chat.completions.create(model="small", messages=HEY, max_completion_tokens=-1)
    with pytest.raises(openai.UnprocessableEntityError, match="parallel_tool_calls: is understood here as true only"):
        client.chat.completions.create(model="small", messages=HEY, parallel_tool_calls=False)


# ------------------------------------------------------------------------------------------------ what answers have


def test_a_completion_is_one_of_openais(client: Any) -> None:
    before = int(time.time())
    answer = client.completions.with_raw_response.create(model="writer", prompt="Once")
    found = answer.parse()
    assert found.id == answer.headers["x-request-id"]
    assert (found.object, found.model, found.choices[0].index) == ("text_completion", "writer", 0)
    assert before <= found.created <= time.time()
    with client.completions.create(model="writer", prompt="Once", stream=True) as events:
        seen = list(events)
    assert len({(event.id, event.created) for event in seen}) == 1
    assert {(event.object, event.model, event.choices[0].index) for event in seen} == {("text_completion", "writer", 0)}


def test_a_chat_and_a_vector_are_ones_of_openais(client: Any) -> None:
    assert client.chat.completions.create(model="small", messages=HEY).object == "chat.completion"
    with client.chat.completions.create(model="small", messages=HEY, stream=True) as events:
        assert {event.object for event in events} == {"chat.completion.chunk"}
    found = client.embeddings.create(model="vectors", input=["a", "b"])
    assert (found.object, found.model) == ("list", "vectors")
    assert [(item.object, item.index) for item in found.data] == [
        ("embedding", index) for index in range(len(found.data))
    ]


def test_a_crash_is_told_where_errors_are(client: Any, handlers: dict[str, Any], monkeypatch: Any) -> None:
    def crash(*arguments: Any) -> Any:
        raise ValueError("secret detail")

    monkeypatch.setattr(type(handlers["writer"]), "__call__", crash)
    with pytest.raises(openai.InternalServerError) as error:
        client.with_options(max_retries=0).completions.create(model="writer", prompt="Once")
    assert error.value.body == {"message": "internal error"}


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
