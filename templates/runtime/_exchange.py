"""One exchange with a server, with its retries and redirects, as steps that someone else carries out.

The steps are what sync and async code share: all decisions are made here, none of the waiting.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ._http import Request, Response
from ._log import LOG
from ._urls import origin, redirect, shown
from .errors import APIConnectionError, APIStatusError, ConfigurationError, loading
from .retry import LOADING_PATIENCE, delay, loading_delay, worth_retrying

_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)

T = TypeVar("T")


@dataclass(frozen=True)
class Pause:
    """Wait this many seconds."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Do something that may block."""

    run: Callable[[], Any]


Steps = Generator[Request | Pause | Work, Any, T]
"""Yields steps, is sent their results (or thrown their errors), and returns a T."""


@dataclass(frozen=True)
class Policy:
    """How often to try again; where chance and time come from."""

    max_retries: int
    rng: Callable[[], float]
    clock: Callable[[], float] = time.monotonic


def exchange(request: Request, policy: Policy) -> Steps[Response]:
    """A request and its response, after as many tries as it takes and `policy` allows.

    A model that is still loading is waited for as `request.patient` asks, apart from all other retries.
    """
    retries = failures = 0
    start = policy.clock()
    while True:
        outcome: Response | APIConnectionError
        try:
            outcome = yield from _follow(request)
            status: int | APIConnectionError = outcome.status
            headers = outcome.headers
        except APIConnectionError as error:
            outcome = status = error
            headers = {}
        if LOG.isEnabledFor(logging.DEBUG):
            _report(request, status, headers, policy.clock() - start)
        wait: float | None = None
        estimate = _loading(outcome) if request.patient is not None else None
        if estimate is not None:
            if request.patient:
                left = LOADING_PATIENCE - (policy.clock() - start)
                wait = loading_delay(retries, headers, estimate, policy.rng, left)
        elif failures < policy.max_retries and worth_retrying(status, headers):
            wait = delay(failures, headers, policy.rng)
            failures += 1
        if wait is None:
            if isinstance(outcome, Response):
                return replace(outcome, retries=retries) if retries else outcome
            raise outcome
        LOG.info("%s %s: %s; next try in %.2f s", request.method, shown(request.url), status, wait)
        yield Pause(wait)
        retries += 1
        request = replace(request, headers={**request.headers, "x-retry-count": str(retries)})


def _loading(outcome: Response | APIConnectionError) -> float | None:
    """The seconds after which the model should be ready, if that is what the server says."""
    return loading(outcome.status, outcome.content) if isinstance(outcome, Response) else None


def _report(request: Request, outcome: int | APIConnectionError, headers: Mapping[str, str], seconds: float) -> None:
    """Say what was exchanged, and nothing of what was in it."""
    LOG.debug(
        "%s %s (%d bytes): %s after %.3f s, request %s",
        request.method,
        shown(request.url),
        len(request.content),
        outcome,
        seconds,
        headers.get("x-request-id", "without an id"),
    )


def _follow(request: Request) -> Steps[Response]:
    """A request and its response, after the redirects that may be followed."""
    for _ in range(_MAX_REDIRECTS + 1):
        response: Response = yield request
        location = response.headers.get("location")
        if response.status not in _REDIRECTS or not location:
            return response
        request = replace(request, url=_redirected(request, response, location))
    raise APIConnectionError(f"more than {_MAX_REDIRECTS} redirects, the last to {shown(request.url)}", retryable=False)


def _redirected(request: Request, response: Response, location: str) -> str:
    """Where to send `request` again.

    A download carries nothing that another host must not see. A call carries a token and an input, which stay with
    the origin they were meant for, and a body, which only 307 and 308 let through. Raises APIStatusError.
    """
    try:
        target = redirect(request.url, location)
    except ConfigurationError as error:
        problem = str(error)
    else:
        if request.anonymous:
            if target.startswith("https:") or not request.url.startswith("https:"):
                return target
            problem = "from https:// to http://"
        elif origin(target) != origin(request.url):
            problem = f"to another origin, {shown(target)}; nothing was sent there. If it is right, use it as base_url"
        elif response.status in (307, 308):
            return target
        else:
            problem = f"to {shown(target)} would lose the request's body"
    raise APIStatusError(
        f"redirect refused: {problem}",
        status_code=response.status,
        headers=response.headers,
        request_id=response.headers.get("x-request-id"),
    )
