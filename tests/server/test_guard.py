"""Connections that come in numbers or never get to the point, and pages of other origins."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn

from inference_tasks._runtime.server.run import config_of, listen
from inference_tasks._runtime.server.settings import Serving
from inference_tasks.server import Settings, create_app

from .live import Echo, Gate, Serve, until

TEXT = "/tasks/text-classification"
Start = Callable[..., int]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the server that the command runs, with the given settings; answers its port."""
    with contextlib.ExitStack() as ends:

        def start(handler: Echo, **options: float) -> int:
            settings = Serving(**options)  # type: ignore[arg-type]
            app = create_app([handler], settings=settings)
            found = listen("127.0.0.1", 0)
            server = uvicorn.Server(config_of(app, settings))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [found]}, daemon=True)
            thread.start()
            ends.callback(lambda: (setattr(server, "should_exit", True), thread.join(10), found.close()))
            until(lambda: server.started)
            return int(found.getsockname()[1])

        yield start


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def received(raw: socket.socket) -> bytes:
    """Everything until the server ends the connection."""
    chunks: list[bytes] = []
    with contextlib.suppress(ConnectionResetError):
        while chunk := raw.recv(4096):
            chunks.append(chunk)
    return b"".join(chunks)


def test_one_connection_too_many_is_503_until_another_ends(start: Start) -> None:
    port = start(Echo(), max_connections=2)
    with connect(port) as first, connect(port) as second:
        for raw in (first, second):
            raw.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            assert raw.recv(4096).startswith(b"HTTP/1.1 200")
        with connect(port) as third:
            third.sendall(b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100_000)
            answer = received(third)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1\r\n" in answer
        assert b'{"error": "the server is busy' in answer
        answer = httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        first.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert first.recv(4096).startswith(b"HTTP/1.1 200"), "those that are in are served on"
        second.close()
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200)


def trickle(raw: socket.socket, data: bytes) -> bytes:
    """What the server answers while `data` goes out a byte at a time, until it ends the connection."""
    raw.settimeout(0.02)
    answer = b""
    for byte in data:
        try:
            raw.sendall(bytes([byte]))
            if not (chunk := raw.recv(4096)):
                return answer
            answer += chunk
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return answer
    raise AssertionError("the server has waited for all of it")


def test_a_head_that_trickles_is_cut_off(start: Start) -> None:
    port = start(Echo(), header_timeout=0.4)
    begun = time.monotonic()
    with connect(port) as raw:
        answer = trickle(raw, b"GET /health HTTP/1.1\r\nx: " + b"y" * 1000)
    assert answer.startswith(b"HTTP/1.1 408")
    assert 0.35 < time.monotonic() - begun < 5


def test_a_connection_that_says_nothing_is_ended(start: Start) -> None:
    port = start(Echo(), header_timeout=0.2)
    with connect(port) as raw:
        assert received(raw) == b""
    with connect(port) as raw:
        assert trickle(raw, b"\r\n" * 500) == b"", "blank lines are no request"


def test_the_second_head_has_a_deadline_too(start: Start) -> None:
    port = start(Echo(), header_timeout=0.4)
    with connect(port) as raw:
        raw.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 200")
        assert trickle(raw, b"GET /health HTTP/1.1\r\nx: " + b"y" * 1000).startswith(b"HTTP/1.1 408")


def test_a_body_after_the_answer_does_not_hold_the_connection(start: Start) -> None:
    port = start(Echo(), header_timeout=0.4)
    with connect(port) as raw:
        raw.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
        assert trickle(raw, b"x" * 900).startswith(b"HTTP/1.1 200")


def test_a_slow_answer_is_not_cut_off(start: Start) -> None:
    handler = Echo(gate=Gate())
    port = start(handler, header_timeout=0.2)
    body = b'{"inputs": "hold"}'
    head = f"POST {TEXT} HTTP/1.1\r\nhost: x\r\nx-wait-for-model: 1\r\ncontent-length: {len(body)}\r\n\r\n"
    with connect(port) as raw:
        # The second one waits behind the first, and for longer than a head may take.
        raw.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n" + head.encode() + body)
        assert handler.gate.entered.wait(10)
        assert not threading.Event().wait(0.6)
        handler.gate.opened.set()
        answers = received(raw)
    assert answers.count(b"HTTP/1.1 200") == 2


SIZE = 15_000_000
LARGE = b'{"inputs": "' + b"x" * SIZE + b'"}'


def ask_much(port: int) -> socket.socket:
    """A connection on which a large answer is on its way, more than fits into the buffers between."""
    raw = socket.socket()
    raw.settimeout(30)
    raw.connect(("127.0.0.1", port))
    head = f"POST {TEXT} HTTP/1.1\r\nhost: x\r\nx-wait-for-model: 1\r\ncontent-length: {len(LARGE)}\r\n\r\n"
    raw.sendall(head.encode() + LARGE)
    return raw


def test_an_answer_that_nobody_reads_is_given_up(start: Start) -> None:
    handler = Echo()
    port = start(handler, read_timeout=0.3, max_connections=1)
    with ask_much(port) as raw:
        until(lambda: bool(handler.batches))
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200)
        assert len(received(raw)) < SIZE


def test_an_answer_that_is_read_slowly_arrives(start: Start) -> None:
    port = start(Echo(), read_timeout=1, header_timeout=1)
    total = 0
    with ask_much(port) as raw:
        begun = time.monotonic()
        while chunk := raw.recv(200_000):
            total += len(chunk)
            assert not threading.Event().wait(0.05)
    assert total > SIZE
    assert time.monotonic() - begun > 3, "it took longer than either timeout"


# ------------------------------------------------------------------------------------------------ other origins

ORIGIN = "https://play.example"


def test_pages_of_other_origins_may_not_ask_by_default(serve: Serve, echo: Echo) -> None:
    live = serve(echo)
    answer = live.text("x", origin=ORIGIN)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = {"origin": ORIGIN, "access-control-request-method": "POST"}
    assert live.client.options(TEXT, headers=preflight).status_code == 405


def test_pages_of_named_origins_may(serve: Serve, echo: Echo) -> None:
    live = serve(echo, cors=(ORIGIN, "http://localhost:3000"), token="s3cret")
    wanted = "authorization,content-type,x-wait-for-model"
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": wanted}
    for origin, status in ((ORIGIN, 200), ("http://localhost:3000", 200), ("https://evil.example", 400)):
        answer = live.client.options(TEXT, headers={"origin": origin, **preflight})
        assert answer.status_code == status
        assert answer.headers.get("access-control-allow-origin") == (origin if status == 200 else None)
        assert "x-request-id" in answer.headers
    answer = live.text("x", origin=ORIGIN, authorization="Bearer s3cret")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "retry-after" in answer.headers["access-control-expose-headers"]
    refused = live.text("x", origin=ORIGIN)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in live.text("x", origin="https://evil.example").headers


@pytest.mark.parametrize("origin", ["example.org", "https://example.org/", "https://a.example/path", "https://", ""])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        create_app([Echo()], settings=Settings(cors=(origin,)))
