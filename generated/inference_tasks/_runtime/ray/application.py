"""The application that Ray Serve runs: an ingress with all routes, and deployments of models that ask for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from ..server import logs
from ..server.app import app_of
from ..server.configuration import token_of
from ..server.engine import Engine
from ..server.handler import Handler
from ..server.host import Host, ModelHost
from ..server.metrics import Metrics
from ..server.settings import Resources, Serving
from ..server.spans import export_spans
from .remote import Deployed, RemoteHost, Replicas
from .replica import ModelReplica, loaded

INGRESS = "Ingress"

HEALTH_SECONDS = 2.0
"""How often Ray looks at each replica: one that died is missed for so long, at most."""


def create_app(
    package: str, handlers: Iterable[Handler[Any, Any, Any]], *, settings: Serving, resources: Mapping[str, Resources]
) -> Any:
    """The Ray Serve application of `handlers`.

    Those with `resources` under their names are deployments of their own; the others are in every replica of the
    ingress. Raises ValueError for handlers that cannot be served together, and for a token in the settings.
    """
    serve = import_module("ray.serve")
    if settings.token is not None and settings.token_env is None:
        raise ValueError("a token in the settings would be kept in the cluster: name it with token_env or token_file")
    settings = replace(settings, token=None)
    models: list[Handler[Any, Any, Any] | Deployed] = []
    deployments: dict[str, Any] = {}
    batch, threads = 1, 1
    for handler in handlers:
        name = handler.name or handler.binding.id
        if name not in resources:
            batch, threads = max(batch, handler.max_batch), max(threads, _threads(handler))
            models.append(handler)
            continue
        # Ray names processes and metrics after it, and does not like slashes there.
        deployment = name.replace("/", "--")
        if deployment == INGRESS or deployment in deployments:
            raise ValueError(f"two deployments are named {deployment!r}: give the model {name!r} another name")
        options = {
            **_options(resources[name], settings, handler.max_batch, _threads(handler)),
            "name": deployment,
            # The queue is the replica's own, so that a batch is there when the model gets free; and the replica says
            # when it is full, which it could not if Ray let no more requests through than fit.
            "max_ongoing_requests": 2 * (settings.max_queue + handler.max_batch),
            "max_queued_requests": settings.max_queue,
        }
        deployments[deployment] = serve.deployment(ModelReplica).options(**options).bind(handler, settings)
        models.append(Deployed(handler.binding.id, name, deployment, handler.deterministic, handler.load_seconds))
    app = Application(partial(_application, package, models, settings))
    options = {
        **_options(settings, settings, batch, threads),
        "name": INGRESS,
        "max_ongoing_requests": settings.max_connections,
    }
    # Models are bound to be deployed with it; it asks for their handles where it runs.
    return serve.deployment(serve.ingress(app)(Ingress)).options(**options).bind(*deployments.values())


def _threads(handler: Handler[Any, Any, Any]) -> int:
    placement = getattr(handler, "placement", None)
    return 1 if placement is None else int(placement.threads)


def _options(resources: Resources, settings: Serving, batch: int, threads: int) -> dict[str, Any]:
    """How many replicas, where, and their lives; models answer up to `batch` requests at once in so many `threads`."""
    actor: dict[str, Any] = {"num_cpus": threads if resources.cpus is None else resources.cpus}
    actor |= {"num_gpus": resources.gpus} if resources.gpus else {}
    actor |= {"memory": resources.memory} if resources.memory else {}
    options = {
        "ray_actor_options": actor,
        "graceful_shutdown_timeout_s": settings.finish,
        "health_check_period_s": HEALTH_SECONDS,
    }
    least, most = resources.replicas or 1, resources.max_replicas or 1
    if most <= least:
        return options | {"num_replicas": least}
    # Another replica is worth its cores once there is more than a batch for each.
    scaling = {"min_replicas": least, "max_replicas": most, "target_ongoing_requests": max(1, batch)}
    return options | {"autoscaling_config": scaling}


class Application:
    """An ASGI application that is made where it runs: there are the handles of the models, and the secrets."""

    def __init__(self, make: Callable[[], Starlette]) -> None:
        self._make = make
        self._app: Starlette | None = None
        self._began = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the first call is the one that begins the application's life."""
        if self._app is None:
            self._app = self._make()
        await self._app(scope, receive, _without_id(send) if scope["type"] == "http" else send)

    async def loaded(self) -> None:
        """Return once all models in this process are there that are to be. Raises RuntimeError if one is not.

        The first time, models elsewhere are waited for too, at most for ``load_timeout``: new versions of them and of
        this may come together.
        """
        assert self._app is not None, "its life has begun"
        hosts = self._app.state.server.hosts
        for host in hosts:
            if isinstance(host, ModelHost):
                await loaded(host)
        if not self._began:
            await asyncio.gather(*(host.settled() for host in hosts if isinstance(host, RemoteHost)))
            self._began = True


def _without_id(send: Send) -> Send:
    """Leave out ``x-request-id``: Ray Serve puts it on each answer, and on the request, where the same was read."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [item for item in message["headers"] if item[0] != b"x-request-id"]
        await send(message)

    return sent


class Ingress:
    """The class of the deployment that answers HTTP."""

    app: Application
    """Set by Ray Serve."""

    def __init__(self, *models: object) -> None:
        """`models` are the handles of other deployments, which come with this one."""

    async def check_health(self) -> None:
        """Called by Ray before the first request, and again and again. Raises RuntimeError once a model failed."""
        await self.app.loaded()


def _application(package: str, models: Sequence[Handler[Any, Any, Any] | Deployed], settings: Serving) -> Starlette:
    logs.set_up(settings.log_level, settings.log_format)
    if settings.token_env is not None:
        settings = replace(settings, token=token_of(settings.token_env, os.environ))
    if settings.tracing:
        export_spans(package)
    bindings = import_module(f"{package}._tasks").TASKS
    context = import_module("ray.serve").get_replica_context()
    engine = Engine(settings, Metrics(replica=context.replica_tag))
    replicas = Replicas(context.app_name)

    def host(model: Handler[Any, Any, Any] | Deployed) -> Host:
        if isinstance(model, Deployed):
            return RemoteHost(model, bindings[model.task], settings, engine.metrics, replicas)
        return ModelHost(model, settings, engine.metrics, engine.threads)

    dialects = import_module(f"{package}._dialects").DIALECTS
    return app_of(bindings, [host(model) for model in models], engine, package=package, dialects=dialects)
