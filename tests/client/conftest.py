"""Real servers that answer from a script and record what they are sent, and both clients behind one face."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from inference_tasks import AsyncClient, Client

CERTIFICATE = Path(__file__).parent / "localhost.pem"
LABELS = [{"label": "cat", "score": 0.9}, {"label": "dog", "score": 0.1}]


@dataclass
class Seen:
    """One request that a server got. Header names are lower-case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """One response that a server gives."""

    body: Any = field(default_factory=lambda: LABELS)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Server:
    """A real HTTP server on the loopback interface. It gives `answers` in turn, the last one for ever.

    With a `certificate`, a file that holds its key too, it speaks TLS.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.seen: list[Seen] = []
        self.answers: list[Answer] = [Answer()]
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                server.seen.append(Seen(self.command, self.path, headers, body))
                answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                if answer.status == 0:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in {"content-type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = reply  # noqa: N815 (the base class looks for these names)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Listener(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._http = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self._http.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def last(self) -> Seen:
        return self.seen[-1]

    def answer(self, *answers: Answer) -> None:
        self.answers = list(answers)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    """The server that the client talks to."""
    running = Server()
    yield running
    running.close()


@pytest.fixture
def other() -> Iterator[Server]:
    """A server of another origin: same host, other port."""
    running = Server()
    yield running
    running.close()


@pytest.fixture
def https() -> Iterator[str]:
    """The address of a server with a certificate that nobody knows."""
    running = Server(CERTIFICATE)
    yield running.url
    running.close()


@dataclass
class Flavour:
    """Client or AsyncClient: `call` makes a client, calls one method and closes it; `slept` are the pauses it took."""

    is_async: bool
    slept: list[float] = field(default_factory=list)

    @property
    def cls(self) -> Any:
        return AsyncClient if self.is_async else Client

    def client(self, url: str | None, **settings: Any) -> Any:
        client = self.cls(url, **settings)
        client._sleep = self._pause if self.is_async else self.slept.append
        return client

    def call(
        self, url: str | None, method: str, *args: Any, settings: Mapping[str, Any] | None = None, **kw: Any
    ) -> Any:
        client = self.client(url, **(settings or {}))
        if not self.is_async:
            with client:
                return getattr(client, method)(*args, **kw)

        async def run() -> Any:
            async with client:
                return await getattr(client, method)(*args, **kw)

        return asyncio.run(run())

    async def _pause(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture(params=["sync", "async"])
def flavour(request: pytest.FixtureRequest) -> Flavour:
    """Every test that uses it runs for Client and for AsyncClient."""
    return Flavour(request.param == "async")


@pytest.fixture
def answer() -> type[Answer]:
    """The class of a scripted answer."""
    return Answer


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches a test."""
    for name in ("INFERENCE_TASKS_URL", "INFERENCE_TASKS_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
