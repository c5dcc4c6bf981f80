"""A video in pieces: cut one after the other while those before are answered, and never many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, aclosing
from typing import Any, Final, TypeVar

from ..engine import Engine
from ..memory import NoRoom
from .frames import Piece
from .turns import Part, Room

T = TypeVar("T")

KEPT: Final = 8
"""How many pieces of one video are kept until they are answered."""


class Cutter:
    """Has videos cut in the threads of `engine` where media are decoded. Used from the event loop only."""

    def __init__(self, engine: Engine) -> None:
        self._threads = engine.threads
        # One thread at least is left to what else is decoded, if there are two.
        self._turns = asyncio.Semaphore(max(1, engine.settings.decode_threads - 1))

    async def answered(self, cut: Iterator[Piece], answer: Callable[[Piece], Awaitable[T]], room: Room) -> list[T]:
        """The answers to all pieces that are `cut`, in their order, each asked for at once; the `room` holds them.

        With the first that fails, which is raised, all end. Raises RequestProblem, NoRoom among them.
        """
        asking: list[asyncio.Task[T]] = []

        async def asked(piece: Piece, part: Part) -> T:
            with part:
                return await answer(piece)

        try:
            with room.aside(), ExitStack() as parts:
                async with asyncio.TaskGroup() as group, aclosing(self._pieces(cut)) as pieces:
                    async for piece in pieces:
                        part = parts.enter_context(await _kept(piece, room, asking))
                        asking.append(group.create_task(asked(piece, part)))
                return [task.result() for task in asking]
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _pieces(self, cut: Iterator[Piece]) -> AsyncGenerator[Piece, None]:
        """What is `cut`, piece by piece, once it is this video's turn."""
        await self._turns.acquire()
        running: Future[Piece | None] | None = None
        try:
            while piece := await asyncio.wrap_future(running := self._threads.submit(next, cut, None)):
                yield piece
        finally:
            if running is None or running.done():
                self._turns.release()
            else:  # nobody waits for it any more, but a thread is still at work
                loop = asyncio.get_running_loop()
                running.add_done_callback(lambda _: loop.call_soon_threadsafe(self._turns.release))


async def _kept(piece: Piece, room: Room, asking: Sequence[asyncio.Task[Any]]) -> Part:
    """The memory of a `piece`, once enough of those before it that are `asking` are answered. Raises NoRoom."""
    part = room.part()
    while True:
        waiting = [task for task in asking if not task.done()]
        try:
            if len(waiting) < KEPT:
                part.take(len(piece.data))
                return part
        except NoRoom:
            if not waiting:
                raise
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
