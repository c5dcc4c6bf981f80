"""A generated server that can answer every example: ``python -m tests.docs.example_server``.

Tasks with an embedded model are served by it. For the others stands what a user would write: a handler derived from
the generated class. It knows the task's examples and answers each with its response, which passes the generated
models on its way out; a request that is none of them is an error. So a printed program is right if its request arrives
as the very example that it was made from. Media may be named by URLs on this machine, and pages of any origin may ask.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import inference_tasks
from inference_tasks import InputError, server
from inference_tasks._runtime.binding import TaskBinding
from inference_tasks._runtime.server.calls import Call, Interpreter
from inference_tasks._runtime.server.clarifai.options import DEFAULT_CONCEPTS
from inference_tasks._runtime.server.decode import decode
from inference_tasks._runtime.torch import create_handler
from inference_tasks._runtime.types import dump
from inference_tasks._tasks import TASKS
from inference_tasks.server import Audio, Handler, Image, RequestProblem, Settings, create_app
from tests.support.server import TOKEN_VARIABLE, serve_examples

from .predicted import DIALECT
from .specs import Example, examples

DEMO = Path(inference_tasks.__file__).parent / "_demo"


def fingerprint(value: Any) -> Any:
    """Something that is equal for equal arguments of a handler."""
    if isinstance(value, Image):
        return value.size, value.tobytes()
    if isinstance(value, Audio):
        return value.sampling_rate, value.samples.tobytes()
    return dump(value)


@cache
def answers(binding: TaskBinding) -> list[tuple[list[Any], Any]]:
    """What a handler is called with for each example of a task, and the answer to it."""
    found = []
    for (task, _), example in examples().items():
        if task == binding.id:
            answer = binding.output_adapter.validate_python(example.response, by_name=False, by_alias=True)
            found += [(fingerprints(binding, call), answer) for call in calls(binding, example)]
    return found


def calls(binding: TaskBinding, example: Example) -> Iterator[Call]:
    """The example as it is, and as the server reads it from a predict call, which always says how many it wants."""
    yield Interpreter(binding).payload(example.payload)
    wire = DIALECT.wires.get(example.task)
    if wire and wire.takes("params", "max_concepts"):
        with suppress(InputError):
            said = wire.asked(example.payload)
            params = {"max_concepts": DEFAULT_CONCEPTS, **said.get("params", {})}
            yield Interpreter(binding, wire).payload({**said, "params": params})


def fingerprints(binding: TaskBinding, call: Call) -> list[Any]:
    """One for each argument."""
    inputs, shape = call.inputs, Interpreter(binding).shape
    if binding.media and shape != "whole":
        inputs = decode(binding.media, inputs, binding.primary)
    return [fingerprint(argument) for argument in (inputs, *([call.parameters] if shape == "split" else []))]


def handler(binding: TaskBinding) -> Handler[Any, Any, Any]:
    """The embedded model of a task, or its examples."""
    directory = DEMO / binding.id
    if directory.is_dir():
        return create_handler(binding, directory)

    def call(self: Any, *arguments: Any) -> Any:
        seen = [fingerprint(argument) for argument in arguments]
        for known, answer in answers(binding):
            if known == seen:
                return answer
        raise RequestProblem("is no example of this task", field=binding.primary)

    name = "".join(word.capitalize() for word in binding.id.split("-"))
    made = type(name, (getattr(server, f"{name}Handler"),), {"__call__": call})
    return made()


def main() -> int:
    """Serve until told to end."""
    app = create_app(
        [handler(binding) for binding in TASKS.values()],
        settings=Settings(token=os.environ[TOKEN_VARIABLE], fetch=("127.0.0.1",), cors=("*",)),
    )
    serve_examples(app)
    return 0


if __name__ == "__main__":
    sys.exit(main())
