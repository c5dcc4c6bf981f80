"""Running an application with uvicorn, to an orderly end."""

from __future__ import annotations

import asyncio
import math
import signal
import socket as sockets
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette

from .guard import guarded
from .ports import BACKLOG
from .settings import Serving

if TYPE_CHECKING:
    from .clarifai.grpc import GrpcServer


class DrainingServer(uvicorn.Server):
    """Says "not ready" from the first signal on, and ends `drain` seconds later; a second signal ends it at once.

    What it serves by gRPC begins and ends with the rest.
    """

    def __init__(self, config: uvicorn.Config, app: Starlette, drain: float, grpc: GrpcServer | None) -> None:
        super().__init__(config)
        self._app = app
        self._drain = drain
        self._grpc = grpc

    async def startup(self, sockets: list[sockets.socket] | None = None) -> None:
        """Called at the beginning. Raises PortError."""
        await super().startup(sockets)
        if self._grpc is not None and self.started:
            await self._grpc.start()

    async def shutdown(self, sockets: list[sockets.socket] | None = None) -> None:
        """Called at the end."""
        if self._grpc is not None:
            # Like answers by HTTP, those by gRPC are waited for before the models end.
            ending = asyncio.create_task(self._grpc.stop())
            self.server_state.tasks.add(ending)
            ending.add_done_callback(self.server_state.tasks.discard)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by the operating system, in the main thread."""
        server = self._app.state.server
        if server.draining or self._drain <= 0:
            # Unlike uvicorn's own, this does not raise the signal again at the end: an orderly end is exit code 0.
            self.force_exit = self.should_exit and sig == signal.SIGINT
            self.should_exit = True
        else:
            # Not from inside the signal handler: the loop may be anywhere just now.
            loop = asyncio.get_running_loop()
            loop.call_soon_threadsafe(loop.call_later, self._drain, self._end)
        server.draining = True

    def _end(self) -> None:
        self.should_exit = True


def serve(app: Starlette, socket: sockets.socket, settings: Serving, grpc: GrpcServer | None = None) -> None:
    """Serve `app` on `socket`, and by `grpc`, until SIGINT or SIGTERM; requests under way are finished first.

    Raises PortError if somebody else took the port of `grpc`.
    """
    DrainingServer(config_of(app, settings), app, settings.drain, grpc).run(sockets=[socket])


def config_of(app: Starlette, settings: Serving) -> uvicorn.Config:
    """What uvicorn is told."""
    options: dict[str, Any] = {"timeout_graceful_shutdown": math.ceil(settings.finish), "backlog": BACKLOG}
    # uvicorn logs with the rest of the process, and leaves requests to the frame.
    return uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, ws="none", http=guarded(settings), **options
    )
