"""The content of large requests: read from disk while it is sent, anew for each try, and never held as a whole."""

from __future__ import annotations

import binascii
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .errors import InputError

LARGE = 1 << 20
"""Bytes. Anything smaller is sent as it is, which is simpler and faster."""

CHUNK = 3 << 17
"""Bytes that are read at once: a multiple of 3, so that of a file's base64 only the last piece has padding."""


@dataclass(frozen=True)
class DiskFile:
    """A regular file that is opened for each try. `shown` is what messages call it.

    `stamp` is what it was when it was looked at: a file that is another one by the time it is sent, or that becomes
    another one while it is, must not reach a server as a mix of both.
    """

    path: str
    shown: str
    stamp: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.stamp[0]

    def check(self) -> None:
        """Raises InputError if it can no longer be read, or is not the same."""
        with self.opened():
            pass

    def chunks(self) -> Iterator[bytes]:
        """All of it, in pieces of :data:`CHUNK` bytes. Raises InputError like :meth:`check`."""
        with self.opened() as (file, _, _):
            yield from _chunks(file.read, self.size, lambda: stamp(file) == self.stamp, self.shown)

    @contextmanager
    def opened(self) -> Iterator[tuple[Any, int, int]]:
        """The file to read from, where its bytes start in it, and how many there are. Raises InputError."""
        try:
            with open(self.path, "rb", buffering=0) as file:
                if stamp(file) != self.stamp:
                    raise _changed(self.shown)
                yield file, 0, self.size
        except OSError as error:
            raise InputError(f"{self.shown} can no longer be read: {error.strerror or 'it failed'}") from None


def stamp(file: Any) -> tuple[int, ...]:
    """What tells the content of an open file from another's: its size in bytes, its identity, its last change."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_dev, status.st_ino, status.st_mtime_ns


@dataclass(frozen=True)
class OpenFile:
    """A file object that can seek: its `size` bytes from `start` on, read again from there for each try.

    It must be left alone until the call is over.
    """

    file: Any
    shown: str
    start: int
    size: int

    def check(self) -> None:
        """Raises InputError if it can no longer be read."""
        with self.opened():
            pass

    def chunks(self) -> Iterator[bytes]:
        """All of it, in pieces of :data:`CHUNK` bytes. Raises InputError like :meth:`check`, or if it has changed."""
        with self.opened():
            yield from _chunks(self.file.read, self.size, lambda: not self.file.read(1), self.shown)

    @contextmanager
    def opened(self) -> Iterator[tuple[Any, int, int]]:
        """The file to read from, where its bytes start in it, and how many there are. Raises InputError."""
        try:
            self.file.seek(self.start)
            yield self.file, self.start, self.size
        except InputError:
            raise
        except (OSError, ValueError) as error:
            raise InputError(f"{self.shown} can no longer be read: {error}") from error


def _chunks(read: Callable[[int], Any], size: int, intact: Callable[[], bool], shown: str) -> Iterator[bytes]:
    """`size` bytes; the last piece comes only if they are all there were and the file is `intact` after it."""
    left = size
    while left:
        wanted = min(CHUNK, left)
        chunk = filled(read, wanted)
        left -= wanted
        if len(chunk) != wanted or (not left and not intact()):
            raise _changed(shown)
        yield chunk


def _changed(shown: str) -> InputError:
    return InputError(f"{shown} has changed since the call began; call again when it is complete")


def filled(read: Callable[[int], Any], size: int) -> bytes:
    """`size` bytes, or fewer at the end: unbuffered files may give less at a time."""
    pieces: list[bytes] = []
    while size > 0 and (piece := read(size)):
        pieces.append(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


Source = bytes | DiskFile | OpenFile
"""Where the bytes of a media input come from."""


def size_of(source: Source) -> int:
    """How many bytes there are."""
    return len(source) if isinstance(source, bytes) else source.size


def chunks_of(source: Source) -> Iterator[bytes]:
    """All bytes, in pieces of :data:`CHUNK`. Raises InputError."""
    if not isinstance(source, bytes):
        return source.chunks()
    return (source[at : at + CHUNK] for at in range(0, len(source), CHUNK))


@dataclass(frozen=True)
class Base64Of:
    """The base64 of a source."""

    source: Source


class Body:
    """A request's content in `parts`. Its length is exact, and each iteration starts anew."""

    def __init__(self, parts: Sequence[Source | Base64Of]) -> None:
        self._parts = parts
        self._size = sum(
            -(-size_of(part.source) // 3) * 4 if isinstance(part, Base64Of) else size_of(part) for part in parts
        )

    def __len__(self) -> int:
        return self._size

    def check(self) -> None:
        """To be called before each try. Raises InputError if a file can no longer be read, or is not the same."""
        for part in self._parts:
            source = part.source if isinstance(part, Base64Of) else part
            if not isinstance(source, bytes):
                source.check()

    def __iter__(self) -> Iterator[bytes]:
        """The content in pieces. Reads files; raises InputError."""
        for part in self._parts:
            if isinstance(part, Base64Of):
                yield from (binascii.b2a_base64(chunk, newline=False) for chunk in chunks_of(part.source))
            else:
                yield from chunks_of(part)


class AsyncBody:
    """The same for asyncio and trio: files are read, and encoded, in a worker thread."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The content in pieces. Raises InputError."""
        return _Async(iter(self._body))


class _Async:
    # No generator: one that is abandoned would keep its file open until the event loop gets to close it.
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> _Async:
        return self

    async def __anext__(self) -> bytes:
        from anyio import to_thread

        chunk = await to_thread.run_sync(next, self._chunks, None)
        if chunk is None:
            raise StopAsyncIteration
        return chunk
