"""The addresses of Clarifai's REST API, and how a request to one of them says what its protocol buffers would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ...clarifai.codes import Code, http_status
from ...dialect import Dialect
from ...types import parse_json
from ..body import read_body
from ..calls import check_values
from ..engine import Engine
from ..host import Host
from ..inference import INLINE_BODY
from ..memory import Share
from ..problems import ClientGone
from ..spoken import JSON, as_json
from ..trace import Trace
from .problems import Problem, Reply
from .service import PREDICT, Service, failed

MAX_FIELDS: Final = 100
"""How many fields a query may have."""

APPS: Final = ("", "/users/{user_id}/apps/{app_id}")

MODELS: Final[Sequence[tuple[str, str, str]]] = (
    ("GET", "", "ListModels"),
    ("POST", "/searches", "PostModelsSearches"),
    ("GET", "/types", "ListModelTypes"),
    ("GET", "/types/{model_type_id}", "GetModelType"),
    ("GET", "/{model_id}", "GetModel"),
    ("POST", "/{model_id}/outputs", PREDICT),
    ("GET", "/{model_id}/output_info", "GetModelOutputInfo"),
    ("GET", "/{model_id}/versions", "ListModelVersions"),
    ("GET", "/{model_id}/versions/{version_id}", "GetModelVersion"),
    ("POST", "/{model_id}/versions/{version_id}/outputs", PREDICT),
    ("GET", "/{model_id}/versions/{version_id}/output_info", "GetModelOutputInfo"),
    ("GET", "/{model_id}/versions/{model_version_id}/input_examples", "ListModelVersionInputExamples"),
    ("GET", "/{model_id}/versions/{model_version_id}/input_examples/{example_id}", "GetModelVersionInputExample"),
)
"""What follows ``/models``, which is also there in an app of a user."""

OTHERS: Final[Sequence[tuple[str, str, str]]] = (
    ("GET", "/users/{user_id}/models", "ListModels"),
    ("POST", "/users/{user_id}/deployments/{deployment_id}/outputs", PREDICT),
    ("GET", "/status_codes", "ListStatusCodes"),
    ("GET", "/status_codes/{status_code_id}", "GetStatusCode"),
)


def clarifai_routes(
    engine: Engine, hosts: Sequence[Host], dialect: Dialect, package: str, prefixes: Sequence[str]
) -> Iterator[Route]:
    """All of them after each of `prefixes`, and at last whatever else begins with ``/v2``, which does not exist."""
    service = Service(engine, hosts, dialect, package)
    models = [(verb, f"{app}/models{path}", rpc) for app in APPS for verb, path, rpc in MODELS]
    for prefix in prefixes:
        for verb, path, rpc in (*models, *OTHERS):
            yield Route(f"{prefix}/v2{path}", Address(engine, service, {verb: rpc}))
        for path in ("", "/{path:path}"):
            yield Route(f"{prefix}/v2{path}", Address(engine, service, {}))


class Address:
    """One address, with the calls that it stands for by method."""

    def __init__(self, engine: Engine, service: Service, rpcs: Mapping[str, str]) -> None:
        self._engine = engine
        self._service = service
        self._rpcs = rpcs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        trace: Trace = scope["trace"]
        headers = dict(scope["headers"])
        try:
            reply = await self._answer(scope, headers, receive, trace)
        except ClientGone:
            return
        content = as_json(reply.message)
        await Response(content, http_status(reply.code), dict(reply.headers), JSON)(scope, receive, send)

    async def _answer(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, trace: Trace) -> Reply:
        rpc = self._rpcs.get(scope["method"])
        if rpc is None and not self._rpcs:
            return failed(Problem(Code.CONN_DOES_NOT_EXIST), trace)
        if rpc is None:
            allowed = ", ".join(self._rpcs)
            return failed(Problem(Code.CONN_METHOD_NOT_ALLOWED, f"send {allowed}", {"allow": allowed}), trace)

        async def read(share: Share) -> dict[str, Any]:
            if scope["method"] == "POST":
                return _addressed(await self._body(headers, receive, share), scope["path_params"])
            return _addressed(_queried(scope["query_string"]), scope["path_params"])

        authorization = headers.get(b"authorization", b"")
        return await self._service.call(rpc, read, authorization=authorization, trace=trace, receive=receive)

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive, share: Share) -> dict[str, Any]:
        """The JSON object that is the body, whatever type of content it says it is."""
        body = await read_body(receive, headers, self._engine.settings, share)
        check_values(body, self._engine.settings.max_values)
        try:
            request = (
                parse_json(body) if len(body) <= INLINE_BODY else await self._engine.threaded(lambda: parse_json(body))
            )
        except ValueError as error:
            raise Problem(Code.CONN_BAD_REQUEST_FORMAT, f"the body is not valid JSON: {error}"[:500]) from None
        if not isinstance(request, dict):
            raise Problem(Code.CONN_BAD_REQUEST_FORMAT, "the body must be a JSON object")
        return request


def _queried(query: bytes) -> dict[str, Any]:
    """What a query says; dots in a name lead into an object, and a name that comes again makes a list.

    Raises Problem for more than `MAX_FIELDS`.
    """
    request: dict[str, Any] = {}
    try:
        fields = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Problem(Code.CONN_INVALID_REQUEST, f"the query has more than {MAX_FIELDS} fields") from None
    for name, value in fields:
        *way, last = name.removeprefix("pagination.").split(".")[:4]
        holder = request
        for step in way:
            inner = holder.setdefault(step, {})
            holder = inner if isinstance(inner, dict) else {}
        before = holder.get(last)
        if isinstance(before, list):
            before.append(value)
        else:
            holder[last] = value if before is None else [before, value]
    return request


def _addressed(request: dict[str, Any], path: Mapping[str, str]) -> dict[str, Any]:
    """The `request` with what its address says, which wins over what it says itself."""
    said = dict(path)
    app = {name: said.pop(name) for name in ("user_id", "app_id") if name in said}
    if app:
        own = request.get("user_app_id")
        request["user_app_id"] = {**(own if isinstance(own, dict) else {}), **app}
    if "deployment_id" in said:
        request["runner_selector"] = {"deployment": {**app, "id": said.pop("deployment_id")}}
    return request | said
