"""A model that answers in replicas of its own: what the application asks, it asks them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from starlette.types import Receive

from ..binding import TaskBinding
from ..server.body import Patience
from ..server.calls import Call
from ..server.host import State, failed, loading
from ..server.memory import Share
from ..server.metrics import Metrics
from ..server.problems import RequestProblem, busy, too_late
from ..server.settings import Settings
from ..server.trace import Trace
from .replica import Answer, Labels

log = logging.getLogger(__name__)

TRIES = 3
"""How often a request is sent at most. One that kills whatever computes it must not take all replicas with it."""

TICK_SECONDS = 1.0
LOADING_TICK_SECONDS = 0.2


@dataclass(frozen=True)
class Deployed:
    """What the application knows of a model that is somewhere else."""

    task: str
    name: str
    deployment: str
    """The name of its deployment."""
    deterministic: bool
    load_seconds: float


class RemoteHost:
    """One model behind the handle of its deployment.

    A replica that dies takes the requests with it that it has; they are sent again, which is safe since an answer
    changes nothing. A stream is, as long as nothing of it was answered.
    """

    def __init__(
        self, model: Deployed, binding: TaskBinding, settings: Settings, metrics: Metrics, replicas: Replicas
    ) -> None:
        serve = import_module("ray.serve")
        self.binding = binding
        self.name = model.name
        self.deterministic = model.deterministic
        self._model = model
        self._settings = settings
        self._metrics = metrics
        self._replicas = replicas
        self._handle = serve.get_deployment_handle(model.deployment)
        self._lost = _lost()
        self._busy: type[Exception] = import_module("ray.serve.exceptions").BackPressureError
        self._labels: Labels | None = None
        self._asked = 0
        self._memory = 0
        metrics.serve(
            self.name,
            self.binding.id,
            depth=lambda: float(self._asked),
            ready=lambda: float(self.state == "ready"),
            memory=lambda: float(self._memory),
        )

    @property
    def state(self) -> State:
        """``ready`` once a replica is: whoever asks while none is any more waits for the next."""
        return self._replicas.state(self._model.deployment)

    @property
    def able(self) -> bool:
        """Whether it answers."""
        return self.state == "ready"

    @property
    def labels(self) -> Sequence[str]:
        """The labels that answers choose from, once a replica was waited for; none if there is no such list."""
        return self._labels.labels if self._labels is not None else ()

    @property
    def languages(self) -> Sequence[str]:
        """The languages that `names` knows, once a replica was waited for."""
        return tuple(self._labels.names) if self._labels is not None else ()

    def names(self, language: str) -> Mapping[str, str]:
        """What labels are called in `language`, as far as that is known: one that is missing keeps its name."""
        return self._labels.names.get(language, {}) if self._labels is not None else {}

    def open(self) -> None:
        """Begin to look whether there are replicas."""
        self._replicas.watch()

    def stop(self) -> None:
        """Look no more."""
        self._replicas.stop()

    async def loaded(self, receive: Receive) -> None:
        """Return once a replica is ready or the deployment failed, or after ``load_timeout``. Raises ClientGone."""
        if self.state == "loading" or self._labels is None:
            with Patience(receive, self._settings.load_timeout) as patience, contextlib.suppress(TimeoutError):
                await patience.wait(asyncio.ensure_future(self._settled(load=True)))

    async def settled(self) -> None:
        """Return once a replica is ready or the deployment failed, or after ``load_timeout``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.load_timeout):
                await self._settled(load=False)

    async def _settled(self, load: bool) -> None:
        """Return once a replica is ready or the deployment failed, and the labels are known.

        They are the same in all replicas for as long as this application is here, and not known of a model that is to
        be loaded when it is first asked for, unless this is to `load` it.
        """
        await self._replicas.settled(self._model.deployment)
        if self._labels is None and self.state == "ready":
            response = self._handle.labels.remote(load)
            with contextlib.suppress(self._busy, *self._lost):  # whoever waits next asks again
                self._labels = await response

    def check(self) -> None:
        """Raises RequestProblem if no replica answers now: 503 with an estimate while one loads, 500 if none can."""
        state = self.state
        if state == "failed":
            raise failed(self.name, "see the log of its deployment")
        if state == "loading":
            raise loading(self.name, self._model.load_seconds - self._replicas.seconds)

    async def answer(self, call: Call, share: Share, patience: Patience, trace: Trace) -> bytes:
        """The answer as JSON text in the words of the spec; its stages are marked in `trace`.

        Raises RequestProblem, and what `patience` raises.
        """
        self.check()
        self._asked += 1
        try:
            answer = await patience.wait(asyncio.ensure_future(self._ask(call, trace.request_id)))
        finally:
            self._asked -= 1
        trace.batch, self._memory = answer.batch, answer.memory
        trace.mark("replica")
        trace.stages |= answer.stages
        for size, waited in answer.batches:
            self._metrics.batch(self.name, size, waited)
        for seconds in answer.inferences:
            self._metrics.inference(self.name, seconds)
        if answer.problem is not None:
            raise answer.problem
        return answer.body

    async def _ask(self, call: Call, request_id: str) -> Answer:
        for last in _tries():
            response = self._handle.answer.remote(call, request_id)
            try:
                answer: Answer = await response
                return answer
            except asyncio.CancelledError:
                response.cancel()
                raise
            except self._busy:
                raise self._overloaded() from None
            except self._lost as error:
                self._again(error, last)
        raise AssertionError("the last try returns or raises")

    async def stream(self, call: Call) -> AsyncGenerator[bytes, None]:
        """The events of a streamed answer, each as JSON text in the words of the spec. Raises RequestProblem."""
        self.check()
        for last in _tries():
            begun = False
            response = self._handle.options(stream=True).stream.remote(call)
            try:
                async for event in _timely(response, self._settings.deadline):
                    if isinstance(event, RequestProblem):
                        raise event
                    begun = True
                    yield event
                return
            except self._busy:
                raise self._overloaded() from None
            except self._lost as error:
                if begun:
                    raise
                self._again(error, last)
            finally:
                response.cancel()

    def _overloaded(self) -> RequestProblem:
        return busy(f"{self._settings.max_queue} requests are waiting")

    def _again(self, error: Exception, last: bool) -> None:
        """Log that a request got lost; raises RequestProblem (503) if it was sent for the `last` time."""
        log.warning("a replica of model %r was lost (%s)", self.name, type(error).__name__)
        if last:
            message = f"model {self.name!r} lost {TRIES} replicas over this request"
            raise RequestProblem(message, status=503, headers={"retry-after": "1"})


class Replicas:
    """Which deployments of this application have replicas, looked up for all of them every second or faster."""

    def __init__(self, application: str) -> None:
        self._began = time.monotonic()
        self._application = application
        self._states: dict[str, State] = {}
        self._watching: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    @property
    def seconds(self) -> float:
        """Since they were first looked for."""
        return time.monotonic() - self._began

    def state(self, deployment: str) -> State:
        """``loading`` until the first replica is ready, ``failed`` once none can be made."""
        return self._states.get(deployment, "loading")

    def watch(self) -> None:
        """Begin to look, unless that was done before."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    def stop(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()

    async def settled(self, deployment: str) -> None:
        """Return once `deployment` is ready or failed."""
        while self.state(deployment) == "loading":
            await self._changed.wait()

    async def _watch(self) -> None:
        serve = import_module("ray.serve")
        while True:
            try:
                status = await asyncio.to_thread(serve.status)
                found = status.applications[self._application].deployments
            except Exception as error:
                log.warning("Ray Serve does not say how its deployments are (%s)", type(error).__name__)
            else:
                self._states |= {name: self._state(name, overview) for name, overview in found.items()}
                self._changed.set()
                self._changed.clear()
            settled = self._states and "loading" not in self._states.values()
            await asyncio.sleep(TICK_SECONDS if settled else LOADING_TICK_SECONDS)

    def _state(self, name: str, overview: Any) -> State:
        if overview.replica_states.get("RUNNING", 0):
            return "ready"
        if overview.status == "DEPLOY_FAILED":
            return "failed"
        # One that was ready and has lost its last replica will have another one soon, and requests wait for that.
        return "ready" if self._states.get(name) == "ready" else "loading"


def _tries() -> Iterable[bool]:
    """For each try, whether it is the last one."""
    return (number == TRIES for number in range(1, TRIES + 1))


def _lost() -> tuple[type[Exception], ...]:
    """What tells that a replica, or the machine it was on, is gone."""
    errors = import_module("ray.exceptions")
    return errors.RayActorError, errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError


async def _timely(response: Any, deadline: float) -> AsyncGenerator[Any, None]:
    """What `response` yields. Raises RequestProblem (504) if the next item takes longer than `deadline`."""
    while True:
        try:
            async with asyncio.timeout(deadline):
                item = await anext(response)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise too_late(deadline) from None
        yield item
