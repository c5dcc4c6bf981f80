"""Renderers that other packages bring, through an entry point: found, run and held to what a renderer may do.

A plugin runs only in projects that name it, so that the same project gives the same files in every environment.
Whatever goes wrong inside one ends as a message that says whose it is.
"""

from __future__ import annotations

import difflib
import importlib.util
import re
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from ..commit import MANIFEST, sha256
from ..config import FILE
from ..diagnostics import TaskbindError, told

if TYPE_CHECKING:  # a run with nothing to do needs this module, but none of these
    from .. import ir
    from ..context import Context
    from ..plan import Plan
    from . import Files

GROUP: Final = "taskbind.renderers"
"""Entry-point group through which other packages add renderers: name to a function like a :class:`.Renderer`."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
"""No path, so that no renderer is called like a file of ours."""


@dataclass(frozen=True)
class Plugin:
    """A renderer of another package, which is imported when it is called first."""

    point: EntryPoint

    @property
    def title(self) -> str:
        """The renderer and whose it is, for messages: ``renderer 'csv' (of acme-taskbind 1.2)``."""
        own = self.point.dist
        return f"renderer {self.point.name!r} (of {f'{own.name} {own.version}' if own else self.point.value})"

    def state(self) -> dict[str, str]:
        """What decides its output: its version, and the hash of its code, since a working copy changes without."""
        return {"version": self.point.dist.version if self.point.dist else "", "source": _hash(self.point)}

    def __call__(self, api: ir.Api, plan: Plan, context: Context) -> Files:
        """Its files. Raises TaskbindError where it fails, and for an answer that is no dict of paths and contents.

        A TaskbindError of its own passes: it is a refusal, whose message is for the owner of the specs.
        """
        try:
            made = self.point.load()(api, plan, context)
        except TaskbindError:
            raise
        except (Exception, SystemExit) as error:  # whoever ends the process would end it as if all went well
            frames = traceback.format_exception(type(error), error, _own(error.__traceback__))
            raise TaskbindError(
                f"{self.title} failed: {told(error)}\nNothing was written. This is a fault in that package, whose "
                f"authors need to know:\n\n{''.join(frames).rstrip()}"
            ) from error
        if not isinstance(made, dict):
            raise TaskbindError(f"{self.title} gave a {type(made).__name__}, not a dict of paths and contents")
        for path, content in made.items():
            if problem := _path_problem(path) or _content_problem(content):
                raise TaskbindError(f"{self.title} writes {path!r}, {problem}")
        return made


def plugins(names: Iterable[str], own: Iterable[str]) -> tuple[Plugin, ...]:
    """The plugins of these names; `own` are the names that a project may ask for without any.

    Imports none of them. Raises TaskbindError for a name that nobody has, or two have.
    """
    return tuple(_plugin(name, tuple(own)) for name in names)


def _plugin(name: str, own: tuple[str, ...]) -> Plugin:
    if not _NAME.fullmatch(name):
        raise TaskbindError(f"{FILE}: renderers: {name!r} is no name of a renderer: those are a-z, A-Z, 0-9, _ and -")
    found = sorted(entry_points(group=GROUP, name=name), key=lambda point: point.value)
    if len(found) == 1:
        return Plugin(found[0])
    if found:
        owners = " and ".join(point.dist.name if point.dist else point.value for point in found)
        raise TaskbindError(f"{FILE}: renderers: {owners} both have a renderer {name!r}; uninstall one of them")
    known = sorted({*own, *entry_points(group=GROUP).names})
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else "if a package has it, install that beside taskbind"
    raise TaskbindError(
        f"{FILE}: renderers: there is no renderer {name!r} here; {hint} (known: {', '.join(known)}; packages add "
        f"others through the entry-point group {GROUP!r})"
    )


def _own(frames: TracebackType | None) -> TracebackType | None:
    """The frames of a plugin: those before are ours and Python's, which imports it."""
    while frames and frames.tb_frame.f_globals.get("__name__", "").startswith((__name__, "importlib")):
        frames = frames.tb_next
    return frames


def _path_problem(path: Any) -> str:
    if not isinstance(path, str):
        return f"a path that is a {type(path).__name__}, not a str"
    if not path.isprintable() or "\\" in path or ":" in path:
        return "a path with characters that not every system takes"
    if not path or any(part in ("", ".", "..") for part in path.split("/")):
        return "which is no path below the output directory (such as 'csv/tasks.csv')"
    return "which is taskbind's own record" if path == MANIFEST else ""


def _content_problem(content: Any) -> str:
    if not isinstance(content, str | bytes):
        return f"whose content is a {type(content).__name__}, not str or bytes"
    if isinstance(content, str):
        try:
            content.encode("utf-8")
        except UnicodeEncodeError:
            return "whose text has a lone surrogate, which no file in UTF-8 can hold"
    return ""


@cache  # code that this process has imported stays as it is, whatever becomes of its file
def _hash(point: EntryPoint) -> str:
    """One hash over the files of the package that an entry point leads into, and all others of its distribution."""
    kept = _package(point.module.partition(".")[0]) | _installed(point.dist)
    code = {name: path for name, path in kept.items() if path.is_file() and "__pycache__" not in path.parts}
    return sha256("".join(f"{name} {sha256(code[name].read_bytes())}\n" for name in sorted(code)).encode())


def _package(name: str) -> dict[str, Path]:
    """The files of a package or module, none where there is none, by their path beside other packages."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return {}
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    files = {f"{name}/{path.relative_to(folder).as_posix()}": path for folder in folders for path in folder.rglob("*")}
    return files if folders or not spec.origin else {Path(spec.origin).name: Path(spec.origin)}


def _installed(distribution: Distribution | None) -> dict[str, Path]:
    """What a distribution put beside other packages, in the same way; a working copy puts nothing there."""
    listed = (distribution.files if distribution else None) or ()
    code = (path for path in listed if not path.parts[0].startswith(("..", "__editable__")))
    return {
        path.as_posix(): Path(str(path.locate()))
        for path in code
        if not path.parts[0].endswith((".dist-info", ".egg-info", ".pth"))  # these differ from machine to machine
    }
