"""What renderers and views may read beside IR and plan: the configuration, templates, files of the spec root."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .config import Config
from .diagnostics import TaskbindError, relative
from .folder import paths
from .memo import Hasher, Memo
from .template_sources import Sources

if TYPE_CHECKING:  # a run with nothing to do needs this module, but none of these
    from . import ir
    from .plan import Plan
    from .templating import Templates

T = TypeVar("T")

Render = Callable[[str, Mapping[str, Any]], str]
"""Renders the template of a name with a view. Raises TaskbindError for one that is not there or that is wrong."""

_CACHE: Final = "__pycache__"
BASE_URL: Final = "http://localhost:8000"
"""Where the server of the docs' examples listens."""


class MissingFileError(TaskbindError):
    """A file of the specs is not there."""


@dataclass(frozen=True)
class Template:
    """One template, to be rendered with views as Jinja's own are. `finish` is what is done to each text."""

    context: Context
    name: str
    finish: Callable[[str], str] | None = None

    def render(self, *views: Mapping[str, Any], **more: Any) -> str:
        """Its text for these views together. Raises TaskbindError for a template that is not there or that is wrong."""
        return self.context.kept(_rendered, self.name, self.finish, dict(*views, **more))


def _rendered(render: Render, name: str, finish: Callable[[str], str] | None, view: Mapping[str, Any]) -> str:
    text = render(name, view)
    return finish(text) if finish else text


@dataclass(frozen=True)
class Context:
    """What renderers may read: templates (the project's own before the built-in ones) and files of the spec root.

    `memo` keeps from run to run what was rendered; without one, all of it is rendered anew.
    """

    config: Config
    memo: Memo = field(default_factory=lambda: Memo(keep=False), repr=False, compare=False)
    _asked: set[str] = field(default_factory=set, repr=False, compare=False)
    _made: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, make: Callable[[ir.Api, Plan, Context], T], api: ir.Api, plan: Plan) -> T:
        """What `make` makes of the one IR and plan of this run, made when it is first asked for."""
        if make not in self._made:
            self._made[make] = make(api, plan, self)
        made: T = self._made[make]
        return made

    @property
    def template_directories(self) -> list[Path]:
        """Where templates are looked for, first match wins. Raises TaskbindError where the project's folder is none."""
        own = [self.config.templates] if self.config.templates else []
        if own and not own[0].is_dir():
            where = relative(own[0], Path.cwd())
            raise self.config.error("templates", f"{where} is no folder; make it, or name the folder of your templates")
        return [*own, built_in_templates()]

    def template(self, name: str, finish: Callable[[str], str] | None = None) -> Template:
        """The template of this name, relative to the template directory; what it makes passes through `finish`."""
        return Template(self, name, finish)

    def kept(self, make: Callable[..., str], *data: object) -> str:
        """What `make` makes of `data`, and of the templates that it renders: that is all that may decide the text.

        A function of a module, it is called with a :data:`Render` and with `data`.
        """
        try:
            key = self.key("kept", make, data)
        except TypeError:  # a plugin's own objects or functions
            return self._made_of(make, data)[0]
        found = self.memo.get(key)
        # What is read of templates depends on the data and on what was read before, so the same would be read again.
        if found is not None and all(self.sources.hash(name) == digest for name, digest in found.note.items()):
            return found.text
        text, read = self._made_of(make, data)
        self.memo.put(key, text, read)
        return text

    def _made_of(self, make: Callable[..., str], data: tuple[object, ...]) -> tuple[str, dict[str, str | None]]:
        read: dict[str, str | None] = {}

        def render(name: str, view: Mapping[str, Any]) -> str:
            text, more = self._templates.render(name, view)
            read.update(more)
            return text

        return make(render, *data), read

    def key(self, what: str, *data: object) -> str:
        """The key of a result in the memo. Raises TypeError for data that no hash can stand for."""
        return self._hasher.hash(what, *data)

    @cached_property
    def _hasher(self) -> Hasher:
        return Hasher()

    @cached_property
    def sources(self) -> Sources:
        """The templates' sources, each as this run read it first."""
        return Sources(self.template_directories)

    @cached_property
    def _templates(self) -> Templates:
        from .templating import Templates  # a run that finds all it needs in its memo needs no Jinja

        return Templates(self.sources, self.memo.live)

    def spec_file(self, path: str) -> bytes:
        """A file of the spec root, such as an example's sample. Raises MissingFileError for what is no input."""
        if path not in self._spec_files:
            where = relative(self.config.specs, Path.cwd())
            raise MissingFileError(
                f"{where} has no file {path!r}, which a renderer asks for (hidden ones do not count)"
            )
        return (self.config.specs / path).read_bytes()

    @cached_property
    def _spec_files(self) -> dict[str, str]:
        return paths(self.config.specs)

    def tree(self, folder: str) -> dict[str, Path]:
        """The files under a template folder by relative path, sorted; tools' caches and hidden files are none."""
        return {name: Path(path) for name, path in self.tree_paths(folder).items()}

    def tree_paths(self, folder: str) -> dict[str, str]:
        """What :meth:`tree` gives, as texts."""
        out: dict[str, str] = {}
        for directory in reversed(self.template_directories):
            out |= paths(directory / folder, _CACHE)
        self._asked.update(out.values())
        return dict(sorted(out.items()))

    def idle_templates(self) -> Iterator[str]:
        """What is to be said of each of the project's own templates that is in no use, and in no place of ours."""
        if self.config.templates is None:
            return
        ours = paths(built_in_templates(), _CACHE)
        asked = self._asked | self.sources.paths
        for name, path in paths(self.config.templates, _CACHE).items():
            if name not in ours and path not in asked:
                near = difflib.get_close_matches(name, ours, 1)
                hint = f"did you mean {near[0]}?" if near else "there is none of ours in its place"
                yield f"{relative(Path(path), Path.cwd())}: nothing asks for this template; {hint}"


def built_in_templates() -> Path:
    """The templates that ship with taskbind: inside an installed package, beside it in a source checkout."""
    package = Path(__file__).parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent.parent / "templates"


def header(comment: str, sources: str) -> str:
    """The first line of a generated file."""
    return f"{comment} Generated by taskbind from {sources}. Do not edit: change the specs and run `taskbind generate`."
