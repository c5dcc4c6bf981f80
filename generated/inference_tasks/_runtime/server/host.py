"""A model's life: idle, loading, ready or failed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import math
import time
from typing import Any, Literal

from starlette.types import Receive

from .batcher import Batcher
from .body import Patience
from .handler import Handler
from .metrics import Metrics
from .problems import RequestProblem
from .settings import Settings
from .worker import Worker

log = logging.getLogger(__name__)

State = Literal["idle", "loading", "ready", "failed"]


class ModelHost:
    """One handler with the thread it runs in and the queue before it."""

    def __init__(self, handler: Handler[Any, Any, Any], settings: Settings, metrics: Metrics) -> None:
        self.handler = handler
        self.binding = handler.binding
        self.name = handler.name or handler.binding.id
        self.state: State = "idle"
        self.reason = ""
        self.batcher: Batcher | None = None
        self._settings = settings
        self._metrics = metrics
        self._worker: Worker | None = None
        self._loading: asyncio.Task[None] | None = None
        self._since = 0.0
        metrics.serve(
            self.name,
            self.binding.id,
            lambda: float(len(self.batcher) if self.batcher is not None else 0),
            lambda: float(self.state == "ready"),
        )

    def start(self) -> None:
        """Begin to load, unless that was done before."""
        if self.state == "idle":
            self.state, self._since = "loading", time.monotonic()
            self._loading = asyncio.get_running_loop().create_task(self._load())

    def stop(self) -> None:
        """Take no more work. What the model is doing now ends on its own."""
        if self._loading is not None:
            self._loading.cancel()
        if self._worker is not None:
            self._worker.stop()

    async def _load(self) -> None:
        worker = self._worker = Worker(f"model {self.name}")
        try:
            await worker.run(self.handler.load)
        except Exception as error:
            # Only the kind of failure is told to clients: messages of loaders are full of paths.
            self.state, self.reason = "failed", type(error).__name__
            log.exception("model %r failed to load", self.name)
            return
        # What a loaded model consists of never dies: without this, each full collection walks all of it.
        gc.collect()
        gc.freeze()
        self.batcher = Batcher(self.handler, self.name, worker, self._settings.max_queue, self._metrics)
        self.state = "ready"
        log.info("model %r is ready after %.1f s", self.name, time.monotonic() - self._since)

    async def loaded(self, receive: Receive) -> None:
        """Return once the model is loaded or failed, or after ``load_timeout``. Raises ClientGone."""
        self.start()
        if self.state == "loading" and self._loading is not None:
            async with Patience(receive, self._settings.load_timeout) as patience:
                with contextlib.suppress(TimeoutError):
                    await patience.wait(asyncio.shield(self._loading))

    def ready(self) -> Batcher:
        """The queue of the loaded model.

        Raises RequestProblem: 503 with an estimate while it loads, 500 if it failed to.
        """
        self.start()
        if self.batcher is not None:
            return self.batcher
        if self.state == "failed":
            raise RequestProblem(f"model {self.name!r} failed to load ({self.reason})", status=500)
        remaining = max(1.0, self.handler.load_seconds - (time.monotonic() - self._since))
        raise RequestProblem(
            f"model {self.name!r} is loading",
            status=503,
            headers={"retry-after": str(math.ceil(remaining))},
            members={"estimated_time": round(remaining, 1)},
        )
