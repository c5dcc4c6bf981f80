"""What a response holds, as models."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ._ask import Ask, Facts
from ._http import Response
from ._protocol import invalid, loaded
from .errors import stream_error
from .validation import problems

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from ._sse import Event


def answer(ask: Ask, response: Response, payload: Any, facts: Facts, *, strict: bool) -> Any:
    """The models of an answer, JSON values that came with `response`; `facts` are what is known of the input.

    `strict`: values of an enum that the spec does not know are refused. Raises ResponseValidationError.
    """
    heard = partial(ask.wire.heard, facts=facts) if ask.wire else None
    return _models(ask, ask.binding.output_adapter, response, payload, "the answer", heard, strict)


def event(ask: Ask, response: Response, event: Event, *, strict: bool, hide: str | None) -> Any:
    """The models of one event of a streamed answer.

    `hide` is a text (the token) that is blotted out if the server echoes it. Raises StreamError or
    ResponseValidationError.
    """
    if event.event == "error" or _is_error(event.data):
        raise stream_error(event.data, request_id=response.request_id, hide=hide)
    assert ask.binding.stream_adapter is not None, "only tasks with a stream have a method that gets here"
    what = "an event of the answer"
    payload = loaded(ask.binding.id, response, event.data, what)
    heard = ask.wire.heard_event if ask.wire else None
    return _models(ask, ask.binding.stream_adapter, response, payload, what, heard, strict)


def _models(
    ask: Ask,
    adapter: TypeAdapter[Any],
    response: Response,
    payload: Any,
    what: str,
    heard: Callable[[Any, Callable[[Any], Any]], Any] | None,
    strict: bool,
) -> Any:
    """The models of `payload`, which is `what` for messages; `heard` reads a dialect."""
    from pydantic import ValidationError

    from .types import OPEN_ENUMS

    context = None if strict else OPEN_ENUMS

    def validated(value: Any) -> Any:
        return adapter.validate_python(value, by_name=False, by_alias=True, context=context)

    try:
        return validated(payload) if heard is None else heard(payload, validated)
    except ValidationError as error:
        found = problems(error)
    text = "; ".join(map(str, found))
    raise invalid(response, f"{ask.binding.id}: {what} is not what the task's spec says: {text}", problems=found)


def _is_error(data: str) -> bool:
    """Whether an event's data is an error in one of the shapes that inference servers use."""
    if '"error"' not in data[:1000]:
        return False
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(payload, dict) and bool(payload.get("error"))
