"""A bound on the memory that waiting requests hold: many bodies of a legal size can be too much together."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from .problems import RequestProblem, busy


class Budget:
    """`limit` bytes shared by all requests. Used from the event loop only."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    def share(self) -> Share:
        """One request's part, to be used as a context manager."""
        return Share(self)


class NoRoom(RequestProblem):
    """There is no room (429) for one who would hold `needed` bytes in all."""

    def __init__(self, needed: int) -> None:
        full = busy("too much data is waiting")
        super().__init__(full.message, status=full.status, headers=full.headers)
        self.needed = needed


class Share:
    """What one request holds; all of it is given back on exit."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._held = 0

    def take(self, size: int) -> None:
        """Hold `size` bytes more. Raises NoRoom (429) if the budget does not allow it."""
        if self._budget.used + size > self._budget.limit:
            raise NoRoom(self._held + size)
        self._budget.used += size
        self._held += size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._budget.used -= self._held
        self._held = 0
