"""Many calls at once: results in the order of the inputs, a bounded number of them on the way.

Inputs are taken as results are asked for, so neither the inputs nor the results need fit into memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
)
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from .errors import InferenceError
from .progress import Progress

In = TypeVar("In")
Out = TypeVar("Out")


def in_threads(
    call: Callable[[In], Out], inputs: Iterable[In], concurrency: int, *, keep_errors: bool, progress: bool
) -> Generator[Out | InferenceError, None, None]:
    """``call`` of each of `inputs`, in their order, in up to `concurrency` threads.

    With `keep_errors` a call that fails gives its error in place of a result; without it the error is raised and
    the calls that were not begun are dropped. `progress` shows a bar on a terminal.
    """
    _check(concurrency)
    shown = Progress(inputs, progress)
    waiting: deque[Future[Out]] = deque()
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="inference-map")
    todo = iter(inputs)
    wait = True
    try:
        while True:
            # As many are ready or at work as there are threads, and as many wait behind them.
            for item in islice(todo, 2 * concurrency - len(waiting)):
                waiting.append(pool.submit(call, item))
            if not waiting:
                return
            try:
                yield waiting.popleft().result()
            except InferenceError as error:
                if not keep_errors:
                    raise
                yield error
            shown.step()
    except KeyboardInterrupt:
        wait = False  # for calls that nobody wants any more
        raise
    finally:
        pool.shutdown(wait=wait, cancel_futures=True)
        shown.close()


async def in_tasks(
    call: Callable[[In], Awaitable[Out]],
    inputs: Iterable[In] | AsyncIterable[In],
    concurrency: int,
    *,
    keep_errors: bool,
    progress: bool,
) -> AsyncGenerator[Out | InferenceError, None]:
    """The same for asyncio, with tasks for threads."""
    _check(concurrency)
    shown = Progress(inputs, progress)
    waiting: deque[asyncio.Task[Out]] = deque()
    turns = asyncio.Semaphore(concurrency)
    todo = inputs.__aiter__() if isinstance(inputs, AsyncIterable) else _slowly(inputs)

    async def run(item: In) -> Out:
        async with turns:
            return await call(item)

    try:
        while True:
            while len(waiting) < 2 * concurrency:
                try:
                    waiting.append(asyncio.ensure_future(run(await anext(todo))))
                except StopAsyncIteration:
                    break
            if not waiting:
                return
            try:
                yield await waiting.popleft()
            except InferenceError as error:
                if not keep_errors:
                    raise
                yield error
            shown.step()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        shown.close()


async def _slowly(inputs: Iterable[In]) -> AsyncIterator[In]:
    for item in inputs:
        yield item


def _check(concurrency: int) -> None:
    if concurrency < 1:
        raise ValueError(f"concurrency is {concurrency}; it must be at least 1")
