"""Hypothesis strategies of a task's requests, responses and stream events, drawn from the task's own JSON Schemas.

Every function takes a task by its id or by its binding. What the strategies draw are JSON values (dicts, lists, texts,
numbers, …), as they stand on the wire. In a package called ``inference_tasks``::

    from hypothesis import given

    from inference_tasks.models import TextClassificationInput
    from inference_tasks.testing import accepts_response, invalid_responses, requests

    @given(requests("text-classification"))
    def test_my_handler_answers_every_valid_request(payload):
        request = TextClassificationInput.model_validate(payload)
        answer = my_handler(request.inputs, request.parameters)
        assert accepts_response("text-classification", [label.model_dump() for label in answer])

    @given(invalid_responses("text-classification"))
    def test_my_program_refuses_every_broken_response(payload):
        with pytest.raises(MyError):
            my_program(payload)

Media are base64 texts of random bytes: a schema does not look inside of them, so what is drawn is no picture and no
sound. Replace that member by a file of yours where your handler decodes it::

    @given(requests("image-classification"))
    def test_my_handler_takes_every_parameter(payload):
        payload = {**payload, "inputs": SEVEN_PNG_IN_BASE64}
"""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING

from ..binding import TaskBinding

try:
    from .bundle import Bundle, Json, Schema
    from .drawing import boundary, invalid, valid
    from .shapes import Shapes
except ModuleNotFoundError as error:
    if error.name not in ("hypothesis", "jsonschema_rs"):
        raise
    _extra = f"{__name__.partition('.')[0].replace('_', '-')}[testing]"
    raise ModuleNotFoundError(f"{error.name} is missing: pip install '{_extra}'", name=error.name) from error

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "accepts_request",
    "accepts_response",
    "accepts_stream_event",
    "boundary_requests",
    "boundary_responses",
    "boundary_stream_events",
    "invalid_requests",
    "invalid_responses",
    "invalid_stream_events",
    "requests",
    "responses",
    "stream_events",
]


def requests(task: str | TaskBinding) -> SearchStrategy[Json]:
    """Requests that the task's schema accepts.

    Members that may be left out are, now and then all of them and now and then none. Where the schema is open, there
    may be members that it does not name.
    """
    return valid(*_request(task))


def responses(task: str | TaskBinding) -> SearchStrategy[Json]:
    """Responses that the task's schema accepts: what a client has to get along with."""
    return valid(*_response(task))


def stream_events(task: str | TaskBinding) -> SearchStrategy[Json]:
    """Events of a streamed answer that the task's schema accepts. Raises ValueError where the task has no stream."""
    return valid(*_stream_event(task))


def invalid_requests(task: str | TaskBinding) -> SearchStrategy[Json]:
    """Requests that the task's schema rejects, one mistake away from a valid one.

    A member is of another type, beyond a bound, misspelt, missing or not known; an array is too short, a value that is
    not in the enum is in upper case, and so on::

        @given(invalid_requests("image-classification"))
        def test_my_server_refuses_what_the_schema_refuses(payload):
            assert post("/tasks/image-classification", json=payload).status_code == 422
    """
    return invalid(*_request(task))


def invalid_responses(task: str | TaskBinding) -> SearchStrategy[Json]:
    """Responses that the task's schema rejects, one mistake away from a valid one."""
    return invalid(*_response(task))


def invalid_stream_events(task: str | TaskBinding) -> SearchStrategy[Json]:
    """Events of a streamed answer that the task's schema rejects, one mistake away from a valid one.

    Raises ValueError where the task has no stream.
    """
    return invalid(*_stream_event(task))


def boundary_requests(task: str | TaskBinding) -> SearchStrategy[Json]:
    """Requests that the task's schema accepts, with one place at the edge of what it accepts there.

    A number at its bound or beyond 2**64, an empty or a long text, characters that few programs expect, an empty
    array, a member called ``__proto__``.
    """
    return boundary(*_request(task))


def boundary_responses(task: str | TaskBinding) -> SearchStrategy[Json]:
    """Responses that the task's schema accepts, with one place at the edge of what it accepts there."""
    return boundary(*_response(task))


def boundary_stream_events(task: str | TaskBinding) -> SearchStrategy[Json]:
    """Events of a streamed answer that the schema accepts, with one place at the edge of what it accepts there.

    Raises ValueError where the task has no stream.
    """
    return boundary(*_stream_event(task))


def accepts_request(task: str | TaskBinding, value: Json) -> bool:
    """Whether the schema of the task's requests accepts a JSON value. The verdict is a complete validator's."""
    return _accepts(*_request(task), value)


def accepts_response(task: str | TaskBinding, value: Json) -> bool:
    """Whether the schema of the task's responses accepts a JSON value."""
    return _accepts(*_response(task), value)


def accepts_stream_event(task: str | TaskBinding, value: Json) -> bool:
    """Whether the schema of the events of the task's streamed answers accepts a JSON value.

    Raises ValueError where the task has no stream.
    """
    return _accepts(*_stream_event(task), value)


def _accepts(shapes: Shapes, schema: Schema, value: Json) -> bool:
    return shapes.bundle.accepts(schema, value)


def _request(task: str | TaskBinding) -> tuple[Shapes, Schema]:
    binding = _binding(task)
    return _root(binding.module, binding.input_model)


def _response(task: str | TaskBinding) -> tuple[Shapes, Schema]:
    binding = _binding(task)
    return _root(binding.module, binding.output_type)


def _stream_event(task: str | TaskBinding) -> tuple[Shapes, Schema]:
    binding = _binding(task)
    if binding.stream_type is None:
        raise ValueError(f"{binding.id} has no streamed answers")
    return _root(binding.module, binding.stream_type)


def _binding(task: str | TaskBinding) -> TaskBinding:
    if isinstance(task, TaskBinding):
        return task
    package = __name__.partition("._runtime")[0]
    tasks: dict[str, TaskBinding] = import_module(f"{package}._tasks").TASKS
    if task not in tasks:
        raise ValueError(f"no task {task!r}; there are {', '.join(tasks)}")
    return tasks[task]


@cache
def _shapes(module: str) -> Shapes:
    """The schemas that go with a model module. They are taken apart once, for all strategies."""
    package, _, name = module.rpartition(".models.")
    return Shapes(Bundle(json.loads(files(package).joinpath("schemas", f"{name}.json").read_bytes())))


def _root(module: str, name: str) -> tuple[Shapes, Schema]:
    shapes = _shapes(module)
    return shapes, shapes.bundle.root(name)
