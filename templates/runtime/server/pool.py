"""Which models stay loaded: those that are idle for long leave, and the least recently used when there is no room."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from .host import ModelHost
from .settings import Settings

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0


class Pool:
    """The models of one server. Used from the event loop only.

    A model's memory is measured once it is loaded, so the limit may be passed by one model, while it loads for the
    first time; and by models that are all in use. A model that is larger than the limit alone is served all the same.
    """

    def __init__(self, hosts: Sequence[ModelHost], settings: Settings) -> None:
        self._hosts = hosts
        self._idle = settings.unload_after
        self._limit = settings.max_model_memory
        if self._limit:
            # One at a time: models that are loaded together could not make room for one another.
            turn = asyncio.Lock()
            for host in hosts:
                host.turn, host.make_room = turn, self.make_room

    async def watch(self) -> None:
        """Unload what is to be unloaded, for as long as this runs."""
        if not (self._idle or self._limit):
            return
        tick = min(TICK_SECONDS, max(self._idle / 4, 0.01)) if self._idle else TICK_SECONDS
        while True:
            await asyncio.sleep(tick)
            now = time.monotonic()
            for host in self._hosts:
                if host.active:
                    host.used = now
                elif self._idle and host.unloadable and now - host.used >= self._idle:
                    log.info("model %r was idle for %.0f s", host.name, now - host.used)
                    await host.unload()
            await self.make_room(None, 0)

    async def make_room(self, loading: ModelHost | None, size: int) -> None:
        """Unload idle models, the least recently used first, until there is room for `size` bytes more."""
        while self._limit and sum(host.memory for host in self._hosts) + size > self._limit:
            loaded = [host for host in self._hosts if host.state == "ready"]
            # The last one stays: were it larger than the limit alone, it could never be used otherwise.
            kept = loading or max(loaded, key=lambda host: host.used, default=None)
            idle = [host for host in loaded if host.unloadable and host is not kept]
            if not idle:
                return
            await min(idle, key=lambda host: host.used).unload()
