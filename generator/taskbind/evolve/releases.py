"""Past releases: a folder with the IR of each, as ``<version>.json``, a copy of what was ``api.json`` then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics import TaskbindError
from ..version import Version

if TYPE_CHECKING:  # a run with nothing to do needs this module, but none of these
    from .. import ir


@dataclass(frozen=True)
class Release:
    """One release: its version (``1.2.0``, ``1.2.0rc1``), its file, and the hash of that."""

    version: str
    path: Path
    digest: str

    @cached_property
    def api(self) -> ir.Api:
        """Its IR. Raises TaskbindError for a file that is none."""
        return read_release(self.path)


def release_files(folder: Path | None) -> dict[str, Path]:
    """The files of a folder of releases by name, the oldest version first; hidden ones are none.

    No folder: nothing was released yet. Raises TaskbindError for a name that is not a version's.
    """
    if folder is None or not folder.is_dir():
        return {}
    names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    return {name: folder / name for name in sorted(names, key=lambda name: _version(folder, name).order)}


def read_releases(folder: Path | None) -> tuple[Release, ...]:
    """The releases in a folder, the oldest first. Raises TaskbindError for a file that is none by its name."""
    return tuple(
        Release(name.removesuffix(".json"), path, sha256(path.read_bytes()).hexdigest())
        for name, path in release_files(folder).items()
    )


def baseline(version: Version, released: Iterable[Version]) -> Version | None:
    """The release that another one is compared with: the last one before it, if it comes before a release itself.

    A release is compared with the last release proper, since that is what most people come from. None for the first.
    """
    older = [each for each in released if each.order < version.order and (each.final or not version.final)]
    return max(older, key=lambda each: each.order, default=None)


def _version(folder: Path, name: str) -> Version:
    try:
        stem, dot, suffix = name.rpartition(".")
        return Version(stem if dot + suffix == ".json" else name)
    except TaskbindError:
        raise TaskbindError(
            f"{folder.name}/{name[:80]!r}: not the name of a release; one is a version of three numbers and `.json`, "
            "such as 1.2.0.json or 1.2.0rc1.json"
        ) from None


def read_release(path: Path) -> ir.Api:
    """The IR in an `api.json`. Raises TaskbindError for a file that holds none."""
    from .. import ir_json
    from ..ir_check import check
    from ..load.files import strict_json

    try:
        api = ir_json.from_json(strict_json(path.read_text(encoding="utf-8")))
        check(api)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__}: {str(error)[:200]}"
        raise TaskbindError(
            f"{path.parent.name}/{path.name}: not the api.json of a release ({why}); copy it from that release's tree"
        ) from error
    return api
