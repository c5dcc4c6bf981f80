"""The command of a generated package: ``serve`` models over HTTP, ``run`` one task.

Exit codes: 0 done, 1 the task could not be answered, 2 the command line or the installation is at fault.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from io import TextIOWrapper
from pathlib import Path

from .binding import TaskBinding
from .command import CommandError, printable
from .command.local import demo_directory, handler_of
from .command.run import add_task

LEVELS = ("critical", "error", "warning", "info", "debug")


def main(
    bindings: Mapping[str, TaskBinding], *, package: str, distribution: str, argv: Sequence[str] | None = None
) -> int:
    """Run the command of `package`, which is installed as `distribution`; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # help and answers may hold any character
    given = sys.argv[1:] if argv is None else list(argv)
    arguments = _parser(bindings, distribution, given).parse_args(given)
    try:
        code: int = arguments.action(bindings, package, arguments)
    except CommandError as error:
        print(f"{distribution}: {printable(str(error))}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(package):
            raise
        extra = "serve" if arguments.command == "serve" and error.name in ("starlette", "uvicorn") else "torch"
        print(f"{distribution}: {error.name} is missing: pip install '{distribution}[{extra}]'", file=sys.stderr)
        return 2
    return code


def _parser(bindings: Mapping[str, TaskBinding], distribution: str, argv: Sequence[str]) -> argparse.ArgumentParser:
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

    run = commands.add_parser("run", help="run one task, here or on a server", allow_abbrev=False)
    tasks = run.add_subparsers(dest="task", required=True, metavar="TASK")
    for binding in bindings.values():
        add_task(tasks, binding, wanted=binding.id in argv[1:2])
    return parser


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "(not installed)"


def _serve(bindings: Mapping[str, TaskBinding], package: str, arguments: argparse.Namespace) -> int:
    import torch  # noqa: F401 - said now, not by a model that fails to load
    import transformers  # noqa: F401

    from .server.app import create_app
    from .server.run import PortError, listen, serve
    from .server.settings import Settings

    handlers = [
        handler_of(bindings[task], directory, name, arguments.threads)
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
        demos = [(task, found, "") for task in bindings if (found := demo_directory(package, task)) is not None]
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
