"""``deploy ray``: the configuration of a Ray Serve application, with what ``serve`` would do with the same settings."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

from ..binding import TaskBinding
from ..ray.configuration import LEFT_OUT, as_arguments
from ..server.configuration import SERVING
from ..server.settings import Serving
from . import CommandError
from .serving import settings_of

FILE = "ray-serve.yaml"
MARK = "# Written by `{program} deploy ray`. Do not edit: change its settings and run it again. sha256 {digest}\n"
ENVIRONMENT = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    # A request whose replica died before it answered goes to another one: an answer changes nothing.
    "RAY_SERVE_HAPROXY_RETRY_ON": "conn-failure empty-response",
    "RAY_SERVE_HAPROXY_RETRIES": "3",
}
"""What the processes of Ray want to be started with: its faster proxy, and more than one try."""


def deploy_ray(bindings: Mapping[str, TaskBinding], package: str, arguments: argparse.Namespace) -> int:
    """Write the configuration; the exit code. Raises CommandError for settings that cannot be."""
    settings, variables = settings_of(arguments, package, bindings)
    if settings.token is not None and settings.token_env is None:
        # No secret is written: the replicas find it where it was found now, or do not start.
        settings = replace(settings, token_env=f"{variables}TOKEN")
    program = package.replace("_", "-")
    _write(Path(arguments.out), _text(package, program, settings), program)
    unused = [name for name in LEFT_OUT[2:] if getattr(settings, name) != SERVING[name].default]
    if unused:
        print(f"{program}: Ray Serve's own proxy is before the server: {', '.join(unused)} left out", file=sys.stderr)
    path = Path(arguments.out, FILE)
    shown = " ".join(f"{name}={_quoted(value)}" for name, value in ENVIRONMENT.items())
    print(f"export {shown}")
    print(f"serve run {_quoted(os.fspath(path))}       # here, in the foreground")
    print(
        f"serve deploy {_quoted(os.fspath(path))}    # on a cluster that `ray start --head` began, in that environment"
    )
    return 0


def _quoted(text: str) -> str:
    from shlex import quote

    return quote(text)


def _text(package: str, program: str, settings: Serving) -> str:
    """The file's text without its first line."""
    content: dict[str, Any] = {
        "proxy_location": "EveryNode",
        "http_options": {"host": settings.host, "port": settings.port},
        "logging_config": {"enable_access_log": False, "log_level": "WARNING"},
        "applications": [
            {
                "name": program,
                "route_prefix": "/",
                "import_path": f"{package}.ray:build",
                "args": as_arguments(settings),
            }
        ],
    }
    text: str = import_module("yaml").safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
    return text


def _write(directory: Path, text: str, program: str) -> None:
    """Write `text` below its mark. Raises CommandError rather than replace what somebody else wrote."""
    path = directory / FILE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if path.exists():
            first, _, rest = path.read_text(encoding="utf-8").partition("\n")
            if f"{first}\n" != _mark(rest, program):
                raise CommandError(
                    f"{path}: was not written by this command, or was edited: move it away, or use --out"
                )
        path.write_text(_mark(text, program) + text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {getattr(error, 'strerror', None) or 'is not text'}") from None


def _mark(text: str, program: str) -> str:
    return MARK.format(program=program, digest=sha256(text.encode()).hexdigest())
