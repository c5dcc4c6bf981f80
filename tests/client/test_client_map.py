"""Many calls at once: order kept, errors kept where asked, never more at work or in memory than said."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from inference_tasks import AsyncClient, Client, InferenceError, InputError, UnprocessableEntityError
from tests.support.terminal import terminal


def mapped(flavour: Any, url: str, inputs: Any, **options: Any) -> list[Any]:
    if not flavour.is_async:
        with Client(url, max_retries=0) as client:
            return list(client.map(client.text_classification, inputs, **options))

    async def run() -> list[Any]:
        async with AsyncClient(url, max_retries=0) as client:
            return [item async for item in client.map(client.text_classification, inputs, **options)]

    return asyncio.run(run())


def test_results_come_in_the_order_of_the_inputs(flavour: Any, server: Any) -> None:
    texts = [f"text {number}" for number in range(40)]
    results = mapped(flavour, server.url, texts, concurrency=5, top_k=2)
    assert [labels[0].label for labels in results] == ["cat"] * 40
    assert sorted(seen.json["inputs"] for seen in server.seen) == sorted(texts)
    assert all(seen.json["parameters"] == {"top_k": 2} for seen in server.seen)


def test_an_error_takes_the_place_of_its_result_where_asked(flavour: Any, server: Any) -> None:
    results = mapped(flavour, server.url, ["good", 7, "good"], concurrency=2, keep_errors=True)
    assert isinstance(results[1], InputError)
    assert [result[0].label for result in (results[0], results[2])] == ["cat", "cat"]


def test_without_that_it_is_raised_and_the_rest_is_dropped(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer({"error": "no"}, status=422))
    with pytest.raises(UnprocessableEntityError):
        mapped(flavour, server.url, (f"text {number}" for number in range(1000)), concurrency=3)
    assert len(server.seen) <= 6


def test_inputs_are_taken_as_results_are_asked_for(server: Any) -> None:
    taken = []

    def inputs() -> Iterator[str]:
        for number in range(1000):
            taken.append(number)
            yield f"text {number}"

    with Client(server.url) as client:
        results = client.map(client.text_classification, inputs(), concurrency=4)
        assert taken == []
        next(results)
        assert len(taken) <= 9
        results.close()
        assert len(taken) <= 9


def test_no_more_run_at_once_than_said() -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def call(item: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.01)
        with lock:
            at_work -= 1
        return item

    with Client("http://127.0.0.1:9") as client:
        assert list(client.map(call, range(30), concurrency=3)) == list(range(30))
        assert 1 < most <= 3
        with pytest.raises(ValueError, match="concurrency is 0"):
            list(client.map(call, [1], concurrency=0))


def test_async_inputs_and_an_abandoned_map() -> None:
    began, cancelled = [], []

    async def call(item: int) -> int:
        began.append(item)
        try:
            await asyncio.sleep(0 if item < 2 else 60)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise
        return item

    async def inputs() -> Any:
        for number in range(100):
            yield number

    async def run() -> None:
        async with AsyncClient("http://127.0.0.1:9") as client:
            results = client.map(call, inputs(), concurrency=2)
            assert [await anext(results), await anext(results)] == [0, 1]
            await results.aclose()

    asyncio.run(run())
    assert len(began) <= 6
    assert cancelled == [item for item in began if item >= 2]


def test_errors_of_other_kinds_are_never_swallowed() -> None:
    def call(item: int) -> int:
        raise ZeroDivisionError

    with Client("http://127.0.0.1:9") as client, pytest.raises(ZeroDivisionError):
        list(client.map(call, [1], keep_errors=True))
    assert not issubclass(ZeroDivisionError, InferenceError)


MAP = """
import asyncio, sys
from inference_tasks import AsyncClient, Client
url, count = sys.argv[1], int(sys.argv[2])
texts = [f"text {number}" for number in range(count)]
def sync():
    with Client(url, max_retries=0) as client:
        return list(client.map(client.text_classification, texts, concurrency=1, progress=True))
async def run():
    async with AsyncClient(url, max_retries=0) as client:
        return [item async for item in client.map(client.text_classification, texts, concurrency=1, progress=True)]
found = asyncio.run(run()) if sys.argv[3] == "True" else sync()
print(len(found))
"""


def test_a_bar_is_shown_on_a_terminal_if_asked(flavour: Any, server: Any, answer: Any) -> None:
    arguments = (server.url, "20", str(flavour.is_async))
    with terminal(MAP, *arguments, program=(sys.executable, "-c")) as shown:
        assert shown.wait() == 0
    bar, number, _ = shown.screen
    assert bar.startswith("[####") and "100%  20/20" in bar
    assert number == "20"
    server.answer(*[answer()] * 10, answer({"error": "no"}, status=422))
    with terminal(MAP, *arguments, program=(sys.executable, "-c")) as shown:
        assert shown.wait() == 1
    bar, below, *_ = shown.screen
    assert "/20" in bar and "100%" not in bar
    assert below.startswith("Traceback")


def test_ctrl_c_does_not_wait_for_calls() -> None:
    began, go, ended = threading.Event(), threading.Event(), threading.Event()

    def call(item: int) -> None:
        began.set()
        go.wait(10)
        ended.set()

    def interrupt() -> None:
        began.wait(20)
        # A signal that comes just before the main thread begins to wait would not wake it.
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    with Client("http://127.0.0.1:9") as client:
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            list(client.map(call, range(10), concurrency=2))
        thread.join()
        assert not ended.is_set()
        go.set()
