"""``serve``: its flags, and a server of what they and the rest of the configuration name."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..binding import TaskBinding
from ..server.configuration import RESOURCES, SERVING, ConfigurationError, Option, configured
from ..server.settings import Model, Serving
from . import CommandError
from .demos import Demos, Scratch, demo_models
from .local import ending_at_once, handler_of

if TYPE_CHECKING:
    from ..server.handler import Handler
    from ..torch.placement import Placement


def add_settings(parser: argparse.ArgumentParser, *left_out: str) -> None:
    """A flag for every setting but the secret ones and those `left_out`; what is not given is not in the namespace."""
    missing: Any = argparse.SUPPRESS
    parser.add_argument(
        "--config", metavar="PATH", default=missing, help="a TOML file with settings, and models in [[models]]"
    )
    for option in SERVING.values():
        if option.name in left_out:
            continue
        flag = "--" + option.name.replace("_", "-")
        default = "" if option.default in (None, (), False) else f" (default: {option.default})"
        about: dict[str, Any] = {"dest": option.name, "default": missing, "help": option.about + default}
        if option.name == "models":
            about["help"] = "serve the model in DIR; repeat for more (default: the demo models)"
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


def settings_of(
    arguments: argparse.Namespace, package: str, bindings: Mapping[str, TaskBinding]
) -> tuple[Serving, str]:
    """The settings, and what the environment variables begin with that make some. Raises CommandError."""
    known, prefix = {*SERVING, "config"}, f"{package.upper()}_SERVE_"
    flags = {name: value for name, value in vars(arguments).items() if name in known}
    try:
        return configured(flags, os.environ, prefix, bindings), prefix
    except ConfigurationError as error:
        raise CommandError(str(error)) from None


def serve(bindings: Mapping[str, TaskBinding], package: str, arguments: argparse.Namespace) -> int:
    """Serve until told to end; the exit code. Raises CommandError for a configuration that cannot be."""
    settings, _ = settings_of(arguments, package, bindings)
    if settings.scaled or any(model.scaled for model in settings.models):
        # The file is the same for both, but nobody should believe in replicas that are not there.
        print(f"this is one process: {', '.join(RESOURCES)} are for `deploy ray`", file=sys.stderr)
    with ending_at_once():
        import torch  # noqa: F401 - said now, not by a model that fails to load
        import transformers  # noqa: F401

        from ..server import logs, ports, run
        from ..server.app import create_app
        from ..server.clarifai.grpc import grpc_server
        from ..server.spans import export_spans
        from ..torch.base import end_loading

    if settings.tracing:
        export_spans(package)
    with closing(Scratch()) as scratch:
        demos = None if settings.models else demo_models(package, bindings, scratch)
        handlers = handlers_of(bindings, settings, demos)
        try:
            dialects = import_module(f"{package}._dialects").DIALECTS
            app = create_app(bindings, handlers, package=package, settings=settings, dialects=dialects)
            socket = ports.listen(settings.host, settings.port)
            grpc = None if settings.grpc_port is None else grpc_server(app, package, dialects, settings)
        except (ValueError, ports.PortError) as error:
            raise CommandError(str(error)) from None
        logs.set_up(settings.log_level, settings.log_format)
        host, port = socket.getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        url = f"http://{address}:{port}"
        also = f"; playground: {url}/playground" if settings.pages else ""
        also += f"; gRPC: {grpc}" if grpc is not None else ""
        if demos is None:
            print(f"{url} serves {', '.join(h.name or h.binding.id for h in handlers)}{also}", flush=True)
        else:
            # With an empty line at the end, for programs that read this.
            print(f"{url} serves demo models{also}", *demos.lines(), "", sep="\n", flush=True)
        try:
            run.serve(app, socket, settings, grpc)
        except ports.PortError as error:
            raise CommandError(str(error)) from None
        end_loading()
    return 0


def handlers_of(
    bindings: Mapping[str, TaskBinding], settings: Serving, demos: Demos | None
) -> list[Handler[Any, Any, Any]]:
    """What answers with the models of `settings`, or with `demos`. Raises CommandError for what cannot be."""
    if demos is not None:
        if not (demos.trained or demos.random):
            raise CommandError(f"{'; '.join(demos.lines())}: name a model with --model TASK=DIR")
        placement = _placement(settings, Model())
        return [
            handler_of(bindings[demo.task], demo.directory, demo.name, placement, build=demo.build) for demo in demos
        ]
    handlers: list[Handler[Any, Any, Any]] = []
    for model in settings.models:
        # The first model of a task goes by the task's name, as with the demo models; further ones by their directory's.
        taken = any(handler.binding.id == model.task for handler in handlers)
        name = model.name or (model.directory.resolve().name if taken else "")
        handler = handler_of(bindings[model.task], model.directory, name, _placement(settings, model))
        handler.lazy = model.lazy
        handler.max_batch = model.max_batch or handler.max_batch
        handlers.append(handler)
    return handlers


def _placement(settings: Serving, model: Model) -> Placement:
    """Where `model` goes. Raises CommandError for a device that is not there."""
    import torch

    from ..torch.placement import Placement

    device = model.device or settings.device
    if device is not None:
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:  # which of them depends on how torch was built
            reason = str(error).partition("\n")[0][:200]
            raise CommandError(f"device {device!r}: is not one that torch has here: {reason}") from None
    return Placement(
        device=device,
        dtype=model.dtype or settings.dtype,
        compile=settings.compile if model.compile is None else model.compile,
        threads=model.threads or settings.threads,
    )
