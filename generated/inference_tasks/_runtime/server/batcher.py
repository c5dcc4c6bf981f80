"""Batching without a timer: whatever waits when the model is free is taken together."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .handler import Handler, takes
from .metrics import Metrics
from .problems import Abandoned, busy
from .trace import Trace
from .worker import Worker


@dataclass(eq=False, slots=True)
class Item:
    """One request that waits; `group` is equal for items that may be batched together."""

    inputs: Any
    parameters: Any
    group: bytes
    trace: Trace | None
    future: asyncio.Future[Any]
    since: float = field(default_factory=time.perf_counter)


class Batcher:
    """The queue before one model.

    Used from the event loop; only :func:`run_batch` and `_pause` run in the model's thread.
    """

    def __init__(
        self, handler: Handler[Any, Any, Any], name: str, worker: Worker, limit: int, metrics: Metrics
    ) -> None:
        self.handler = handler
        self.worker = worker
        self.streams = 0
        """How many streamed answers are under way."""
        self._name = name
        self._limit = limit
        self._metrics = metrics
        self._waiting: deque[Item] = deque()
        self._busy = False
        self._pausing = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def active(self) -> bool:
        """Whether something waits, is computed or is streamed."""
        return self._busy or bool(self._waiting) or self.streams > 0

    def admit_stream(self) -> None:
        """Raises RequestProblem (429) if as many streams are under way as requests may wait."""
        if self.streams >= self._limit:
            raise busy(f"{self.streams} answers are streamed")

    def submit(self, inputs: Any, parameters: Any, group: bytes, trace: Trace | None = None) -> asyncio.Future[Any]:
        """The answer, to be; cancel it to leave the queue. `trace` is told how it goes.

        Raises RequestProblem (429) if the queue is full.
        """
        if len(self._waiting) >= self._limit:
            self._waiting = deque(item for item in self._waiting if not item.future.done())
            if len(self._waiting) >= self._limit:
                raise busy(f"{self._limit} requests are waiting")
        item = Item(inputs, parameters, group, trace, asyncio.get_running_loop().create_future())
        self._waiting.append(item)
        self._start()
        return item.future

    def _start(self) -> None:
        if self._busy:
            return
        batch = self._take()
        if not batch:
            return
        self._busy = True
        now = time.perf_counter()
        self._metrics.batch(self._name, len(batch), now - batch[0].since)
        for item in batch:
            if item.trace is not None:
                item.trace.batch = len(batch)
                item.trace.mark("queue")
        inputs, parameters = [item.inputs for item in batch], batch[0].parameters

        pause = partial(self._pause, batch)
        running = self.worker.run(lambda: run_batch(self.handler, inputs, parameters, pause))
        running.add_done_callback(lambda done: self._finish(batch, done, now))

    def _pause(self, batch: list[Item], places: Sequence[int]) -> list[int]:
        """What `Handler.pause` does in the model's thread, while it computes the items of `batch` at `places`."""
        if self._pausing:
            return []  # it is a step of a stream that pauses, which has its turn just now and is none of these items
        self._pausing = True
        try:
            self.worker.give_way()
        finally:
            self._pausing = False
        gone = [index for index, place in enumerate(places) if batch[place].future.done()]
        if len(gone) == len(places):
            raise Abandoned
        return gone

    def _take(self) -> list[Item]:
        """The oldest item and those that may go with it, in order; abandoned ones are dropped on the way."""
        batch: list[Item] = []
        others: list[Item] = []
        while self._waiting and len(batch) < max(1, self.handler.max_batch):
            item = self._waiting.popleft()
            if item.future.done():
                continue
            (batch if not batch or item.group == batch[0].group else others).append(item)
        self._waiting.extendleft(reversed(others))
        return batch

    def _finish(self, batch: list[Item], done: asyncio.Future[list[Any]], since: float) -> None:
        self._busy = False
        self._metrics.inference(self._name, time.perf_counter() - since)
        results = done.result() if not (done.cancelled() or done.exception()) else None
        for index, item in enumerate(batch):
            if item.future.done():
                continue
            if item.trace is not None:
                item.trace.mark("inference")
            result = results[index] if results is not None else done.exception() or RuntimeError("the model stopped")
            if isinstance(result, StopIteration) or (
                isinstance(result, BaseException) and not isinstance(result, Exception)
            ):
                result = RuntimeError(f"the handler ended with {type(result).__name__}")
            if isinstance(result, Exception):
                item.future.set_exception(result)
            else:
                item.future.set_result(result)
        self._start()


class Coroutines(Batcher):
    """The same before a handler whose ``__call__`` is a coroutine function: answers run in the event loop, together.

    Up to `max_batch` of them do so at once.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._running = 0
        self._split = takes(self.handler.binding) == "split"

    @property
    def active(self) -> bool:
        return super().active or self._running > 0

    def _start(self) -> None:
        while self._waiting and self._running < max(1, self.handler.max_batch):
            item = self._waiting.popleft()
            if not item.future.done():
                self._running += 1
                task = asyncio.ensure_future(self._answer(item))
                item.future.add_done_callback(partial(_left, task))

    async def _answer(self, item: Item) -> None:
        since = time.perf_counter()
        self._metrics.batch(self._name, 1, since - item.since)
        if item.trace is not None:
            item.trace.batch = 1
            item.trace.mark("queue")
        arguments = (item.inputs, item.parameters) if self._split else (item.inputs,)
        try:
            result = await self.handler(*arguments)
        except Exception as error:
            if not item.future.done():
                item.future.set_exception(error)
        else:
            if not item.future.done():
                item.future.set_result(result)
        finally:
            if item.trace is not None:
                item.trace.mark("inference")
            self._metrics.inference(self._name, time.perf_counter() - since)
            self._running -= 1
            self._start()


def _left(task: asyncio.Task[None], future: asyncio.Future[Any]) -> None:
    """Stop what nobody waits for any more."""
    if future.cancelled():
        task.cancel()


def batcher_of(handler: Handler[Any, Any, Any], *arguments: Any) -> Batcher:
    """The queue that goes with a handler; see :class:`Batcher` for its other `arguments`."""
    kind = Coroutines if inspect.iscoroutinefunction(type(handler).__call__) else Batcher
    return kind(handler, *arguments)


def run_batch(
    handler: Handler[Any, Any, Any],
    inputs: Sequence[Any],
    parameters: Any,
    pause: Callable[[Sequence[int]], Sequence[int]] | None = None,
    places: Sequence[int] = (),
) -> list[Any]:
    """One answer or exception for each of `inputs`; items of a batch that failed as a whole are tried one by one.

    `pause` is what the handler's own does meanwhile; it is told the `places` of the items that are computed.
    """
    places = places or range(len(inputs))
    handler.pausing = None if pause is None else partial(pause, places)
    try:
        if len(places) == 1:
            handler.pause()  # to leave it at once if nobody waits for it
        results = list(handler.batch(inputs, parameters))
    except Exception as error:
        if len(inputs) == 1 or isinstance(error, Abandoned):
            return [error] * len(inputs)
        return [run_batch(handler, [item], parameters, pause, [place])[0] for place, item in enumerate(inputs)]
    finally:
        handler.pausing = None
    if len(results) != len(inputs):
        return [RuntimeError(f"the handler answered {len(results)} of {len(inputs)} items")] * len(inputs)
    return results
