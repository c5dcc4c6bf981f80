"""The application: routes, and the life of the models behind them."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..binding import TaskBinding
from ..dialect import Dialect
from .dialects import spoken_routes
from .engine import Engine
from .frame import Frame, http_exception
from .handler import Handler
from .host import Host, ModelHost
from .inference import NAME, InferenceEndpoint
from .metrics import CONTENT_TYPE, Metrics
from .pages.routes import page_routes
from .pool import Pool
from .settings import Settings
from .spans import Spans

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+")


class Server:
    """The state of one application, found at ``app.state.server``."""

    def __init__(self, hosts: Sequence[Host], engine: Engine, openapi: bytes) -> None:
        self.hosts = hosts
        self.engine = engine
        self.openapi = openapi
        self.draining = False
        """True from the moment the process was asked to end: ``/ready`` says so to whoever spreads the load."""

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Load the models in the background, unload what is not used, and stop all at the end."""
        here = [host for host in self.hosts if isinstance(host, ModelHost)]
        watching = asyncio.create_task(Pool(here, self.engine.settings).watch())
        for host in self.hosts:
            host.open()
        try:
            yield
        finally:
            self.draining = True
            watching.cancel()
            for host in self.hosts:
                host.stop()

    async def health(self, request: Request) -> Response:
        """200 as long as the process answers, with the most bytes that a request may have."""
        return JSONResponse({"status": "ok", "max_body": self.engine.settings.max_body})

    async def ready(self, request: Request) -> Response:
        """200 once every model can answer, else 503; with each one's state.

        One that is loaded when it is asked for, for the first time or again, can answer at any time.
        """
        states = {host.name: host.state for host in self.hosts}
        able = all(host.able for host in self.hosts)
        status = "draining" if self.draining else "ready" if able else "not ready"
        return JSONResponse({"status": status, "models": states}, 200 if status == "ready" else 503)

    async def metrics_page(self, request: Request) -> Response:
        """Everything counted, for Prometheus."""
        return Response(self.engine.metrics.text(), media_type=CONTENT_TYPE)

    async def openapi_page(self, request: Request) -> Response:
        """The OpenAPI document of the generated package."""
        return Response(self.openapi, media_type="application/json")


def create_app(
    bindings: Mapping[str, TaskBinding],
    handlers: Iterable[Handler[Any, Any, Any]],
    *,
    package: str,
    settings: Settings | None = None,
    dialects: Mapping[str, Dialect] | None = None,
) -> Starlette:
    """The server of `handlers`, each with a name of its own; of two for one task, ``/tasks/{task}`` is the first's.

    Each of `dialects` is spoken under ``/{its name}``, and at its own routes too. `package` is the generated one, whose
    OpenAPI document and pages are served. Raises ValueError for handlers that cannot be served together, ImportError if
    what they or `settings` need is not installed.
    """
    engine = Engine(settings or Settings(), Metrics())
    hosts = [ModelHost(handler, engine.settings, engine.metrics, engine.threads) for handler in handlers]
    return app_of(bindings, hosts, engine, package=package, dialects=dialects or {})


def app_of(
    bindings: Mapping[str, TaskBinding],
    hosts: Sequence[Host],
    engine: Engine,
    *,
    package: str,
    dialects: Mapping[str, Dialect],
) -> Starlette:
    """The server of models that answer here or elsewhere; see :func:`create_app`."""
    _check(hosts, bindings)
    settings = engine.settings
    openapi = files(package).joinpath("openapi.json").read_bytes()
    server = Server(hosts, engine, openapi)
    by_name = {host.name: host for host in hosts}
    by_task = {host.binding.id: host for host in reversed(hosts)}
    models = {task: [host.name for host in hosts if host.binding.id == task] for task in by_task}
    app = Starlette(
        routes=[
            Route("/tasks/{name:path}", InferenceEndpoint(engine, "task", by_task, by_name), methods=["POST"]),
            Route("/models/{name:path}", InferenceEndpoint(engine, "model", by_name, by_name), methods=["POST"]),
            *spoken_routes(engine, server, dialects, package),
            Route("/health", server.health),
            Route("/ready", server.ready),
            Route("/metrics", server.metrics_page),
            Route("/openapi.json", server.openapi_page),
            *page_routes(package, models, settings),
        ],
        middleware=[Middleware(Frame, spans=Spans() if settings.tracing else None), *_cors(settings.cors)],
        exception_handlers={HTTPException: http_exception},
        lifespan=server.lifespan,
    )
    app.router.redirect_slashes = False
    app.state.server = server
    return app


def _cors(origins: Sequence[str]) -> list[Middleware]:
    """What lets pages of `origins` ask the server and read its answers; nothing if there are none."""
    for origin in origins:
        if origin != "*" and not ORIGIN.fullmatch(origin):
            raise ValueError(f"cors: {origin!r} is no origin: must be * or like https://example.org, without a path")
    if not origins:
        return []
    asked = ["authorization", "content-type", "x-request-id", "x-use-cache", "x-wait-for-model"]
    told = ["retry-after", "x-cache", "x-compute-time", "x-request-id"]
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=asked,
            expose_headers=told,
        )
    ]


def _check(hosts: Sequence[Host], bindings: Mapping[str, TaskBinding]) -> None:
    if not hosts:
        raise ValueError("a server needs at least one handler")
    seen: set[str] = set()
    for host in hosts:
        if host.binding.id not in bindings:
            raise ValueError(f"the model {host.name!r} is for {host.binding.id!r}, which this package does not have")
        if not NAME.fullmatch(host.name):
            raise ValueError(f"{host.name!r} is no name for a model: letters, digits, . _ - and / between them")
        if host.name in seen:
            raise ValueError(f"two handlers are named {host.name!r}: give each a `name` of its own")
        seen.add(host.name)
        if host.binding.media == "audio":
            import av  # noqa: F401 - a missing decoder shall be found now, not by the first client
            import soundfile  # noqa: F401
            import soxr  # noqa: F401
