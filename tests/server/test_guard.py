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

from inference_tasks._runtime.server.ports import listen
from inference_tasks._runtime.server.run import config_of
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


def flood(raw: socket.socket, piece: bytes, most: int) -> tuple[int, bytes]:
    """How many bytes of endless `piece` the server takes, up to `most`, and what it answers."""
    raw.settimeout(10)
    sent = 0
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while sent < most:
            raw.sendall(piece)
            sent += len(piece)
    return sent, received(raw)


CHUNKED = f"POST {TEXT} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode()
FIELD = b"y: " + b"z" * 1000 + b"\r\n"


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"GET /health HTTP/1.1\r\n", FIELD),
        (b"GET /health HTTP/1.1\r\nx: ", b"y" * 1000),
        (b"GET /", b"y" * 1000),
        (b"", b"\r\n" * 1000),
        (CHUNKED + b"1\r\n{\r\n0\r\n", FIELD),
        (CHUNKED + b"1;", b"y" * 1000),
        (CHUNKED, b"1;" + b"y" * 1000 + b"\r\nx\r\n"),
    ],
    ids=["headers", "header", "path", "blank lines", "trailers", "chunk extension", "chunk extensions"],
)
def test_what_is_no_body_is_not_taken_without_end(start: Start, begin: bytes, piece: bytes) -> None:
    port = start(Echo())
    with connect(port) as raw:
        raw.sendall(begin)
        # The system's own buffers on both sides take some megabytes on their way.
        sent, answer = flood(raw, piece, 100_000_000)
    assert sent < 50_000_000
    assert b" 200 " not in answer
    assert httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200


def test_a_large_head_is_told_so(start: Start) -> None:
    port = start(Echo())
    with connect(port) as raw:
        raw.sendall(b"GET /health HTTP/1.1\r\n")
        assert not threading.Event().wait(0.1)
        raw.sendall(FIELD * 80)
        assert received(raw).startswith(b"HTTP/1.1 431")


def test_a_body_in_small_chunks_is_taken(start: Start) -> None:
    port = start(Echo(), receive_timeout=30)
    text = b'{"inputs": "' + b"x" * 100_000 + b'"}'
    with connect(port) as raw:
        raw.sendall(CHUNKED.replace(b"host: x", b"host: x\r\nx-wait-for-model: 1\r\nconnection: close"))
        for at in range(0, len(text), 10):
            raw.sendall(b"%x\r\n%b\r\n" % (len(text[at : at + 10]), text[at : at + 10]))
        raw.sendall(b"0\r\n\r\n")
        assert received(raw).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("framed", [False, True])
def test_an_endless_body_is_cut_off(start: Start, framed: bool) -> None:
    port = start(Echo(), max_body=100_000)
    head, piece = CHUNKED, b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    if not framed:
        head, piece = CHUNKED.replace(b"transfer-encoding: chunked", b"content-length: 90000000"), b"x" * 10_000
    with connect(port) as raw:
        raw.sendall(head)
        sent, answer = flood(raw, piece, 90_000_000)
    assert sent < 50_000_000
    assert answer.startswith(b"HTTP/1.1 413") or not answer
    assert httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200


def test_a_body_that_trickles_is_408(start: Start) -> None:
    port = start(Echo(), receive_timeout=0.4)
    begun = time.monotonic()
    with connect(port) as raw:
        raw.sendall(f"POST {TEXT} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n".encode())
        assert trickle(raw, b"x" * 900).startswith(b"HTTP/1.1 408")
    assert 0.35 < time.monotonic() - begun < 5


@pytest.mark.parametrize("token", ["", "authorization: Bearer wrong\r\n", "authorization: Basic czNjcmV0\r\n"])
def test_who_has_no_token_is_told_so_before_sending_anything(start: Start, token: str) -> None:
    port = start(Echo(), token="s3cret", max_connections=1)
    with connect(port) as raw:
        raw.sendall(f"POST {TEXT} HTTP/1.1\r\nhost: x\r\n{token}content-length: 1000000\r\n\r\n".encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 401")


def test_each_of_several_requests_on_a_connection_needs_its_token(start: Start) -> None:
    port = start(Echo(), token="s3cret")
    body = b'{"inputs": "x"}'
    head = f"POST {TEXT} HTTP/1.1\r\nhost: x\r\nx-wait-for-model: 1\r\ncontent-length: {len(body)}\r\n"
    allowed = (head + "authorization: Bearer s3cret\r\n\r\n").encode() + body
    denied = (head + "connection: close\r\n\r\n").encode() + body
    with connect(port) as raw:
        raw.sendall(allowed + allowed + denied)
        answers = received(raw)
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"401"]


def test_requests_are_not_taken_without_end_before_they_are_answered(start: Start) -> None:
    port = start(Echo())
    ask = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"
    with connect(port) as raw:
        raw.sendall(ask * 20)
        answers = b""
        while answers.count(b"HTTP/1.1 200") < 20:
            answers += raw.recv(4096)
    with connect(port) as raw:
        sent, _ = flood(raw, ask * 1000, 100_000_000)
    assert sent < 50_000_000
    assert httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200


@pytest.mark.parametrize(
    "extra", ["transfer-encoding: gzip, chunked\r\n", "content-length: 7\r\ntransfer-encoding: chunked\r\n"]
)
def test_bodies_of_two_minds_are_refused(start: Start, extra: str) -> None:
    port = start(Echo())
    with connect(port) as raw:
        raw.sendall(
            f"POST {TEXT} HTTP/1.1\r\nhost: x\r\n{extra}connection: close\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n".encode()
        )
        assert received(raw)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 415")


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
    port = start(handler, read_timeout=0.3, max_connections=1, max_characters=SIZE)
    with ask_much(port) as raw:
        until(lambda: bool(handler.batches))
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200)
        assert len(received(raw)) < SIZE


def test_an_answer_that_is_read_slowly_arrives(start: Start) -> None:
    port = start(Echo(), read_timeout=1, header_timeout=1, max_characters=SIZE)
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
