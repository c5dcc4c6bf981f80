"""One exchange with a server, with its retries and redirects, as steps that someone else carries out.

The steps are what sync and async code share: all decisions are made here, none of the waiting.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from ._http import Request, Response
from ._log import LOG
from ._urls import origin, redirect, shown
from .errors import APIConnectionError, APIStatusError, ConfigurationError, blotted, loading
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


class Verdict(NamedTuple):
    """What a response comes to: an HTTP status, and the seconds after which a model that is loading should be ready.

    `request_id` is the server's name for the request.
    """

    status: int
    loading: float | None = None
    request_id: str | None = None


def as_http_says(response: Response) -> Verdict:
    """What a response comes to where the HTTP status says it all."""
    return Verdict(response.status, loading(response.status, response.content), response.headers.get("x-request-id"))


class Tries:
    """What was tried for one call, and whether and when it is tried again.

    A model that is still loading is waited for as a request's `patient` asks, apart from all other retries.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._start = policy.clock()
        self._failures = 0
        self.retries = 0

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return self._policy.clock() - self._start

    def wait(
        self, patient: bool | None, status: int | APIConnectionError, headers: Mapping[str, str], loading: float | None
    ) -> float | None:
        """The seconds after which to try again, None if that will not be."""
        policy = self._policy
        if loading is not None and patient is not None:
            left = LOADING_PATIENCE - self.seconds
            return loading_delay(self.retries, headers, loading, policy.rng, left) if patient else None
        if self._failures < policy.max_retries and worth_retrying(status, headers):
            return delay(self._failures, headers, policy.rng)
        return None

    def again(self, request: Request, why: object, wait: float, *, failed: bool) -> Steps[Request]:
        """`request` as it is sent in another try, once that is due; `failed`: more than a model was waited for."""
        LOG.info("%s %s: %s; next try in %.2f s", request.method, shown(request.url), why, wait)
        yield Pause(wait)
        self._failures += failed
        self.retries += 1
        return replace(request, headers={**request.headers, "x-retry-count": str(self.retries)})


def exchange(
    request: Request,
    policy: Policy,
    verdict: Callable[[Response], Verdict] = as_http_says,
    *,
    tries: Tries | None = None,
    hide: str | None = None,
) -> Steps[Response]:
    """A request and its response, after as many tries as it takes and `policy` allows: `verdict` tells how one ended.

    `tries` are those that there were already. `hide` is blotted out of the server's name for the request.
    """
    tries = tries or Tries(policy)
    while True:
        outcome: Response | APIConnectionError
        estimate: float | None = None
        name: str | None = None
        try:
            outcome = yield from _follow(request)
            found = verdict(outcome)
            status: int | APIConnectionError = found.status
            estimate, headers = found.loading, outcome.headers
            name = blotted(found.request_id, hide)
        except APIConnectionError as error:
            outcome = status = error
            headers = {}
        if LOG.isEnabledFor(logging.DEBUG):
            _report(request, status, name, tries.seconds)
        wait = tries.wait(request.patient, status, headers, estimate)
        if wait is None:
            if isinstance(outcome, Response):
                return replace(outcome, retries=tries.retries, request_id=name)
            raise outcome
        waited_for = estimate is not None and request.patient is not None
        request = yield from tries.again(request, status, wait, failed=not waited_for)


def _report(request: Request, outcome: int | APIConnectionError, name: str | None, seconds: float) -> None:
    """Say what was exchanged, and nothing of what was in it."""
    LOG.debug(
        "%s %s (%d bytes): %s after %.3f s, request %s",
        request.method,
        shown(request.url),
        len(request.content),
        outcome,
        seconds,
        name or "without an id",
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
