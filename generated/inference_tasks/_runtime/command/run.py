"""``run TASK INPUT…``: its command line, and what it does."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..binding import TaskBinding
from ..progress import Status
from . import CommandError, NoAnswer, options, printable
from .inputs import STANDARD, Primary
from .schema import Schemas

if TYPE_CHECKING:
    from .local import Model
    from .remote import Server

OURS = frozenset({"help", "model", "threads", "url", "dialect", "token-env", "concurrency", "file", "json", "save"})
"""Names of options that parameters cannot have: those get ``--parameter-`` before their own."""

CONCURRENCY = 8


def add_task(tasks: Any, binding: TaskBinding, *, wanted: bool) -> None:
    """Add the command of one task; its schema is read, and its options made, only if it is `wanted`."""
    task = tasks.add_parser(binding.id, help=f"takes {_brief(binding)}", allow_abbrev=False)
    task.set_defaults(action=run)
    if wanted:
        _declare(task, binding)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text)):
        raise argparse.ArgumentTypeError(f"must be an integer from 1 to 9999, not {text!r}")
    return int(text)


def _brief(binding: TaskBinding) -> str:
    return f"the path of a file ({binding.media})" if binding.media else "a text or JSON"


def _declare(task: argparse.ArgumentParser, binding: TaskBinding) -> None:
    schemas = Schemas.of(binding)
    primary = Primary.of(binding, schemas)
    found = list(options.options(binding, schemas))
    # With `--file`, the object that the files go into may have no other members.
    optional = primary.optional or bool(primary.members)
    task.add_argument(
        "inputs", metavar="INPUT", nargs="*" if optional else "+", help=f"{primary.help}; several are answered in turn"
    )
    if primary.members:
        task.add_argument(
            "--file",
            action="append",
            default=[],
            metavar="MEMBER=PATH",
            help=f"the file that goes into each INPUT as {' or '.join(primary.members)}; repeat for more",
        )
    task.add_argument(
        "--model", metavar="DIR", help="the model's directory (default: the demo model); with --url, its name"
    )
    task.add_argument("--threads", type=int, default=1, metavar="N", help="torch threads (default: %(default)s)")
    task.add_argument("--url", metavar="URL", help="ask the server there, instead of running a model here")
    if dialects := _dialects(binding):
        task.add_argument(
            "--dialect",
            choices=dialects,
            help="ask a server that speaks so: the one at --url, or else the dialect's hosted service",
        )
    task.add_argument("--token-env", metavar="NAME", help="the environment variable with the token for that server")
    task.add_argument(
        "--concurrency", type=_count, metavar="N", help=f"how many INPUTs are at --url at once (default: {CONCURRENCY})"
    )
    task.add_argument(
        "--json",
        action="store_true",
        help="print JSON to a terminal too, as to a file or a pipe; an object a line for several INPUTs"
        + (" or --stream" if binding.stream_type else ""),
    )
    if schemas.holds_media(schemas.named(binding.output_type)):
        task.add_argument(
            "--save",
            type=Path,
            metavar="PATH",
            help="write the answer's file there; several are numbered, and so are those of several INPUTs: "
            "the second INPUT's go to NAME-2.EXT, or to NAME-2-1.EXT and so on",
        )
    taken = set(OURS)
    group = task.add_argument_group("parameters")
    # argparse's own usage would be longer than a screen.
    usage = ["%(prog)s [OPTIONS]", "[INPUT ...]" if optional else "INPUT [INPUT ...]"]
    for option in found:
        name = options.declare(group, option, taken)
        if option.required:
            usage.append(f"{name} {option.metavar}".replace("%", "%%"))
    task.usage = " ".join(usage)


def _dialects(binding: TaskBinding) -> list[str]:
    """The names of the dialects that a client of this package speaks."""
    known = import_module(f"{binding.module.partition('.models.')[0]}._dialects").DIALECTS
    return list(known)


def _is_remote(arguments: argparse.Namespace) -> bool:
    return arguments.url is not None or getattr(arguments, "dialect", None) is not None


def run(bindings: Mapping[str, TaskBinding], package: str, arguments: argparse.Namespace) -> int:
    """Answer each INPUT and print the answers; the exit code. Raises CommandError."""
    from .output import Shown, json_text

    binding = bindings[arguments.task]
    given = options.given(arguments)
    streamed = bool(binding.stream_type and given.get("stream"))
    inputs: list[str] = arguments.inputs
    target: Path | None = getattr(arguments, "save", None)
    files: list[str] = getattr(arguments, "file", [])
    _check(arguments)
    if streamed and len(inputs) > 1:
        raise CommandError("--stream: takes one INPUT")
    if not (inputs or files or binding.optional):
        raise CommandError(f"{binding.id}: INPUT is required")
    schemas = Schemas.of(binding)
    primary = Primary.of(binding, schemas)
    as_json = arguments.json or not sys.stdout.isatty()
    shown = Shown(schemas, schemas.named(binding.output_type), as_json, target)
    # What somebody types into the terminal is not written over.
    is_typed = STANDARD in inputs and sys.stdin.isatty()
    what = "waiting for the server" if _is_remote(arguments) else "running the model"
    status = Status(what, wanted=not is_typed)
    with closing(_backend(package, binding, arguments, status)) as backend:
        if len(inputs) > 1:
            from . import many

            def ask(text: str) -> Any:
                return backend.answer(primary.read(text, files), given)

            return many.show(binding.id, inputs, backend.map(many.attempt(ask), inputs), shown, status)
        value = primary.read(inputs[0] if inputs else None, files)
        try:
            if streamed:
                from . import stream

                place = None if arguments.json else stream.place_of(schemas, schemas.named(binding.stream_type or ""))
                stream.show(backend.events(value, given), place, status)
                return 0
            with status:
                answer = backend.answer(value, given)
        except NoAnswer as error:
            print(printable(str(error)), file=sys.stderr)
            return 1
    print(json_text(answer, indent=2) if as_json else shown.text(answer))
    shown.save(answer)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    target = getattr(arguments, "save", None)
    if target is not None and not target.absolute().parent.is_dir():
        raise CommandError(f"--save {target}: there is no such directory")
    if not _is_remote(arguments):
        if arguments.token_env is not None:
            raise CommandError("--token-env: is only of use with a server (--url)")
        if arguments.concurrency is not None:
            raise CommandError("--concurrency: is only of use with a server (--url)")
    if arguments.inputs.count(STANDARD) > 1:
        raise CommandError(f"INPUT {STANDARD}: standard input can be read once")


def _backend(package: str, binding: TaskBinding, arguments: argparse.Namespace, status: Status) -> Model | Server:
    """Who answers. Raises CommandError."""
    if not _is_remote(arguments):
        from .local import Model

        return Model(package, binding, arguments.model, arguments.threads, status)
    from .remote import Server

    token = os.environ.get(arguments.token_env) if arguments.token_env is not None else None
    if arguments.token_env is not None and not token:
        raise CommandError(f"--token-env: the environment variable {arguments.token_env} is not set")
    return Server(
        package,
        binding,
        arguments.url,
        token=token,
        model=arguments.model,
        dialect=getattr(arguments, "dialect", None),
        concurrency=arguments.concurrency or CONCURRENCY,
    )
