"""The versions that a site holds: which of them is the newest, and the page and file that list them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..commit import MANIFEST, listed
from ..diagnostics import TaskbindError
from ..version import Version

TOOL: Final = "taskbind site"
"""What a manifest says that it is of."""
FILE: Final = "versions.json"
PAGE: Final = "versions/index.html"


def newest(versions: list[Version]) -> Version:
    """The version that belongs at the root of a site: the highest, where those before a release count only if alone."""
    return max(versions, key=lambda version: (version.final, version.order))


def is_site(folder: Path) -> bool:
    """Whether `taskbind site` wrote this folder. Raises TaskbindError for a damaged manifest."""
    if not listed(folder):
        return False
    return bool(json.loads((folder / MANIFEST).read_text(encoding="utf-8")).get("tool") == TOOL)


def read_versions(site: Path) -> list[Version]:
    """The versions that a site holds, in no order: the folders with such a name that are sites themselves."""
    if not site.is_dir():
        return []
    return [version for path in site.iterdir() for version in _named(path) if is_site(path)]


def _named(folder: Path) -> Iterator[Version]:
    """The version that a folder has the name of, if it has."""
    with contextlib.suppress(TaskbindError):
        yield Version(folder.name)


def write_versions(versions: list[Version]) -> bytes:
    """The file that lists them, newest first."""
    ordered = sorted(versions, key=lambda version: version.order, reverse=True)
    data = {"newest": newest(versions).name, "versions": [version.name for version in ordered]}
    return (json.dumps(data, indent=1) + "\n").encode()
