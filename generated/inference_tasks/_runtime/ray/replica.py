"""One replica of one model: its handler, the thread that runs in, and the queue before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message

from ..server import logs
from ..server.body import Patience
from ..server.calls import Call
from ..server.handler import Handler
from ..server.host import ModelHost
from ..server.memory import Budget
from ..server.metrics import Metrics
from ..server.pool import Pool
from ..server.problems import RequestProblem, too_late
from ..server.settings import Serving
from ..server.trace import Trace


class Counted(Metrics):
    """Counts for those who asked: what happened here goes along with the next answer, and is in their metrics."""

    def __init__(self) -> None:
        super().__init__()
        self._batches: list[tuple[int, float]] = []
        self._inferences: list[float] = []

    def batch(self, model: str, size: int, waited: float) -> None:
        """A batch begins."""
        self._batches.append((size, waited))

    def inference(self, model: str, seconds: float) -> None:
        """A batch ended."""
        self._inferences.append(seconds)

    def taken(self) -> tuple[list[tuple[int, float]], list[float]]:
        """What was not taken yet: each batch with its size and how long it waited, and how long each one took."""
        out = self._batches, self._inferences
        self._batches, self._inferences = [], []
        return out


@dataclass(slots=True)
class Answer:
    """What a replica sends back: a `body`, or the `problem` in its place; and how that went."""

    body: bytes = b""
    problem: RequestProblem | None = None
    batch: int = 0
    stages: dict[str, float] = field(default_factory=dict)
    batches: list[tuple[int, float]] = field(default_factory=list)
    inferences: list[float] = field(default_factory=list)
    memory: int = 0


@dataclass(frozen=True)
class Labels:
    """The labels that a model's answers choose from, and what they are called, by language."""

    labels: Sequence[str] = ()
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class ModelReplica:
    """The class of a model's deployment."""

    def __init__(self, handler: Handler[Any, Any, Any], settings: Serving) -> None:
        logs.set_up(settings.log_level, settings.log_format)
        self._settings = settings
        self._metrics = Counted()
        self._budget = Budget(settings.max_pending)
        self._host = ModelHost(handler, settings, self._metrics, ThreadPoolExecutor(settings.decode_threads, "decode"))
        self._watching: asyncio.Task[None] | None = None

    async def check_health(self) -> None:
        """Called by Ray before the first request, and again and again: loads the model, unless that is left for later.

        Raises RuntimeError once it failed to load: Ray then starts the replica anew, or gives the deployment up.
        """
        if self._watching is None:
            self._watching = asyncio.create_task(Pool([self._host], self._settings).watch())
            self._host.open()
        await loaded(self._host)

    async def labels(self, load: bool) -> Labels | None:
        """The labels of the model; None if it is not loaded, which it is first if `load`."""
        if load:
            await self._host.settled()
        if self._host.state != "ready":
            return None
        names = {language: dict(self._host.names(language)) for language in self._host.languages}
        return Labels(tuple(self._host.labels), names)

    async def answer(self, call: Call, request_id: str) -> Answer:
        """The answer to `call`, once the model is loaded. Cancelled when whoever asked does not wait any more."""
        trace = Trace(request_id)
        answer = Answer()
        try:
            with self._budget.share() as share, Patience(_stays, self._settings.deadline) as patience:
                await self._host.settled()
                answer.body = await self._host.answer(call, share, patience, trace)
        except TimeoutError:
            answer.problem = too_late(self._settings.deadline)
        except RequestProblem as problem:
            answer.problem = problem
        answer.batch, answer.stages, answer.memory = trace.batch, trace.stages, self._host.memory
        answer.batches, answer.inferences = self._metrics.taken()
        return answer

    async def stream(self, call: Call) -> AsyncIterator[bytes | RequestProblem]:
        """The events of a streamed answer; the last one may be a problem."""
        await self._host.settled()
        try:
            events = self._host.stream(call)
            try:
                async for event in events:
                    yield event
            finally:
                await events.aclose()
        except RequestProblem as problem:
            yield problem


async def loaded(host: ModelHost) -> None:
    """Return once a model is there that is to be there from the start. Raises RuntimeError if it failed."""
    if not host.able:
        await host.settled()
    if not host.able:
        raise RuntimeError(f"model {host.name!r} failed to load ({host.reason})")


async def _stays() -> Message:
    """What a client sends that is never gone: Ray cancels the call instead."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("unreachable")
