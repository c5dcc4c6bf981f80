"""The command of a generated package: ``serve`` models over HTTP, ``run`` one task, complete the command in a shell.

Exit codes: 0 done, 1 the task could not be answered, 2 the command line or the installation is at fault, 130 ended by
Ctrl-C, 141 nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.resources import files
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from .binding import TaskBinding
from .command import INTERRUPTED, CommandError, end_interrupted_line, printable
from .command.completion import SETUP, filled
from .command.local import demo_directory, ending_at_once, handler_of
from .command.run import add_task

SHELLS = ("bash", "zsh", "fish")
LEVELS = ("critical", "error", "warning", "info", "debug")


def main(
    bindings: Mapping[str, TaskBinding], *, package: str, distribution: str, argv: Sequence[str] | None = None
) -> int:
    """Run the command of `package`, which is installed as `distribution`; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # help and answers may hold any character
    given = sys.argv[1:] if argv is None else list(argv)
    try:
        try:
            return _run(bindings, package, distribution, given)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        end_interrupted_line()
        if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
            os._exit(INTERRUPTED)  # Python would wait for requests that are on their way
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes what is left at its end, which would fail as well.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _run(bindings: Mapping[str, TaskBinding], package: str, distribution: str, given: Sequence[str]) -> int:
    if given[:1] == ["--complete"] and len(given) == 3:
        from .command.completion import offer, typed

        words = typed(given[2], distribution)
        offered = offer(_parser(bindings, distribution, words), bindings, words)
        print("\n".join(offered.lines(given[1], given[2])))
        return 0
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
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
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

    completion = commands.add_parser(
        "completion",
        help="complete this command in a shell",
        description="Print a script that makes a shell complete this command.",
        epilog=f"Once for all shells to come:\n\n{filled(SETUP, distribution)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    completion.set_defaults(action=_completion, program=distribution)
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")
    return parser


class _Version(argparse.Action):
    """Looks the version up only when it is asked for, which takes as long as all the rest."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            known = version(parser.prog)
        except PackageNotFoundError:
            known = "(not installed)"
        print(f"{parser.prog} {known}")
        parser.exit()


def _completion(_: Mapping[str, TaskBinding], package: str, arguments: argparse.Namespace) -> int:
    from .command.completion import SCRIPTS, filled

    print(filled(SCRIPTS[arguments.shell], arguments.program), end="")
    return 0


def _serve(bindings: Mapping[str, TaskBinding], package: str, arguments: argparse.Namespace) -> int:
    with ending_at_once():
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
    import logging

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
