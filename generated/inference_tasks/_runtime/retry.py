"""When to try again, and how long to wait before it. Pure functions: no clock but the one passed in, no sleeping.

An inference request changes nothing on the server, so that repeating one is safe. A timeout while the model may be at
work is not repeated all the same: it would only make the server do the same work twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from .errors import APIConnectionError

LONGEST_WAIT = 120.0
"""Seconds. Where a server asks for more, its error is raised at once instead."""

LOADING_PATIENCE = 300.0
"""Seconds that a call with ``wait_for_model=True`` waits for its model, all in all."""

_FIRST = 0.5
_LARGEST = 8.0
_JITTER = 0.25


def worth_retrying(outcome: int | APIConnectionError, headers: Mapping[str, str]) -> bool:
    """Whether a second try may end better than `outcome`, a status or the error that took its place."""
    if isinstance(outcome, APIConnectionError):
        return outcome.retryable
    asked = headers.get("x-should-retry")
    if asked in ("true", "false"):
        return asked == "true" and outcome >= 400
    return outcome in (408, 409, 429) or outcome >= 500


def delay(
    attempt: int,
    headers: Mapping[str, str],
    rng: Callable[[], float],
    now: Callable[[], float] = time.time,
) -> float | None:
    """Seconds to wait after the failed try number `attempt` (from 0), or None where the server asks for too long.

    What the server asks for comes first (``retry-after-ms``, ``retry-after`` in seconds or as an HTTP date; at most
    120 s). Otherwise 0.5·2ⁿ s, at most 8 s, of which `rng` (0 to 1) takes off up to a quarter, so that clients that
    failed together do not come back together.
    """
    asked = _asked(headers, now)
    if asked is not None:
        return max(asked, 0.0) if asked <= LONGEST_WAIT else None
    return float(min(_FIRST * 2 ** min(attempt, 10), _LARGEST) * (1 - _JITTER * rng()))


def loading_delay(
    attempt: int, headers: Mapping[str, str], estimated: float, rng: Callable[[], float], left: float
) -> float | None:
    """Seconds to wait for a model that should be ready in `estimated` seconds, or None if none of the `left` remain.

    What the server asks for comes first, then its estimate, of which no more is believed than any other wait is long.
    """
    if left <= 0:
        return None
    asked = _asked(headers, time.time)
    if asked is None:
        asked = max(min(estimated, _LARGEST), delay(attempt, {}, rng) or 0.0)
    return min(max(asked, _FIRST), left)


def _asked(headers: Mapping[str, str], now: Callable[[], float]) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    return seconds if seconds is not None or text is None else _until(text, now)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return None if math.isnan(value) else value


def _until(date: str, now: Callable[[], float]) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp() - now()
    except (ValueError, OverflowError):
        return None
