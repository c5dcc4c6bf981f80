"""The one endpoint that matters: authorise, read, validate, look up, wait, decode, infer, check, answer."""

from __future__ import annotations

import asyncio
import hmac
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..types import dump
from ..validation import validate_response
from .body import Patience, read_body
from .cache import ResponseCache, cache_key
from .calls import Call, Interpreter
from .decode import decode, held
from .frame import internal_error, problem_response
from .host import ModelHost
from .memory import Budget, Share
from .metrics import Metrics
from .problems import ClientGone, RequestProblem
from .settings import Settings

NAME = re.compile(r"[\w.-]+(/[\w.-]+)*")
INLINE_BODY = 1 << 16
CLIENT_LEFT = 499

T = TypeVar("T")


class Engine:
    """What all inference requests of one application share."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self.cache = ResponseCache(settings.cache_size, settings.cache_ttl) if settings.cache_size > 0 else None
        self.budget = Budget(settings.max_pending)
        self.threads = ThreadPoolExecutor(settings.decode_threads, "decode")
        self._token = None if settings.token is None else sha256(settings.token.encode()).digest()

    def authorize(self, headers: Mapping[bytes, bytes]) -> None:
        """Raises RequestProblem (401) unless the request carries the token."""
        if self._token is None:
            return
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        # Digests of one length take one time to compare, whatever was sent.
        right = hmac.compare_digest(sha256(token.strip()).digest(), self._token)
        if not (right and scheme.lower() == b"bearer"):
            message = "a valid token is required: send Authorization: Bearer <token>"
            raise RequestProblem(message, status=401, headers={"www-authenticate": "Bearer"})


class InferenceEndpoint:
    """``POST /tasks/{name}`` or ``POST /models/{name}``: `hosts` are the models by what this route calls them.

    Where the route leaves the choice, a request may name one of `models`, which go by their own names.
    """

    def __init__(
        self, engine: Engine, kind: str, hosts: Mapping[str, ModelHost], models: Mapping[str, ModelHost]
    ) -> None:
        self._engine = engine
        self._kind = kind
        self._hosts = hosts
        self._models = models
        self._interpreters = {name: Interpreter(host.binding) for name, host in hosts.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        name = ""
        try:
            headers = dict(scope["headers"])
            self._engine.authorize(headers)
            key = self._find(scope["path_params"]["name"])
            host, interpreter = self._hosts[key], self._interpreters[key]
            name = host.name
            with self._engine.budget.share() as share:
                call = await self._read(interpreter, headers, receive, share)
                host = self._named(host, call)
                name = host.name
                response = await self._answer(host, interpreter, call, headers, receive, share)
        except ClientGone:
            self._engine.metrics.request(name, CLIENT_LEFT, time.perf_counter() - started)
            return
        except RequestProblem as problem:
            response = problem_response(problem)
        except Exception:
            response = internal_error(scope)
        self._engine.metrics.request(name, response.status_code, time.perf_counter() - started)
        await response(scope, receive, send)

    def _find(self, path: str) -> str:
        name = path.removesuffix("/")
        if name in self._hosts:
            return name
        served = ", ".join(sorted(self._hosts))
        named = f" {name!r}" if NAME.fullmatch(name) and len(name) <= 200 else ""
        raise RequestProblem(f"no such {self._kind}{named}; served here: {served}"[:2000], status=404)

    def _named(self, host: ModelHost, call: Call) -> ModelHost:
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
        if len(body) <= INLINE_BODY:
            return interpreter.read(body, kind)
        call: Call = await self._threaded(lambda: interpreter.read(body, kind))
        return call

    async def _answer(
        self,
        host: ModelHost,
        interpreter: Interpreter,
        call: Call,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        share: Share,
    ) -> Response:
        engine, settings = self._engine, self._engine.settings
        use_cache, wait = flag(headers, "x-use-cache", True), flag(headers, "x-wait-for-model", False)
        cached, state = None, "bypass"
        key = b""
        if engine.cache is not None and use_cache and host.handler.deterministic and not call.samples:
            parts = host.name.encode(), host.binding.id.encode(), call.canonical_parameters, call.canonical_inputs
            key = cache_key(parts)
            cached = engine.cache.get(key)
            state = "miss" if cached is None else "hit"
        engine.metrics.cache(host.name, state)
        if cached is None:
            if wait:
                await host.loaded(receive)
            batcher = host.ready()
            async with Patience(receive, settings.deadline) as patience:
                try:
                    inputs = await self._decoded(call, interpreter, share, patience)
                    result = await patience.wait(batcher.submit(inputs, call.parameters, call.canonical_parameters))
                except TimeoutError:
                    message = f"no answer within {settings.deadline:g} seconds"
                    raise RequestProblem(message, status=504) from None
            cached = encode(interpreter, result)
            if engine.cache is not None and key:
                engine.cache.put(key, cached)
        return Response(cached, 200, {"x-cache": state}, "application/json")

    async def _decoded(self, call: Call, interpreter: Interpreter, share: Share, patience: Patience) -> Any:
        binding = interpreter.binding
        if interpreter.shape == "whole" or binding.media not in ("audio", "image"):
            return call.inputs
        running = asyncio.get_running_loop().run_in_executor(
            self._engine.threads, decode, binding.media, call.inputs, binding.primary
        )
        inputs = await patience.wait(running)
        share.take(held(inputs))
        return inputs

    async def _threaded(self, function: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._engine.threads, function)


def encode(interpreter: Interpreter, result: Any) -> bytes:
    """The handler's `result` as JSON text, checked against the task's response; RuntimeError if it is off."""
    binding = interpreter.binding
    try:
        checked = validate_response(binding, dump(result))
        body: bytes = binding.output_adapter.dump_json(checked, by_alias=True, exclude_unset=True)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)[:3]
        raise RuntimeError(f"the handler of {binding.id} broke its response schema: {found}") from None
    return body


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
