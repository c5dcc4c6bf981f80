"""``run TASK INPUT``: its command line, and what it does."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..binding import TaskBinding
from . import CommandError, NoAnswer, options, printable
from .inputs import Primary, encoded
from .schema import Schemas

OURS = frozenset({"help", "model", "threads", "url", "token-env", "file", "json", "save"})
"""Names of options that parameters cannot have: those get ``--parameter-`` before their own."""


def add_task(tasks: Any, binding: TaskBinding, *, wanted: bool) -> None:
    """Add the command of one task; its schema is read, and its options made, only if it is `wanted`."""
    task = tasks.add_parser(binding.id, help=f"takes {_brief(binding)}", allow_abbrev=False)
    task.set_defaults(action=run)
    if wanted:
        _declare(task, binding)


def _brief(binding: TaskBinding) -> str:
    return f"the path of a file ({binding.media})" if binding.media else "a text or JSON"


def _declare(task: argparse.ArgumentParser, binding: TaskBinding) -> None:
    schemas = Schemas.of(binding)
    primary = Primary.of(binding, schemas)
    found = list(options.options(binding, schemas))
    # With `--file`, the object that the files go into may have no other members.
    optional = primary.optional or bool(primary.members)
    task.add_argument("input", metavar="INPUT", nargs="?" if optional else None, help=primary.help)
    if primary.members:
        task.add_argument(
            "--file",
            action="append",
            default=[],
            metavar="MEMBER=PATH",
            help=f"the file that goes into INPUT as {' or '.join(primary.members)}; repeat for more",
        )
    task.add_argument(
        "--model", metavar="DIR", help="the model's directory (default: the embedded demo model); with --url, its name"
    )
    task.add_argument("--threads", type=int, default=1, metavar="N", help="torch threads (default: %(default)s)")
    task.add_argument("--url", metavar="URL", help="ask the server there, instead of running a model here")
    task.add_argument("--token-env", metavar="NAME", help="the environment variable with the token for --url")
    task.add_argument("--json", action="store_true", help="print JSON to a terminal too, as to a file or a pipe")
    if schemas.holds_media(schemas.named(binding.output_type)):
        task.add_argument(
            "--save", type=Path, metavar="PATH", help="write the answer's files there, numbered if several"
        )
    taken = set(OURS)
    group = task.add_argument_group("parameters")
    # argparse's own usage would be longer than a screen.
    usage = ["%(prog)s [OPTIONS]", "[INPUT]" if optional else "INPUT"]
    for option in found:
        name = options.declare(group, option, taken)
        if option.required:
            usage.append(f"{name} {option.metavar}".replace("%", "%%"))
    task.usage = " ".join(usage)


def run(bindings: Mapping[str, TaskBinding], package: str, arguments: argparse.Namespace) -> int:
    """Answer one request and print the answer; the exit code. Raises CommandError."""
    from . import local

    binding = bindings[arguments.task]
    schemas = Schemas.of(binding)
    given = options.given(arguments)
    if binding.stream_type and given.get("stream"):
        raise CommandError("--stream: answers are printed whole here, so leave it out")
    target = getattr(arguments, "save", None)
    if target is not None and not target.absolute().parent.is_dir():
        raise CommandError(f"--save {target}: there is no such directory")
    token = _token(arguments)
    primary = Primary.of(binding, schemas).read(arguments.input, getattr(arguments, "file", ()))
    if primary is None and not binding.optional:
        raise CommandError(f"{binding.id}: INPUT is required")
    try:
        if arguments.url is not None:
            from . import remote

            answer = remote.answer(package, binding, arguments.url, primary, given, token=token, model=arguments.model)
        else:
            directory = Path(arguments.model) if arguments.model else local.demo_directory(package, binding.id)
            if directory is None:
                raise CommandError(f"no demo model for {binding.id} is embedded here: name one with --model DIR")
            answer = local.answer(binding, directory, _payload(binding, primary, given), arguments.threads)
    except NoAnswer as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    _show(schemas, binding, answer, as_json=arguments.json or not sys.stdout.isatty(), target=target)
    return 0


def _token(arguments: argparse.Namespace) -> str | None:
    if arguments.token_env is None:
        return None
    if arguments.url is None:
        raise CommandError("--token-env: is only of use with --url")
    token = os.environ.get(arguments.token_env)
    if not token:
        raise CommandError(f"--token-env: the environment variable {arguments.token_env} is not set")
    return token


def _payload(binding: TaskBinding, primary: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = {} if primary is None else {binding.primary: encoded(primary)}
    payload |= {name: value for name, value in given.items() if name not in binding.parameters}
    inside = {name: value for name, value in given.items() if name in binding.parameters}
    return payload | {"parameters": inside} if inside else payload


def _show(schemas: Schemas, binding: TaskBinding, answer: Any, *, as_json: bool, target: Path | None) -> None:
    from .output import save, shown, with_media

    if as_json:
        # A stream that cannot hold every character gets those in JSON's own escapes.
        ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        print(json.dumps(answer, indent=2, ensure_ascii=ascii_only))
    if as_json and target is None:
        return
    known = with_media(schemas, schemas.named(binding.output_type), answer)
    if not as_json:
        print(shown(known))
    for line in save(known, target) if target is not None else ():
        print(line, file=sys.stderr)
