"""What a handler answers as JSON text in the words of the spec, checked against it."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from ..binding import TaskBinding

ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


def encode(binding: TaskBinding, result: Any, *, validated: bool = False) -> bytes:
    """The handler's `result` as JSON text, checked against the task's response; RuntimeError if it is off.

    A `validated` one, which validation itself has just made, is not checked again.
    """
    if validated:
        text: bytes = binding.output_adapter.dump_json(result, by_alias=True, exclude_unset=True)
        return text
    return _judged(binding.output_adapter, result, f"the handler of {binding.id} broke its response schema")


def encode_event(binding: TaskBinding, event: Any) -> bytes:
    """One `event` of a stream as JSON text on one line, checked against the task's spec; RuntimeError if it is off."""
    assert binding.stream_adapter is not None, "only tasks with a stream are streamed"
    return _judged(binding.stream_adapter, event, f"the handler of {binding.id} broke its stream's schema")


def _judged(adapter: TypeAdapter[Any], value: Any, wrong: str) -> bytes:
    try:
        text: bytes = ANYTHING.dump_json(value, by_alias=True, exclude_unset=True, warnings="none")
        # What is judged are the very bytes that go out.
        adapter.validate_json(text, by_name=False, by_alias=True)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)[:3]
        raise RuntimeError(f"{wrong}: {found}") from None
    except PydanticSerializationError as error:
        raise RuntimeError(f"{wrong}: {error}") from None
    return text
