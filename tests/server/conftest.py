"""A real server for each test: uvicorn in a thread, on a free port, spoken to over TCP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from inference_tasks._runtime.server.run import listen
from inference_tasks.server import Handler, Settings, create_app

from .live import Echo, Live, Serve

READY_SECONDS = 120


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers: `serve(handler, …, setting=…)`; all of them end with the test."""
    stops: list[Callable[[], None]] = []

    def start(*handlers: Handler[Any, Any, Any], wait: bool = True, **settings: Any) -> Live:
        app = create_app(handlers=handlers, settings=Settings(**settings))
        socket = listen("127.0.0.1", 0)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
        thread.start()
        port = socket.getsockname()[1]
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)

        def stop() -> None:
            client.close()
            server.should_exit = True
            thread.join(10)
            socket.close()

        stops.append(stop)
        live = Live(f"http://127.0.0.1:{port}", port, app, client)
        assert live.client.get("/health").status_code == 200
        end = time.monotonic() + READY_SECONDS
        while wait and (ready := live.client.get("/ready")).status_code != 200:
            assert "failed" not in ready.text and time.monotonic() < end, ready.text
            time.sleep(0.01)
        return live

    yield start
    for stop in stops:
        stop()


@pytest.fixture
def echo() -> Echo:
    return Echo()
