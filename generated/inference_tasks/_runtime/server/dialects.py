"""The routes of dialects: those that their clients use, each with the models that it can mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..dialect import Dialect
from .clarifai.routes import clarifai_routes
from .engine import Engine
from .frame import problem_response
from .host import Host
from .inference import InferenceEndpoint
from .problems import RequestProblem

if TYPE_CHECKING:
    from .app import Server

PROTOCOLS = {"clarifai": clarifai_routes}
"""The routes of each protocol."""


def spoken_routes(engine: Engine, server: Server, dialects: Mapping[str, Dialect], package: str) -> Iterator[Route]:
    """The routes of all dialects; those with a protocol have its own, under ``/{dialect}`` and at the root.

    Under ``/{dialect}`` stand ``tasks`` and ``models`` as at the root, with whatever the dialect's clients put behind;
    the routes of its own; those of other dialects, which their clients use beside it; and, if there is only one model
    that can be meant, the bare address. What names neither task nor model is at the root too, for clients that know
    one address only.
    """
    at_root: dict[str, Route] = {}
    plain = {name: dialect for name, dialect in dialects.items() if not dialect.protocol}
    # Where two speak a route, the one that knows fewer tasks is the one whose route it is.
    for name, dialect in sorted(plain.items(), key=lambda item: not item[1].closed):
        others = [other for other in plain.values() if other is not dialect]
        for path, endpoint in _routes(engine, server, dialect, others).items():
            yield Route(f"/{name}{path}", endpoint, methods=["POST"])
            if "{" not in path:
                at_root.setdefault(path or "/", Route(path or "/", endpoint, methods=["POST"]))
        for page, answer in _pages(server, dialect.error).items():
            yield Route(f"/{name}{page}", answer)
        for page, answer in _model_pages(server, dialect.error).items():
            at_root.setdefault(page, Route(page, answer))
    yield from at_root.values()
    for name, dialect in dialects.items():
        if dialect.protocol:
            yield from PROTOCOLS[dialect.protocol](engine, server.hosts, dialect, package, ("", f"/{name}"))


def _routes(
    engine: Engine, server: Server, dialect: Dialect, others: Iterable[Dialect]
) -> dict[str, InferenceEndpoint]:
    by_name = {host.name: host for host in server.hosts}
    by_task = {host.binding.id: host for host in reversed(server.hosts)}
    kinds = {"task": by_task, "model": by_name}
    out: dict[str, InferenceEndpoint] = {}
    # Whichever dialect its clients use beside it, they look for errors in one place.

    def add(path: str, kind: str, hosts: Mapping[str, Host], spoken: Dialect) -> None:
        out.setdefault(path, InferenceEndpoint(engine, kind, hosts, by_name, spoken, dialect.error))

    for spoken in (dialect, *others):
        for task, wire in spoken.wires.items():
            if wire.route and task in by_task:
                add(wire.route, "task", {"": by_task[task]}, spoken)
                for kind, hosts in kinds.items():
                    add(f"/{kind}s/{{name:path}}{wire.route}", kind, hosts, spoken)
    for kind, hosts in kinds.items():
        add(f"/{kind}s/{{name:path}}", kind, hosts, dialect)
    known = [host for host in server.hosts if dialect.speaks(host.binding.id)]
    if len(known) == 1 and not dialect.closed:
        add("", "model", {"": known[0]}, dialect)
    return out


def _pages(server: Server, error: Sequence[str]) -> dict[str, Any]:
    """What clients ask about a server beside its tasks; the message of an error stands at the place `error`."""
    return {"/health": server.health, "/info": _info(server), **_model_pages(server, error)}


def _model_pages(server: Server, error: Sequence[str]) -> dict[str, Any]:
    return {"/v1/models": _models(server), "/v1/models/{name:path}": _model(server, error)}


def _info(server: Server) -> Any:
    async def info(request: Request) -> Response:
        """Which models answer."""
        return JSONResponse(
            {"model_id": ", ".join(host.name for host in server.hosts), "models": _listed(server.hosts)}
        )

    return info


def _models(server: Server) -> Any:
    async def models(request: Request) -> Response:
        """The models, as OpenAI's service lists them."""
        return JSONResponse({"object": "list", "data": _listed(server.hosts)})

    return models


def _model(server: Server, error: Sequence[str]) -> Any:
    async def model(request: Request) -> Response:
        """One of them."""
        name = request.path_params["name"]
        found = _listed([host for host in server.hosts if host.name == name])
        if found:
            return JSONResponse(found[0])
        served = ", ".join(host.name for host in server.hosts)
        return problem_response(RequestProblem(f"no such model; served here: {served}"[:2000], status=404), error)

    return model


def _listed(hosts: Sequence[Host]) -> list[dict[str, Any]]:
    return [{"id": host.name, "object": "model", "created": 0, "owned_by": host.binding.id} for host in hosts]
