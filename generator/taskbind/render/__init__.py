"""Rendering: finished views into text. A renderer sees the IR and the plan, and answers with files by path.

It never touches the disk: what it needs beside the IR (templates, runtime modules, sample media) it asks the
:class:`~taskbind.context.Context` for, so that everything that decides an output byte is known and hashed.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol

from ..config import FILE, Config
from ..context import Context
from ..diagnostics import TaskbindError
from .plugins import Plugin, plugins

if TYPE_CHECKING:  # a run with nothing to do needs this module, but none of these
    from .. import ir
    from ..plan import Plan

Files = dict[str, str | bytes]
"""Rendered files: path relative to the output directory (POSIX separators) to text or bytes."""

BUILT_IN: Final = (
    "models",
    "schemas",
    "client",
    "dialects",
    "server",
    "openapi",
    "playground",
    "snippets",
    "pictures",
    "docs",
    "site",
    "package",
)
"""Those that always run."""

OPTIONAL: Final = ("typescript",)
"""Those of ours that run where `taskbind.toml` names them."""


class Renderer(Protocol):
    """What makes one kind of output."""

    def __call__(self, api: ir.Api, plan: Plan, context: Context) -> Files:
        """The files of this kind. Raises TaskbindError for a spec it has no exact output for."""


def renderers(config: Config) -> dict[str, Renderer]:
    """The renderers of a project by name: those that always run, then those that it names.

    Raises TaskbindError for a name that nobody has.
    """
    own = (*BUILT_IN, *(name for name in config.renderers if name in OPTIONAL))
    out: dict[str, Renderer] = {name: import_module(f"{__name__}.{name}").render for name in own}
    return out | {plugin.point.name: plugin for plugin in named_plugins(config)}


def named_plugins(config: Config) -> tuple[Plugin, ...]:
    """The renderers of other packages that a project names; none is imported. Raises as :func:`renderers`."""
    for name in config.renderers:
        if name in BUILT_IN:
            raise TaskbindError(f"{FILE}: renderers: {name!r} always runs; leave it out")
    return plugins((name for name in config.renderers if name not in OPTIONAL), OPTIONAL)


def joined(made: Mapping[str, Files]) -> Files:
    """All files of the renderers by name.

    Raises TaskbindError for a path that two of them write, be it in other letter case or as a folder of the other's.
    """
    out: Files = {}
    owners: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name, files in made.items():
        for path in files:
            key = path.casefold()
            above = [key[:at] for at, letter in enumerate(key) if letter == "/"]
            other = owners.get(key) or folders.get(key) or next((owners[f] for f in above if f in owners), None)
            if other is not None:
                raise TaskbindError(f"renderer {name!r} writes {path!r}, which {other!r} wrote already")
            owners[key] = name
            folders |= dict.fromkeys(above, name)
        out |= files
    return out
