"""What an operator may turn."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the server behaves; durations are in seconds, sizes in bytes."""

    token: str | None = None
    """The bearer token every inference request must carry; None leaves the server open."""

    max_body: int = 20 * MEGABYTE
    """The largest request body (413 beyond)."""

    receive_timeout: float = 60.0
    """How long a client may take to send its body (408 after)."""

    max_pending: int = 1_000 * MEGABYTE
    """The most memory that bodies and decoded media of unanswered requests may hold together (429 beyond)."""

    max_queue: int = 256
    """How many requests may wait for one model (429 beyond)."""

    deadline: float = 60.0
    """How long one request may take from its last byte on, loading excluded (504 after)."""

    load_timeout: float = 60.0
    """How long ``x-wait-for-model: true`` waits (503 after)."""

    lazy: bool = False
    """Load a model when it is first asked for, instead of at the start."""

    cache_size: int = 64 * MEGABYTE
    """How much memory kept answers may take; 0 keeps none."""

    cache_ttl: float = 3600.0
    """How long an answer is kept."""

    decode_threads: int = 2
    """How many media are decoded at once."""
