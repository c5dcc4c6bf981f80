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
    Iterator,
    Sequence,
)
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from .errors import InferenceError
from .progress import Progress

In = TypeVar("In")
Out = TypeVar("Out")


def in_threads(
    call: Callable[[list[In]], Sequence[Out | InferenceError]],
    inputs: Iterable[In],
    concurrency: int,
    *,
    per_call: int = 1,
    keep_errors: bool,
    progress: bool,
) -> Generator[Out | InferenceError, None, None]:
    """The results that ``call`` has for `inputs`, in their order, in up to `concurrency` threads.

    It is called with up to `per_call` of them, and has a result or an error for each, or else one error for all. With
    `keep_errors` errors stand in place of results; without it the first is raised and the calls that were not begun
    are dropped. `progress` shows a bar on a terminal.
    """
    _check(concurrency)
    shown = Progress(inputs, progress)
    waiting: deque[tuple[int, Future[Sequence[Out | InferenceError]]]] = deque()
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="inference-map")
    todo = _parcels(inputs, per_call)
    wait = True
    try:
        while True:
            # As many are ready or at work as there are threads, and as many wait behind them.
            for parcel in islice(todo, 2 * concurrency - len(waiting)):
                waiting.append((len(parcel), pool.submit(call, parcel)))
            if not waiting:
                return
            count, future = waiting.popleft()
            try:
                results = future.result()
            except InferenceError as error:
                results = [error] * count
            for result in results:
                yield _kept(result, keep_errors)
                shown.step()
    except KeyboardInterrupt:
        wait = False  # for calls that nobody wants any more
        raise
    finally:
        pool.shutdown(wait=wait, cancel_futures=True)
        shown.close()


async def in_tasks(
    call: Callable[[list[In]], Awaitable[Sequence[Out | InferenceError]]],
    inputs: Iterable[In] | AsyncIterable[In],
    concurrency: int,
    *,
    per_call: int = 1,
    keep_errors: bool,
    progress: bool,
) -> AsyncGenerator[Out | InferenceError, None]:
    """The same for asyncio, with tasks for threads."""
    _check(concurrency)
    shown = Progress(inputs, progress)
    waiting: deque[tuple[int, asyncio.Task[Sequence[Out | InferenceError]]]] = deque()
    turns = asyncio.Semaphore(concurrency)
    todo = (
        _async_parcels(inputs, per_call) if isinstance(inputs, AsyncIterable) else _slowly(_parcels(inputs, per_call))
    )

    async def run(parcel: list[In]) -> Sequence[Out | InferenceError]:
        async with turns:
            return await call(parcel)

    try:
        while True:
            while len(waiting) < 2 * concurrency:
                try:
                    parcel = await anext(todo)
                except StopAsyncIteration:
                    break
                waiting.append((len(parcel), asyncio.ensure_future(run(parcel))))
            if not waiting:
                return
            count, task = waiting.popleft()
            try:
                results = await task
            except InferenceError as error:
                results = [error] * count
            for result in results:
                yield _kept(result, keep_errors)
                shown.step()
    finally:
        for _, task in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
        shown.close()


def _kept(result: Out | InferenceError, keep_errors: bool) -> Out | InferenceError:
    if isinstance(result, InferenceError) and not keep_errors:
        raise result
    return result


def _parcels(inputs: Iterable[In], size: int) -> Iterator[list[In]]:
    todo = iter(inputs)
    while parcel := list(islice(todo, size)):
        yield parcel


async def _async_parcels(inputs: AsyncIterable[In], size: int) -> AsyncIterator[list[In]]:
    parcel: list[In] = []
    async for item in inputs:
        parcel.append(item)
        if len(parcel) == size:
            yield parcel
            parcel = []
    if parcel:
        yield parcel


async def _slowly(inputs: Iterable[In]) -> AsyncIterator[In]:
    for item in inputs:
        yield item


def _check(concurrency: int) -> None:
    if concurrency < 1:
        raise ValueError(f"concurrency is {concurrency}; it must be at least 1")
