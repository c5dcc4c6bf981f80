"""Rendering with Jinja: the one place that knows it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, Template, TemplateError, TemplateNotFound
from jinja2.exceptions import TemplateSyntaxError

from .diagnostics import TaskbindError, relative, told
from .template_sources import BUILT_IN, Sources

Compiled = MutableMapping[str, tuple[str, CodeType]]
"""Code of templates by path, with the hash of the source that it is of."""


class Templates:
    """The templates of some sources. `compiled` keeps their code, for all of those whose sources stay as they are."""

    def __init__(self, sources: Sources, compiled: Compiled) -> None:
        self._sources = sources
        self._loader = _Loader(sources, compiled)
        self._environment = Environment(
            loader=self._loader,
            cache_size=0,  # the loader keeps what can be kept, and must see what is read
            autoescape=False,  # each target has an escaper of its own, in taskbind.escape
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def render(self, name: str, view: Mapping[str, Any]) -> tuple[str, dict[str, str | None]]:
        """The text, and the hash of every template that was looked for on the way (None: there is none of that name).

        Raises TaskbindError, with file and line, for a template that is not there or that is wrong.
        """
        self._loader.read = {}
        try:
            text = self._environment.get_template(name).render(view)
        except TaskbindError:
            raise
        except Exception as error:  # a template may do anything wrong that a program may
            raise TaskbindError(self._told(name, error)) from error
        return text, self._loader.read

    def _told(self, name: str, error: Exception) -> str:
        if isinstance(error, TemplateSyntaxError):
            place = f"{_here(error.filename or error.name or name)}:{error.lineno}"
        else:
            own = {str(found.path) for read in self._loader.read if (found := self._sources.find(read))}
            frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in own]
            place = f"{_here(frames[-1].filename)}:{frames[-1].lineno}" if frames else name
        match error:
            case TemplateNotFound():
                what = f"no template {error}"
            case TemplateError():
                what = str(error)
            case RecursionError():
                what = f"a template includes itself; `{BUILT_IN}…` is the name of ours in its place"
            case _:
                what = told(error)
        return f"{place}: {what}; correct the template"


def _here(path: str) -> str:
    return relative(Path(path), Path.cwd())


class _Loader(BaseLoader):
    """Loads from sources, and notes what was looked for in `read`."""

    def __init__(self, sources: Sources, compiled: Compiled) -> None:
        self.read: dict[str, str | None] = {}
        self._sources = sources
        self._compiled = compiled

    def load(self, environment: Environment, name: str, globals: MutableMapping[str, Any] | None = None) -> Template:
        found = self._sources.find(name)
        self.read[name] = found.hash if found else None
        if found is None:
            raise TemplateNotFound(name)
        digest, code = self._compiled.get(str(found.path), ("", None))
        if code is None or digest != found.hash:
            code = environment.compile(found.text, name, str(found.path))
            self._compiled[str(found.path)] = found.hash, code
        return Template.from_code(environment, code, {} if globals is None else globals)
