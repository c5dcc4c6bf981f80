"""Handlers whose ``__call__`` is a coroutine function: they run in the event loop, several at once."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from inference_tasks import AsyncClient, Client, ServerError, UnprocessableEntityError
from inference_tasks.models.text_classification import TextClassificationOutputElement, TextClassificationParameters
from inference_tasks.server import RequestProblem, TextClassificationHandler

from .live import Serve, until


class Waits(TextClassificationHandler):
    """Answers after a while with how many it was answering."""

    max_batch = 4
    deterministic = False

    def __init__(self) -> None:
        self.running = self.most = 0
        self.threads: set[str] = set()
        self.cancelled = 0
        self.loaded = ""

    def load(self) -> None:
        self.loaded = threading.current_thread().name

    async def __call__(
        self, inputs: str, parameters: TextClassificationParameters
    ) -> list[TextClassificationOutputElement]:
        self.threads.add(threading.current_thread().name)
        if inputs == "refuse":
            raise RequestProblem("is refused", field="inputs")
        if inputs == "crash":
            raise ValueError("secret detail")
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(30 if inputs == "long" else 0.05)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return [TextClassificationOutputElement(label=inputs, score=float(parameters.top_k or 0))]


def test_they_wait_together_up_to_the_batch(serve: Serve) -> None:
    handler = Waits()
    live = serve(handler)

    async def run() -> list[Any]:
        async with AsyncClient(live.url) as client:
            return await asyncio.gather(*(client.text_classification(f"t{n}", top_k=1 + n) for n in range(12)))

    found = asyncio.run(run())
    assert [(labels[0].label, labels[0].score) for labels in found] == [(f"t{n}", 1.0 + n) for n in range(12)]
    assert handler.most == 4
    assert len(handler.threads) == 1
    assert handler.loaded not in handler.threads


@pytest.mark.parametrize(("text", "error"), [("refuse", UnprocessableEntityError), ("crash", ServerError)])
def test_their_errors_are_told(serve: Serve, text: str, error: type[Exception]) -> None:
    with Client(serve(Waits()).url, max_retries=0) as client:
        with pytest.raises(error) as caught:
            client.text_classification(text)
        assert "secret" not in str(caught.value)
        assert client.text_classification("x")[0].label == "x"


def test_a_client_that_leaves_cancels_its_call(serve: Serve) -> None:
    handler = Waits()
    live = serve(handler)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(_ask(live.url), 0.5))
    until(lambda: handler.cancelled == 1)
    assert live.text("x").json()[0]["label"] == "x"


async def _ask(url: str) -> None:
    async with AsyncClient(url) as client:
        await client.text_classification("long")
