"""The calls of Clarifai's API, whatever they travel by: messages of its protocol come in as objects, and go out so.

Names are those of the protocol buffers, enums are numbers, times texts as RFC 3339 has them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.types import Receive

from ...clarifai.codes import Code, http_status
from ...dialect import Dialect
from ..engine import Engine
from ..frame import CLIENT_LEFT
from ..host import Host
from ..memory import Share
from ..problems import ClientGone, RequestProblem
from ..trace import Trace
from .catalogue import Catalogue
from .outputs import Outputs
from .problems import Problem, Reply, of_request_problem, status

log = logging.getLogger(__name__)

Read = Callable[[Share], Awaitable[dict[str, Any]]]
"""Gives the request, and holds in the share the memory that it takes. Raises Problem, RequestProblem and ClientGone."""

PREDICT = "PostModelOutputs"


class Service:
    """Answers the calls of the models in `hosts` whose tasks the `dialect` speaks; `package` is the generated one."""

    def __init__(self, engine: Engine, hosts: Sequence[Host], dialect: Dialect, package: str) -> None:
        self._engine = engine
        self._scheme = dialect.auth
        catalogue = Catalogue(hosts, dialect, package)
        self._outputs = Outputs(engine, catalogue)
        self._rpcs = catalogue.rpcs
        self.rpcs = (PREDICT, *self._rpcs)
        """The names of the methods that there are."""

    async def call(self, rpc: str, read: Read, *, authorization: bytes, trace: Trace, receive: Receive) -> Reply:
        """The answer to a call of the method `rpc`, once it is authorised and `read`; what is wrong is its status.

        `authorization` is the header, `trace` gets to know how it goes, and its ``request_id`` is the answer's
        ``req_id``. `receive` tells that the client has left, as in ASGI. Raises ClientGone then, and nothing else.
        """
        try:
            trace.owner = self._authorized(authorization)
            with self._engine.budget.share() as share:
                request = await read(share)
                if rpc == PREDICT:
                    return await self._outputs.post(request, receive, trace)
                said = {
                    "status": status(Code.SUCCESS, req_id=trace.request_id),
                    **await self._rpcs[rpc](request, receive),
                }
                reply = Reply(Code.SUCCESS, said)
        except ClientGone:
            if not trace.model:  # else each of its inputs is counted
                self._engine.metrics.request(trace, CLIENT_LEFT)
            raise
        except Problem as problem:
            reply = failed(problem, trace)
        except RequestProblem as problem:
            reply = failed(of_request_problem(problem), trace)
        except Exception:
            log.exception("request %s failed", trace.request_id)
            details = "internal error; the server's log tells more by the req_id"
            reply = failed(Problem(Code.INTERNAL_SERVER_ISSUE, details), trace)
        self._engine.metrics.request(trace, http_status(reply.code))
        return reply

    def _authorized(self, authorization: bytes) -> bytes:
        try:
            return self._engine.authorize(authorization, self._scheme)
        except RequestProblem as problem:
            other = authorization and authorization.partition(b" ")[0].lower() != self._scheme.lower().encode()
            code = Code.CONN_KEY_INVALID if other else Code.CONN_KEY_NOT_FOUND
            raise Problem(code, problem.message, problem.headers) from None


def failed(problem: Problem, trace: Trace) -> Reply:
    """The answer to a call that ends with `problem`."""
    return Reply(problem.code, {"status": status(problem.code, problem.details, trace.request_id)}, problem.headers)
