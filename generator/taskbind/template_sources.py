"""The sources of templates: found in the project's own folder first, read once in a run."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from .diagnostics import TaskbindError, relative

BUILT_IN: Final = "taskbind/"
"""What a name begins with of the template in the last folder, so that one in its place can include it."""


@dataclass(frozen=True)
class Found:
    """A template's source, where it stands, and its hash."""

    text: str
    path: Path
    hash: str


class Sources:
    """What the folders hold under each name, as it was when it was first asked for; the first folder wins."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._found: dict[str, Found | None] = {}

    def find(self, name: str) -> Found | None:
        """The template of a name, None where there is none. Raises TaskbindError for one that cannot be read."""
        if name not in self._found:
            self._found[name] = self._read(name)
        return self._found[name]

    def hash(self, name: str) -> str | None:
        """The hash of a template's source, None where there is none of the name."""
        found = self.find(name)
        return found.hash if found else None

    @property
    def paths(self) -> set[str]:
        """Where the templates stand that were found so far."""
        return {str(found.path) for found in self._found.values() if found}

    def _read(self, name: str) -> Found | None:
        if any(part in ("", ".", "..") for part in name.split("/")) or "\\" in name:
            return None
        folders = self._folders[-1:] if name.startswith(BUILT_IN) else self._folders
        for folder in folders:
            path = folder / name.removeprefix(BUILT_IN)
            if path.exists():
                try:
                    data = path.read_bytes()
                    text = data.decode("utf-8")
                except (OSError, UnicodeDecodeError) as error:
                    raise _unreadable(path, error.strerror if isinstance(error, OSError) else "is not UTF-8") from error
                if data.startswith(BOM_UTF8):
                    raise _unreadable(path, "begins with a byte order mark; save it as UTF-8 without BOM")
                return Found(text, path, sha256(data).hexdigest())
        return None


def _unreadable(path: Path, why: str | None) -> TaskbindError:
    return TaskbindError(f"{relative(path, Path.cwd())}: cannot read the template: {why}")
