"""The wire. The only module that knows httpx, imported on the first request so that importing the package is cheap.

A client of httpx or of its successor httpx2 can be injected: their shape is the same, and their exceptions are found
through the module that the injected client comes from. Above this module there are only :class:`Request`,
:class:`Response` and the errors of `errors`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from ._body import AsyncBody, Body
from .errors import APIConnectionError, APITimeoutError, ConfigurationError, ResponseValidationError

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 60.0
MAX_RESPONSE = 64 * 1024 * 1024
_KEEP_ALIVE = 10  # Every request looks through the idle connections; a large pool of them slows a single caller down.


class SyncHTTPClient(Protocol):
    """What is used of an `httpx.Client` or `httpx2.Client`."""

    def build_request(
        self, method: str, url: str, *, content: Any = ..., headers: Any = ..., extensions: Any = ...
    ) -> Any:
        """A request that carries the client's own headers and cookies too."""

    def send(self, request: Any, *, stream: bool = ..., auth: Any = ..., follow_redirects: Any = ...) -> Any:
        """Send a request."""


class AsyncHTTPClient(Protocol):
    """What is used of an `httpx.AsyncClient` or `httpx2.AsyncClient`."""

    def build_request(
        self, method: str, url: str, *, content: Any = ..., headers: Any = ..., extensions: Any = ...
    ) -> Any:
        """A request that carries the client's own headers and cookies too."""

    async def send(self, request: Any, *, stream: bool = ..., auth: Any = ..., follow_redirects: Any = ...) -> Any:
        """Send a request."""


@dataclass(frozen=True)
class Request:
    """One HTTP request. `timeout` is in seconds, None for the default; header names are lower-case.

    A `streamed` one asks for an answer that is read while it comes in. An `anonymous` request carries nothing but what
    it says itself: no header, cookie or credential of an injected client. `patient` says whether to try again while the
    model is loading: for minutes (True), not at all (False), or like any other error (None). Headers and content stay
    out of the `repr`.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | Body = field(default=b"", repr=False)
    timeout: float | None = None
    anonymous: bool = False
    streamed: bool = False
    patient: bool | None = None


@dataclass(frozen=True)
class Response:
    """One HTTP response, read to its end and decoded, or else with its content still to come as `live`.

    Header names are lower-case; `retries` counts the tries that failed before it, and `request_id` is the server's name
    for the request, both once it is what is made of the exchange.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    live: Live | AsyncLive | None = field(default=None, repr=False)
    retries: int = 0
    request_id: str | None = None

    @cached_property
    def json(self) -> Any:
        """The content as JSON values, read once; None if it is no JSON."""
        from pydantic_core import from_json

        try:
            return from_json(self.content, allow_inf_nan=False)
        except ValueError:
            return None


class _Wire:
    """What the sync and the async transport share: building requests, translating errors, counting bytes."""

    _class = ""

    def __init__(self, injected: Any = None) -> None:
        self._injected = injected is not None
        self._module: Any = None
        self._client: Any = injected
        self._closed = False
        if injected is not None:
            self._module = _module_of(injected)
            if self._module is None or not isinstance(injected, getattr(self._module, self._class)):
                raise ConfigurationError(
                    f"http_client must be an httpx.{self._class} or httpx2.{self._class}, got {type(injected).__name__}"
                )

    def _open(self) -> Any:
        from http.cookiejar import CookieJar, DefaultCookiePolicy

        if self._closed:
            raise ConfigurationError("the client is closed; make a new one")
        self._module = http = import_module("httpx")
        return getattr(http, self._class)(
            limits=http.Limits(max_connections=100, max_keepalive_connections=_KEEP_ALIVE),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            # A proxy from the environment must not see what is said in the clear to this very machine.
            mounts={"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None},
        )

    def _build(self, request: Request) -> tuple[Any, dict[str, Any]]:
        """The request as httpx has it, and the options to send it with."""
        timeout = request.timeout
        own = getattr(self._client, "timeout", None) if self._injected and timeout is None else None
        extensions = {"timeout": _timeout(timeout) if own in (None, self._module.Timeout(5.0)) else own.as_dict()}
        options: dict[str, Any] = {"stream": True, "follow_redirects": False}
        if request.anonymous or "authorization" in request.headers:
            options["auth"] = None
        make = self._module.Request if request.anonymous else self._client.build_request
        headers = dict(request.headers)
        content: Any = request.content
        if isinstance(content, Body):
            headers["content-length"] = str(len(content))  # or else it would go out in chunks, which servers refuse
            content = self._stream(content)
        return make(request.method, request.url, headers=headers, content=content, extensions=extensions), options

    def _stream(self, content: Body) -> Any:
        """What httpx takes for a content that it reads bit by bit."""
        return content

    def translated(self, error: Exception, request: Request) -> APIConnectionError:
        """The error of ours that says the same as one of httpx."""
        http = self._module
        host = request.url.split("/", 3)[2].rpartition("@")[2]
        if isinstance(error, http.TimeoutException):
            early = not isinstance(error, http.ReadTimeout | http.WriteTimeout)
            what = "no connection" if early else "no answer"
            return APITimeoutError(f"{what} from {host} in time", retryable=early)
        if not isinstance(error, http.TransportError) or isinstance(
            error, http.LocalProtocolError | http.UnsupportedProtocol
        ):
            # These texts may quote a header, so they are not repeated.
            return APIConnectionError(f"the exchange with {host} failed: {type(error).__name__}", retryable=False)
        return APIConnectionError(f"cannot reach {host}: {str(error) or type(error).__name__}")

    def errors(self) -> tuple[type[Exception], ...]:
        """The exceptions that say that an exchange failed."""
        return self._module.RequestError, self._module.InvalidURL


class _Body:
    """Collects a response's content, up to :data:`MAX_RESPONSE` bytes after decoding."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._chunks: list[bytes] = []
        self._size = 0
        # We ask for none; one gzip chunk at least stays in proportion, others may hold gigabytes in a few bytes.
        if response.headers.get("content-encoding", "").strip().lower() not in ("", "identity", "gzip", "deflate"):
            raise self._refused("answered in an encoding that was not asked for")

    def add(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > MAX_RESPONSE:
            raise self._refused(f"answered with more than {MAX_RESPONSE} bytes")
        self._chunks.append(chunk)

    def whole(self) -> Response:
        return Response(self._response.status_code, dict(self._response.headers), b"".join(self._chunks))

    def _refused(self, what: str) -> ResponseValidationError:
        return ResponseValidationError(
            f"{self._response.url.host} {what}",
            status_code=self._response.status_code,
            request_id=self._response.headers.get("x-request-id"),
        )


class Live:
    """The content of a response that is read while it comes in."""

    def __init__(self, wire: _Wire, request: Request, response: Any) -> None:
        self._wire, self._request, self._response = wire, request, response

    def chunks(self) -> Iterator[bytes]:
        """The content in pieces. Raises APIConnectionError where the connection breaks."""
        try:
            yield from self._response.iter_bytes()
        except self._wire.errors() as error:
            raise self._wire.translated(error, self._request) from error

    def close(self) -> None:
        """Close the connection, unless the content was read to its end."""
        self._response.close()


class AsyncLive:
    """The same for asyncio and trio."""

    def __init__(self, wire: _Wire, request: Request, response: Any) -> None:
        self._wire, self._request, self._response = wire, request, response

    async def chunks(self) -> AsyncIterator[bytes]:
        """The content in pieces. Raises APIConnectionError where the connection breaks."""
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except self._wire.errors() as error:
            raise self._wire.translated(error, self._request) from error

    async def close(self) -> None:
        """Close the connection, unless the content was read to its end."""
        await self._response.aclose()


def _is_live(request: Request, response: Any) -> bool:
    kind = response.headers.get("content-type", "").lower()
    return request.streamed and response.is_success and kind.startswith("text/event-stream")


class SyncTransport(_Wire):
    """Sends requests, one after the other or from many threads. Opens its connections on first use."""

    _class = "Client"

    def __init__(self, injected: SyncHTTPClient | None = None) -> None:
        super().__init__(injected)
        self._lock = threading.Lock()

    def send(self, request: Request) -> Response:
        """Send, and read the answer to its end. Follows no redirect.

        Raises APIConnectionError, ResponseValidationError for an answer that is too large, and InputError for a file
        that has changed.
        """
        if isinstance(request.content, Body):
            request.content.check()
        with self._lock:
            if self._client is None or self._closed:
                self._client = self._open()
        try:
            built, options = self._build(request)
            response = self._client.send(built, **options)
            if _is_live(request, response):
                return Response(response.status_code, dict(response.headers), b"", Live(self, request, response))
            try:
                body = _Body(response)
                for chunk in response.iter_bytes():
                    body.add(chunk)
            finally:
                response.close()
        except self.errors() as error:
            raise self.translated(error, request) from error
        return body.whole()

    def close(self) -> None:
        """Close the connections. An injected client is left open: it belongs to whoever made it."""
        with self._lock:
            self._closed = True
            if self._client is not None and not self._injected:
                self._client.close()


class AsyncTransport(_Wire):
    """Sends requests concurrently, on asyncio or trio. Opens its connections on first use."""

    _class = "AsyncClient"

    def __init__(self, injected: AsyncHTTPClient | None = None) -> None:
        super().__init__(injected)

    def _stream(self, content: Body) -> Any:
        return AsyncBody(content)

    async def send(self, request: Request) -> Response:
        """Send, and read the answer to its end. Follows no redirect.

        Raises APIConnectionError, ResponseValidationError for an answer that is too large, and InputError for a file
        that has changed.
        """
        if isinstance(request.content, Body):
            from anyio import to_thread

            await to_thread.run_sync(request.content.check)
        if self._client is None or self._closed:
            self._client = self._open()
        try:
            built, options = self._build(request)
            response = await self._client.send(built, **options)
            if _is_live(request, response):
                return Response(response.status_code, dict(response.headers), b"", AsyncLive(self, request, response))
            try:
                body = _Body(response)
                async for chunk in response.aiter_bytes():
                    body.add(chunk)
            finally:
                await response.aclose()
        except self.errors() as error:
            raise self.translated(error, request) from error
        return body.whole()

    async def close(self) -> None:
        """Close the connections. An injected client is left open: it belongs to whoever made it."""
        self._closed = True
        if self._client is not None and not self._injected:
            await self._client.aclose()


def _module_of(client: object) -> ModuleType | None:
    """The top-level module that a client's class, or the class it was derived from, comes from."""
    for cls in type(client).__mro__:
        module = sys.modules.get(cls.__module__.partition(".")[0])
        if module is not None and hasattr(module, "TransportError") and hasattr(module, "AsyncClient"):
            return module
    return None


def _timeout(seconds: float | None) -> dict[str, float]:
    """`seconds` bounds the wait for each part of the answer; connecting has its own, shorter bound."""
    read = READ_TIMEOUT if seconds is None else seconds
    # Waiting for a free connection is waiting for other answers, so it has as long as they have.
    return {"connect": min(CONNECT_TIMEOUT, read), "read": read, "write": read, "pool": read}
