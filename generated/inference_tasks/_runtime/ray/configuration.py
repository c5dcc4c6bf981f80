"""Settings as the arguments of a Ray Serve configuration, and the application that these make.

Their names are those of the configuration file of ``serve``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

from ..command.demos import Demos, Scratch, demo_models
from ..command.serving import handlers_of
from ..server.configuration import from_table, token_of
from ..server.settings import Model, Serving
from .application import create_app

LEFT_OUT = ("host", "port", "grpc_port", "grpc_certificate", "grpc_key", "header_timeout", "read_timeout", "drain")
"""What Ray Serve's own proxy decides: the first two are settings of its own."""


def as_arguments(settings: Serving) -> dict[str, Any]:
    """What is not as by default, as JSON values; without secrets, and with absolute paths."""
    out = _changed(settings, (*LEFT_OUT, "models", "token"))
    return out | ({"models": [_changed(model, ()) for model in settings.models]} if settings.models else {})


def _changed(value: Serving | Model, left_out: tuple[str, ...]) -> dict[str, Any]:
    changed = {f.name: getattr(value, f.name) for f in fields(value) if getattr(value, f.name) != f.default}
    return {name: _plain(item) for name, item in changed.items() if name not in left_out}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value.absolute()) if isinstance(value, Path) else value


def build(package: str, arguments: Mapping[str, Any]) -> Any:
    """The Ray Serve application that `arguments` make, with the embedded trained models if they name none.

    Raises ConfigurationError, CommandError for models that cannot be served.
    """
    tasks = import_module(f"{package}._tasks").TASKS

    def place(key: str, model: int) -> str:
        return f"args.models[{model}].{key}" if model >= 0 else f"args.{key}"

    settings = Serving(**from_table(arguments, Path(), place, tasks))
    if settings.token_env is not None:
        token_of(settings.token_env, os.environ)
    demos = None if settings.models else Demos(trained=demo_models(package, tasks, Scratch()).trained)
    handlers = handlers_of(tasks, settings, demos)
    models = zip(handlers, settings.models, strict=True) if settings.models else ()
    resources = {handler.name or handler.binding.id: model for handler, model in models if model.scaled}
    return create_app(package, handlers, settings=settings, resources=resources)
