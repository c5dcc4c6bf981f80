"""Past releases: a folder with the IR of each, as ``<version>.json``, a copy of what was ``api.json`` then."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics import TaskbindError
from ..version import Version

if TYPE_CHECKING:  # a run with nothing to do needs this module, but none of these
    from .. import ir


@dataclass(frozen=True)
class Release:
    """One release: its version (``1.2.0``, ``1.2.0rc1``) and its IR."""

    version: str
    api: ir.Api


def release_files(folder: Path | None) -> dict[str, Path]:
    """The files of a folder of releases by name, the oldest version first; hidden ones are none.

    No folder: nothing was released yet. Raises TaskbindError for a name that is not a version's.
    """
    if folder is None or not folder.is_dir():
        return {}
    names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    return {name: folder / name for name in sorted(names, key=lambda name: _version(folder, name).order)}


def read_releases(folder: Path | None) -> tuple[Release, ...]:
    """The releases in a folder, the oldest first. Raises TaskbindError for a file that is no IR."""
    return tuple(Release(name.removesuffix(".json"), _read(path)) for name, path in release_files(folder).items())


def _version(folder: Path, name: str) -> Version:
    try:
        stem, dot, suffix = name.rpartition(".")
        return Version(stem if dot + suffix == ".json" else name)
    except TaskbindError:
        raise TaskbindError(
            f"{folder.name}/{name[:80]!r}: not the name of a release; one is a version of three numbers and `.json`, "
            "such as 1.2.0.json or 1.2.0rc1.json"
        ) from None


def _read(path: Path) -> ir.Api:
    from .. import ir_json

    try:
        api = ir_json.from_json(json.loads(path.read_text(encoding="utf-8")))
        _complete(api)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__}: {str(error)[:200]}"
        raise TaskbindError(
            f"{path.parent.name}/{path.name}: not the api.json of a release ({why}); copy it from that release's tree"
        ) from error
    return api


def _complete(api: ir.Api) -> None:
    """Raise KeyError for a reference to nowhere, ValueError for one that ends at itself."""
    from .. import ir

    for definition in api.definitions:
        seen, type = {definition.id}, definition.type
        for id in ir.refs(type):
            api.definition(id)
        while isinstance(type := ir.bare(type), ir.Ref):
            if type.id in seen:
                raise ValueError(f"{type.id} refers to itself and to nothing else")
            seen.add(type.id)
            type = api.definition(type.id).type
    for task in api.tasks:
        for root in (task.input, task.output, task.stream):
            if root:
                api.definition(root)
