"""Write a tree of specs in our layout: only one that reads without errors, all of it or nothing, over nobody's work."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..commit import Changes, commit, compare, listed, sha256
from ..config import Config
from ..diagnostics import EditedError, Report, TaskbindError, relative

_DIGEST: Final = len(sha256(b""))


class ImportRefusedError(TaskbindError):
    """What was to be imported has errors that leave no one reading. They are in `report`; nothing was written."""

    exit_code = 1

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


@dataclass(frozen=True)
class Imported:
    """What an importer made of a foreign source.

    `files` are the spec files by their path relative to the new spec root (POSIX separators): texts, and the bytes of
    media. `report` are the findings in the source: those that are `repaired` are repaired in `files`. `left_out` says
    why something of the source has no place in `files`, by its name.
    """

    files: Mapping[str, str | bytes]
    report: Report
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """What writing did to the spec root, and what `taskbind lint` still finds in the specs that were imported."""

    changes: Changes
    findings: Report


def write(imported: Imported, to: Path) -> Written:
    """Put imported specs into the folder `to`, beside what is there.

    First they are read and linted from a temporary folder. Nothing that is there is changed or removed. Raises
    ImportRefusedError for errors that generating could not go on past, EditedError for files in `to` that have the same
    names and other bytes, and TaskbindError where `to` is part of what taskbind generates, or cannot be written. Then
    nothing was written.
    """
    root = to.resolve()
    if Path.cwd().resolve().is_relative_to(root):
        raise TaskbindError(f"{root}: is replaced as a whole, so run this from outside of it (the folder above, say)")
    if root.exists() and not root.is_dir():
        raise TaskbindError(f"{root}: is no folder; name another one with --to")
    if made := next((folder for folder in (root, *root.parents) if _is_generated(folder)), None):
        raise TaskbindError(f"{made}: is what taskbind generates; name a folder outside of it with --to")
    files = {path: data.encode() if isinstance(data, str) else data for path, data in imported.files.items()}
    try:
        compare(root, files, {})  # whatever is in the way is told before the work is done
        findings = _linted(files)
        if fatal := findings.fatal:
            said = f"{len(fatal)} error{'s' * (len(fatal) != 1)} in what was to be written; nothing was written"
            raise ImportRefusedError(said, findings)
        changes = commit(root, files, {})
    except EditedError as error:
        where = relative(root, Path.cwd())
        told = [f"{where}/{path}: {_in_the_way(root, path, files)}" for path in error.paths]
        raise EditedError("\n".join([*told, "import into an empty folder with --to, and compare"])) from error
    except OSError as error:
        raise TaskbindError(f"{error.filename or root}: cannot be written: {error.strerror or error}") from error
    findings.root = root
    return Written(changes, findings)


def _is_generated(folder: Path) -> bool:
    """Whether a folder has a manifest of ours; other programs may have one of that name."""
    try:
        return {len(digest) for digest in listed(folder).values()} == {_DIGEST}
    except (TaskbindError, OSError, RecursionError):
        return False


def _in_the_way(root: Path, path: str, files: Collection[str]) -> str:
    if path in files:
        return "has other content than the import"
    return f"is a {'link' if (root / path).is_symlink() else 'file'} in the place of a folder"


def _linted(files: Mapping[str, bytes]) -> Report:
    """What `taskbind lint` finds in a tree of specs, which holds everything that reading them for `generate` finds."""
    from tempfile import TemporaryDirectory

    from ..pipeline import lint

    with TemporaryDirectory(prefix="taskbind-") as folder:
        root = Path(folder) / "specs"
        root.mkdir()
        for name, data in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        report = lint(Config(root, Path(folder) / "out"))
    return Report(report.diagnostics)
