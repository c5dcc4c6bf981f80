"""Calls that share a request: sent, told apart by what came of each, and sent again where that may help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ._exchange import Policy, Steps, Tries, Work, exchange
from ._http import Request, Response
from ._protocol import CallProtocol
from .errors import APIStatusError, InferenceError, InputError, ModelLoadingError


@dataclass(frozen=True)
class Answered:
    """The answer to one call: that at `index` of a response with `count` of them."""

    response: Response
    index: int
    count: int


class Travel:
    """Calls on their way, tried as often as `policy` allows; `hide` is blotted out of errors."""

    def __init__(self, policy: Policy, protocol: CallProtocol, hide: str | None) -> None:
        self._policy = policy
        self._protocol = protocol
        self._hide = hide
        self._tries = Tries(policy)

    def all(
        self, request: Request, calls: Sequence[Any], requested: Callable[[Sequence[Any]], Request]
    ) -> Steps[list[Answered | InferenceError]]:
        """What comes of each of `calls`, which `request` holds; `requested` makes the request of some of them.

        Where some fail with what may pass, only they are sent again. A file that is lost meanwhile fails alone.
        """
        found: dict[int, Answered | InferenceError] = {}
        todo = list(range(len(calls)))
        while True:
            try:
                response = yield from exchange(
                    request, self._policy, self._protocol.verdict, tries=self._tries, hide=self._hide
                )
            except InferenceError as error:
                lost: dict[int, InferenceError] = {}
                if isinstance(error, InputError):
                    lost = yield from self._lost(calls, todo)
                found |= lost or dict.fromkeys(todo, error)
                again = [number for number in todo if number not in found] if lost else []
                if not again:
                    break
                todo, request = again, requested([calls[number] for number in again])
                continue
            failures = self._protocol.failures(response, len(todo), self._hide)
            for index, (number, failure) in enumerate(zip(todo, failures, strict=True)):
                found[number] = failure or Answered(response, index, len(todo))
            waits = self._waits(request, response, dict(zip(todo, failures, strict=True)))
            if not waits:
                break
            if len(waits) < len(todo):
                todo, request = list(waits), requested([calls[number] for number in waits])
            why = f"{len(waits)} of its calls failed with what may pass"
            failed = request.patient is None or not all(isinstance(found[n], ModelLoadingError) for n in waits)
            request = yield from self._tries.again(request, why, max(waits.values()), failed=failed)
        return [found[number] for number in range(len(calls))]

    def _waits(
        self, request: Request, response: Response, failures: dict[int, APIStatusError | None]
    ) -> dict[int, float]:
        """The seconds after which to try each call again that is to be; calls that failed alike wait alike."""
        alike: dict[tuple[int, float | None], float | None] = {}
        waits: dict[int, float] = {}
        for number, failure in failures.items():
            if failure is None:
                continue
            loading = failure.estimated_time if isinstance(failure, ModelLoadingError) else None
            kind = failure.status_code, loading
            if kind not in alike:
                alike[kind] = self._tries.wait(request.patient, kind[0], response.headers, loading)
            wait = alike[kind]
            if wait is not None:
                waits[number] = wait
        return waits

    def _lost(self, calls: Sequence[Any], todo: Sequence[int]) -> Steps[dict[int, InferenceError]]:
        """Which of several calls cannot be sent any more, as a file of theirs cannot be read."""
        lost: dict[int, InferenceError] = {}
        for number in todo:
            try:
                yield Work(partial(self._protocol.check, calls[number]))
            except InputError as error:
                lost[number] = error
        return lost
