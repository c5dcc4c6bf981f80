"""The command of a generated package: ``serve`` models over HTTP, ``run`` one task here and now.

Exit codes: 0 done, 1 the task could not be answered, 2 the command line or the installation is at fault.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .binding import TaskBinding

if TYPE_CHECKING:
    from .server.handler import Handler

LEVELS = ("critical", "error", "warning", "info", "debug")
DEMO = "_demo"
PARAMETER = "parameter:"


class CommandError(Exception):
    """A command line that cannot be followed; the message is one line for the user."""


def main(
    bindings: Mapping[str, TaskBinding], *, package: str, distribution: str, argv: Sequence[str] | None = None
) -> int:
    """Run the command of `package`, which is installed as `distribution`; the exit code."""
    arguments = _parser(bindings, distribution).parse_args(argv)
    try:
        code: int = arguments.action(bindings, package, arguments)
    except CommandError as error:
        print(f"{distribution}: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(package):
            raise
        extra = "serve" if arguments.command == "serve" and error.name in ("starlette", "uvicorn") else "torch"
        print(f"{distribution}: {error.name} is missing: pip install '{distribution}[{extra}]'", file=sys.stderr)
        return 2
    return code


def _parser(bindings: Mapping[str, TaskBinding], distribution: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=distribution, description="Serve and run inference tasks.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"{distribution} {_version(distribution)}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve models over HTTP", allow_abbrev=False)
    serve.set_defaults(action=_serve)
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="0 takes any free one (default: %(default)s)")
    serve.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="TASK=DIR",
        help="serve the model in DIR; repeat for more (default: the embedded demo models)",
    )
    serve.add_argument("--token-env", metavar="NAME", help="the environment variable that holds the token to require")
    serve.add_argument("--no-cache", action="store_true", help="answer every request anew")
    serve.add_argument("--lazy", action="store_true", help="load a model when it is first asked for")
    serve.add_argument(
        "--threads", type=int, default=1, metavar="N", help="torch threads a model (default: %(default)s)"
    )
    serve.add_argument(
        "--drain", type=float, default=0.0, metavar="SECONDS", help="stay, but be not ready, before ending on SIGTERM"
    )
    serve.add_argument("--log-level", choices=LEVELS, default="warning", help="(default: %(default)s)")

    run = commands.add_parser("run", help="run one task without a server", allow_abbrev=False)
    tasks = run.add_subparsers(dest="task", required=True, metavar="TASK")
    for binding in bindings.values():
        _add_task(tasks, binding)
    return parser


def _add_task(tasks: Any, binding: TaskBinding) -> None:
    task = tasks.add_parser(binding.id, help=f"takes {_kind(binding)}", allow_abbrev=False)
    task.set_defaults(action=_run)
    task.add_argument("input", metavar="INPUT", help=f"{_kind(binding)}; - reads standard input")
    task.add_argument("--model", metavar="DIR", help="the model's directory (default: the embedded demo model)")
    task.add_argument("--threads", type=int, default=1, metavar="N", help="torch threads (default: %(default)s)")
    for name in (*binding.parameters, *binding.options):
        flag = name.replace("_", "-")
        taken = flag in ("model", "threads", "help")
        option = f"--parameter-{flag}" if taken else f"--{flag}"
        task.add_argument(option, dest=PARAMETER + name, metavar="VALUE", help=f"sets {name}")


def _kind(binding: TaskBinding) -> str:
    return f"the path of a file ({binding.media})" if binding.media else "a text"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "(not installed)"


def _demo_directory(package: str, task: str) -> Path | None:
    directory = Path(str(files(package).joinpath(DEMO, task)))
    return directory if (directory / "config.json").is_file() else None


def _handler(binding: TaskBinding, directory: Path, name: str, threads: int) -> Handler[Any, Any, Any]:
    from .torch import create_handler
    from .torch.base import ModelDirectoryError

    try:
        return create_handler(binding, directory, name=name, threads=threads)
    except (ModelDirectoryError, LookupError) as error:
        raise CommandError(str(error)) from None


def _serve(bindings: Mapping[str, TaskBinding], package: str, arguments: argparse.Namespace) -> int:
    import torch  # noqa: F401 - said now, not by a model that fails to load
    import transformers  # noqa: F401

    from .server.app import create_app
    from .server.run import PortError, listen, serve
    from .server.settings import Settings

    handlers = [
        _handler(bindings[task], directory, name, arguments.threads)
        for task, directory, name in _models(bindings, package, arguments.model)
    ]
    token = None
    if arguments.token_env is not None:
        token = os.environ.get(arguments.token_env)
        if not token:
            raise CommandError(f"--token-env: the environment variable {arguments.token_env} is not set")
    settings = Settings(token=token, lazy=arguments.lazy, **({"cache_size": 0} if arguments.no_cache else {}))
    openapi = files(package).joinpath("openapi.json").read_bytes()
    try:
        app = create_app(bindings, handlers, openapi=openapi, settings=settings)
        socket = listen(arguments.host, arguments.port)
    except (ValueError, PortError) as error:
        raise CommandError(str(error)) from None
    logging.basicConfig(level=arguments.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    host, port = socket.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    print(f"http://{address}:{port} serves {', '.join(h.name or h.binding.id for h in handlers)}", flush=True)
    serve(app, socket, log_level=arguments.log_level, drain=arguments.drain)
    return 0


def _models(bindings: Mapping[str, TaskBinding], package: str, wanted: Sequence[str]) -> list[tuple[str, Path, str]]:
    """Task, directory and model name of what is to be served."""
    if not wanted:
        demos = [(task, found, "") for task in bindings if (found := _demo_directory(package, task)) is not None]
        if not demos:
            raise CommandError("no demo models are embedded here: name one with --model TASK=DIR")
        return demos
    models: list[tuple[str, Path, str]] = []
    for text in wanted:
        task, equals, path = text.partition("=")
        if not equals or not path:
            raise CommandError(f"--model {text}: must be TASK=DIR")
        if task not in bindings:
            raise CommandError(f"--model {text}: unknown task {task!r}; known are {', '.join(bindings)}")
        directory = Path(path)
        # The first model of a task goes by the task's name, as with the demo models; further ones by their directory's.
        name = directory.resolve().name if any(task == other for other, _, _ in models) else ""
        models.append((task, directory, name))
    return models


def _run(bindings: Mapping[str, TaskBinding], package: str, arguments: argparse.Namespace) -> int:
    from .server.batcher import run_batch
    from .server.calls import Interpreter
    from .server.decode import decode
    from .server.inference import encode
    from .server.problems import RequestProblem

    binding = bindings[arguments.task]
    directory = Path(arguments.model) if arguments.model else _demo_directory(package, binding.id)
    if directory is None:
        raise CommandError(f"no demo model for {binding.id} is embedded here: name one with --model DIR")
    interpreter = Interpreter(binding)
    data = _read_input(binding, arguments.input)
    given = {name: value for name, value in _parameters(arguments).items() if value is not None}
    try:
        call = interpreter.payload(_typed(interpreter, binding, data, given))
        inputs = call.inputs
        if binding.media and interpreter.shape != "whole":
            inputs = decode(binding.media, call.inputs, binding.primary)
        handler = _handler(binding, directory, "", arguments.threads)
        handler.load()
        result = run_batch(handler, [inputs], call.parameters)[0]
        if isinstance(result, Exception):
            raise result
    except RequestProblem as problem:
        print(f"{binding.id}: {problem.error}", file=sys.stderr)
        return 1
    print(json.dumps(json.loads(encode(interpreter, result)), indent=2, ensure_ascii=False))
    return 0


def _read_input(binding: TaskBinding, text: str) -> str:
    """What goes into the request: base64 of the file for media, else the text itself."""
    import base64

    if not binding.media:
        return sys.stdin.read() if text == "-" else text
    try:
        data = sys.stdin.buffer.read() if text == "-" else Path(text).read_bytes()
    except OSError as error:
        raise CommandError(f"{text}: {error.strerror or error}") from None
    return base64.b64encode(data).decode("ascii")


def _parameters(arguments: argparse.Namespace) -> dict[str, str | None]:
    return {key.removeprefix(PARAMETER): value for key, value in vars(arguments).items() if key.startswith(PARAMETER)}


def _typed(interpreter: Any, binding: TaskBinding, data: str, given: Mapping[str, str]) -> dict[str, Any]:
    """The request with each parameter as the JSON value its text spells, or as text where only that is valid."""
    from .server.problems import RequestProblem

    values: dict[str, Any] = {}
    for name, text in given.items():
        values[name] = _json_or_text(text)
        try:
            interpreter.payload(_payload(binding, data, {name: values[name]}))
        except RequestProblem as problem:
            # Other members may be missing here; only what is said about this one counts.
            if any(name in found.field.split(".") for found in problem.fields):
                values[name] = text
                try:
                    interpreter.payload(_payload(binding, data, {name: text}))
                except RequestProblem as second:
                    if any(name in found.field.split(".") for found in second.fields):
                        values[name] = _json_or_text(text)
    return _payload(binding, data, values)


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _payload(binding: TaskBinding, data: str, values: Mapping[str, Any]) -> dict[str, Any]:
    inside = {name: value for name, value in values.items() if name in binding.parameters}
    beside = {name: value for name, value in values.items() if name not in binding.parameters}
    payload: dict[str, Any] = {binding.primary: data, **beside}
    return payload | {"parameters": inside} if inside else payload
