"""Answering one request here and now, with a model of this machine."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..binding import TaskBinding
from ..progress import Status
from . import INTERRUPTED, CommandError, NoAnswer, end_interrupted_line
from .demos import Demo, Scratch, demo_models
from .inputs import encoded

if TYPE_CHECKING:
    from ..server.handler import Handler
    from ..torch.placement import Placement

In = TypeVar("In")
Out = TypeVar("Out")


def handler_of(
    binding: TaskBinding,
    directory: Path,
    name: str,
    placement: Placement,
    build: Callable[[Path], object] | None = None,
) -> Handler[Any, Any, Any]:
    """What answers with the model in `directory`, where `build` makes it if need be.

    Raises CommandError where there is no such model.
    """
    from ..torch import create_handler
    from ..torch.base import ModelDirectoryError

    try:
        return create_handler(binding, directory, name=name, placement=placement, build=build)
    except (ModelDirectoryError, LookupError) as error:
        raise CommandError(str(error)) from None


@contextmanager
def ending_at_once(clean: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Let Ctrl-C or SIGTERM end the process without an exception, once `clean` was called.

    Torch and transformers are imported and models are loaded here: libraries catch whatever is raised in the middle of
    that, and then fail for reasons of their own.
    """

    def end(number: int, _: object) -> None:
        clean()
        end_interrupted_line()
        os._exit(INTERRUPTED if number == signal.SIGINT else 128 + number)

    previous = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class Model:
    """A model of this machine: that in `directory`, or the embedded one of the task."""

    def __init__(self, package: str, binding: TaskBinding, directory: str | None, threads: int, status: Status) -> None:
        self._package = package
        self._binding = binding
        self._directory = directory
        self._threads = threads
        self._status = status
        self._handler: Handler[Any, Any, Any] | None = None
        self._random = False

    def close(self) -> None:
        """Say what the answers were worth, if there were any."""
        if self._random:
            warning = f"the demo model of {self._binding.id} has random weights: its answers mean nothing"
            print(f"{warning}; name a model with --model DIR", file=sys.stderr)

    def map(self, call: Callable[[In], Out], inputs: Iterable[In]) -> Iterator[Out]:
        """`call` of each of `inputs`, one after the other: a model has all threads of its own."""
        return map(call, inputs)

    def events(self, primary: Any, values: Mapping[str, Any]) -> Iterator[Any]:
        """Raise CommandError: there is no model here that streams."""
        raise CommandError("--stream: a model that runs here answers whole; name a server with --url")

    def answer(self, primary: Any, values: Mapping[str, Any]) -> Any:
        """The answer as JSON values; `primary` holds files as bytes, `values` the parameters.

        The model is loaded once a request is known to be good. Raises NoAnswer for a request that the task or the
        model refuses, CommandError for a model that cannot be used.
        """
        binding = self._binding
        payload: dict[str, Any] = {} if primary is None else {binding.primary: encoded(primary)}
        payload |= {name: value for name, value in values.items() if name not in binding.parameters}
        inside = {name: value for name, value in values.items() if name in binding.parameters}
        return self._answer(payload | {"parameters": inside} if inside else payload)

    def _answer(self, payload: Mapping[str, Any]) -> Any:
        from ..server.batcher import run_batch
        from ..server.calls import Interpreter
        from ..server.decode import decode
        from ..server.encode import encode
        from ..server.problems import RequestProblem
        from ..types import parse_json

        binding = self._binding
        interpreter = Interpreter(binding)
        try:
            call = interpreter.payload(payload)
            inputs = call.inputs
            if binding.media and interpreter.shape != "whole":
                inputs = decode(binding.media, call.inputs, binding.primary)
            result = run_batch(self._loaded(), [inputs], call.parameters)[0]
            if isinstance(result, Exception):
                raise result
        except RequestProblem as problem:
            raise NoAnswer(f"{binding.id}: {problem.error}") from None
        return parse_json(encode(binding, result))

    def _loaded(self) -> Handler[Any, Any, Any]:
        if self._handler is None:
            scratch = Scratch()
            demo = self._chosen(scratch)
            self._status.say("loading the model")

            def clean() -> None:
                scratch.close()
                self._status.end()

            with ending_at_once(clean), closing(scratch):
                from ..torch.placement import Placement

                placement = Placement(threads=self._threads)
                handler = handler_of(self._binding, demo.directory, "", placement, build=demo.build)
                _load(handler, demo.directory)
            self._handler, self._random = handler, demo.build is not None
            self._status.say("running the model")
        return self._handler

    def _chosen(self, scratch: Scratch) -> Demo:
        task = self._binding.id
        if self._directory:
            return Demo(task, Path(self._directory))
        demos = demo_models(self._package, [task], scratch)
        for reason in demos.left_out:
            raise CommandError(f"there is no demo model for {task} ({reason}): name a model with --model DIR")
        return next(iter(demos))


def _load(handler: Handler[Any, Any, Any], directory: Path) -> None:
    from ..torch.base import ModelDirectoryError

    try:
        handler.load()
    except ModelDirectoryError as error:
        raise CommandError(str(error)) from None
    except ImportError:
        raise
    except Exception as error:  # transformers raises whatever broken files make it
        raise CommandError(f"{directory}: the model cannot be loaded: {str(error)[:300]}") from None
