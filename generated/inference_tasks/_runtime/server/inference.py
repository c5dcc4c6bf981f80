"""The one endpoint that matters: authorise, read, validate, look up, wait, decode, infer, check, answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..dialect import Dialect
from .body import Patience, read_body
from .calls import Call, Interpreter
from .engine import Engine
from .frame import CLIENT_LEFT, internal_error, problem_response
from .host import Host
from .memory import Share
from .problems import ClientGone, RequestProblem
from .spoken import spoken
from .stream import stream
from .trace import Trace
from .urls import Remote

NAME = re.compile(r"[\w.-]+(/[\w.-]+)*")
INLINE_BODY = 1 << 16
GRACE_SECONDS = 1.0
"""What a fetch has the time to give up by itself in, which says more."""


class InferenceEndpoint:
    """``POST /tasks/{name}`` or ``POST /models/{name}``: `hosts` are the models by what this route calls them.

    Where the route leaves the choice, a request may name one of `models`, which go by their own names. A `dialect` is
    what is spoken here; what its clients put after a model's address is taken as part of that. The message of an error
    stands at the place `error` of the answer.
    """

    def __init__(
        self,
        engine: Engine,
        kind: str,
        hosts: Mapping[str, Host],
        models: Mapping[str, Host],
        dialect: Dialect | None = None,
        error: Sequence[str] = ("error",),
    ) -> None:
        self._engine = engine
        self._kind = kind
        self._models = models
        self._hosts = {name: host for name, host in hosts.items() if dialect is None or dialect.speaks(host.binding.id)}
        self._interpreters = {
            name: Interpreter(
                host.binding,
                dialect.wire(host.binding.id) if dialect else None,
                engine.settings.limits,
                fetches=engine.fetcher is not None,
            )
            for name, host in self._hosts.items()
        }
        self._error = error
        self._scheme = dialect.auth if dialect else "Bearer"
        wires = dialect.wires.values() if dialect else ()
        self._tails = sorted({wire.model_route for wire in wires if wire.model_route})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        trace: Trace = scope["trace"]
        try:
            headers = dict(scope["headers"])
            trace.owner = self._engine.authorize(headers.get(b"authorization", b""), self._scheme)
            key = self._find(scope["path_params"].get("name", ""))
            host, interpreter = self._hosts[key], self._interpreters[key]
            trace.model = host.name
            with self._engine.budget.share() as share:
                call = await self._read(interpreter, headers, receive, share)
                host = self._named(host, call)
                trace.model = host.name
                trace.mark("read")
                response = await self._answer(host, interpreter, call, headers, receive, share, trace)
        except ClientGone:
            self._engine.metrics.request(trace, CLIENT_LEFT)
            return
        except RequestProblem as problem:
            response = problem_response(problem, self._error)
        except Exception:
            response = internal_error(scope, self._error)
        self._engine.metrics.request(trace, response.status_code)
        await response(scope, receive, send)

    def _find(self, path: str) -> str:
        name = path.removesuffix("/")
        for tail in ("", *self._tails):
            if name.endswith(tail) and (known := name.removesuffix(tail)) in self._hosts:
                return known
        served = ", ".join(sorted(self._hosts))
        named = f" {name!r}" if NAME.fullmatch(name) and len(name) <= 200 else ""
        raise RequestProblem(f"no such {self._kind}{named}; served here: {served}"[:2000], status=404)

    def _named(self, host: Host, call: Call) -> Host:
        """The model that the request names. A task's only model answers to any name. Raises RequestProblem (404)."""
        if call.model is None or self._kind == "model":
            return host
        others = {name: other for name, other in self._models.items() if other.binding.id == host.binding.id}
        if call.model in others or len(others) == 1:
            return others.get(call.model, host)
        raise RequestProblem(
            f"no such model; served here: {', '.join(sorted(others))}"[:2000], field="model", status=404
        )

    async def _read(
        self, interpreter: Interpreter, headers: Mapping[bytes, bytes], receive: Receive, share: Share
    ) -> Call:
        body = await read_body(receive, headers, self._engine.settings, share)
        kind = headers.get(b"content-type", b"")
        call: Call | Remote
        if len(body) <= INLINE_BODY:
            call = interpreter.read(body, kind)
        else:
            call = await self._engine.threaded(lambda: interpreter.read(body, kind))
        return await self._fetched(interpreter, call, receive, share) if isinstance(call, Remote) else call

    async def _fetched(self, interpreter: Interpreter, found: Remote, receive: Receive, share: Share) -> Call:
        fetcher = self._engine.fetcher
        assert fetcher is not None, "only then requests may be remote"
        with Patience(receive, self._engine.settings.fetch_timeout + GRACE_SECONDS) as patience:
            payload = await patience.wait(asyncio.ensure_future(fetcher.fill(found, share)))
        return await self._engine.threaded(lambda: interpreter.payload(payload))

    async def _answer(
        self,
        host: Host,
        interpreter: Interpreter,
        call: Call,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        share: Share,
        trace: Trace,
    ) -> Response:
        use_cache, wait = flag(headers, "x-use-cache", True), flag(headers, "x-wait-for-model", False)
        if call.streamed:
            if wait:
                await host.loaded(receive)
            events = await stream(host.stream(call), interpreter, self._error, trace)
            trace.mark("first_event")
            return events
        answer = await self._engine.answer(host, call, receive, share, trace, use_cache=use_cache, wait=wait)
        return spoken(interpreter.wire, answer, headers, trace)


def flag(headers: Mapping[bytes, bytes], name: str, default: bool) -> bool:
    """The boolean header `name`. Raises RequestProblem (400) for anything but true, false, 1 and 0."""
    value = headers.get(name.encode())
    if value is None:
        return default
    text = value.strip().lower()
    if text in (b"true", b"1"):
        return True
    if text in (b"false", b"0"):
        return False
    raise RequestProblem("must be true or false", field=name, status=400)
