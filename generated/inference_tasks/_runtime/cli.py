"""The command of a generated package: ``serve`` models, ``deploy`` them, ``run`` a task, complete it all in a shell.

Exit codes: 0 done, 1 the task could not be answered, 2 the command line or the installation is at fault, 130 ended by
Ctrl-C, 141 nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from typing import Any

from .binding import TaskBinding
from .command import INTERRUPTED, CommandError, end_interrupted_line, printable
from .command.completion import SETUP, filled
from .command.run import add_task

SHELLS = ("bash", "zsh", "fish")
EXTRAS = {"clarifai_grpc": "clarifai", "opentelemetry": "otel", "ray": "ray"}
"""What to install for a package that is missing, where that is not the same for all of a command."""


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
        missing = (error.name or "").partition(".")[0]
        serving = arguments.command == "serve" and missing in ("starlette", "uvicorn")
        extra = EXTRAS.get(missing, "serve" if serving else "torch")
        print(f"{distribution}: {error.name} is missing: pip install '{distribution}[{extra}]'", file=sys.stderr)
        return 2
    return code


def _parser(bindings: Mapping[str, TaskBinding], distribution: str, argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=distribution, description="Serve and run inference tasks.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser(
        "serve",
        help="serve models over HTTP",
        description="Serve models over HTTP. Flags go before environment variables, those before the file.",
        allow_abbrev=False,
    )
    serve.set_defaults(action=_serve)
    if argv[:1] == ["serve"]:
        from .command.serving import add_settings
        from .server.configuration import RESOURCES

        add_settings(serve, *RESOURCES)

    run = commands.add_parser("run", help="run one task, here or on a server", allow_abbrev=False)
    tasks = run.add_subparsers(dest="task", required=True, metavar="TASK")
    for binding in bindings.values():
        add_task(tasks, binding, wanted=binding.id in argv[1:2])

    deploy = commands.add_parser("deploy", help="serve models beyond one process", allow_abbrev=False)
    platforms = deploy.add_subparsers(dest="platform", required=True, metavar="PLATFORM")
    ray = platforms.add_parser(
        "ray",
        help="write the configuration of a Ray Serve application",
        description="Write what Ray Serve needs to serve models over HTTP on one or more machines, and say how to run "
        "it. Settings are those of `serve`, and from the same places.",
        allow_abbrev=False,
    )
    ray.set_defaults(action=_deploy_ray)
    ray.add_argument("--out", metavar="DIR", default=".", help="where to write it (default: here)")
    if argv[:2] == ["deploy", "ray"]:
        from .command.serving import add_settings

        add_settings(ray)

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
    from .command.serving import serve

    return serve(bindings, package, arguments)


def _deploy_ray(bindings: Mapping[str, TaskBinding], package: str, arguments: argparse.Namespace) -> int:
    from .command.deploy import deploy_ray

    return deploy_ray(bindings, package, arguments)
