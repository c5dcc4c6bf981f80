"""What happened to one request, for its line in the log, the metrics and spans."""

from __future__ import annotations

import random
import time


def new_id() -> str:
    """32 hexadecimal digits that nothing else has."""
    # Not uuid4(): its call to the operating system lets the inference thread take the interpreter for milliseconds.
    return f"{random.getrandbits(128):032x}"


class Trace:
    """Times and outcomes, and nothing that the request or its answer holds. Used from the event loop only."""

    __slots__ = ("_last", "batch", "began", "cache", "model", "owner", "request_id", "stages")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.began = self._last = time.perf_counter()
        self.owner = b""
        """Tells the holders of different tokens apart, without being a token."""
        self.model = ""
        self.cache = ""
        """``hit``, ``miss`` or ``bypass``, once that is known."""
        self.batch = 0
        """How many requests the model answered together with this one; 0 if it was not asked."""
        self.stages: dict[str, float] = {}
        """Seconds by stage, in order: read, decode, queue, inference, encode; first_event for a stream."""

    def mark(self, stage: str) -> None:
        """A `stage` ends now, that began when the one before ended."""
        now = time.perf_counter()
        self.stages[stage] = now - self._last
        self._last = now

    @property
    def seconds(self) -> float:
        """Since the head of the request was there."""
        return time.perf_counter() - self.began
