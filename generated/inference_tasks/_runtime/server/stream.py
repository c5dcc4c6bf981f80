"""Streamed answers: a handler's events as server-sent events, one step of the model at a time.

The steps of several streams, and batches of whole answers, take turns in the model's thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from starlette.responses import StreamingResponse

from ..binding import TaskBinding
from .batcher import Batcher
from .calls import Interpreter
from .encode import encode_event
from .handler import Handler
from .problems import RequestProblem, too_late
from .spoken import as_json, facts
from .trace import Trace

log = logging.getLogger(__name__)

DONE = b"data: [DONE]\n\n"
_END = object()


async def events(batcher: Batcher, binding: TaskBinding, request: Any, deadline: float) -> AsyncGenerator[bytes, None]:
    """The events of the answer to `request` as JSON texts. Each step of the model may take `deadline` seconds.

    Raises RequestProblem where no event comes, as from a model that does not stream.
    """
    handler = batcher.handler
    if type(handler).stream is Handler.stream:
        raise RequestProblem("is not supported by this model", field="stream")
    steps = _Steps(batcher, handler.stream(request), deadline)
    try:
        while (event := await steps.next()) is not _END:
            yield encode_event(binding, event)
    finally:
        steps.close()


async def stream(
    events: AsyncGenerator[bytes, None], interpreter: Interpreter, error: Sequence[str], trace: Trace
) -> StreamingResponse:
    """The answer with `events`, once the first one is there; it says at the place `error` of an event what goes wrong.

    Raises what the first event raises.
    """
    first = await anext(events, None)
    sent = _sent(first, events, interpreter, error, facts(trace))
    return StreamingResponse(sent, 200, {"cache-control": "no-store"}, "text/event-stream")


async def _sent(
    first: bytes | None,
    events: AsyncGenerator[bytes, None],
    interpreter: Interpreter,
    error: Sequence[str],
    known: Mapping[str, Any],
) -> AsyncIterator[bytes]:
    event = first
    try:
        while event is not None:
            yield b"data: " + _spoken(interpreter, event, known) + b"\n\n"
            event = await anext(events, None)
    except RequestProblem as problem:
        yield b"data: " + problem.body(error) + b"\n\n"
        return
    except Exception:
        # Too late for another status; the client is told that something went wrong, the log what.
        log.exception("a streamed answer of %s broke off", interpreter.binding.id)
        yield b"data: " + RequestProblem("internal error", status=500).body(error) + b"\n\n"
        return
    finally:
        await events.aclose()
    yield DONE


def _spoken(interpreter: Interpreter, event: bytes, known: Mapping[str, Any]) -> bytes:
    if interpreter.wire is None or interpreter.wire.events_as_spec:
        return event
    return as_json(interpreter.wire.told(json.loads(event), known))


class _Steps:
    """An iterator that is advanced in the model's thread."""

    def __init__(self, batcher: Batcher, events: Iterator[Any], deadline: float) -> None:
        self._batcher = batcher
        self._events = events
        self._deadline = deadline
        batcher.streams += 1
        self._open = True

    async def next(self) -> Any:
        """The next event, or the mark of the end."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._batcher.worker.run(lambda: next(self._events, _END))
        except TimeoutError:
            raise too_late(self._deadline) from None

    def close(self) -> None:
        """Give up what the model keeps for this stream."""
        if self._open:
            self._open = False
            self._batcher.streams -= 1
            if close := getattr(self._events, "close", None):
                self._batcher.worker.run(close)
