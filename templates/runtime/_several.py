"""Several calls in one request: which of them go together, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ._ask import Facts
from ._exchange import Steps
from ._protocol import CallProtocol
from .errors import InferenceError

HELD = 64 << 20
"""Bytes. No more input is read before what there is of it is sent."""

Outcome = Callable[[], Any] | InferenceError
"""What gives the result of a call, or raises its error; or the error itself."""


class Several(list[Any]):
    """Primary inputs of as many calls, in place of one: what `Client.map` hands to a method."""


def together(
    primaries: Several,
    read: Callable[[Any], Steps[tuple[Any, Facts]]],
    protocol: CallProtocol,
    send: Callable[[Sequence[tuple[Any, Facts]]], Steps[list[Outcome]]],
) -> Steps[list[Any]]:
    """The result of each of `primaries`, or in its place the InferenceError that is why there is none.

    `read` makes a call of an input, `send` sends calls that are alike. Neighbours that are not alike travel apart, and
    so do those that together hold more than :data:`HELD` bytes.
    """
    results: list[Any] = [None] * len(primaries)
    calls: dict[int, tuple[Any, Facts]] = {}
    held = 0

    def sent() -> Steps[None]:
        try:
            outcomes = (yield from send(list(calls.values()))) if calls else []
        except InferenceError as error:
            outcomes = [error] * len(calls)
        for number, outcome in zip(calls, outcomes, strict=True):
            try:
                results[number] = result_of(outcome)
            except InferenceError as error:
                results[number] = error
        calls.clear()

    for number, primary in enumerate(primaries):
        try:
            call = yield from read(primary)
        except InferenceError as error:
            results[number] = error
            continue
        size = protocol.held(call[0])
        first = next(iter(calls.values()), None)
        if first is not None and (held + size > HELD or protocol.alike(first[0]) != protocol.alike(call[0])):
            yield from sent()
            held = 0
        calls[number] = call
        held += size
    yield from sent()
    return results


def result_of(outcome: Outcome) -> Any:
    """The result of a call. Raises InferenceError."""
    if isinstance(outcome, InferenceError):
        raise outcome
    return outcome()
