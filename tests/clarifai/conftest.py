"""Real servers that speak Clarifai's way: one a module with models that can be foreseen, or one of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.server.live import Live, Serve, serving
from tests.support.server import DEMO_SERVER, TOKEN, running_server

from .asking import Alike, Boxes, Scores, Shown
from .calling import Call, calling
from .judge import Judge


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers: `serve(handler, …, setting=…)`; all of them end with the test."""
    with serving() as start:
        yield start


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    """A server with handlers that answer what a test can foresee."""
    with serving() as start:
        yield start(Scores(), Shown(), Boxes(), Alike(), max_queue=16)


@pytest.fixture
def call() -> Iterator[Call]:
    """Starts servers that speak gRPC: `call(handler, …, setting=…)`; all of them end with the test."""
    with ExitStack() as ends:
        yield lambda *handlers, **options: ends.enter_context(calling(*handlers, **options))


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """Clarifai's own client of a server with the demo models, which fetches from this machine."""
    with running_server((*DEMO_SERVER, "--fetch", "127.0.0.1")) as url, closing(Judge(url, TOKEN)) as judge:
        yield judge


@pytest.fixture
def site() -> Iterator[Callable[[str, bytes | None], str]]:
    """Serves files on this machine: `site(path, content)` is the URL of one, which is not there if it has none."""
    files: dict[str, bytes | None] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    def url(path: str, content: bytes | None) -> str:
        files[path] = content
        return f"http://127.0.0.1:{server.server_port}{path}"

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield url
        server.shutdown()
        thread.join()
