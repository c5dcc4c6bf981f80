"""Streamed answers: models that come in one by one, as server-sent events.

A stream ends with the server's `[DONE]` or with the connection, whichever comes first. Leaving the ``with`` block, or
letting go of the stream, closes the connection, so that the server can stop.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Generic, Self, TypeVar

from ._http import AsyncLive, Live
from ._sse import DONE, Event, EventParser

Item = TypeVar("Item")


class _Reader(Generic[Item]):
    """Chunks go in, items come out; `done` is true once the server has said so."""

    def __init__(self, read: Callable[[Event], Item]) -> None:
        self._read = read
        self._parser = EventParser()
        self.done = False

    def feed(self, chunk: bytes | None) -> Iterator[Item]:
        """The items that a chunk completes; None is the end."""
        for event in self._parser.close() if chunk is None else self._parser.feed(chunk):
            if event.data.strip() == DONE:
                self.done = True
                return
            if event.data:
                yield self._read(event)


class Stream(Generic[Item]):
    """A streamed answer: iterate over it, once. Raises what a call raises, at the place where the stream breaks.

    Example:
        with client.text_generation("Once upon a time", stream=True) as events:
            for event in events:
                print(event.token.text, end="")
    """

    def __init__(self, live: Live, read: Callable[[Event], Item]) -> None:
        self._live = live
        self._items = self._run(_Reader(read))

    def _run(self, reader: _Reader[Item]) -> Generator[Item, None, None]:
        try:
            for chunk in self._live.chunks():
                yield from reader.feed(chunk)
                if reader.done:
                    return
            yield from reader.feed(None)
        finally:
            self._live.close()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        return next(self._items)

    def close(self) -> None:
        """Close the connection. What was not read is lost."""
        self._items.close()
        self._live.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self._live.close()


class AsyncStream(Generic[Item]):
    """A streamed answer: iterate over it, once, in an ``async with`` block, whose end closes the connection.

    Example:
        async with await client.text_generation("Once upon a time", stream=True) as events:
            async for event in events:
                print(event.token.text, end="")
    """

    def __init__(self, live: AsyncLive, read: Callable[[Event], Item]) -> None:
        self._live = live
        self._items = self._run(_Reader(read))

    async def _run(self, reader: _Reader[Item]) -> AsyncGenerator[Item, None]:
        try:
            async for chunk in self._live.chunks():
                for item in reader.feed(chunk):
                    yield item
                if reader.done:
                    return
            for item in reader.feed(None):
                yield item
        finally:
            await self._live.close()

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        return await anext(self._items)

    async def close(self) -> None:
        """Close the connection. What was not read is lost."""
        await self._items.aclose()
        await self._live.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
