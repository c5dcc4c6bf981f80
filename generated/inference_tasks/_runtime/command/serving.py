"""``serve``: its flags, and a server of what they and the rest of the configuration name."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..binding import TaskBinding
from ..server.configuration import SERVING, ConfigurationError, Option, configured
from ..server.settings import Model, Serving
from . import CommandError
from .local import demo_directory, ending_at_once, handler_of

if TYPE_CHECKING:
    from ..server.handler import Handler


def add_settings(parser: argparse.ArgumentParser) -> None:
    """A flag for every setting but the secret ones; what is not given is not in the namespace either."""
    missing: Any = argparse.SUPPRESS
    parser.add_argument(
        "--config", metavar="PATH", default=missing, help="a TOML file with settings, and models in [[models]]"
    )
    for option in SERVING.values():
        flag = "--" + option.name.replace("_", "-")
        default = "" if option.default in (None, (), False) else f" (default: {option.default})"
        about: dict[str, Any] = {"dest": option.name, "default": missing, "help": option.about + default}
        if option.name == "models":
            about["help"] = "serve the model in DIR; repeat for more (default: the embedded demo models)"
            parser.add_argument("--model", action="append", metavar="TASK=DIR", **about)
        elif option.kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, **about)
        elif option.many:
            parser.add_argument(flag, action="append", metavar=option.unit, type=_typed(option), **about)
        elif option.choices:
            parser.add_argument(flag, choices=option.choices, **about)
        elif not option.secret:
            parser.add_argument(flag, metavar=option.unit or option.name.upper(), type=_typed(option), **about)
    parser.add_argument(
        "--no-cache",
        action="store_const",
        const=0,
        dest="cache_size",
        default=missing,
        help="answer every request anew",
    )


def _typed(option: Option) -> Callable[[str], Any]:
    def typed(text: str) -> Any:
        try:
            return option.parsed(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return typed


def serve(bindings: Mapping[str, TaskBinding], package: str, arguments: argparse.Namespace) -> int:
    """Serve until told to end; the exit code. Raises CommandError for a configuration that cannot be."""
    known = {*SERVING, "config"}
    flags = {name: value for name, value in vars(arguments).items() if name in known}
    try:
        settings = configured(flags, os.environ, f"{package.upper()}_SERVE_", bindings)
    except ConfigurationError as error:
        raise CommandError(str(error)) from None
    with ending_at_once():
        import torch  # noqa: F401 - said now, not by a model that fails to load
        import transformers  # noqa: F401

        from ..server import logs, run
        from ..server.app import create_app
        from ..server.spans import export_spans

    if settings.tracing:
        export_spans(package)
    handlers = handlers_of(bindings, package, settings)
    openapi = files(package).joinpath("openapi.json").read_bytes()
    try:
        dialects = import_module(f"{package}._dialects").DIALECTS
        app = create_app(bindings, handlers, openapi=openapi, settings=settings, dialects=dialects)
        socket = run.listen(settings.host, settings.port)
    except (ValueError, run.PortError) as error:
        raise CommandError(str(error)) from None
    logs.set_up(settings.log_level, settings.log_format)
    host, port = socket.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    print(f"http://{address}:{port} serves {', '.join(h.name or h.binding.id for h in handlers)}", flush=True)
    run.serve(app, socket, settings)
    return 0


def handlers_of(bindings: Mapping[str, TaskBinding], package: str, settings: Serving) -> list[Handler[Any, Any, Any]]:
    """What answers with the models of `settings`, or with the demo models. Raises CommandError for what cannot be."""
    models = settings.models
    if not models:
        found = {task: demo_directory(package, task) for task in bindings}
        models = tuple(Model(task=task, directory=path) for task, path in found.items() if path is not None)
    if not models:
        raise CommandError("no demo models are embedded here: name one with --model TASK=DIR")
    handlers: list[Handler[Any, Any, Any]] = []
    for model in models:
        # The first model of a task goes by the task's name, as with the demo models; further ones by their directory's.
        taken = any(handler.binding.id == model.task for handler in handlers)
        name = model.name or (model.directory.resolve().name if taken else "")
        threads, device = model.threads or settings.threads, model.device or settings.device
        _check(device)
        handler = handler_of(bindings[model.task], model.directory, name, threads, device)
        handler.lazy = model.lazy
        handler.max_batch = model.max_batch or handler.max_batch
        handlers.append(handler)
    return handlers


def _check(device: str | None) -> None:
    import torch

    if device is not None:
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:  # which of them depends on how torch was built
            reason = str(error).partition("\n")[0][:200]
            raise CommandError(f"device {device!r}: is not one that torch has here: {reason}") from None
