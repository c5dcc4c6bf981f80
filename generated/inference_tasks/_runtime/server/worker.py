"""A thread of one's own, awaited from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


class Worker:
    """Runs functions one after the other in one thread.

    The thread is a daemon: a model that never comes back must not keep the process from ending.
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        Thread(target=self._work, name=name, daemon=True).start()

    def run(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """The result of `function`, to be. Cancelling it keeps a function that has not begun from running."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            if future.cancelled():
                return
            result: Any = None
            failure: BaseException | None = None
            try:
                result = function()
            except BaseException as error:  # even SystemExit must reach the one who waits
                failure = error
            try:
                loop.call_soon_threadsafe(_settle, future, result, failure)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more

        self._jobs.put(job)
        return future

    def give_way(self) -> None:
        """Run what waits now, from inside a function that runs here and takes long."""
        for _ in range(self._jobs.qsize()):
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return
            if job is None:
                self._jobs.put(None)
                return
            job()

    def stop(self) -> None:
        """End the thread after what it is doing now."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _settle(future: asyncio.Future[T], result: T, failure: BaseException | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(result)
    elif isinstance(failure, Exception) and not isinstance(failure, StopIteration):
        future.set_exception(failure)
    else:
        future.set_exception(RuntimeError(f"the call ended with {type(failure).__name__}"))
