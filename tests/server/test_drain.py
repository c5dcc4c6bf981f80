"""SIGTERM while answers are under way: they are finished within the bound, and nothing new begins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from inference_tasks._runtime.server.ports import listen
from inference_tasks._runtime.server.run import serve
from inference_tasks._runtime.server.settings import Serving
from inference_tasks.server import create_app
from tests.server.test_streams import Counter

settings = Serving(finish=float(sys.argv[1]), drain=float(sys.argv[2]))
socket = listen("127.0.0.1", 0)
print(socket.getsockname()[1], flush=True)
serve(create_app([Counter()], settings=settings), socket, settings)
"""
PATH = "/models/text-generation"
STEPS = 400  # of two milliseconds and more

Start = Callable[..., tuple["subprocess.Popen[str]", httpx.Client]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a server of counting streams in a process of its own: `start(finish=…, drain=…)`."""
    with ExitStack() as ends:

        def start(finish: float = 30, drain: float = 0) -> tuple[subprocess.Popen[str], httpx.Client]:
            process = ends.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", PROGRAM, str(finish), str(drain)],
                    cwd=ROOT,
                    env=os.environ | {"PYTHONPATH": str(ROOT)},
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            ends.callback(process.kill)
            assert process.stdout is not None
            url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
            headers = {"x-wait-for-model": "true"}
            client = httpx.Client(base_url=url, timeout=30, trust_env=False, headers=headers)
            ends.callback(client.close)
            return process, client

        yield start


def events(answer: httpx.Response) -> Iterator[str]:
    return (line for line in answer.iter_lines() if line)


@pytest.mark.parametrize("drain", [0, 0.3])
def test_streams_under_way_are_finished(start: Start, drain: float) -> None:
    process, client = start(drain=drain)
    with ExitStack() as streams:
        payloads = [{"inputs": f"{name} {STEPS}", "stream": True} for name in ("one", "two")]
        answers = [streams.enter_context(client.stream("POST", PATH, json=payload)) for payload in payloads]
        all_found = [events(answer) for answer in answers]
        assert all(next(found).startswith("data: {") for found in all_found)
        process.send_signal(signal.SIGTERM)
        for found in all_found:
            rest = list(found)
            assert len(rest) == STEPS
            assert rest[-1] == "data: [DONE]"
    assert process.wait(10) == 0


def test_nothing_new_begins(start: Start) -> None:
    process, client = start()
    with client.stream("POST", PATH, json={"inputs": f"slow {STEPS}", "stream": True}) as answer:
        found = events(answer)
        next(found)
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 5
        with httpx.Client(base_url=client.base_url, trust_env=False) as other, pytest.raises(httpx.ConnectError):
            while time.monotonic() < deadline:
                with suppress(httpx.ReadError, httpx.RemoteProtocolError):  # it came just when the door was shut
                    other.get("/health", headers={"connection": "close"})
        assert list(found)[-1] == "data: [DONE]"
    assert process.wait(10) == 0


def test_a_stream_without_end_is_cut_at_the_bound(start: Start) -> None:
    process, client = start(finish=1)
    begun = time.monotonic()
    with client.stream("POST", PATH, json={"inputs": "slow 1000000", "stream": True}) as answer:
        found = events(answer)
        next(found)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(httpx.RemoteProtocolError):
            list(found)  # the client must see that this was not the end
    assert process.wait(10) == 0
    assert 1 <= time.monotonic() - begun < 10


def test_a_whole_answer_without_end_is_told_so_at_the_bound(start: Start) -> None:
    process, client = start(finish=1)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(client.post, PATH, json={"inputs": "slow 1000000"})
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        found = answer.result()
    assert (found.status_code, found.json()) == (503, {"error": "the server is ending"})
    assert found.headers["retry-after"] == "1"
    assert process.wait(10) == 0
