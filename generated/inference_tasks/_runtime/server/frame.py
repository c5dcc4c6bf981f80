"""Around every request: an id and its time in the answer's headers, its line in the log, JSON for what goes wrong."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import logs
from .problems import RequestProblem
from .spans import Spans
from .trace import Trace, new_id

log = logging.getLogger(__name__)

CLIENT_LEFT = 499
SANE_ID = re.compile(rb"[\w-]{1,64}")


class Frame:
    """ASGI middleware that puts ``x-request-id`` and ``x-compute-time`` (seconds) on every answer."""

    def __init__(self, app: ASGIApp, spans: Spans | None = None) -> None:
        self._app = app
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        trace = scope["trace"] = Trace(request_id(dict(headers)))
        status = 0

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                seconds = f"{trace.seconds:.6f}".encode()
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", trace.request_id.encode()),
                    (b"x-compute-time", seconds),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_framed)
        except asyncio.CancelledError:
            # The process ends, and did not give this request the time it takes.
            if status:
                raise
            problem = RequestProblem("the server is ending", status=503, headers={"retry-after": "1"})
            await problem_response(problem)(scope, receive, send_framed)
        except Exception:
            if status:
                raise
            await internal_error(scope)(scope, receive, send_framed)
        finally:
            route = getattr(scope.get("route"), "path", "")
            logs.answered(scope["method"], route, trace, status or CLIENT_LEFT)
            if self._spans is not None:
                self._spans.answered(scope["method"], route, headers, trace, status or CLIENT_LEFT)


def request_id(headers: Mapping[bytes, bytes]) -> str:
    """What a request is called in logs: as it says itself, if that is harmless, or else something new."""
    given = headers.get(b"x-request-id", b"")
    return given.decode() if SANE_ID.fullmatch(given) else new_id()


def problem_response(problem: RequestProblem, place: Sequence[str] = ("error",)) -> Response:
    """The answer that tells of `problem`, at `place` in it."""
    return Response(problem.body(place), problem.status, problem.headers, "application/json")


def internal_error(scope: Scope, place: Sequence[str] = ("error",)) -> Response:
    """The answer to an unexpected exception, to be called while it is handled: the log gets all, the client the id."""
    log.exception("request %s failed", scope["trace"].request_id)
    return problem_response(RequestProblem("internal error", status=500), place)


async def http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own findings (no such route, wrong method) in our form."""
    if not isinstance(error, HTTPException):
        raise error
    message = {404: "no such page", 405: f"{request.method[:20]} is not allowed here"}.get(
        error.status_code, error.detail
    )
    return problem_response(RequestProblem(message, status=error.status_code, headers=error.headers))
