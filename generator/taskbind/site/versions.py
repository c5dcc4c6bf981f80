"""The versions that a site holds: which of them is the newest, and the page and file that list them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..commit import MANIFEST, listed
from ..diagnostics import TaskbindError

TOOL: Final = "taskbind site"
"""What a manifest says that it is of."""
FILE: Final = "versions.json"
PAGE: Final = "versions/index.html"
_VERSION: Final = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})(?:(a|b|rc)(0|[1-9]\d{0,5}))?", re.A)


@dataclass(frozen=True)
class Version:
    """A release: ``1.2.0``, or one before it: ``1.2.0a1``, ``1.2.0b1``, ``1.2.0rc1``."""

    name: str

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.name):
            raise TaskbindError(f"{self.name[:60]!r} is no version; one looks like 1.2.0, or 1.2.0rc1 before a release")

    @property
    def order(self) -> tuple[int, int, int, str, int]:
        """Sorts releases from old to new."""
        match = _VERSION.fullmatch(self.name)
        assert match is not None, "the name was checked"
        major, minor, patch, before, number = match.groups()
        return int(major), int(minor), int(patch), before or "release", int(number or 0)

    @property
    def final(self) -> bool:
        """Whether this is a release itself, and none before it."""
        return self.order[3] == "release"


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
    names = [path.name for path in site.iterdir() if _VERSION.fullmatch(path.name) and is_site(path)]
    return [Version(name) for name in names]


def write_versions(versions: list[Version]) -> bytes:
    """The file that lists them, newest first."""
    ordered = sorted(versions, key=lambda version: version.order, reverse=True)
    data = {"newest": newest(versions).name, "versions": [version.name for version in ordered]}
    return (json.dumps(data, indent=1) + "\n").encode()
