"""Rendering: finished views into text. A renderer sees the IR and the plan, and answers with files by path.

It never touches the disk: what it needs beside the IR (templates, runtime modules, sample media) it asks the
:class:`~taskbind.context.Context` for, so that everything that decides an output byte is known and hashed.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, Protocol

from ..context import Context
from ..diagnostics import TaskbindError

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
PLUGINS: Final = "taskbind.renderers"
"""Entry-point group through which other packages add renderers: name to a function like :meth:`Renderer.__call__`."""


class Renderer(Protocol):
    """What makes one kind of output."""

    def __call__(self, api: ir.Api, plan: Plan, context: Context) -> Files:
        """The files of this kind. Raises TaskbindError for a spec it has no exact output for."""


def renderers() -> dict[str, Renderer]:
    """All renderers by name: the built-in ones, then those of installed plugins in the order of their names."""
    out: dict[str, Renderer] = {name: import_module(f"{__name__}.{name}").render for name in BUILT_IN}
    for point in sorted(entry_points(group=PLUGINS), key=lambda point: point.name):
        if point.name in out:
            raise TaskbindError(f"two renderers are called {point.name!r}; uninstall {point.dist or point.value}")
        out[point.name] = point.load()
    return out
