"""What all inference requests share, and how a model is asked one thing, whoever wants to know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.types import Receive

from .body import Patience
from .cache import ResponseCache, cache_key
from .calls import Call
from .host import Host
from .memory import Budget, Share
from .metrics import Metrics
from .problems import RequestProblem, too_late
from .settings import Settings
from .tokens import Tokens
from .trace import Trace

T = TypeVar("T")


class Engine:
    """What all inference requests of one application share."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self.cache = ResponseCache(settings.cache_size, settings.cache_ttl) if settings.cache_size > 0 else None
        self.budget = Budget(settings.max_pending)
        self.threads = ThreadPoolExecutor(settings.decode_threads, "decode")
        metrics.hold(lambda: self.cache.used if self.cache else 0, lambda: self.budget.used)
        self._tokens = Tokens(settings.token, settings.token_file)
        self.fetcher = None
        if settings.fetch:
            from .fetch import Fetcher

            self.fetcher = Fetcher(settings)

    def authorize(self, authorization: bytes, scheme: str = "Bearer") -> bytes:
        """Whose request has the header `authorization`, as a part of keys: nobody's if no token is wanted.

        Raises RequestProblem (401) unless it holds the word `scheme`, in any case, and one of the tokens.
        """
        if not self._tokens.wanted:
            return b""
        word, _, token = authorization.partition(b" ")
        owner = self._tokens.owner(token.strip())
        if owner is None or word.lower() != scheme.lower().encode():
            message = f"a valid token is required: send Authorization: {scheme} <token>"
            raise RequestProblem(message, status=401, headers={"www-authenticate": scheme})
        return owner

    async def answer(
        self,
        host: Host,
        call: Call,
        receive: Receive,
        share: Share,
        trace: Trace,
        *,
        use_cache: bool = True,
        wait: bool = False,
    ) -> bytes:
        """The answer of `host` as JSON text in the words of the spec: a kept one, or what the model says in time.

        With `wait`, a model that is being loaded is waited for. Raises RequestProblem, and ClientGone once `receive`
        tells that nobody is left to answer.
        """
        key, kept, trace.cache = b"", None, "bypass"
        if self.cache is not None and use_cache and host.deterministic and not call.samples:
            # Were answers shared between tokens, a hit would tell what somebody else had asked.
            about = trace.owner, host.name.encode(), host.binding.id.encode()
            key = cache_key((*about, call.canonical_parameters, call.canonical_inputs))
            kept = self.cache.get(key)
            trace.cache = "miss" if kept is None else "hit"
        self.metrics.cache(host.name, trace.cache)
        if kept is not None:
            return kept
        if wait:
            await host.loaded(receive)
        with Patience(receive, self.settings.deadline) as patience:
            try:
                answer = await host.answer(call, share, patience, trace)
            except TimeoutError:
                raise too_late(self.settings.deadline) from None
        if self.cache is not None and key:
            self.cache.put(key, answer)
        return answer

    async def threaded(self, function: Callable[[], T]) -> T:
        """What `function` returns, which runs where media are decoded."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, function)
