"""What callers know from other SDKs: options, raw responses, additions to a request, logging, patience with a model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from inference_tasks import (
    APIStatusError,
    AsyncClient,
    Client,
    ConfigurationError,
    InputError,
    ModelLoadingError,
    ResponseValidationError,
)
from inference_tasks._runtime.retry import LOADING_PATIENCE, loading_delay

LOADING = {"error": "the model is loading", "estimated_time": 20.0}
SECRET = "hf_very_secret"


@pytest.fixture
def client(server: Any) -> Iterator[Client]:
    with Client(server.url, token=SECRET) as made:
        made._sleep = lambda seconds: None
        yield made


# ----------------------------------------------------------------------------------------------------- with_options


def test_options_are_those_of_a_copy(client: Client, server: Any) -> None:
    other = client.with_options(model="a/b", max_retries=0, default_headers={"X-Team": "red"}, timeout=7)
    other.text_classification("x")
    assert (server.last.path, server.last.headers["x-team"]) == ("/models/a/b", "red")
    assert server.last.headers["authorization"] == f"Bearer {SECRET}"
    client.text_classification("x")
    assert server.last.path == "/tasks/text-classification"
    assert "x-team" not in server.last.headers
    assert other._prepare(_binding("text-classification"), "x").timeout == 7
    assert (
        other.with_options(default_headers={"x-more": "1"})
        ._prepare(_binding("text-classification"), "x")
        .headers["x-team"]
        == "red"
    )


def test_a_copy_has_its_own_number_of_tries(client: Client, server: Any, answer: Any) -> None:
    server.answer(answer({"error": "down"}, 500))
    for made, tries in ((client, 3), (client.with_options(max_retries=0), 1), (client.with_options(max_retries=1), 2)):
        before = len(server.seen)
        with pytest.raises(APIStatusError):
            made.text_classification("x")
        assert len(server.seen) - before == tries


def test_a_copy_uses_the_connections_and_leaves_them_open(client: Client) -> None:
    with client.with_options(timeout=1) as other:
        other.text_classification("x")
    client.text_classification("x")
    assert other._transport is client._transport


def test_an_async_copy_leaves_the_connections_open(server: Any) -> None:
    async def run() -> None:
        async with AsyncClient(server.url) as client:
            async with client.with_options(max_retries=0) as other:
                await other.text_classification("x")
            assert await client.text_classification("x")

    asyncio.run(run())


def test_a_copy_may_read_strictly(client: Client, server: Any, answer: Any) -> None:
    unknown = {"generated_text": "x", "details": {"finish_reason": "tired", "generated_tokens": 1, "prefill": []}}
    server.answer(answer({**unknown, "details": {**unknown["details"], "tokens": []}}))
    assert client.text_generation("x").details.finish_reason == "tired"
    with pytest.raises(ResponseValidationError, match="finish_reason"):
        client.with_options(strict_responses=True).text_generation("x")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_retries": -1}, ConfigurationError),
        ({"max_retries": 1.5}, ConfigurationError),
        ({"timeout": 0}, InputError),
        ({"default_headers": {"bad name": "x"}}, InputError),
    ],
)
def test_bad_options_are_refused(client: Client, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options)).split("_")[-1].rstrip("s")):
        client.with_options(**options)


# ------------------------------------------------------------------------------------------------ with_raw_response


def test_a_raw_response_has_everything_http_says(client: Client, server: Any, answer: Any) -> None:
    labels = [{"label": "cat", "score": 0.9}]
    server.answer(answer({"error": "busy"}, 500), answer(labels, headers={"x-request-id": "r-1", "X-Left": "9"}))
    raw = client.with_raw_response.text_classification("x", top_k=1)
    assert (raw.status_code, raw.request_id, raw.retries_taken) == (200, "r-1", 1)
    assert raw.headers["x-left"] == "9"
    assert raw.content == b'[{"label": "cat", "score": 0.9}]'
    assert [label.label for label in raw.parse()] == ["cat"]
    assert SECRET not in repr(raw)


def test_an_error_is_raised_by_a_raw_call_too(client: Client, server: Any, answer: Any) -> None:
    server.answer(answer({"error": "no such model"}, 404, {"x-request-id": "r-2"}))
    with pytest.raises(APIStatusError, match="no such model") as caught:
        client.with_raw_response.text_classification("x")
    assert caught.value.request_id == "r-2"


def test_a_raw_answer_that_is_none_fails_when_parsed(client: Client, server: Any, answer: Any) -> None:
    server.answer(answer({"label": "cat"}))
    raw = client.with_raw_response.text_classification("x")
    with pytest.raises(ResponseValidationError):
        raw.parse()


def test_raw_responses_of_the_async_client(server: Any) -> None:
    async def run() -> None:
        async with AsyncClient(server.url) as client:
            raw = await client.with_raw_response.text_classification("x")
            assert raw.parse()[0].label == "cat"
            assert (await client.text_classification("x"))[0].label == "cat"

    asyncio.run(run())


def test_a_raw_stream_is_parsed_piece_by_piece(client: Client, server: Any, answer: Any) -> None:
    event = b'data: {"index": 1, "token": {"id": 1, "text": "a", "logprob": -1.0, "special": false}}\n\n'
    server.answer(
        answer(event + b"data: [DONE]\n\n", headers={"content-type": "text/event-stream", "x-request-id": "s"})
    )
    raw = client.with_raw_response.text_generation("x", stream=True)
    assert raw.request_id == "s"
    with raw.parse() as events:
        assert [piece.token.text for piece in events] == ["a"]


def test_raw_responses_map(client: Client) -> None:
    raws = list(client.map(client.with_raw_response.text_classification, ["a", "b", "c"], concurrency=2))
    assert [raw.status_code for raw in raws] == [200, 200, 200]


# ---------------------------------------------------------------------------------------------------------- additions


def test_what_is_added_to_a_request(flavour: Any, server: Any) -> None:
    flavour.call(
        server.url,
        "text_classification",
        "x",
        extra_headers={"X-Team": "red"},
        extra_query={"team": "red & blue", "fast": True, "n": 2},
        extra_body={"trace": {"id": 1}},
    )
    assert server.last.path == "/tasks/text-classification?team=red+%26+blue&fast=true&n=2"
    assert server.last.json == {"inputs": "x", "trace": {"id": 1}}
    assert server.last.headers["x-team"] == "red"


def test_media_with_an_addition_travel_as_json(flavour: Any, server: Any) -> None:
    flavour.call(server.url, "image_classification", b"\x89PNG\r\n\x1a\n", extra_body={"trace": 1})
    assert server.last.json == {"inputs": "iVBORw0KGgo=", "trace": 1}


@pytest.mark.parametrize("extra", [{"extra_query": {"a": None}}, {"extra_body": {"a": object()}}])
def test_an_addition_that_cannot_be_sent_is_refused(flavour: Any, server: Any, extra: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        flavour.call(server.url, "text_classification", "x", **extra)
    assert server.seen == []


def test_a_model_that_the_spec_has_a_member_for_goes_there(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer({"error": "none"}, 404))
    with pytest.raises(APIStatusError):
        flavour.call(server.url, "chat_completion", [{"role": "user", "content": "hey"}], model="a/b")
    assert (server.last.path, server.last.json["model"]) == ("/tasks/chat-completion", "a/b")


# ------------------------------------------------------------------------------------------------------------ retries


def test_every_try_has_the_same_key_and_body(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer({"error": "x"}, 408), answer({"error": "x"}, 409), answer([]))
    flavour.call(server.url, "text_classification", "x")
    assert len({seen.headers["idempotency-key"] for seen in server.seen}) == 1
    assert len({seen.body for seen in server.seen}) == 1
    assert [seen.headers.get("x-retry-count") for seen in server.seen] == [None, "1", "2"]
    flavour.call(server.url, "text_classification", "x")
    assert server.last.headers["idempotency-key"] != server.seen[0].headers["idempotency-key"]


def test_a_key_of_the_callers_own_is_kept(flavour: Any, server: Any) -> None:
    flavour.call(server.url, "text_classification", "x", extra_headers={"Idempotency-Key": "mine"})
    assert server.last.headers["idempotency-key"] == "mine"


def test_a_loading_model_is_waited_for(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(*[answer(LOADING, 503)] * 6, answer([{"label": "cat", "score": 1.0}]))
    assert flavour.call(server.url, "text_classification", "x", wait_for_model=True)[0].label == "cat"
    assert len(server.seen) == 7
    assert flavour.slept == [8.0] * 6
    assert all(seen.headers["x-wait-for-model"] == "true" for seen in server.seen)


def test_a_loading_model_is_not_waited_for(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(LOADING, 503))
    with pytest.raises(ModelLoadingError):
        flavour.call(server.url, "text_classification", "x", wait_for_model=False)
    assert (len(server.seen), flavour.slept) == (1, [])


def test_waiting_for_a_model_ends(server: Any, answer: Any) -> None:
    server.answer(answer(LOADING, 503))
    time = [0.0]
    with Client(server.url) as client:
        client._sleep = lambda seconds: time.__setitem__(0, time[0] + seconds)
        client._policy = type(client._policy)(2, lambda: 0.0, lambda: time[0])
        with pytest.raises(ModelLoadingError):
            client.text_classification("x", wait_for_model=True)
    assert time[0] == LOADING_PATIENCE


@pytest.mark.parametrize(
    ("headers", "estimated", "left", "seconds"),
    [
        ({}, 20.0, 300.0, 8.0),
        ({}, 2.0, 300.0, 2.0),
        ({}, 0.0, 300.0, 0.5),
        ({"retry-after": "30"}, 1.0, 300.0, 30.0),
        ({"retry-after": "30"}, 1.0, 5.0, 5.0),
        ({"retry-after": "0"}, 1.0, 300.0, 0.5),
        ({}, 20.0, 0.0, None),
    ],
)
def test_how_long_a_model_is_waited_for(
    headers: dict[str, str], estimated: float, left: float, seconds: float | None
) -> None:
    assert loading_delay(0, headers, estimated, lambda: 0.0, left) == seconds


# ------------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize("size", [1_500_000, 3_000_000])
def test_a_server_is_asked_once_how_much_it_takes(server: Any, answer: Any, size: int) -> None:
    server.answer(answer({"status": "ok", "max_body": 2_000_000}), answer())
    png = b"\x89PNG\r\n\x1a\n" + bytes(size)
    with Client(server.url) as client:
        for made in (client, client.with_options(timeout=9)):
            if size < 2_000_000:
                made.image_classification(png)
            else:
                with pytest.raises(InputError, match=r"3,000,008 bytes, .* takes 2,000,000; nothing was sent"):
                    made.image_classification(png)
    posts = 2 if size < 2_000_000 else 0
    assert [seen.method for seen in server.seen] == ["GET", *["POST"] * posts]
    assert (server.seen[0].path, server.seen[0].body) == ("/health", b"")


@pytest.mark.parametrize("body", [{"status": "ok"}, b"<html>", [], {"max_body": "much"}, b"[" * 100_000])
def test_a_server_that_does_not_say_gets_the_request(server: Any, answer: Any, body: Any) -> None:
    server.answer(answer(body), answer())
    with Client(server.url) as client:
        assert client.image_classification(b"\x89PNG\r\n\x1a\n" + bytes(1_500_000))


# ------------------------------------------------------------------------------------------------------------ logging


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    found = logging.getLogger("inference_tasks")
    level, handlers = found.level, list(found.handlers)
    yield found
    found.setLevel(level)
    found.handlers[:] = handlers


def test_the_log_says_what_was_exchanged_and_no_secret(
    server: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], logger: logging.Logger
) -> None:
    monkeypatch.setenv("INFERENCE_TASKS_LOG", "Debug")
    for _ in range(2):
        with Client(server.url, token=SECRET) as client:
            client.text_classification("my payload", extra_query={"key": "q-secret"})
    lines = [line for line in capfd.readouterr().err.splitlines() if "inference_tasks" in line]
    assert len(lines) == 2
    assert "POST" in lines[0] and ": 200 after" in lines[0] and "/tasks/text-classification" in lines[0]
    assert not any(secret in "".join(lines) for secret in (SECRET, "my payload", "q-secret"))


def test_nothing_is_logged_unless_asked(
    server: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], logger: logging.Logger
) -> None:
    monkeypatch.delenv("INFERENCE_TASKS_LOG", raising=False)
    with Client(server.url) as client:
        client.text_classification("x")
    assert capfd.readouterr().err == ""


def test_an_unknown_level_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERENCE_TASKS_LOG", "loud")
    with pytest.raises(ConfigurationError, match=r"INFERENCE_TASKS_LOG: 'loud' is no level; use one of debug"):
        Client("http://localhost:1")


def _binding(task: str) -> Any:
    from inference_tasks._tasks import TASKS

    return TASKS[task]
