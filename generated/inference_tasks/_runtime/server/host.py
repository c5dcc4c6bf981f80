"""Where a model answers: here, with a life from idle over loading to ready or failed; or anywhere else."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

from starlette.types import Receive

from ..binding import TaskBinding
from .batcher import Batcher, batcher_of
from .body import Patience
from .calls import Call
from .decode import decode, held
from .encode import encode
from .handler import Handler, takes
from .memory import Share
from .metrics import Metrics
from .problems import RequestProblem
from .settings import Settings
from .stream import events
from .trace import Trace
from .worker import Worker

log = logging.getLogger(__name__)

RETRY_SECONDS = 60.0

State = Literal["idle", "loading", "ready", "failed"]


class Host(Protocol):
    """What the application asks of a model, wherever that answers."""

    @property
    def binding(self) -> TaskBinding:
        """The task."""
        ...

    @property
    def name(self) -> str:
        """What ``/models/{name}`` calls it."""
        ...

    @property
    def deterministic(self) -> bool:
        """Whether equal requests have equal answers."""
        ...

    @property
    def state(self) -> State:
        """What ``/ready`` says of it."""
        ...

    @property
    def able(self) -> bool:
        """Whether it answers, or will once it is asked."""
        ...

    @property
    def labels(self) -> Sequence[str]:
        """The labels that answers choose from, once it was loaded; none if there is no such list."""
        ...

    @property
    def languages(self) -> Sequence[str]:
        """The languages that `names` knows, as tags: ``de``, ``zh-Hans``."""
        ...

    def names(self, language: str) -> Mapping[str, str]:
        """What labels are called in `language`, as far as that is known: one that is missing keeps its name."""
        ...

    def open(self) -> None:
        """The server begins."""
        ...

    def stop(self) -> None:
        """The server ends."""
        ...

    async def loaded(self, receive: Receive) -> None:
        """Return once the model is ready or failed, or after ``load_timeout``. Raises ClientGone."""
        ...

    def check(self) -> None:
        """Raises RequestProblem if it does not answer now: 503 with an estimate while it loads, 500 if it failed."""
        ...

    async def answer(self, call: Call, share: Share, patience: Patience, trace: Trace) -> bytes:
        """The answer as JSON text in the words of the spec; its stages are marked in `trace`.

        Raises RequestProblem, and what `patience` raises.
        """
        ...

    def stream(self, call: Call) -> AsyncGenerator[bytes, None]:
        """The events of a streamed answer, each as JSON text in the words of the spec.

        Raises RequestProblem, here or with a step.
        """
        ...


class ModelHost:
    """One handler with the thread it runs in and the queue before it; media are decoded in `threads`."""

    def __init__(
        self, handler: Handler[Any, Any, Any], settings: Settings, metrics: Metrics, threads: Executor
    ) -> None:
        self.handler = handler
        handler.limits = settings.limits
        self.binding = handler.binding
        self.name = handler.name or handler.binding.id
        self.deterministic = handler.deterministic
        self.state: State = "idle"
        self.reason = ""
        self.batcher: Batcher | None = None
        self.used = 0.0
        """When (`time.monotonic`) it was last known to be in use."""
        self.turn: AbstractAsyncContextManager[object] = contextlib.nullcontext()
        """Held while it loads."""
        self.make_room: Callable[[ModelHost, int], Awaitable[None]] | None = None
        """Awaited before it takes memory, with how much that will be as far as is known, and afterwards with 0."""
        self._lazy = settings.lazy if handler.lazy is None else handler.lazy
        self._loaded = False
        self._users = 0
        self._size = 0
        self._settings = settings
        self._metrics = metrics
        self._threads = threads
        self._decodes = self.binding.media in ("audio", "image") and takes(self.binding) != "whole"
        self._worker: Worker | None = None
        self._loading: asyncio.Task[None] | None = None
        self._since = 0.0
        self._took = handler.load_seconds
        metrics.serve(
            self.name,
            self.binding.id,
            depth=lambda: float(len(self.batcher) if self.batcher is not None else 0),
            ready=lambda: float(self.state == "ready"),
            memory=lambda: float(self.memory),
        )

    @property
    def able(self) -> bool:
        """Whether it answers, or will once it is asked: one that is to be there from the start must have been."""
        return self.state != "failed" and (self._lazy or self._loaded)

    @property
    def labels(self) -> Sequence[str]:
        """The labels that answers choose from, once it was loaded; none if there is no such list."""
        return self.handler.labels

    @property
    def languages(self) -> Sequence[str]:
        """The languages that `names` knows, as tags: ``de``, ``zh-Hans``."""
        return tuple(self.handler.label_names)

    def names(self, language: str) -> Mapping[str, str]:
        """What labels are called in `language`, as far as that is known: one that is missing keeps its name."""
        return self.handler.label_names.get(language, {})

    @property
    def memory(self) -> int:
        """How many bytes the model takes now, as far as its handler knows."""
        return self._size if self.state == "ready" else 0

    @property
    def active(self) -> bool:
        """Whether somebody waits for its answer, or it is still computing one that nobody waits for."""
        return self._users > 0 or (self.batcher is not None and self.batcher.active)

    @property
    def unloadable(self) -> bool:
        """Whether it may be unloaded now."""
        return self.state == "ready" and not self.active and type(self.handler).unload is not Handler.unload

    def open(self) -> None:
        """Begin to load, unless that is left to the first request."""
        if not self._lazy:
            self.start()

    def start(self) -> None:
        """Begin to load, unless that was done before; once more if it failed long enough ago."""
        again = self.state == "failed" and time.monotonic() - self._since >= RETRY_SECONDS
        if self.state == "idle" or again:
            self.state, self._since = "loading", time.monotonic()
            self._loading = asyncio.get_running_loop().create_task(self._load())

    def stop(self) -> None:
        """Take no more work. What the model is doing now ends on its own."""
        if self._loading is not None:
            self._loading.cancel()
        if self._worker is not None:
            self._worker.stop()

    async def _load(self) -> None:
        async with self.turn:
            if self.make_room is not None:
                await self.make_room(self, self._size)
            if self._worker is None:
                self._worker = Worker(f"model {self.name}")
            try:
                await self._worker.run(self.handler.load)
                self._size = self.handler.memory()
            except Exception as error:
                # Only the kind of failure is told to clients: messages of loaders are full of paths.
                self.state, self.reason, self._since = "failed", type(error).__name__, time.monotonic()
                log.exception("model %r failed to load", self.name)
                return
            # What a loaded model consists of does not die: without this, each full collection walks all of it.
            gc.collect()
            gc.freeze()
            self.batcher = batcher_of(self.handler, self.name, self._worker, self._settings.max_queue, self._metrics)
            self.state, self.used, self._loaded = "ready", time.monotonic(), True
            self._took = self.used - self._since
            log.info("model %r is ready after %.1f s: %d bytes", self.name, self._took, self._size)
            if self.make_room is not None:
                await self.make_room(self, 0)

    async def unload(self) -> None:
        """Let go of the model; the next request loads it again. Only while it is `unloadable`."""
        assert self._worker is not None, "it was loaded there"
        self.batcher, self.state = None, "idle"
        try:
            # Were it to be loaded again meanwhile, that would wait in the same thread until this is done.
            await self._worker.run(self.handler.unload)
        except Exception:
            log.exception("model %r failed to unload", self.name)
        # Models are full of references in circles, and nothing that is frozen is ever collected.
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        log.info("model %r is unloaded", self.name)

    async def loaded(self, receive: Receive) -> None:
        """Return once the model is loaded or failed, or after ``load_timeout``. Raises ClientGone."""
        self.start()
        if self.state != "loading":
            return
        # Who waits is a user: else another model that loads next would take its place before anybody had an answer.
        self._users += 1
        try:
            with Patience(receive, self._settings.load_timeout) as patience, contextlib.suppress(TimeoutError):
                await patience.wait(asyncio.ensure_future(self.settled()))
        finally:
            self._users -= 1
            self.used = time.monotonic()

    async def settled(self) -> None:
        """Return once the model is loaded or failed, however long that takes."""
        self.start()
        if self.state == "loading" and self._loading is not None:
            await asyncio.shield(self._loading)

    async def answer(self, call: Call, share: Share, patience: Patience, trace: Trace) -> bytes:
        """The answer as JSON text in the words of the spec; its stages are marked in `trace`.

        Raises RequestProblem, see `ready` too, and what `patience` raises.
        """
        with self.use() as batcher:
            inputs = await self._decoded(call, share, patience)
            trace.mark("decode")
            result = await patience.wait(batcher.submit(inputs, call.parameters, call.canonical_parameters, trace))
        body = encode(self.binding, result, validated=self.handler.validated)
        trace.mark("encode")
        return body

    async def _decoded(self, call: Call, share: Share, patience: Patience) -> Any:
        if not self._decodes:
            return call.inputs
        running = asyncio.get_running_loop().run_in_executor(
            self._threads, decode, self.binding.media, call.inputs, self.binding.primary, self.handler.limits
        )
        inputs = await patience.wait(running)
        share.take(held(inputs))
        return inputs

    def stream(self, call: Call) -> AsyncGenerator[bytes, None]:
        """The events of a streamed answer, each as JSON text in the words of the spec.

        Raises RequestProblem, see `ready` too, here or with a step.
        """
        batcher = self.ready()
        batcher.admit_stream()
        return events(batcher, self.binding, call.inputs, self._settings.deadline)

    @contextlib.contextmanager
    def use(self) -> Iterator[Batcher]:
        """The queue of the loaded model, which stays loaded meanwhile. Raises RequestProblem, see `ready`."""
        batcher = self.ready()
        self._users += 1
        try:
            yield batcher
        finally:
            self._users -= 1
            self.used = time.monotonic()

    def check(self) -> None:
        """Raises RequestProblem if the model does not answer now, see `ready`."""
        self.ready()

    def ready(self) -> Batcher:
        """The queue of the loaded model.

        Raises RequestProblem: 503 with an estimate while it loads, 500 if it failed to.
        """
        self.start()
        if self.batcher is not None:
            self.used = time.monotonic()
            return self.batcher
        if self.state == "failed":
            raise failed(self.name, self.reason)
        raise loading(self.name, self._took - (time.monotonic() - self._since))


def failed(name: str, reason: str) -> RequestProblem:
    """What a model that failed to load for `reason` answers."""
    return RequestProblem(f"model {name!r} failed to load ({reason})", status=500)


def loading(name: str, seconds: float) -> RequestProblem:
    """What a model answers that should be ready in `seconds`."""
    remaining = max(1.0, seconds)
    return RequestProblem(
        f"model {name!r} is loading",
        status=503,
        headers={"retry-after": str(math.ceil(remaining))},
        members={"estimated_time": round(remaining, 1)},
    )
