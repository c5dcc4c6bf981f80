"""Write new files into a folder: all of them or none, and over nobody's work."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from ..diagnostics import EditedError, TaskbindError, relative


def create(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write files, by their paths relative to `folder`, which is made if it is missing; those that are there already
    with the same bytes are left. Returns the paths of those that were written.

    Raises EditedError where one of them, or a file in the place of a folder, is there already, and TaskbindError where
    they cannot be written. Then everything is as before.
    """
    made: list[Path] = []
    try:
        files = {path: data for path, data in sorted(files.items()) if not _same(folder / path, data)}
        if there := [path for path in files if _taken(folder, path)]:
            place = relative(folder, Path.cwd())
            told = f"in the way in {place}: {', '.join(there)}; move or delete them first; nothing was written"
            raise EditedError(told)
        for path, data in files.items():
            _folder((folder / path).parent, made)
            with (folder / path).open("xb") as file:
                made.append(folder / path)
                file.write(data)
        return list(files)
    except BaseException as error:
        for written in reversed(made):
            with contextlib.suppress(OSError):
                written.rmdir() if written.is_dir() else written.unlink()
        if isinstance(error, OSError):
            raise TaskbindError(f"{error.filename or folder}: cannot be written: {error.strerror or error}") from error
        raise


def _same(target: Path, data: bytes) -> bool:
    return target.is_file() and not target.is_symlink() and target.read_bytes() == data


def _taken(folder: Path, path: str) -> bool:
    target = folder / path
    above = [folder / parent for parent in Path(path).parents]
    return target.exists() or target.is_symlink() or any(place.exists() and not place.is_dir() for place in above)


def _folder(path: Path, made: list[Path]) -> None:
    """Make a folder and those above it, and note which were made."""
    if not path.is_dir():
        _folder(path.parent, made)
        path.mkdir()
        made.append(path)
