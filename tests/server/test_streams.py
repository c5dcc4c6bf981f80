"""Streamed answers of the server: one step of the model at a time, ended with whoever asked for them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from inference_tasks import (
    AsyncClient,
    Client,
    RateLimitError,
    ServerError,
    StreamError,
    UnprocessableEntityError,
)
from inference_tasks._runtime.server.batcher import run_batch
from inference_tasks._runtime.server.problems import Abandoned
from inference_tasks.models.text_generation import TextGenerationInput, TextGenerationOutput
from inference_tasks.server import RequestProblem, TextGenerationHandler

from .live import Serve, until


class Counter(TextGenerationHandler):
    """Counts up to the number that it is asked for; notes each step, and every stream that was closed early."""

    deterministic = False

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.closed: list[str] = []
        self.threads: set[str] = set()

    def __call__(self, request: TextGenerationInput) -> TextGenerationOutput:
        name, _, count = request.inputs.partition(" ")
        for number in range(int(count or 1)):
            self.steps.append(f"{name} {number}")
            time.sleep(0.005 if count else 0)
            try:
                self.pause()
            except Abandoned:
                self.closed.append(name)
                raise
        return TextGenerationOutput(generated_text=request.inputs)

    def stream(self, request: TextGenerationInput) -> Iterator[Any]:
        name, _, count = request.inputs.partition(" ")
        if name == "refuse":
            raise RequestProblem("is refused", field="inputs")
        if name == "crash":
            raise ValueError("secret detail")
        try:
            for number in range(int(count)):
                self.threads.add(threading.current_thread().name)
                self.steps.append(name)
                if number == 2 and name == "break":
                    raise RequestProblem("the bound was reached")
                if number == 2 and name == "fail":
                    raise ValueError("secret detail")
                time.sleep(0.002)
                self.pause()  # as models do in each forward pass
                token = {"id": number, "text": f"{number} " if name != "odd" else number, "logprob": -1.0}
                yield {"index": number, "token": {**token, "special": False}}
        except GeneratorExit:
            self.closed.append(name)
            raise


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def url(serve: Serve, counter: Counter) -> str:
    return serve(counter, max_queue=3).url


def texts(events: Any) -> list[str]:
    return [event.token.text for event in events]


def test_the_pieces_come_in_order(url: str, counter: Counter) -> None:
    with Client(url, strict_responses=True) as client:
        with client.text_generation("a 5", stream=True) as events:
            assert texts(events) == ["0 ", "1 ", "2 ", "3 ", "4 "]
        assert texts(client.text_generation("nothing 0", stream=True)) == []
    assert counter.closed == []
    assert len(counter.threads) == 1


def test_what_goes_over_the_wire(url: str) -> None:
    answer = httpx.post(f"{url}/tasks/text-generation", json={"inputs": "a 1", "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    token = '{"id":0,"text":"0 ","logprob":-1.0,"special":false}'
    assert answer.text == f'data: {{"index":0,"token":{token}}}\n\ndata: [DONE]\n\n'


def test_streams_and_whole_answers_take_turns(url: str, counter: Counter) -> None:
    async def run() -> None:
        async with AsyncClient(url) as client:

            async def streamed(name: str) -> int:
                async with await client.text_generation(f"{name} 40", stream=True) as events:
                    return len([event async for event in events])

            async def whole() -> None:
                await until_begun()
                await client.text_generation("w")

            async def until_begun() -> None:
                while not {"a", "b"} <= set(counter.steps):
                    await asyncio.sleep(0.001)

            counts = await asyncio.gather(streamed("a"), streamed("b"), whole())
            assert counts[:2] == [40, 40]

    asyncio.run(run())
    first_end = min(len(counter.steps) - 1 - counter.steps[::-1].index(name) for name in "ab")
    assert counter.steps.index("w 0") < first_end
    assert max(counter.steps.index(name) for name in "ab") < first_end


def test_a_stream_that_is_left_ends(url: str, counter: Counter) -> None:
    with Client(url) as client:
        with client.text_generation("long 100000", stream=True) as events:
            next(events)
        until(lambda: counter.closed == ["long"])
        count = len(counter.steps)
        assert client.text_generation("w").generated_text == "w"
        assert len(counter.steps) <= count + 1


def test_too_many_streams_are_refused(url: str, counter: Counter) -> None:
    with Client(url, max_retries=0) as client:
        streams = [client.text_generation(f"s{n} 100000", stream=True) for n in range(3)]
        with pytest.raises(RateLimitError, match="3 answers are streamed"):
            client.text_generation("one-more 5", stream=True)
        streams.pop().close()
        until(lambda: len(counter.closed) == 1)
        assert len(texts(client.text_generation("a 2", stream=True))) == 2
        for stream in streams:
            stream.close()


@pytest.mark.parametrize(("name", "error"), [("refuse", UnprocessableEntityError), ("crash", ServerError)])
def test_an_error_before_the_first_piece_has_a_status(url: str, name: str, error: type[Exception]) -> None:
    with Client(url, max_retries=0) as client:
        with pytest.raises(error) as caught:
            client.text_generation(f"{name} 5", stream=True)
        assert "secret" not in str(caught.value)
        assert len(texts(client.text_generation("a 2", stream=True))) == 2


@pytest.mark.parametrize(
    ("name", "message"), [("break", "the bound was reached"), ("fail", "internal error"), ("odd", "internal error")]
)
def test_an_error_in_mid_stream_is_typed(url: str, name: str, message: str) -> None:
    with Client(url, max_retries=0) as client:
        found = []
        with pytest.raises((StreamError, ServerError), match=message) as caught:
            for event in client.text_generation(f"{name} 5", stream=True):
                found.append(event.token.text)
        assert found == ([] if name == "odd" else ["0 ", "1 "])
        assert "secret" not in str(caught.value)


def test_a_model_that_cannot_stream_says_so(serve: Serve) -> None:
    class Whole(TextGenerationHandler):
        def __call__(self, request: TextGenerationInput) -> TextGenerationOutput:
            return TextGenerationOutput(generated_text="x")

    with Client(serve(Whole()).url) as client:
        with pytest.raises(UnprocessableEntityError, match="not supported by this model") as caught:
            client.text_generation("x", stream=True)
        assert [field.field for field in caught.value.fields] == ["stream"]
        assert client.text_generation("x").generated_text == "x"


def test_a_step_has_a_deadline(serve: Serve) -> None:
    class Slow(Counter):
        def stream(self, request: TextGenerationInput) -> Iterator[Any]:
            yield from super().stream(request)
            time.sleep(1)
            yield {}

    client = Client(serve(Slow(), deadline=0.4).url, max_retries=0)
    with client, pytest.raises(StreamError, match=r"no answer within 0\.4 seconds"):
        list(client.text_generation("a 2", stream=True))


def test_a_long_whole_answer_lets_streams_go_on(url: str, counter: Counter) -> None:
    with Client(url) as client, ThreadPoolExecutor(1) as threads:
        whole = threads.submit(client.text_generation, "long 100")
        until(lambda: "long 3" in counter.steps)
        with client.text_generation("short 5", stream=True) as events:
            assert len(texts(events)) == 5
        assert not whole.done()
        assert whole.result().generated_text == "long 100"
    assert counter.steps.index("short") < counter.steps.index("long 99")


def test_a_whole_answer_is_told_that_nobody_waits_for_it(url: str, counter: Counter) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{url}/tasks/text-generation", json={"inputs": "long 400"}, timeout=0.1)
    until(lambda: counter.closed == ["long"])
    assert "long 399" not in counter.steps


def test_who_leaves_a_whole_answer_takes_no_stream_along(url: str, counter: Counter) -> None:
    with Client(url) as client, ThreadPoolExecutor(1) as threads:
        leaving = threads.submit(httpx.post, f"{url}/tasks/text-generation", json={"inputs": "long 400"}, timeout=0.3)
        until(lambda: "long 3" in counter.steps)
        with client.text_generation("short 200", stream=True) as events:
            assert len(texts(events)) == 200
        with pytest.raises(httpx.ReadTimeout):
            leaving.result()
    assert counter.closed == ["long"]
    assert "long 399" not in counter.steps


def test_items_of_a_batch_that_failed_are_tried_without_those_nobody_waits_for() -> None:
    asked: list[str] = []

    class Fails(Counter):
        def batch(self, inputs: Any, parameters: Any) -> Any:
            asked.append(" ".join(request.inputs for request in inputs))
            if len(inputs) > 1:
                raise ValueError
            return super().batch(inputs, parameters)

    def pause(places: Sequence[int]) -> list[int]:
        if list(places) == [1]:
            raise Abandoned
        return [place for place in places if place == 1]

    requests = [TextGenerationInput(inputs=name) for name in "abc"]
    first, second, third = run_batch(Fails(), requests, None, pause)
    assert (first.generated_text, third.generated_text) == ("a", "c")
    assert isinstance(second, Abandoned)
    assert asked == ["a b c", "a", "c"]
