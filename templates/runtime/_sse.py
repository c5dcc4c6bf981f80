"""Server-sent events, read from bytes as they come in. No I/O in here, so that sync and async code share all of it.

The format is that of the WHATWG HTML Living Standard, section "Server-sent events". Two things differ, because real
servers do: an event that the end of the stream cuts off before its blank line is delivered all the same
(:meth:`EventParser.close`), and an event may not be larger than a limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_EVENT: Final = 16 * 1024 * 1024
"""Bytes of one event, unless the parser is told otherwise."""

DONE: Final = "[DONE]"
"""The data of the event that ends a stream, by OpenAI's convention."""

_BOM = b"\xef\xbb\xbf"
_LINE_END = b"\r\n"
_LONGEST_RETRY = 15  # digits; more are no waiting time, and Python refuses to read some thousands of them


@dataclass(frozen=True)
class Event:
    """One event.

    `id` is the last one that the stream has given, which need not be in this very event. `retry`, in milliseconds, is
    how long the server wants a client to wait before it connects again, if it has said so since the event before.
    """

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None


class EventParser:
    """Bytes go in, in pieces of any size; events come out as soon as they are complete.

    >>> parser = EventParser()
    >>> parser.feed(b"data: Hel")
    []
    >>> parser.feed(b"lo\\n\\ndata: world")
    [Event(data='Hello', event='message', id='', retry=None)]
    >>> parser.close()
    [Event(data='world', event='message', id='', retry=None)]

    No bytes are refused except too many: ValueError where an event, or a single line, is longer than `limit` bytes.
    Events before it are returned first; the call that would have to go past it raises, and so does every later one.
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._failed = False
        self._line = bytearray()  # the line that has not ended yet
        self._first = True  # no line has ended yet
        self._after_cr = False  # the last byte was a CR: a LF now belongs to it
        # Data stays bytes until its event is complete: as text it may be four times as large, for one rare character.
        self._data: list[bytes] = []
        self._size = 0  # of the lines in _data
        self._event = ""
        self._id = ""
        self._retry: int | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        self._check()
        if not chunk:
            return []
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        events: list[Event] = []
        for piece in chunk.splitlines(keepends=True):  # bytes, unlike str, are split at CR, LF and CRLF only
            text = piece.rstrip(_LINE_END)
            if text and self._size + len(self._line) + len(text) > self._limit:
                self._failed = True
                self._line.clear()
                self._data.clear()
                break
            self._line += text
            if len(text) < len(piece):
                events += self._end_line()
        if not events:
            self._check()
        return events

    def close(self) -> list[Event]:
        """The event that the stream's end has left without its blank line, if its data is complete. Call it once.

        The standard drops such an event, but servers and proxies do leave out the last blank line, and the line end
        before it, and what would be lost is how the answer ended. A last line that was in fact cut off shows when it
        is read as JSON, which is better than an answer that looks complete; one whose UTF-8 is broken has been cut
        off for certain, and its event is dropped.
        """
        self._check()
        if self._line:
            try:
                self._line.decode()
            except UnicodeDecodeError:
                self._data.clear()
            else:
                self._end_line()
        return self._dispatch()

    def _check(self) -> None:
        if self._failed:
            raise ValueError(
                f"an event of the stream is longer than {self._limit} bytes, which is the most that is read; "
                "is this a stream of server-sent events?"
            )

    def _end_line(self) -> list[Event]:
        line = bytes(self._line)
        self._line.clear()
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")  # the name of a comment is empty, and thus unknown
        self._field(name, value.removeprefix(b" "), len(line))
        return []

    def _field(self, name: bytes, value: bytes, size: int) -> None:
        if name == b"data":
            self._data.append(value)
            self._size += size + 1
        elif name == b"event":
            self._event = _text(value)
        elif name == b"id" and b"\0" not in value:
            self._id = _text(value)
        elif name == b"retry" and value.isdigit() and len(value) <= _LONGEST_RETRY:  # in bytes only 0-9 are digits
            self._retry = int(value)

    def _dispatch(self) -> list[Event]:
        """The event that a blank line ends; none if it has no data, which keeps its `retry` for the next one."""
        name, self._event = self._event, ""
        if not self._data:
            return []
        event = Event(_text(b"\n".join(self._data)), name or "message", self._id, self._retry)
        self._data.clear()
        self._size = 0
        self._retry = None
        return [event]


def _text(data: bytes) -> str:
    """Broken UTF-8 becomes U+FFFD. No character spans a line end, so lines decode alone as they would in the stream."""
    return data.decode(errors="replace")
