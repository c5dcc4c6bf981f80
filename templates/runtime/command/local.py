"""Answering one request here and now, with a model of this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..binding import TaskBinding
from ..progress import Status
from . import INTERRUPTED, CommandError, NoAnswer, end_interrupted_line
from .inputs import encoded

if TYPE_CHECKING:
    from ..server.handler import Handler

DEMO = "_demo"

In = TypeVar("In")
Out = TypeVar("Out")


def demo_directory(package: str, task: str) -> Path | None:
    """The embedded demo model of `task`, if there is one."""
    directory = Path(str(files(package).joinpath(DEMO, task)))
    return directory if (directory / "config.json").is_file() else None


def handler_of(
    binding: TaskBinding, directory: Path, name: str, threads: int, device: str | None = None
) -> Handler[Any, Any, Any]:
    """What answers with the model in `directory`. Raises CommandError where there is no such model, or no `device`."""
    from ..torch import create_handler
    from ..torch.base import ModelDirectoryError, TorchModel

    try:
        handler = create_handler(binding, directory, name=name, threads=threads)
        if isinstance(handler, TorchModel):
            handler.device_name = device
    except (ModelDirectoryError, LookupError) as error:
        raise CommandError(str(error)) from None
    return handler


@contextmanager
def ending_at_once(clean: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Let Ctrl-C end the process without a KeyboardInterrupt, once `clean` was called.

    Torch and transformers are imported and models are loaded here: libraries catch whatever is raised in the middle of
    that, and then fail for reasons of their own.
    """

    def end(*_: object) -> None:
        clean()
        end_interrupted_line()
        os._exit(INTERRUPTED)

    previous = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


class Model:
    """A model of this machine: that in `directory`, or the embedded one of the task."""

    def __init__(self, package: str, binding: TaskBinding, directory: str | None, threads: int, status: Status) -> None:
        self._package = package
        self._binding = binding
        self._directory = directory
        self._threads = threads
        self._status = status
        self._handler: Handler[Any, Any, Any] | None = None

    def close(self) -> None:
        """Nothing is left to be closed."""

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
        from ..server.inference import encode
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
        return parse_json(encode(interpreter, result))

    def _loaded(self) -> Handler[Any, Any, Any]:
        if self._handler is None:
            task = self._binding.id
            directory = Path(self._directory) if self._directory else demo_directory(self._package, task)
            if directory is None:
                raise CommandError(f"no demo model for {task} is embedded here: name one with --model DIR")
            self._status.say("loading the model")
            with ending_at_once(self._status.end):
                handler = handler_of(self._binding, directory, "", self._threads)
                _load(handler, directory)
            self._handler = handler
            self._status.say("running the model")
        return self._handler


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
