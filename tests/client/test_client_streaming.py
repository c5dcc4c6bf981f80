"""Streamed answers over real HTTP: pieces as they come in, and what is left of a stream that breaks."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from inference_tasks import (
    APIConnectionError,
    AsyncClient,
    AuthenticationError,
    Client,
    ResponseValidationError,
    StreamError,
)

CHUNK = {"id": "1", "created": 0, "model": "m", "choices": [{"index": 0, "delta": {"content": "Ünï"}}]}
MESSAGES = [{"role": "user", "content": "hi"}]


class Streamer:
    """A server that sends `pieces` one by one, waits for `go` before the last one, and sees when the client leaves."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.kind, self.status, self.hold = "text/event-stream", 200, False
        self.go, self.left = threading.Event(), threading.Event()
        self.requests: list[tuple[dict[str, str], Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.requests.append(({k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
                self.send_response(outer.status)
                self.send_header("content-type", outer.kind)
                self.send_header("x-request-id", "r1")
                self.end_headers()
                try:
                    for number, piece in enumerate(outer.pieces):
                        if outer.hold and number == len(outer.pieces) - 1:
                            outer.go.wait(10)
                        self.wfile.write(piece)
                        self.wfile.flush()
                    while outer.hold and not outer.left.is_set():
                        self.wfile.write(b": still there\n\n")
                        time.sleep(0.01)
                except OSError:
                    outer.left.set()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def send(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)

    def close(self) -> None:
        self.go.set()
        self.left.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def streamer() -> Iterator[Streamer]:
    running = Streamer()
    yield running
    running.close()


def data(value: Any) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def chat(flavour: Any, url: str, **settings: Any) -> list[Any]:
    """All events of a chat, by either client."""
    if not flavour.is_async:
        with (
            Client(url, max_retries=0, **settings) as client,
            client.chat_completion(MESSAGES, stream=True) as events,
        ):
            return list(events)

    async def run() -> list[Any]:
        async with (
            AsyncClient(url, max_retries=0, **settings) as client,
            await client.chat_completion(MESSAGES, stream=True) as events,
        ):
            return [event async for event in events]

    return asyncio.run(run())


def said(events: list[Any]) -> list[str | None]:
    return [event.choices[0].delta.content for event in events]


def test_events_are_models(flavour: Any, streamer: Streamer) -> None:
    streamer.send(data(CHUNK), data({**CHUNK, "more": 1}), b"data: [DONE]\n\n", b"data: not read any more\n\n")
    events = chat(flavour, streamer.url)
    assert said(events) == ["Ünï", "Ünï"]
    assert events[1].model_dump() == {**CHUNK, "more": 1}
    headers, body = streamer.requests[0]
    assert body == {"messages": MESSAGES, "stream": True}
    assert headers["accept"].startswith("text/event-stream")


@pytest.mark.parametrize(
    "pieces",
    [
        [bytes([byte]) for byte in data(CHUNK)],
        [data(CHUNK).replace(b"\n", b"\r\n")],
        [b": hello\n\n", data(CHUNK), b"\n\n"],
        [data(CHUNK)[:-2]],
        [b"event: message\nid: 7\n" + data(CHUNK)],
        ["".join(f"data: {line}\n" for line in json.dumps(CHUNK, indent=1).splitlines()).encode() + b"\n"],
    ],
    ids=["byte by byte", "CRLF", "comments", "no end", "fields", "many lines"],
)
def test_streams_as_servers_write_them(flavour: Any, streamer: Streamer, pieces: list[bytes]) -> None:
    streamer.send(*pieces)
    assert said(chat(flavour, streamer.url)) == ["Ünï"]


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (data({"error": {"message": "out of memory"}}), "the server broke off: out of memory"),
        (data({"error": "overloaded", "error_type": "overloaded"}), "the server broke off: overloaded"),
        (b"event: error\ndata: oh no, secret-token\n\n", r"the server broke off: oh no, \*\*\*$"),
    ],
)
def test_an_error_in_the_middle_is_typed(flavour: Any, streamer: Streamer, piece: bytes, message: str) -> None:
    streamer.send(data(CHUNK), piece)
    with pytest.raises(StreamError, match=message) as caught:
        chat(flavour, streamer.url, token="secret-token")
    assert caught.value.request_id == "r1"


def test_an_event_that_breaks_the_spec(flavour: Any, streamer: Streamer) -> None:
    streamer.send(data(CHUNK), data({**CHUNK, "choices": "none"}))
    with pytest.raises(ResponseValidationError, match="an event of the answer is not what the task's spec says"):
        chat(flavour, streamer.url)
    streamer.send(b"data: {\n\n")
    with pytest.raises(ResponseValidationError, match="an event of the answer is not JSON"):
        chat(flavour, streamer.url)


def test_an_answer_that_is_no_stream(flavour: Any, streamer: Streamer) -> None:
    streamer.kind = "application/json"
    streamer.send(b"{}")
    with pytest.raises(ResponseValidationError, match="not with a stream"):
        chat(flavour, streamer.url)
    streamer.status = 401
    streamer.send(b'{"error": "who are you?"}')
    with pytest.raises(AuthenticationError, match="who are you"):
        chat(flavour, streamer.url)


def test_events_come_before_the_answer_is_complete(streamer: Streamer) -> None:
    streamer.hold = True
    streamer.send(data(CHUNK), data(CHUNK))
    with Client(streamer.url) as client, client.chat_completion(MESSAGES, stream=True) as events:
        assert next(events).id == "1"
        assert not streamer.go.is_set(), "the second event has not been sent"
        streamer.go.set()
        assert next(events).id == "1"
    assert streamer.left.wait(5), "leaving the block closes the connection"


@pytest.mark.parametrize("how", ["dropped", "closed", "never begun"])
def test_a_stream_that_is_let_go_of_closes_its_connection(streamer: Streamer, how: str) -> None:
    streamer.hold = True
    streamer.go.set()
    streamer.send(data(CHUNK), data(CHUNK))
    with Client(streamer.url) as client:
        events = client.chat_completion(MESSAGES, stream=True)
        if how != "never begun":
            next(events)
        if how == "closed":
            events.close()
            assert list(events) == []
        else:
            del events
            gc.collect()
        assert streamer.left.wait(5)


def test_a_connection_that_breaks_in_the_middle(streamer: Streamer) -> None:
    class Cut(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", "100000")
            self.end_headers()
            self.wfile.write(data(CHUNK))
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Cut)
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        with Client(f"http://127.0.0.1:{http.server_port}") as client:
            events = client.chat_completion(MESSAGES, stream=True)
            assert next(events).id == "1"
            with pytest.raises(APIConnectionError):
                next(events)
    finally:
        http.shutdown()
        http.server_close()


def test_without_stream_the_answer_is_whole(flavour: Any, server: Any, answer: Any) -> None:
    whole = {"id": "1", "created": 0, "model": "m", "system_fingerprint": "f", "choices": []}
    whole["usage"] = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    server.answer(answer(whole))
    assert flavour.call(server.url, "chat_completion", MESSAGES).id == "1"
    assert "stream" not in server.last.json


def test_signatures_tell_the_two_apart() -> None:
    for client in (Client, AsyncClient):
        for method in (client.chat_completion, client.text_generation):
            assert inspect.signature(method).parameters["stream"].annotation == "bool | None"
            assert "Stream[" in str(inspect.signature(method).return_annotation)
        assert "Stream" not in str(inspect.signature(client.summarization).return_annotation)
