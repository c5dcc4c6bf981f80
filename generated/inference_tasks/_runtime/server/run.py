"""Running an application with uvicorn: a socket that is taken before anything is promised, and an orderly end."""

from __future__ import annotations

import asyncio
import math
import signal
import socket as sockets
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette

from .guard import guarded
from .settings import Serving

BACKLOG = 2048


class PortError(Exception):
    """An address that cannot be listened on; the message says which and why."""


def listen(host: str, port: int) -> sockets.socket:
    """A listening socket. Raises PortError."""
    try:
        family, kind, protocol, _, address = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)[0]
        socket = sockets.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise PortError(f"cannot listen on {host}:{port}: {_reason(error)}") from None
    try:
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        socket.bind(address)
        # From here on clients may connect; they are answered as soon as the server runs.
        socket.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        socket.close()
        raise PortError(f"cannot listen on {host}:{port}: {_reason(error)}") from None
    return socket


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


class DrainingServer(uvicorn.Server):
    """Says "not ready" from the first signal on, and ends `drain` seconds later; a second signal ends it at once."""

    def __init__(self, config: uvicorn.Config, app: Starlette, drain: float) -> None:
        super().__init__(config)
        self._app = app
        self._drain = drain

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


def serve(app: Starlette, socket: sockets.socket, settings: Serving) -> None:
    """Serve `app` on `socket` until SIGINT or SIGTERM; requests under way are finished first."""
    DrainingServer(config_of(app, settings), app, settings.drain).run(sockets=[socket])


def config_of(app: Starlette, settings: Serving) -> uvicorn.Config:
    """What uvicorn is told."""
    options: dict[str, Any] = {"timeout_graceful_shutdown": math.ceil(settings.finish), "backlog": BACKLOG}
    # uvicorn logs with the rest of the process, and leaves requests to the frame.
    return uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, ws="none", http=guarded(settings), **options
    )
