"""What is in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def files(folder: Path, skip: str = "") -> dict[str, Path]:
    """The files under a folder by relative path (POSIX separators), sorted; hidden ones are none, nor is one to `skip`.

    Links to files count, links to folders do not. No such folder: no files.
    """
    return {name: Path(path) for name, path in paths(folder, skip).items()}


def paths(folder: Path, skip: str = "") -> dict[str, str]:
    """What :func:`files` gives, as texts: to make a `Path` of each takes longer than to look at the file."""
    return dict(sorted(_found(os.fspath(folder), "", skip)))


def _found(folder: str, prefix: str, skip: str) -> Iterator[tuple[str, str]]:
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name == skip:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _found(entry.path, f"{prefix}{entry.name}/", skip)
        elif entry.is_file():
            yield prefix + entry.name, entry.path
