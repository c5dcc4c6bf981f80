"""Answers kept for equal requests: what ``x-use-cache`` is about."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from threading import Lock

from cachetools import TTLCache

ENTRY_OVERHEAD = 200


class ResponseCache:
    """Response bodies by key, for a while and up to a size in bytes; the least recently used leave first."""

    def __init__(self, size: int, ttl: float) -> None:
        self._lock = Lock()
        self._size = size
        # The library's stubs bind the type of the keys too late for pyright.
        self._entries: TTLCache[bytes, bytes] = TTLCache(size, ttl, getsizeof=_size)  # pyright: ignore

    @property
    def used(self) -> float:
        """How many bytes the kept answers take."""
        return self._entries.currsize

    def get(self, key: bytes) -> bytes | None:
        """The kept body, or None."""
        with self._lock:
            return self._entries.get(key)

    def put(self, key: bytes, body: bytes) -> None:
        """Keep `body`, unless it alone would not fit."""
        if _size(body) <= self._size:
            with self._lock:
                self._entries[key] = body


def _size(body: bytes) -> int:
    return len(body) + ENTRY_OVERHEAD


def cache_key(parts: Iterable[bytes]) -> bytes:
    """A digest of `parts` that no other sequence of parts shares."""
    digest = blake2b(digest_size=24)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
