"""The client core: what every generated client's methods do, written once for sync and async.

A call is a generator of *steps* (send this request, wait so long, do this blocking work) that holds all the logic and
does no I/O of its own; the clients of `client.py` only carry the steps out.
"""

from __future__ import annotations

import copy
import json
import os
import platform
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from . import _log
from ._exchange import Policy, Steps, Work, exchange
from ._http import Request, Response
from ._payload import JSON, payload
from ._urls import base_of, is_loopback, origin, route, shown, with_query
from .arguments import checked_headers, checked_timeout, given
from .errors import (
    APIError,
    ConfigurationError,
    InputError,
    ResponseValidationError,
    status_error,
    stream_error,
)
from .media import UNKNOWN, Media, from_bytes, read, remote_url
from .raw import RawResponse
from .validation import problems

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from ._sse import Event
    from .binding import TaskBinding
    from .dialect import Dialect, Wire

HTTPClient = TypeVar("HTTPClient")
Out = TypeVar("Out")

_ASK_ABOVE = 1_000_000
"""Bytes. A server is asked for its limit before a body larger than this is sent to it."""


class BaseClient(ABC, Generic[HTTPClient]):
    """A client's settings and all of its logic, without any I/O.

    `base_url` and `token` are read from the environment where they are not given; an empty `token` means none at all.
    `model` is the default of the methods' own, `timeout` bounds the wait for each part of an answer in seconds (None:
    5 s to connect, 60 s to read, or what an injected `http_client` says). `max_retries` is how often a call that
    failed is tried again. `default_headers` go with every request. `strict_responses` refuses what is otherwise kept:
    values of an enum that the spec does not know. A token is not sent over plain http to another machine, unless
    `allow_insecure` says so. `dialect` names how the server speaks, where that is not as the specs have it.

    Raises ConfigurationError where these do not make a working client.
    """

    _env_prefix: ClassVar[str] = "INFERENCE"
    _user_agent: ClassVar[str] = "inference"
    _package: ClassVar[str] = ""

    def __init__(
        self,
        base_url: str | None = None,
        *,
        token: str | None = None,
        model: str | None = None,
        timeout: float | None = None,
        max_retries: int = 2,
        default_headers: Mapping[str, str] | None = None,
        http_client: HTTPClient | None = None,
        strict_responses: bool = False,
        allow_insecure: bool = False,
        dialect: str | None = None,
    ) -> None:
        _log.set_up(f"{self._env_prefix}_LOG")
        self._dialect = self._known_dialect(dialect)
        self._base_url, self._token = self._server(base_url, token)
        self._model = model
        self._timeout = checked_timeout(timeout)
        self._policy = Policy(_checked_retries(max_retries), random.random)
        self._default_headers = checked_headers(default_headers)
        self._strict_responses = strict_responses
        self._allow_insecure = allow_insecure
        self._limit: list[int | None] = []  # bytes, once it is known; shared by all copies of this client
        self._raw = False
        self._owner = True
        self._guard({"authorization": ""} if self._token else self._default_headers)
        self._connect(http_client)

    def _known_dialect(self, name: str | None) -> Dialect | None:
        if name is None:
            return None
        known: Mapping[str, Dialect] = import_module(f"{self._package}._dialects").DIALECTS
        if name not in known:
            raise ConfigurationError(f"dialect: {name!r} is not known; use one of {', '.join(known) or '(none)'}")
        return known[name]

    def _server(self, base_url: str | None, token: str | None) -> tuple[str, str | None]:
        """Where requests go, and the token that goes with them."""
        variable = f"{self._env_prefix}_TOKEN"
        if self._dialect is None:
            url = base_url or os.environ.get(f"{self._env_prefix}_URL")
            what = f"set the environment variable {self._env_prefix}_URL"
        else:
            url, variable = base_url or self._dialect.url, self._dialect.token_env
            what = f"name the server that speaks {self._dialect.title}"
        if not url:
            raise ConfigurationError(f"no server is known: pass base_url=… or {what}")
        base = base_of(url)
        # The token of a hosted service is for that service; another server gets the one that it is given.
        if token is None and (self._dialect is None or self._dialect.hosts(base)):
            token = os.environ.get(variable)
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise ConfigurationError("the token has spaces, line breaks or other characters that no token has")
        return base, token or None

    @abstractmethod
    def _connect(self, http_client: HTTPClient | None) -> None:
        """Set the transport up; nothing is opened yet."""

    @property
    def base_url(self) -> str:
        """Where requests go, without a slash at its end: ``"http://localhost:8000"``."""
        return self._base_url

    def __repr__(self) -> str:
        token = "***" if self._token else None
        return f"{type(self).__name__}(base_url={self._base_url!r}, token={token})"

    def with_options(
        self,
        *,
        model: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        default_headers: Mapping[str, str] | None = None,
        strict_responses: bool | None = None,
    ) -> Self:
        """A client with other settings that uses the same connections; what is left out stays as it is.

        `default_headers` are added to those there are. Closing the new client leaves the connections open: they are
        closed with the client that this one was made of. Raises ConfigurationError or InputError like the constructor.

        Example:
            patient = client.with_options(timeout=600, max_retries=5)
        """
        other = self._copy()
        if model is not None:
            other._model = model
        if timeout is not None:
            other._timeout = checked_timeout(timeout)
        if max_retries is not None:
            other._policy = replace(self._policy, max_retries=_checked_retries(max_retries))
        if default_headers is not None:
            other._default_headers = self._default_headers | checked_headers(default_headers)
            other._guard(other._default_headers)
        if strict_responses is not None:
            other._strict_responses = strict_responses
        return other

    def _copy(self, *, raw: bool = False) -> Self:
        other = copy.copy(self)
        other._owner, other._raw = False, raw
        return other

    # ------------------------------------------------------------------------------------------------- requests

    def _prepare(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any] | None = None,
        root: Mapping[str, Any] | None = None,
        *,
        model: str | None = None,
        timeout: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, str | int | float | bool] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        use_cache: bool | None = None,
        wait_for_model: bool | None = None,
    ) -> Request:
        """The request of one call.

        `primary` is a :class:`Media`, JSON values and models, or None where it may be missing; `parameters` go into
        the request's ``parameters``, `root` beside the primary input, both by wire name. Media without either travel
        as they are, everything else as JSON that has been checked against the task's input model; `extra_body` joins
        it unchecked. Raises InputError.
        """
        chosen = self._model if model is None else model
        wire = self._dialect.wire(binding.id) if self._dialect else None
        if chosen is not None and binding.names_model:
            root = {**(root or {}), "model": chosen}
        content, content_type = payload(
            binding, primary, parameters or {}, root or {}, wire=wire, model=chosen, extra=extra_body
        )
        headers = {
            "accept": wire.accept if wire else "application/json",
            "accept-encoding": "identity",
            "user-agent": self._agent(),
            # The same for every try, so that a server can see that it has already done the work.
            "idempotency-key": os.urandom(16).hex(),
        }
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        for name, flag in (("x-use-cache", use_cache), ("x-wait-for-model", wait_for_model)):
            if flag is not None:
                headers[name] = "true" if flag else "false"
        headers["content-type"] = content_type
        headers |= self._default_headers | checked_headers(extra_headers)
        if content_type == JSON:
            headers["content-type"] = JSON  # a caller's own is meant for media
        self._guard(headers)
        bound = checked_timeout(timeout)
        url = self._url(binding, wire, chosen)
        if extra_query:
            url = with_query(url, extra_query)
        return Request("POST", url, headers, content, self._timeout if bound is None else bound, patient=wait_for_model)

    def _url(self, binding: TaskBinding, wire: Wire | None, model: str | None) -> str:
        if self._dialect is None or wire is None:
            # Where the request itself names the model, its address does not.
            return self._base_url + route(binding.id, None if binding.names_model else model)
        names_model = binding.names_model or wire.model is not None
        return self._dialect.address(self._base_url, wire, model, names_model=names_model)

    def _agent(self) -> str:
        return f"{self._user_agent} python/{platform.python_version()}"

    def _guard(self, headers: Mapping[str, str]) -> None:
        """Refuse to let credentials travel in the clear."""
        if "authorization" in headers and not self._allow_insecure:
            scheme, host, _ = origin(self._base_url)
            if scheme == "http" and not is_loopback(host):
                raise ConfigurationError(
                    f"the token would travel unencrypted to {host}: use https://, or pass allow_insecure=True"
                )

    # ------------------------------------------------------------------------------------------------ responses

    def _parse(self, binding: TaskBinding, response: Response) -> Any:
        """The response as models. Raises APIStatusError or ResponseValidationError."""
        self._checked(response)
        kind = response.headers.get("content-type", "no content type")
        wire = self._dialect.wire(binding.id) if self._dialect else None
        if wire is not None and wire.is_file(response.content, kind):
            payload = wire.of_file(response.content)
        else:
            payload = self._loaded(binding.id, response, response.content, f"the answer ({kind})")
        return self._models(
            binding.id, binding.output_adapter, response, payload, "the answer", wire.heard if wire else None
        )

    def _checked(self, response: Response) -> Response:
        """The response, if its status is a good one. Raises APIStatusError."""
        if not 200 <= response.status < 300:
            raise status_error(response.status, response.headers, response.content, hide=self._token)
        return response

    def _loaded(self, task: str, response: Response, content: bytes | str, what: str) -> Any:
        """The JSON values of `content`, which is `what` for messages. Raises ResponseValidationError."""
        from pydantic_core import from_json

        try:
            return from_json(content, allow_inf_nan=False)
        except ValueError as error:
            problem = f"{task}: {what} is not JSON: {error}"
        raise _invalid(response, problem)

    def _models(
        self,
        task: str,
        adapter: TypeAdapter[Any],
        response: Response,
        payload: Any,
        what: str,
        heard: Callable[[Any, Callable[[Any], Any]], Any] | None,
    ) -> Any:
        """The models of `payload`, which is `what` for messages; `heard` reads a dialect.

        Raises ResponseValidationError.
        """
        from pydantic import ValidationError

        from .types import OPEN_ENUMS

        context = None if self._strict_responses else OPEN_ENUMS

        def validated(value: Any) -> Any:
            return adapter.validate_python(value, by_name=False, by_alias=True, context=context)

        try:
            return validated(payload) if heard is None else heard(payload, validated)
        except ValidationError as error:
            found = problems(error)
        text = "; ".join(map(str, found))
        raise _invalid(response, f"{task}: {what} is not what the task's spec says: {text}", problems=found)

    def _event(self, binding: TaskBinding, response: Response, event: Event) -> Any:
        """One event of a streamed answer as a model. Raises StreamError or ResponseValidationError."""
        if event.event == "error" or _is_error(event.data):
            raise stream_error(event.data, request_id=response.headers.get("x-request-id"), hide=self._token)
        assert binding.stream_adapter is not None, "only tasks with a stream have a method that gets here"
        what = "an event of the answer"
        payload = self._loaded(binding.id, response, event.data, what)
        wire = self._dialect.wire(binding.id) if self._dialect else None
        return self._models(
            binding.id, binding.stream_adapter, response, payload, what, wire.heard_event if wire else None
        )

    # ---------------------------------------------------------------------------------------------------- steps

    def _steps(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        nullable: tuple[str, ...],
        **options: Any,
    ) -> Steps[Any]:
        """One call, from its arguments to its models, or to the raw response with them."""
        request = yield from self._request(binding, primary, parameters, root, nullable, **options)
        response = yield from exchange(request, self._policy)
        if self._raw:
            return RawResponse(self._checked(response), partial(self._parse, binding, response))
        return self._parse(binding, response)

    def _opened(self, binding: TaskBinding, *arguments: Any, **options: Any) -> Steps[Response]:
        """One call whose answer is streamed, from its arguments to a response that is still coming in."""
        request = yield from self._request(binding, *arguments, **options)
        headers = {**request.headers, "accept": "text/event-stream, application/json;q=0.5"}
        request = replace(request, headers=headers, streamed=True)
        response = self._checked((yield from exchange(request, self._policy)))
        if response.live is None:
            kind = response.headers.get("content-type", "no content type")
            problem = f"{binding.id}: the server answered with {kind} and not with a stream of events"
            raise _invalid(response, problem)
        return response

    def _request(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        nullable: tuple[str, ...],
        **options: Any,
    ) -> Steps[Request]:
        """The request of one call, with all media read."""
        if binding.media is not None and not (primary is None and binding.optional):
            primary = yield from self._media(primary, binding.primary, binding.media)
        elif isinstance(primary, dict):
            members = dict(primary)
            for name, kind in binding.media_members:
                if name in members:
                    members[name] = yield from self._media(members[name], f"{binding.primary}.{name}", kind)
            primary = members
        request = self._prepare(binding, primary, given(parameters, nullable), given(root, nullable), **options)
        yield from self._within_limit(binding, request)
        return request

    def _media(self, source: Any, name: str, kind: str) -> Steps[Media]:
        if isinstance(source, bytes):
            return read(source, name, kind)
        url = remote_url(source)
        if url is None:
            media: Media = yield Work(partial(read, source, name, kind))
            return media
        request = Request("GET", url, {"user-agent": self._agent(), "accept-encoding": "identity"}, anonymous=True)
        try:
            origin(url)
            response = yield from exchange(request, self._policy)
            if response.status != 200:
                raise status_error(response.status, response.headers, b"")
        except (APIError, ConfigurationError) as error:
            raise InputError(f"{name}: cannot download {shown(url)}: {error}") from error
        declared = response.headers.get("content-type", UNKNOWN)
        return from_bytes(response.content, name, kind, declared=declared)

    def _within_limit(self, binding: TaskBinding, request: Request) -> Steps[None]:
        """Ask the server, once, how much it takes, before something large is sent. Raises InputError."""
        size = len(request.content)
        if size <= _ASK_ABOVE:
            return
        if not self._limit:
            self._limit.append((yield from self._asked_limit()))
        limit = self._limit[0]
        if limit is not None and size > limit:
            raise InputError(
                f"{binding.id}: the request has {size:,} bytes, and the server at {shown(self._base_url)} takes "
                f"{limit:,}; nothing was sent"
            )

    def _asked_limit(self) -> Steps[int | None]:
        """The most bytes that the server takes in one request, None where it does not say."""
        if self._dialect is not None:
            return self._dialect.max_body
        headers = {"accept": JSON, "user-agent": self._agent()}
        try:
            response: Response = yield Request("GET", f"{self._base_url}/health", headers, anonymous=True)
            limit = json.loads(response.content).get("max_body") if response.status == 200 else None
        except (APIError, ValueError, AttributeError, RecursionError):
            return None  # The request itself will tell what is wrong.
        return limit if isinstance(limit, int) else None


def _checked_retries(count: int) -> int:
    if not isinstance(count, int) or count < 0:
        raise ConfigurationError(f"max_retries: {count!r} is not a number of tries, 0 or more")
    return count


def _invalid(response: Response, problem: str, **more: Any) -> ResponseValidationError:
    request_id = response.headers.get("x-request-id")
    return ResponseValidationError(problem, status_code=response.status, request_id=request_id, **more)


def _is_error(data: str) -> bool:
    """Whether an event's data is an error in one of the shapes that inference servers use."""
    if '"error"' not in data[:1000]:
        return False
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(payload, dict) and bool(payload.get("error"))
