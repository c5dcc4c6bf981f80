"""Clarifai's gRPC service beside HTTP, in the same event loop: the same calls, as protocol buffers.

What is wrong with a call is told by the status in its answer, as Clarifai does it. The status of gRPC is that of the
transport: a message that is too large, a deadline of the client's, a method that is not served, a server that ends.
What a client does not read of its answer is kept until it leaves: gRPC lets a server neither know nor end that.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any, NoReturn

from starlette.applications import Starlette

from ...clarifai.codes import http_status
from ...dialect import Dialect
from .. import logs
from ..engine import Engine
from ..frame import CLIENT_LEFT, request_id
from ..inference import INLINE_BODY
from ..memory import Share
from ..ports import PortError, reserved
from ..problems import ClientGone, RequestProblem
from ..settings import Serving
from ..spans import Spans
from ..trace import Trace
from .problems import Reply
from .protobuf import SERVICE, Method
from .service import Service

log = logging.getLogger(__name__)

INLINE_OUTPUTS = 8
"""Answers with more outputs become protocol buffers in a thread: each takes about a third of a millisecond."""


def grpc_server(app: Starlette, package: str, dialects: Mapping[str, Dialect], settings: Serving) -> GrpcServer:
    """The gRPC service of the models that `app` serves, for a port that is taken now.

    Raises ValueError for settings that cannot be, PortError, and ImportError without the extra ``clarifai``.
    """
    dialect = next((dialect for dialect in dialects.values() if dialect.protocol == "clarifai"), None)
    if dialect is None:
        raise ValueError("grpc_port: this package has no dialect of Clarifai's protocol")
    engine, hosts = app.state.server.engine, app.state.server.hosts
    return GrpcServer(Service(engine, hosts, dialect, package), engine, settings)


class GrpcServer:
    """Answers the calls of a `service`."""

    def __init__(self, service: Service, engine: Engine, settings: Serving) -> None:
        """Raises ValueError for a certificate that cannot be, PortError, and ImportError without the extra."""
        # gRPC tells of every client that breaks off, with tracebacks, and in lines between those of the log.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        logging.getLogger("grpc").setLevel(logging.CRITICAL)
        self._methods = {rpc: Method(rpc) for rpc in service.rpcs}
        self._certificate = _certificate(settings)
        self._service = service
        self._engine = engine
        self._settings = settings
        self._spans = Spans() if settings.tracing else None
        # Of a message that is still arriving nobody knows how large it is: each may be as large as is allowed.
        self._arriving = asyncio.Semaphore(max(1, settings.max_pending // settings.max_body))
        self._socket = reserved(settings.host, settings.grpc_port or 0)
        host, port = self._socket.getsockname()[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._server: Any = None

    def __str__(self) -> str:
        """Where it listens, and how."""
        return f"{self.address} ({'with' if self._certificate else 'without'} TLS)"

    async def start(self) -> None:
        """Answer from now on. Raises PortError if somebody else took the port."""
        grpc, settings = import_module("grpc"), self._settings
        options = {
            "grpc.so_reuseport": 0,  # else a second server would share the port, and neither would know
            "grpc.max_receive_message_length": settings.max_body,
            "grpc.server_handshake_timeout_ms": int(settings.header_timeout * 1000),
        }
        self._server = grpc.aio.server(maximum_concurrent_rpcs=settings.max_connections, options=list(options.items()))
        # Unary for clients; as a stream, its only message is received when there is room for it.
        handlers = {rpc: grpc.stream_unary_rpc_method_handler(self._handler(rpc)) for rpc in self._methods}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self._socket.close()
        try:
            if self._certificate is None:
                self._server.add_insecure_port(self.address)
            else:
                self._server.add_secure_port(self.address, grpc.ssl_server_credentials([self._certificate]))
        except RuntimeError:
            raise PortError(f"cannot listen on {self.address}: it was taken meanwhile") from None
        await self._server.start()

    async def stop(self) -> None:
        """Take no more calls, and return when those under way are answered, or were given the time for it."""
        await self._server.stop(self._settings.finish)

    def _handler(self, rpc: str) -> Callable[[AsyncIterator[bytes], Any], Awaitable[bytes]]:
        method, route = self._methods[rpc], f"/{SERVICE}/{rpc}"

        async def handle(messages: AsyncIterator[bytes], context: Any) -> bytes:
            headers = {name.encode(): _bytes(value) for name, value in context.invocation_metadata()}
            trace = Trace(request_id(headers))
            status = CLIENT_LEFT
            try:
                reply = await self._reply(rpc, method, messages, headers.get(b"authorization", b""), trace)
                status = http_status(reply.code)
                context.set_trailing_metadata((("x-request-id", trace.request_id), *reply.headers.items()))
                return await self._encoded(method, reply)
            except ClientGone:
                return await _failed(context, "CANCELLED", "no message came")
            except asyncio.CancelledError:
                if not trace.model:  # else each input is counted
                    self._engine.metrics.request(trace, CLIENT_LEFT)
                raise
            except Exception:
                status = 500
                log.exception("request %s failed", trace.request_id)
                return await _failed(context, "INTERNAL", "internal error")
            finally:
                logs.answered("POST", route, trace, status)
                if self._spans is not None:
                    self._spans.answered("POST", route, headers.items(), trace, status)

        return handle

    async def _reply(
        self, rpc: str, method: Method, messages: AsyncIterator[bytes], authorization: bytes, trace: Trace
    ) -> Reply:
        async def read(share: Share) -> dict[str, Any]:
            message = await self._received(messages)
            share.take(len(message))
            most = self._settings.max_values
            if len(message) <= INLINE_BODY:
                return method.request(message, most)
            return await self._engine.threaded(lambda: method.request(message, most))

        return await self._service.call(rpc, read, authorization=authorization, trace=trace, receive=_never)

    async def _received(self, messages: AsyncIterator[bytes]) -> bytes:
        """The message of a call. Raises ClientGone if there is none, RequestProblem (408) if it comes too slowly."""
        seconds = self._settings.receive_timeout
        try:
            async with asyncio.timeout(seconds), self._arriving:
                message = await anext(messages, None)
        except TimeoutError:
            raise RequestProblem(f"the message did not arrive within {seconds:g} seconds", status=408) from None
        if message is None:
            raise ClientGone
        return message

    async def _encoded(self, method: Method, reply: Reply) -> bytes:
        if len(reply.message.get("outputs", ())) <= INLINE_OUTPUTS:
            return method.response(reply.message)
        # Not the threads that decode: an answer shall not wait behind the media of others.
        return await asyncio.to_thread(method.response, reply.message)


async def _failed(context: Any, code: str, details: str) -> NoReturn:
    """End the call with a status of gRPC."""
    await context.abort(import_module("grpc").StatusCode[code], details)
    raise AssertionError("abort raises")


async def _never() -> Any:
    """Nothing comes: a call whose client leaves is cancelled."""
    await asyncio.get_running_loop().create_future()


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _certificate(settings: Serving) -> tuple[bytes, bytes] | None:
    """The key and the certificates, if there is to be TLS. Raises ValueError."""
    certificate, key = settings.grpc_certificate, settings.grpc_key or settings.grpc_certificate
    if certificate is None or key is None:
        if settings.grpc_key is not None:
            raise ValueError("grpc_key: is of no use without grpc_certificate")
        return None
    try:
        contents = key.read_bytes(), certificate.read_bytes()
        # gRPC itself would say nothing but that it cannot listen.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        reason = (error.reason or "").replace("_", " ").lower()
        found = f"{certificate} and {key} hold no certificate and its key as PEM, without a password ({reason})"
        raise ValueError(f"grpc_certificate, grpc_key: {found}") from None
    except OSError as error:
        raise ValueError(f"grpc_certificate, grpc_key: {error.filename}: {(error.strerror or '').lower()}") from None
    return contents
