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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from . import _log, _reading
from ._ask import Ask, Facts
from ._exchange import Policy, Steps, Work, exchange
from ._http import Request, Response
from ._payload import JSON
from ._plain import protocol_of
from ._protocol import invalid
from ._several import Outcome, Several, result_of, together
from ._travel import Answered, Travel
from ._urls import base_of, is_loopback, origin, shown, with_query
from .arguments import checked_headers, checked_timeout, given
from .errors import APIError, ConfigurationError, InferenceError, InputError, status_error
from .forms import NO_FACTS
from .media import UNKNOWN, Link, Media, from_bytes, read, remote_url
from .raw import RawResponse

if TYPE_CHECKING:
    from ._sse import Event
    from .binding import TaskBinding
    from .dialect import Dialect

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
        self._protocol = protocol_of(self._dialect)
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

    def _ask(
        self,
        binding: TaskBinding,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        *,
        model: str | None = None,
        extra_body: Mapping[str, Any] | None = None,
        use_cache: bool | None = None,
        **options: Any,
    ) -> tuple[Ask, dict[str, Any]]:
        """What is asked of an input, and the options of the requests that ask it.

        Raises InputError where the dialect does not speak the task, or has no such model.
        """
        if extra_body is not None and not isinstance(extra_body, Mapping):
            raise InputError(f"extra_body: expected a mapping of members by name, got {type(extra_body).__name__}")
        chosen = self._model if model is None else model
        wire = None
        if self._dialect is not None:
            wire = self._dialect.wire(binding.id)
            if wire.missing:
                raise InputError(
                    f"{binding.id}: {self._dialect.title} does not answer with what the task's answer needs: "
                    + ", ".join(wire.missing)
                )
        if chosen is not None and binding.names_model:
            root = {**root, "model": chosen}
        ask = Ask(binding, parameters, root, wire, chosen, extra_body, use_cache)
        # Before any file is read or downloaded.
        return replace(ask, url=self._protocol.url(self._base_url, ask)), options

    def _prepare(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any] | None = None,
        root: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Request:
        """The request of one call.

        `primary` is a :class:`Media`, JSON values and models, or None where it may be missing; `parameters` go into
        the request's ``parameters``, `root` beside the primary input, both by wire name. Raises InputError.
        """
        ask, options = self._ask(binding, parameters or {}, root or {}, **options)
        return self._request(ask, [self._protocol.call(ask, primary)], **options)

    def _request(
        self,
        ask: Ask,
        calls: Sequence[Any],
        *,
        timeout: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, str | int | float | bool] | None = None,
        wait_for_model: bool | None = None,
    ) -> Request:
        """The request that holds `calls`. Raises InputError."""
        content, content_type = self._protocol.content(ask, calls)
        headers = {
            "accept": ask.wire.accept if ask.wire else JSON,
            "accept-encoding": "identity",
            "user-agent": self._agent(),
            # The same for every try, so that a server can see that it has already done the work.
            "idempotency-key": os.urandom(16).hex(),
        }
        if self._token:
            headers["authorization"] = f"{self._dialect.auth if self._dialect else 'Bearer'} {self._token}"
        for name, flag in (("x-use-cache", ask.use_cache), ("x-wait-for-model", wait_for_model)):
            if flag is not None:
                headers[name] = "true" if flag else "false"
        headers["content-type"] = content_type
        headers |= self._default_headers | checked_headers(extra_headers)
        if content_type == JSON:
            headers["content-type"] = JSON  # a caller's own is meant for media
        self._guard(headers)
        bound = checked_timeout(timeout)
        url = with_query(ask.url, extra_query) if extra_query else ask.url
        return Request("POST", url, headers, content, self._timeout if bound is None else bound, patient=wait_for_model)

    def _check_packing(self, method: Callable[..., Any], per_call: int) -> None:
        """Raises InputError unless `per_call` inputs of `method` fit into one request."""
        owner = getattr(method, "__self__", None)
        most = (owner if isinstance(owner, BaseClient) else self)._protocol.most
        if not isinstance(per_call, int) or per_call < 1 or 1 < most < per_call:
            raise InputError(f"per_call: {per_call!r} is not a number of inputs from 1 to {most}")
        if per_call > most:
            raise InputError("per_call: a call to this server carries one input; leave it out")
        if per_call > 1 and not (isinstance(owner, BaseClient) and owner._has_task(method)):
            raise InputError(
                "per_call: is for the methods of a client's tasks, and for no other callable; leave it out"
            )

    def _has_task(self, method: Callable[..., Any]) -> bool:
        """Whether a method of this client is a task's."""
        tasks: Mapping[str, TaskBinding] = import_module(f"{self._package}._tasks").TASKS
        return getattr(method, "__name__", None) in {binding.method for binding in tasks.values()}

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
        """One call, from its arguments to its models, or to the raw response with them.

        Of :class:`Several` it is a list of those, with an InferenceError in the place of each that there is not.
        """
        ask, options = self._ask(binding, given(parameters, nullable), given(root, nullable), **options)
        read, send = partial(self._read, ask), partial(self._sent, ask, options)
        if isinstance(primary, Several):
            results = yield from together(primary, read, self._protocol, send)
            return results
        call = yield from read(primary)
        (outcome,) = yield from send([call])
        return result_of(outcome)

    def _sent(self, ask: Ask, options: Mapping[str, Any], calls: Sequence[tuple[Any, Facts]]) -> Steps[list[Outcome]]:
        """What comes of `calls`, sent in one request, or in several if the server takes no request so large.

        Raises InputError where it does not take one call.
        """
        request = self._request(ask, [call for call, _ in calls], **options)
        if (limit := (yield from self._exceeded(request))) is not None:
            if len(calls) == 1:
                raise self._too_large(ask.binding, request, limit)
            half = len(calls) // 2
            first = yield from self._sent_apart(ask, options, calls[:half])
            return first + (yield from self._sent_apart(ask, options, calls[half:]))
        travel = Travel(self._policy, self._protocol, self._token)
        answered = yield from travel.all(request, [call for call, _ in calls], partial(self._request, ask, **options))
        return [
            outcome if isinstance(outcome, InferenceError) else partial(self._result, ask, outcome, facts)
            for outcome, (_, facts) in zip(answered, calls, strict=True)
        ]

    def _sent_apart(
        self, ask: Ask, options: Mapping[str, Any], calls: Sequence[tuple[Any, Facts]]
    ) -> Steps[list[Outcome]]:
        """The same for some of several calls, where one that cannot be sent is no reason not to send the others."""
        try:
            return (yield from self._sent(ask, options, calls))
        except InputError as error:
            return [error] * len(calls)

    def _result(self, ask: Ask, answered: Answered, facts: Facts) -> Any:
        """The models of one call's answer, or the raw response with them. Raises APIError."""
        response = answered.response

        def parse() -> Any:
            payload = self._protocol.answer(ask, response, answered.index, answered.count)
            return _reading.answer(ask, response, payload, facts, strict=self._strict_responses)

        return RawResponse(response, parse, response.request_id) if self._raw else parse()

    def _opened(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        nullable: tuple[str, ...],
        **options: Any,
    ) -> Steps[tuple[Ask, Response]]:
        """One call whose answer is streamed, from its arguments to what was asked and a response still coming in."""
        ask, options = self._ask(binding, given(parameters, nullable), given(root, nullable), **options)
        if not self._protocol.streams:
            raise InputError(f"{binding.id}: stream: answers cannot be streamed in this dialect; leave it out")
        call, _ = yield from self._read(ask, primary)
        request = self._request(ask, [call], **options)
        headers = {**request.headers, "accept": "text/event-stream, application/json;q=0.5"}
        request = replace(request, headers=headers, streamed=True)
        if (limit := (yield from self._exceeded(request))) is not None:
            raise self._too_large(binding, request, limit)
        response = yield from exchange(request, self._policy, self._protocol.verdict, hide=self._token)
        (failure,) = self._protocol.failures(response, 1, self._token)
        if failure is not None:
            raise failure
        if response.live is None:
            kind = response.headers.get("content-type", "no content type")
            raise invalid(response, f"{binding.id}: the server answered with {kind} and not with a stream of events")
        return ask, response

    def _streamed(self, response: Response, stream: Any) -> Any:
        """A stream, or the raw response with it."""
        return RawResponse(response, lambda: stream, response.request_id) if self._raw else stream

    def _event(self, ask: Ask, response: Response, event: Event) -> Any:
        """One event of a streamed answer as a model. Raises StreamError or ResponseValidationError."""
        return _reading.event(ask, response, event, strict=self._strict_responses, hide=self._token)

    def _read(self, ask: Ask, primary: Any) -> Steps[tuple[Any, Facts]]:
        """One call with all media read, and what is known of them."""
        binding = ask.binding
        facts = NO_FACTS
        if binding.media is not None and not (primary is None and binding.optional):
            primary, facts = yield from self._media(ask, primary, binding.media)
        elif isinstance(primary, dict):
            members = dict(primary)
            for name, kind in binding.media_members:
                if name in members:
                    members[name], known = yield from self._media(ask, members[name], kind, name)
                    facts = {**facts, **known}
            primary = members
        return self._protocol.call(ask, primary), facts

    def _media(self, ask: Ask, source: Any, kind: str, *member: str) -> Steps[tuple[Media | Link, Facts]]:
        """A file, and what must be known of it."""
        name = ".".join((ask.binding.primary, *member))
        url = remote_url(source)
        if url is not None and self._protocol.fetches(ask, kind, *member):
            try:
                origin(url)
            except ConfigurationError as error:
                raise InputError(f"{name}: {error}") from None
            return Link(url), NO_FACTS
        media = yield from (self._file(source, name, kind) if url is None else self._downloaded(url, name, kind))
        if ask.wire is None or not ask.wire.measured or kind != "image":
            return media, NO_FACTS
        from ._measured import pixels

        return media, (yield Work(partial(pixels, media, name, turned=self._protocol.turns(self._base_url))))

    def _file(self, source: Any, name: str, kind: str) -> Steps[Media]:
        if isinstance(source, bytes):
            return read(source, name, kind)
        media: Media = yield Work(partial(read, source, name, kind))
        return media

    def _downloaded(self, url: str, name: str, kind: str) -> Steps[Media]:
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

    def _exceeded(self, request: Request) -> Steps[int | None]:
        """How many bytes the server takes, if that is less than a request has; it is asked once, before a large one."""
        size = len(request.content)
        if size <= _ASK_ABOVE:
            return None
        if not self._limit:
            self._limit.append((yield from self._asked_limit()))
        limit = self._limit[0]
        return limit if limit is not None and size > limit else None

    def _too_large(self, binding: TaskBinding, request: Request, limit: int) -> InputError:
        return InputError(
            f"{binding.id}: the request has {len(request.content):,} bytes, and the server at {shown(self._base_url)} "
            f"takes {limit:,}; nothing was sent"
        )

    def _asked_limit(self) -> Steps[int | None]:
        """The most bytes that the server takes in one request, None where it does not say."""
        # Of calls that cannot be made smaller it is not asked: in other dialects, most servers are not ours.
        if self._dialect is not None and (self._protocol.most == 1 or self._dialect.hosts(self._base_url)):
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
