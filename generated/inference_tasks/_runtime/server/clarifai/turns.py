"""How the inputs of a call share what there is with each other and with those of other calls: queues and memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TypeVar

from ..memory import Budget, NoRoom, Share
from ..problems import busy

T = TypeVar("T")


class Gate:
    """Where the inputs of all calls wait for one model, whose queue has room for so many (`queue`) requests.

    They never fill that: half of it is for those who ask without a gate. Used from the event loop only.
    """

    def __init__(self, queue: int) -> None:
        self.turns = asyncio.Semaphore(max(1, queue // 2))
        """Held while the model is asked; first come, first served."""
        self.inputs = 0
        """How many wait for it or are under way."""
        self._queue = queue

    def admitted(self, inputs: int) -> Admission:
        """Those of a call, to be used as a context manager.

        Raises RequestProblem (429) if as many as the queue holds are not answered yet. Each of an admitted call is
        waited for, so that none is lost to those of other calls.
        """
        if self.inputs >= self._queue:
            raise busy(f"{self.inputs} inputs are waiting")
        return Admission(self, inputs)


class Admission:
    """The `inputs` of a call that wait at a `gate` or are under way there."""

    def __init__(self, gate: Gate, inputs: int) -> None:
        self._gate = gate
        self._inputs = inputs
        gate.inputs += inputs

    def leave(self, inputs: int = 1) -> None:
        """So many of them are answered."""
        self._inputs -= inputs
        self._gate.inputs -= inputs

    @contextmanager
    def away(self) -> Iterator[None]:
        """While one of them is elsewhere, so that nobody waits for it here."""
        self.leave(1)
        try:
            yield
        finally:
            self.leave(-1)

    def __enter__(self) -> Admission:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave(self._inputs)


class Room:
    """The memory that one call takes of a `budget`: half of it at most, but for an input that is alone.

    An input that finds no room lets go of what it has and waits until others of the call end, and is begun again then.
    Used from the event loop only.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.used = 0
        self._under_way = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def alone(self) -> bool:
        """Whether no more than one input is under way."""
        return self._under_way <= 1

    def part(self) -> Part:
        """What one input or piece of one holds, to be used as a context manager."""
        return Part(self)

    async def held(self, work: Callable[[Part], Awaitable[T]]) -> T:
        """What `work` returns, which is under way meanwhile, and begun anew if it raises NoRoom.

        Raises RequestProblem (429) if there is no room though nothing else of the call is under way.
        """
        self._under_way += 1
        while True:
            needed = 0
            try:
                with self.part() as part:
                    return await work(part)
            except NoRoom as problem:
                if self.alone:
                    raise busy("too much data is waiting") from None
                needed = problem.needed
            finally:
                self._under_way -= 1
                if not needed:
                    self._wake()
            ended = asyncio.get_running_loop().create_future()
            self._waiting.append((needed, ended))
            try:
                await ended
            except asyncio.CancelledError:
                if ended.done() and not ended.cancelled():
                    self._under_way -= 1
                    self._wake()
                raise

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While an input does nothing itself but wait, for a turn or for its own pieces."""
        self._under_way -= 1
        self._wake()
        try:
            yield
        finally:
            self._under_way += 1

    def _wake(self) -> None:
        """Have those begin again who have waited longest, as many as there seems to be room for."""
        room = min(self.budget.limit - self.budget.used, self.budget.limit // 2 - self.used)
        while self._waiting and (self._waiting[0][0] <= room or self._under_way == 0):
            needed, ended = self._waiting.popleft()
            if not ended.done():
                room -= needed
                self._under_way += 1
                ended.set_result(None)


class Part(Share):
    """A share that counts for the `room` of its call too."""

    def __init__(self, room: Room) -> None:
        super().__init__(room.budget)
        self._room = room

    def take(self, size: int) -> None:
        """Hold `size` bytes more. Raises NoRoom (429) if the budget does not allow it, or the other inputs do not."""
        if self._room.used + size > self._room.budget.limit // 2 and not self._room.alone:
            raise NoRoom(self._held + size)
        super().take(size)
        self._room.used += size

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._room.used -= self._held
        super().__exit__(kind, error, at)


async def together(asked: Iterable[Awaitable[T]]) -> list[T]:
    """The results of all that are `asked`, in their order; with the first that fails, which is raised, all end."""

    async def one(awaitable: Awaitable[T]) -> T:
        return await awaitable

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(awaitable)) for awaitable in asked]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
