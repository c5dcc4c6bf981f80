"""Receiving a request body within its limits, and watching for the client to hang up afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, TypeVar

from starlette.types import Receive

from .memory import Share
from .problems import ClientGone, RequestProblem
from .settings import Settings

LINGER_SECONDS = 5.0
LINGER_FACTOR = 4
BLIND_SECONDS = 0.02
"""How long it may take to notice that a client hung up."""
CLOSE = {"connection": "close"}

T = TypeVar("T")


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], settings: Settings, share: Share) -> bytes:
    """The whole body. Raises RequestProblem: 415 for a compressed one, 413 too large, 408 too slow, 429 no room."""
    encoded = headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b"")
    if encoded or headers.get(b"transfer-encoding", b"chunked").strip().lower() != b"chunked":
        raise RequestProblem("compressed request bodies are not accepted", status=415, headers=CLOSE)
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > settings.max_body:
        # A client that waits for "100 Continue" has sent nothing yet, and now never will.
        if b"expect" not in headers:
            await _discard(receive, LINGER_FACTOR * settings.max_body)
        raise _too_large(settings)
    try:
        async with asyncio.timeout(settings.receive_timeout):
            return await _collect(receive, settings, share)
    except TimeoutError:
        message = f"the body did not arrive within {settings.receive_timeout:g} seconds"
        raise RequestProblem(message, status=408, headers=CLOSE) from None


async def _collect(receive: Receive, settings: Settings, share: Share) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > settings.max_body:
            chunks.clear()
            if message.get("more_body", False):
                await _discard(receive, LINGER_FACTOR * settings.max_body)
            raise _too_large(settings)
        share.take(len(chunk))
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _discard(receive: Receive, limit: int) -> None:
    """Read on for a while without keeping anything: a client that is cut off while it sends never reads the answer."""
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while limit > 0:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                if not message.get("more_body", False):
                    return
                limit -= len(message.get("body", b""))
    except TimeoutError:
        return


def _too_large(settings: Settings) -> RequestProblem:
    return RequestProblem(f"the body is larger than {settings.max_body} bytes", status=413, headers=CLOSE)


class Patience:
    """Waits for one request's results until the client hangs up or its time, if there is a most of it, is over."""

    def __init__(self, receive: Receive, seconds: float | None) -> None:
        self._receive = receive
        self._seconds = seconds
        self._reason: Exception | None = None
        self._current: asyncio.Future[Any] | None = None
        self._watch: asyncio.Task[None] | None = None
        blind = BLIND_SECONDS if seconds is None else min(seconds, BLIND_SECONDS)
        self._timer = asyncio.get_running_loop().call_later(blind, self._look)

    def __enter__(self) -> Patience:
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()

    def _look(self) -> None:
        """Begin to watch, now that it takes a while: most requests are answered before that is worth a task."""
        loop = asyncio.get_running_loop()
        self._watch = loop.create_task(self._until_gone())
        if self._seconds is not None:
            self._timer = loop.call_later(max(0.0, self._seconds - BLIND_SECONDS), self._end, TimeoutError())

    async def wait(self, future: asyncio.Future[T]) -> T:
        """The result of `future`. Raises ClientGone or TimeoutError, and cancels `future` then."""
        self._current = future
        if self._reason is not None:
            future.cancel()
        try:
            return await future
        except asyncio.CancelledError:
            if self._reason is None:
                raise
            raise self._reason from None
        finally:
            self._current = None

    def _end(self, reason: Exception) -> None:
        self._reason = self._reason or reason
        if self._current is not None:
            self._current.cancel()

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._end(ClientGone())
