"""A new project: templates/scaffold/project/, filled in. A name that begins with ``dot-`` begins with a dot then."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from .. import __version__
from ..config import unfit_package
from ..context import built_in_templates
from ..diagnostics import EditedError, TaskbindError
from ..folder import files as template_files
from ..names import words
from ..schemas import NAMES, file_name, schema_text
from ..template_sources import Sources
from ..templating import Templates
from .create import create

SCHEMAS: Final = ".taplo"
"""Where a project keeps the JSON Schemas of its TOML files, for editors."""
_JINJA: Final = ".jinja"
_LINES: Final = (".gitattributes", ".gitignore")


def package_for(folder: Path) -> str:
    """A name for the package of a project: ``acme_tasks`` for one in a folder called ``acme``."""
    name = "_".join(words(Path(os.path.abspath(folder)).name))
    name = name if name.endswith("tasks") else f"{name}_tasks"
    return name if not _unfit(name) else "my_tasks"


def project_files(package: str) -> dict[str, bytes]:
    """The files of a new project by path. Raises TaskbindError for a name that no package can have."""
    if problem := _unfit(package):
        raise TaskbindError(f"--package: {problem}")
    root = _root()
    templates = Templates(Sources([root]), {})
    view = {"package": package, "distribution": package.replace("_", "-"), "version": __version__}
    files = {f"{SCHEMAS}/{file_name(name)}": schema_text(name).encode() for name in NAMES}
    for relative, path in template_files(root, "__pycache__").items():
        name = "/".join(f".{part[4:]}" if part.startswith("dot-") else part for part in relative.split("/"))
        text = path.suffix == _JINJA
        data = templates.render(relative, view)[0].encode() if text else path.read_bytes()
        files[name.removesuffix(_JINJA)] = data
    return files


def _unfit(package: str) -> str:
    """Why the package of a new project cannot be called so; empty if it can."""
    if problem := unfit_package(package):
        return problem
    own = {path.partition("/")[0].partition(".")[0] for path in template_files(_root(), "__pycache__")}
    return f"package name {package!r} is that of a file or folder of the project; use another one" * (package in own)


def _root() -> Path:
    return built_in_templates() / "scaffold" / "project"


def init(folder: Path, package: str | None) -> list[str]:
    """Write a new project into a folder and return the paths of what was written.

    Raises as :func:`create` does. Files of lines of which each stands for itself may be there already, with more lines.
    """
    files = project_files(package_for(folder) if package is None else package)
    lacking = {name: _lacking(folder / name, files[name].decode()) for name in _LINES if (folder / name).is_file()}
    try:
        return create(folder, {path: data for path, data in files.items() if lacking.get(path) != []})
    except EditedError as error:
        hints = [f"Or keep {name}, and add: {' | '.join(lines)}" for name, lines in lacking.items() if lines]
        raise EditedError("\n".join([str(error), *hints])) from error


def _lacking(path: Path, text: str) -> list[str]:
    """The lines of a text that a file has not, without comments."""
    there = {line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()}
    return [line for line in text.splitlines() if not line.startswith("#") and line not in there]
