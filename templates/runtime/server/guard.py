"""What connections may do around requests: there is a most of them, no head is endless, no answer waits unread.

uvicorn bounds none of these: clients that never send a whole head or never read their answer would stay, heads,
trailers and requests sent ahead could fill the memory, and one too many is answered without a word about when to come
back.
"""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .settings import Serving

LINGER_SECONDS = 1.0
MAX_FRAMING = 1 << 16
"""How many bytes of a request may be no part of its body, more than the body has, after those that came first."""
MAX_PIPELINED = 32
"""How many requests a client may send before the first of them is answered."""


def _answer(status: str, message: str, *headers: str) -> bytes:
    body = f'{{"error": "{message}"}}'
    head = ["HTTP/1.1 " + status, "content-type: application/json", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*head, "connection: close", "", body]).encode()


BUSY = _answer("503 Service Unavailable", "the server is busy: too many connections are open", "retry-after: 1")
LATE = _answer("408 Request Timeout", "the head of the request did not arrive in time")
LARGE = _answer("431 Request Header Fields Too Large", "the head of the request is too large")


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a most for connections and heads, and deadlines for heads and readers."""

    max_connections: int
    header_timeout: float
    read_timeout: float

    _deadline: TimerHandle | None = None
    _stalled: TimerHandle | None = None
    _refused = False
    _begun = False
    _framing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a head, unless there are too many connections already."""
        stream = cast(asyncio.Transport, transport)  # uvloop's are none by class
        super().connection_made(stream)
        if len(self.connections) <= self.max_connections:
            self._expect_head()
            return
        self._refused = True
        self.connections.discard(self)
        stream.write(BUSY)
        if stream.can_write_eof():
            stream.write_eof()
        # Closing at once would take the answer back from a client that is still sending.
        self._deadline = self.loop.call_later(LINGER_SECONDS, stream.close)

    def data_received(self, data: bytes) -> None:
        """Take the next bytes of a request."""
        if self._refused:
            return
        # What came together with the first byte is little, whatever it is: as much as is read at once.
        self._framing += len(data)
        super().data_received(data)
        if self._framing > MAX_FRAMING and not self.transport.is_closing():
            # Headers, trailers, sizes of chunks and what clients write beside them: all are kept, and none is counted.
            if self._begun:
                self.transport.write(LARGE)
            self._refused = True
            self.transport.close()
        elif len(self.pipeline) > MAX_PIPELINED:
            # Each answer would let in more of them than it takes away.
            self._refused = True
            self.pipeline.clear()
            self.transport.abort()

    def on_body(self, body: bytes) -> None:
        """Called with each piece of a body; the frame around it may be as large."""
        self._framing -= 2 * len(body)
        super().on_body(body)

    def on_message_begin(self) -> None:
        """Called with the first byte of a request."""
        self._begun, self._framing = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Called once the head of a request is there."""
        self._begun = False
        self._forget_deadline()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Called once a request is answered; another one may follow."""
        super().on_response_complete()
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called at the end."""
        self._forget_deadline()
        self._forget_stalled()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Called when a client reads more slowly than it is answered; what the system holds for it does not count."""
        super().pause_writing()
        self._watch(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Called when it has caught up."""
        self._forget_stalled()
        super().resume_writing()

    def _watch(self, unread: int) -> None:
        self._stalled = self.loop.call_later(self.read_timeout, self._check, unread)

    def _check(self, before: int) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread < before:
            self._watch(unread)
        else:
            self.transport.abort()

    def _forget_stalled(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _expect_head(self) -> None:
        self._forget_deadline()
        if not self.transport.is_closing():
            self._deadline = self.loop.call_later(self.header_timeout, self._late)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        # A request whose head came before the last answer went is under way, and has other deadlines.
        under_way = self.cycle is not None and not self.cycle.response_complete
        if not under_way and not self.transport.is_closing():
            if self._begun:
                self.transport.write(LATE)
            self.transport.close()


def guarded(settings: Serving) -> type[GuardedProtocol]:
    """The protocol with the limits of `settings`."""
    names = ("max_connections", "header_timeout", "read_timeout")
    return type("Guarded", (GuardedProtocol,), {name: getattr(settings, name) for name in names})
