"""The generated client against the real `transformers serve`: what its dialects send is understood there, and what
comes back is what the specs say.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from inference_tasks import AsyncClient, Client, ServerError, StreamError, UnprocessableEntityError

from .transformers_serve import ALPHABET, CHAT, MISSING, SPEECH, TOOLS, transformers_serve

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"transformers serve needs {', '.join(MISSING)}")

SPECS = Path(__file__).parents[2] / "specs"
DIGITS = SPECS / "automatic-speech-recognition" / "examples" / "digits.flac"
EXAMPLES = tomllib.loads((SPECS / "chat-completion" / "task.toml").read_text(encoding="utf-8"))["examples"]
HEY = [{"role": "user", "content": "hey"}]
TOOL = {"type": "function", "function": {"name": "get_forecast", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with transformers_serve() as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Client]:
    # The server answers 500 to much that is the caller's fault, and a retry would only make the tests slow.
    with Client.huggingface(url, model=CHAT, token="", timeout=60, max_retries=0, strict_responses=True) as client:
        yield client


def test_the_next_message_comes_whole(client: Client) -> None:
    answer = client.chat_completion(HEY, max_tokens=5)
    choice = answer.choices[0]
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", "abcde", "length")
    assert answer.model.startswith(CHAT)
    assert answer.usage.completion_tokens == 5
    assert answer.usage.total_tokens == 5 + answer.usage.prompt_tokens


def test_the_next_message_comes_piece_by_piece(client: Client) -> None:
    with client.chat_completion(HEY, max_tokens=5, stream=True) as stream:
        events = list(stream)  # it ends with the connection: this server says no [DONE]
    deltas = [event.choices[0].delta for event in events]
    assert deltas[0].role == "assistant"
    assert [delta.content for delta in deltas if delta.content] == list("abcde")
    assert [event.choices[0].finish_reason for event in events if event.choices[0].finish_reason] == ["length"]
    assert events[-1].usage is not None
    assert events[-1].usage.completion_tokens == 5
    assert len({event.id for event in events}) == 1


def test_an_async_client_gets_the_same(url: str) -> None:
    async def ask() -> tuple[str | None, str]:
        async with AsyncClient.huggingface(url, model=CHAT, token="", strict_responses=True) as client:
            whole = await client.chat_completion(HEY, max_tokens=5)
            async with await client.chat_completion(HEY, max_tokens=5, stream=True) as stream:
                pieces = [event.choices[0].delta.content or "" async for event in stream]
        return whole.choices[0].message.content, "".join(pieces)

    assert asyncio.run(ask()) == ("abcde", "abcde")


def test_parameters_reach_the_model(client: Client) -> None:
    all_of_it = client.chat_completion(HEY, max_tokens=50).choices[0]
    assert (all_of_it.message.content, all_of_it.finish_reason) == (ALPHABET, "stop")
    stopped = client.chat_completion(HEY, max_tokens=50, stop=["c"]).choices[0]
    assert (stopped.message.content, stopped.finish_reason) == ("abc", "stop")
    biased = client.chat_completion(HEY, max_tokens=2, logit_bias={"26": 100.0}).choices[0]
    assert biased.message.content == "zz"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_every_example_of_the_spec_is_understood(client: Client, example: dict[str, Any]) -> None:
    parameters = {name: value for name, value in example.get("parameters", {}).items() if name != "model"}
    answer = client.chat_completion(example["inputs"], **parameters)
    assert (answer.choices[0].message.content or "").startswith("abc")


def test_a_tool_is_called_and_what_it_returns_goes_back(client: Client) -> None:
    answer = client.chat_completion(HEY, model=TOOLS, tools=[TOOL], max_tokens=50)
    choice = answer.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "One moment.")
    assert choice.message.tool_calls is not None
    call = choice.message.tool_calls[0]
    assert (call.type, call.function.name) == ("function", "get_forecast")
    assert call.function.arguments == '{"city": "Lisbon", "days_ahead": 1}'
    # The spec does not know the thoughts, which are kept all the same.
    assert choice.message.model_dump()["reasoning_content"] == "hm"
    said = choice.message.model_dump(mode="json", by_alias=True, exclude_unset=True)
    result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    assert client.chat_completion([*HEY, said, result], max_tokens=1).choices[0].message.content == "a"


def test_a_call_of_a_tool_is_streamed(client: Client) -> None:
    with client.chat_completion(HEY, model=TOOLS, tools=[TOOL], max_tokens=50, stream=True) as stream:
        events = list(stream)
    calls = [call for event in events for call in event.choices[0].delta.tool_calls or ()]
    assert [(call.index, call.type) for call in calls] == [(0, "function")]
    assert calls[0].function is not None
    assert calls[0].function.name == "get_forecast"
    assert events[-1].choices[0].finish_reason == "tool_calls"


def test_a_stream_that_breaks_is_a_typed_error(client: Client) -> None:
    # The server makes a penalty on repetition of it, 1 more, which has to be positive: it finds that out too late.
    with client.chat_completion(HEY, max_tokens=5, frequency_penalty=-2.0, stream=True) as stream:
        assert next(stream).choices[0].delta.role == "assistant"
        with pytest.raises(StreamError, match="strictly positive"):
            next(stream)


def test_a_stream_may_be_left_early(client: Client) -> None:
    with client.chat_completion(HEY, max_tokens=50, stream=True) as stream:
        next(stream)
    assert client.chat_completion(HEY, max_tokens=1).choices[0].message.content == "a"


@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_model_is_a_typed_error(url: str, stream: bool) -> None:
    # A client of its own: the server drops the connection after an answer with status 500.
    with Client.huggingface(url, model="nobody/nothing", token="", max_retries=0) as client:
        with pytest.raises(ServerError, match="Internal Server Error") as unknown:
            client.chat_completion(HEY, max_tokens=5, stream=stream)
        assert unknown.value.status_code == 500


def test_a_client_goes_on_after_a_failure(url: str) -> None:
    with Client.huggingface(url, model=CHAT, token="", max_retries=1) as client:
        for _ in range(3):
            with pytest.raises(ServerError):
                client.chat_completion(HEY, model="nobody/nothing", max_tokens=1)
            assert client.chat_completion(HEY, max_tokens=1).choices[0].message.content == "a"


def test_a_parameter_that_the_server_does_not_know_is_named(client: Client) -> None:
    with pytest.raises(UnprocessableEntityError, match="tool_prompt"):
        client.chat_completion(HEY, max_tokens=1, tool_prompt="Use these:")


@pytest.mark.parametrize("recording", ["path", "bytes", "array"])
def test_a_recording_is_sent_as_a_form(url: str, recording: str) -> None:
    samples, rate = soundfile.read(DIGITS, dtype="float32")
    forms = {"path": DIGITS, "bytes": DIGITS.read_bytes(), "array": (samples, rate)}
    with Client.openai(url, model=SPEECH, token="", max_retries=0) as client:
        heard = client.automatic_speech_recognition(forms[recording])
        assert set(heard.text) == {"a"}
        assert heard.chunks is None
        told = client.automatic_speech_recognition(forms[recording], generation_parameters={"temperature": 0.5})
        assert set(told.text) == {"a"}
        with pytest.raises(UnprocessableEntityError, match="parameters"):
            client.automatic_speech_recognition(forms[recording], return_timestamps=True)


def test_a_recording_is_sent_without_blocking(url: str) -> None:
    async def ask() -> str:
        async with AsyncClient.openai(url, model=SPEECH, token="") as client:
            return (await client.automatic_speech_recognition(DIGITS)).text

    assert set(asyncio.run(ask())) == {"a"}


@pytest.mark.parametrize("dialect", ["huggingface", "openai"])
def test_both_dialects_chat(url: str, dialect: str) -> None:
    with Client(url, dialect=dialect, model=CHAT, token="", max_retries=0) as client:
        assert client.chat_completion(HEY, max_tokens=3).choices[0].message.content == "abc"
