"""Streamed answers: a handler's events as server-sent events, one step of the model at a time.

The steps of several streams, and batches of whole answers, take turns in the model's thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from pydantic import ValidationError
from starlette.responses import StreamingResponse

from ..forms import speak
from ..types import dump
from .batcher import Batcher
from .calls import Call, Interpreter
from .handler import Handler
from .problems import RequestProblem
from .spoken import as_json

log = logging.getLogger(__name__)

DONE = b"data: [DONE]\n\n"
_END = object()


async def stream(
    batcher: Batcher, interpreter: Interpreter, call: Call, deadline: float, error: Sequence[str]
) -> StreamingResponse:
    """The answer to `call`, once its first event is there. Each step of the model may take `deadline` seconds.

    What goes wrong after that is told at the place `error` of an event.

    Raises RequestProblem where no event comes, as for a request that is not streamed.
    """
    handler = batcher.handler
    if type(handler).stream is Handler.stream:
        raise RequestProblem("is not supported by this model", field="stream")
    steps = _Steps(batcher, handler.stream(call.inputs), deadline)
    try:
        first = await steps.next()
    except BaseException:
        steps.close()
        raise
    events = _sent(first, steps, interpreter, error)
    return StreamingResponse(events, 200, {"cache-control": "no-store"}, "text/event-stream")


async def _sent(first: Any, steps: _Steps, interpreter: Interpreter, error: Sequence[str]) -> AsyncIterator[bytes]:
    event = first
    try:
        while event is not _END:
            yield b"data: " + _encoded(interpreter, event) + b"\n\n"
            event = await steps.next()
    except RequestProblem as problem:
        yield b"data: " + problem.body(error) + b"\n\n"
        return
    except Exception:
        # Too late for another status; the client is told that something went wrong, the log what.
        log.exception("a streamed answer of %s broke off", interpreter.binding.id)
        yield b"data: " + RequestProblem("internal error", status=500).body(error) + b"\n\n"
        return
    finally:
        steps.close()
    yield DONE


def _encoded(interpreter: Interpreter, event: Any) -> bytes:
    """An event as JSON text on one line, checked against the task's spec; RuntimeError if it is off."""
    binding = interpreter.binding
    assert binding.stream_adapter is not None, "only tasks with a stream are streamed"
    try:
        checked = binding.stream_adapter.validate_python(dump(event), by_name=False, by_alias=True)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)[:3]
        raise RuntimeError(f"the handler of {binding.id} broke its stream's schema: {found}") from None
    text: bytes = binding.stream_adapter.dump_json(checked, by_alias=True, exclude_unset=True)
    if interpreter.wire is None or not interpreter.wire.events:
        return text
    return as_json(speak(interpreter.wire.events, json.loads(text)))


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
            raise RequestProblem(f"no answer within {self._deadline:g} seconds", status=504) from None

    def close(self) -> None:
        """Give up what the model keeps for this stream."""
        if self._open:
            self._open = False
            self._batcher.streams -= 1
            if close := getattr(self._events, "close", None):
                self._batcher.worker.run(close)
