"""Answering one request here and now, with a model of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..binding import TaskBinding
from . import CommandError, NoAnswer

if TYPE_CHECKING:
    from ..server.handler import Handler

DEMO = "_demo"


def demo_directory(package: str, task: str) -> Path | None:
    """The embedded demo model of `task`, if there is one."""
    directory = Path(str(files(package).joinpath(DEMO, task)))
    return directory if (directory / "config.json").is_file() else None


def handler_of(binding: TaskBinding, directory: Path, name: str, threads: int) -> Handler[Any, Any, Any]:
    """What answers with the model in `directory`. Raises CommandError where there is no such model."""
    from ..torch import create_handler
    from ..torch.base import ModelDirectoryError

    try:
        return create_handler(binding, directory, name=name, threads=threads)
    except (ModelDirectoryError, LookupError) as error:
        raise CommandError(str(error)) from None


def answer(binding: TaskBinding, directory: Path, payload: Mapping[str, Any], threads: int) -> Any:
    """The answer to the request `payload` as JSON values. The model is loaded once the request is known to be good.

    Raises NoAnswer for a request that the task or the model refuses, CommandError for a model that cannot be used.
    """
    from ..server.batcher import run_batch
    from ..server.calls import Interpreter
    from ..server.decode import decode
    from ..server.inference import encode
    from ..server.problems import RequestProblem
    from ..types import parse_json

    interpreter = Interpreter(binding)
    try:
        call = interpreter.payload(payload)
        inputs = call.inputs
        if binding.media and interpreter.shape != "whole":
            inputs = decode(binding.media, call.inputs, binding.primary)
        handler = handler_of(binding, directory, "", threads)
        _load(handler, directory)
        result = run_batch(handler, [inputs], call.parameters)[0]
        if isinstance(result, Exception):
            raise result
    except RequestProblem as problem:
        raise NoAnswer(f"{binding.id}: {problem.error}") from None
    return parse_json(encode(interpreter, result))


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
