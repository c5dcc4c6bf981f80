"""The application: routes, and the life of the models behind them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..binding import TaskBinding
from .frame import Frame, http_exception
from .handler import Handler
from .host import ModelHost
from .inference import NAME, Engine, InferenceEndpoint
from .metrics import CONTENT_TYPE, Metrics
from .settings import Settings


class Server:
    """The state of one application, found at ``app.state.server``."""

    def __init__(self, hosts: list[ModelHost], settings: Settings, metrics: Metrics, openapi: bytes) -> None:
        self.hosts = hosts
        self.settings = settings
        self.metrics = metrics
        self.openapi = openapi
        self.draining = False
        """True from the moment the process was asked to end: ``/ready`` says so to whoever spreads the load."""

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Load the models in the background, and stop them at the end."""
        if not self.settings.lazy:
            for host in self.hosts:
                host.start()
        try:
            yield
        finally:
            self.draining = True
            for host in self.hosts:
                host.stop()

    async def health(self, request: Request) -> Response:
        """200 as long as the process answers, with the most bytes that a request may have."""
        return JSONResponse({"status": "ok", "max_body": self.settings.max_body})

    async def ready(self, request: Request) -> Response:
        """200 once every model can answer (a lazy one that nobody asked for can), else 503; with each one's state."""
        states = {host.name: host.state for host in self.hosts}
        able = {"ready", "idle"} if self.settings.lazy else {"ready"}
        status = "draining" if self.draining else "ready" if set(states.values()) <= able else "not ready"
        return JSONResponse({"status": status, "models": states}, 200 if status == "ready" else 503)

    async def metrics_page(self, request: Request) -> Response:
        """Everything counted, for Prometheus."""
        return Response(self.metrics.text(), media_type=CONTENT_TYPE)

    async def openapi_page(self, request: Request) -> Response:
        """The OpenAPI document of the generated package."""
        return Response(self.openapi, media_type="application/json")


def create_app(
    bindings: Mapping[str, TaskBinding],
    handlers: Iterable[Handler[Any, Any, Any]],
    *,
    openapi: bytes,
    settings: Settings | None = None,
) -> Starlette:
    """The server of `handlers`, each with a name of its own; of two for one task, ``/tasks/{task}`` is the first's.

    Raises ValueError for handlers that cannot be served together, ImportError if a media decoder is not installed.
    """
    settings, metrics = settings or Settings(), Metrics()
    hosts = [ModelHost(handler, settings, metrics) for handler in handlers]
    _check(hosts, bindings)
    server = Server(hosts, settings, metrics, openapi)
    engine = Engine(settings, metrics)
    by_name = {host.name: host for host in hosts}
    by_task = {host.binding.id: host for host in reversed(hosts)}
    app = Starlette(
        routes=[
            Route("/tasks/{name:path}", InferenceEndpoint(engine, "task", by_task, by_name), methods=["POST"]),
            Route("/models/{name:path}", InferenceEndpoint(engine, "model", by_name, by_name), methods=["POST"]),
            Route("/health", server.health),
            Route("/ready", server.ready),
            Route("/metrics", server.metrics_page),
            Route("/openapi.json", server.openapi_page),
        ],
        middleware=[Middleware(Frame)],
        exception_handlers={HTTPException: http_exception},
        lifespan=server.lifespan,
    )
    app.router.redirect_slashes = False
    app.state.server = server
    return app


def _check(hosts: list[ModelHost], bindings: Mapping[str, TaskBinding]) -> None:
    if not hosts:
        raise ValueError("a server needs at least one handler")
    seen: set[str] = set()
    for host in hosts:
        if host.binding.id not in bindings:
            raise ValueError(
                f"{type(host.handler).__name__} is for {host.binding.id!r}, which this package does not have"
            )
        if not NAME.fullmatch(host.name):
            raise ValueError(f"{host.name!r} is no name for a model: letters, digits, . _ - and / between them")
        if host.name in seen:
            raise ValueError(f"two handlers are named {host.name!r}: give each a `name` of its own")
        seen.add(host.name)
        if host.binding.media == "audio":
            import av  # noqa: F401 - a missing decoder shall be found now, not by the first client
            import soundfile  # noqa: F401
            import soxr  # noqa: F401
