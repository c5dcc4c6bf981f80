"""The client core: what every generated client's methods do, written once for sync and async.

A call is a generator of *steps* (send this request, wait so long, do this blocking work) that holds all the logic and
does no I/O of its own; :class:`SyncClient` and :class:`AsyncClientBase` only carry the steps out.
"""

from __future__ import annotations

import binascii
import json
import os
import platform
import random
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, cast

from ._exchange import Pause, Steps, Work, exchange
from ._http import AsyncTransport, Request, Response, SyncTransport
from ._urls import base_of, is_loopback, origin, route, shown
from .arguments import checked_headers, checked_timeout, given
from .errors import (
    APIError,
    ConfigurationError,
    InferenceError,
    InputError,
    ResponseValidationError,
    status_error,
    stream_error,
)
from .media import UNKNOWN, Media, from_bytes, read, remote_url
from .streaming import AsyncStream, Stream
from .validation import problems, validate_request

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from ._http import AsyncHTTPClient, AsyncLive, Live, SyncHTTPClient
    from ._sse import Event
    from .binding import TaskBinding

HTTPClient = TypeVar("HTTPClient")
Out = TypeVar("Out")


class BaseClient(ABC, Generic[HTTPClient]):
    """A client's settings and all of its logic, without any I/O.

    `base_url` and `token` are read from the environment where they are not given; an empty `token` means none at all.
    `model` is the default of the methods' own, `timeout` bounds the wait for each part of an answer in seconds (None:
    5 s to connect, 60 s to read, or what an injected `http_client` says). `default_headers` go with every request.
    `strict_responses` refuses what is otherwise kept: values of an enum that the spec does not know. A token is not
    sent over plain http to another machine, unless `allow_insecure` says so.

    Raises ConfigurationError where these do not make a working client.
    """

    _env_prefix: ClassVar[str] = "INFERENCE"
    _user_agent: ClassVar[str] = "inference"

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
    ) -> None:
        prefix = self._env_prefix
        url = base_url or os.environ.get(f"{prefix}_URL")
        if not url:
            raise ConfigurationError(
                f"no server is known: pass base_url=… or set the environment variable {prefix}_URL"
            )
        self._base_url = base_of(url)
        self._token = (os.environ.get(f"{prefix}_TOKEN") if token is None else token) or None
        if self._token and not (self._token.isascii() and self._token.isprintable() and " " not in self._token):
            raise ConfigurationError("the token has spaces, line breaks or other characters that no token has")
        self._model = model
        self._timeout = checked_timeout(timeout)
        self._max_retries = max_retries
        self._default_headers = checked_headers(default_headers)
        self._strict_responses = strict_responses
        self._allow_insecure = allow_insecure
        self._random: Callable[[], float] = random.random
        self._guard({"authorization": ""} if self._token else self._default_headers)
        self._connect(http_client)

    @abstractmethod
    def _connect(self, http_client: HTTPClient | None) -> None:
        """Set the transport up; nothing is opened yet."""

    @property
    def base_url(self) -> str:
        """Where requests go, without a slash at its end."""
        return self._base_url

    def __repr__(self) -> str:
        token = "***" if self._token else None
        return f"{type(self).__name__}(base_url={self._base_url!r}, token={token})"

    # ------------------------------------------------------------------------------------------------- requests

    def prepare(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any] | None = None,
        root: Mapping[str, Any] | None = None,
        *,
        model: str | None = None,
        timeout: float | None = None,
        extra_headers: Mapping[str, str] | None = None,
        use_cache: bool | None = None,
        wait_for_model: bool | None = None,
    ) -> Request:
        """The request of one call.

        `primary` is a :class:`Media`, JSON values and models, or None where it may be missing; `parameters` go into
        the request's ``parameters``, `root` beside the primary input, both by wire name. Media without either travel
        as they are, everything else as JSON that has been checked against the task's input model. Raises InputError.
        """
        headers = {"accept": "application/json", "accept-encoding": "identity", "user-agent": self._agent()}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        for name, flag in (("x-use-cache", use_cache), ("x-wait-for-model", wait_for_model)):
            if flag is not None:
                headers[name] = "true" if flag else "false"
        if isinstance(primary, Media) and not parameters and not root:
            headers["content-type"] = primary.content_type
            content = primary.data
            headers |= self._default_headers | checked_headers(extra_headers)
        else:
            content = _json(binding, primary, parameters or {}, root or {})
            headers |= self._default_headers | checked_headers(extra_headers)
            headers["content-type"] = "application/json"
        self._guard(headers)
        chosen = checked_timeout(timeout)
        url = self._base_url + route(binding.id, self._model if model is None else model)
        return Request("POST", url, headers, content, self._timeout if chosen is None else chosen)

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

    def parse(self, binding: TaskBinding, response: Response) -> Any:
        """The response as models. Raises APIStatusError or ResponseValidationError."""
        if not 200 <= response.status < 300:
            raise status_error(response.status, response.headers, response.content, hide=self._token)
        kind = response.headers.get("content-type", "no content type")
        return self._models(binding.id, binding.output_adapter, response, response.content, f"the answer ({kind})")

    def _models(self, task: str, adapter: TypeAdapter[Any], response: Response, content: bytes | str, what: str) -> Any:
        """The models of `content`, which is `what` for messages. Raises ResponseValidationError."""
        from pydantic import ValidationError
        from pydantic_core import from_json

        from .types import OPEN_ENUMS

        request_id = response.headers.get("x-request-id")
        invalid = partial(ResponseValidationError, status_code=response.status, request_id=request_id)
        context = None if self._strict_responses else OPEN_ENUMS
        try:
            payload = from_json(content, allow_inf_nan=False)
        except ValueError as error:
            problem = f"{task}: {what} is not JSON: {error}"
        else:
            try:
                return adapter.validate_python(payload, by_name=False, by_alias=True, context=context)
            except ValidationError as error:
                found = problems(error)
            text = "; ".join(map(str, found))
            raise invalid(f"{task}: {what.split(' (')[0]} is not what the task's spec says: {text}", problems=found)
        raise invalid(problem)

    def _event(self, binding: TaskBinding, response: Response, event: Event) -> Any:
        """One event of a streamed answer as a model. Raises StreamError or ResponseValidationError."""
        if event.event == "error" or _is_error(event.data):
            raise stream_error(event.data, request_id=response.headers.get("x-request-id"), hide=self._token)
        assert binding.stream_adapter is not None, "only tasks with a stream have a method that gets here"
        return self._models(binding.id, binding.stream_adapter, response, event.data, "an event of the answer")

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
        """One call, from its arguments to its models."""
        request = yield from self._request(binding, primary, parameters, root, nullable, **options)
        return self.parse(binding, (yield from exchange(request, self._max_retries, self._random)))

    def _opened(self, binding: TaskBinding, *arguments: Any, **options: Any) -> Steps[Response]:
        """One call whose answer is streamed, from its arguments to a response that is still coming in."""
        request = yield from self._request(binding, *arguments, **options)
        headers = {**request.headers, "accept": "text/event-stream, application/json;q=0.5"}
        request = replace(request, headers=headers, streamed=True)
        response = yield from exchange(request, self._max_retries, self._random)
        if response.live is None:
            if 200 <= response.status < 300:
                kind = response.headers.get("content-type", "no content type")
                problem = f"{binding.id}: the server answered with {kind} and not with a stream of events"
                request_id = response.headers.get("x-request-id")
                raise ResponseValidationError(problem, status_code=response.status, request_id=request_id)
            raise status_error(response.status, response.headers, response.content, hide=self._token)
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
                    media = yield from self._media(members[name], f"{binding.primary}.{name}", kind)
                    members[name] = _base64(media)
            primary = members
        return self.prepare(binding, primary, given(parameters, nullable), given(root, nullable), **options)

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
            response = yield from exchange(request, self._max_retries, self._random)
            if response.status != 200:
                raise status_error(response.status, response.headers, b"")
        except (APIError, ConfigurationError) as error:
            raise InputError(f"{name}: cannot download {shown(url)}: {error}") from error
        declared = response.headers.get("content-type", UNKNOWN)
        return from_bytes(response.content, name, kind, declared=declared)


class SyncClient(BaseClient["SyncHTTPClient"]):
    """A client for threads. `http_client` may be an `httpx.Client` or `httpx2.Client`, which stays yours to close."""

    def _connect(self, http_client: SyncHTTPClient | None) -> None:
        self._transport = SyncTransport(http_client)
        self._sleep: Callable[[float], None] = time.sleep

    def _call(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        nullable: tuple[str, ...] = (),
        **options: Any,
    ) -> Any:
        return self._run(self._steps(binding, primary, parameters, root, nullable, **options))

    def _stream(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        nullable: tuple[str, ...] = (),
        **options: Any,
    ) -> Stream[Any]:
        response = self._run(self._opened(binding, primary, parameters, root, nullable, **options))
        return Stream(cast("Live", response.live), partial(self._event, binding, response))

    def _run(self, steps: Steps[Any]) -> Any:
        answer: Any = None
        failure: InferenceError | None = None
        while True:
            try:
                step = steps.send(answer) if failure is None else steps.throw(failure)
            except StopIteration as end:
                return end.value
            answer = failure = None
            try:
                answer = self._do(step)
            except InferenceError as error:
                failure = error

    def _do(self, step: Request | Pause | Work) -> Any:
        if isinstance(step, Request):
            return self._transport.send(step)
        return self._sleep(step.seconds) if isinstance(step, Pause) else step.run()

    def map(
        self,
        method: Callable[..., Out],
        inputs: Iterable[Any],
        *,
        concurrency: int = 8,
        keep_errors: bool = False,
        progress: bool = False,
        **keywords: Any,
    ) -> Generator[Out | InferenceError, None, None]:
        """Call `method`, one of this client's own, with each of `inputs`; the results come in their order.

            for labels in client.map(client.image_classification, Path("photos").glob("*.jpg"), top_k=1):
                ...

        Up to `concurrency` calls run at once, and twice as many inputs are taken ahead, so that any number of them
        fits into memory. `keywords` go to every call. With `keep_errors`, a call that fails gives its InferenceError in
        place of a result; without, it is raised and the rest is dropped. `progress` counts on a terminal.
        """
        from .batch import in_threads

        return in_threads(
            lambda item: method(item, **keywords), inputs, concurrency, keep_errors=keep_errors, progress=progress
        )

    def close(self) -> None:
        """Close the connections to the server."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClientBase(BaseClient["AsyncHTTPClient"]):
    """A client for asyncio and trio. `http_client` may be an `AsyncClient` of httpx or httpx2; which stays yours."""

    def _connect(self, http_client: AsyncHTTPClient | None) -> None:
        self._transport = AsyncTransport(http_client)
        self._sleep: Callable[[float], Awaitable[None]] = _sleep

    async def _call(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        nullable: tuple[str, ...] = (),
        **options: Any,
    ) -> Any:
        return await self._run(self._steps(binding, primary, parameters, root, nullable, **options))

    async def _stream(
        self,
        binding: TaskBinding,
        primary: Any,
        parameters: Mapping[str, Any],
        root: Mapping[str, Any],
        nullable: tuple[str, ...] = (),
        **options: Any,
    ) -> AsyncStream[Any]:
        response = await self._run(self._opened(binding, primary, parameters, root, nullable, **options))
        return AsyncStream(cast("AsyncLive", response.live), partial(self._event, binding, response))

    async def _run(self, steps: Steps[Any]) -> Any:
        answer: Any = None
        failure: InferenceError | None = None
        while True:
            try:
                step = steps.send(answer) if failure is None else steps.throw(failure)
            except StopIteration as end:
                return end.value
            answer = failure = None
            try:
                answer = await self._do(step)
            except InferenceError as error:
                failure = error

    async def _do(self, step: Request | Pause | Work) -> Any:
        if isinstance(step, Request):
            return await self._transport.send(step)
        return await (self._sleep(step.seconds) if isinstance(step, Pause) else _in_thread(step.run))

    def map(
        self,
        method: Callable[..., Awaitable[Out]],
        inputs: Iterable[Any] | AsyncIterable[Any],
        *,
        concurrency: int = 8,
        keep_errors: bool = False,
        progress: bool = False,
        **keywords: Any,
    ) -> AsyncGenerator[Out | InferenceError, None]:
        """Call `method`, one of this client's own, with each of `inputs`; the results come in their order.

            async for labels in client.map(client.image_classification, photos, top_k=1):
                ...

        Up to `concurrency` calls run at once, and twice as many inputs are taken ahead, so that any number of them
        fits into memory. `keywords` go to every call. With `keep_errors`, a call that fails gives its InferenceError in
        place of a result; without, it is raised and the rest is cancelled. `progress` counts on a terminal. For
        asyncio only.
        """
        from .batch import in_tasks

        return in_tasks(
            lambda item: method(item, **keywords), inputs, concurrency, keep_errors=keep_errors, progress=progress
        )

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _sleep(seconds: float) -> None:
    import anyio

    await anyio.sleep(seconds)


async def _in_thread(run: Callable[[], Any]) -> Any:
    from anyio import to_thread

    return await to_thread.run_sync(run)


def _is_error(data: str) -> bool:
    """Whether an event's data is an error in one of the shapes that inference servers use."""
    if '"error"' not in data[:1000]:
        return False
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(payload, dict) and bool(payload.get("error"))


def _base64(media: Media) -> str:
    return binascii.b2a_base64(media.data, newline=False).decode("ascii")


def _json(binding: TaskBinding, primary: Any, parameters: Mapping[str, Any], root: Mapping[str, Any]) -> bytes:
    """The JSON body of a request, checked against the task's input model. Raises InputError."""
    from pydantic import ValidationError

    from .types import dump

    if isinstance(primary, Media):
        primary = _base64(primary)
    body: dict[str, Any] = {binding.primary: primary, **root}
    if primary is None and binding.optional:
        del body[binding.primary]
    if parameters:
        body["parameters"] = dict(parameters)
    body = dump(body)
    try:
        validate_request(binding, body)
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except ValidationError as error:
        found = problems(error, binding)
    except (ValueError, TypeError, RecursionError):
        # The text of these may quote the input.
        raise InputError(f"{binding.id}: the request cannot be written as JSON") from None
    raise InputError(f"{binding.id}: {'; '.join(map(str, found))}", problems=found)
