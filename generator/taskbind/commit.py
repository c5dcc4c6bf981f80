"""Put a rendered tree on disk: all of it or nothing, and never over anybody's own work.

The new tree is built beside the old one (files that do not change are hard links to the old ones, so their inodes and
times stay) and the two directories are exchanged in one system call. A crash before that call leaves the old tree, a
crash after it the new one; what is left over beside it is cleared by the next run. Where the system or the file system
has no such call, two renames stand in for it, and the next run puts the old tree back if a crash fell between them.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .diagnostics import EditedError, TaskbindError
from .lock import beside, locked

MANIFEST: Final = "manifest.json"

_SYNCS: Final = 8
_NAMED: Final = 10
"""How many files a message names."""
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2  # Linux renameat2(2)
_RENAME_SWAP: Final = 2  # macOS renamex_np(2)


@dataclass(frozen=True)
class Changes:
    """What a commit does: paths relative to the output directory, sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def sha256(data: bytes) -> str:
    """The hash that manifests use."""
    return hashlib.sha256(data).hexdigest()


def listed(out: Path) -> dict[str, str]:
    """The outputs that the manifest in `out` lists, with their hashes; empty where there is none.

    Raises TaskbindError for a manifest that is damaged or that names a path outside `out`.
    """
    path = out / MANIFEST
    if not path.exists():
        return {}
    try:
        outputs = json.loads(path.read_text(encoding="utf-8"))["outputs"]
        entries = {str(name): str(digest) for name, digest in outputs.items()}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise TaskbindError(f"{path}: not a manifest ({error}); restore it from version control") from error
    for name in entries:
        _inside(name)
    return entries


def compare(out: Path, files: Mapping[str, bytes], old: Mapping[str, str] | None = None) -> Changes:
    """What :func:`commit` would do to `out`. Writes nothing.

    `old` are the files in `out` that may be changed and removed, with their hashes; without it, those that the manifest
    lists. Raises EditedError for a listed file whose bytes are neither those that the manifest lists nor those that are
    about to be written: somebody edited it by hand. So does an unlisted file in the way of a new one, and a link to a
    folder, through which files would be written elsewhere.
    """
    own = () if old is not None else (MANIFEST,)
    old = listed(out) if old is None else old
    edited: list[str] = []
    added: list[str] = []
    changed: list[str] = []
    in_the_way = _no_folders(out, files, old)
    for name, data in sorted(files.items()):
        now = _read(os.path.join(out, name))
        if now == data:
            continue
        if now is None:
            added.append(name)
        elif name in own:
            changed.append(name)
        elif name not in old:
            in_the_way.append(name)
        elif sha256(now) != old[name]:
            edited.append(name)
        else:
            changed.append(name)
    removed: list[str] = []
    for name in sorted(old.keys() - files.keys()):
        now = _read(os.path.join(out, name))
        if now is not None:
            (removed if sha256(now) == old[name] else edited).append(name)
    if edited:
        if all(_same_but_line_ends(out / name, old[name]) for name in edited):
            raise EditedError(
                f"other line ends than were generated: {_some(edited)}\n"
                f"Git may have changed them: write `{out.name}/** -text` into .gitattributes, then delete these files "
                "and check them out again."
            )
        raise EditedError(
            f"edited by hand since they were generated: {_some(edited)}\n"
            "Move the change into the specs or templates, then restore or delete these files and run again."
        )
    if in_the_way:
        raise EditedError(
            f"not written by taskbind, but in its way: {_some(in_the_way)}\nMove or delete these files first.",
            in_the_way,
        )
    return Changes(tuple(added), tuple(changed), tuple(removed))


def _same_but_line_ends(path: Path, digest: str) -> bool:
    now = _read(path)
    return now is not None and sha256(now.replace(b"\r\n", b"\n")) == digest


def _some(names: Sequence[str]) -> str:
    """The first names of many, and how many more there are."""
    shown = ", ".join(sorted(names)[:_NAMED])
    return f"{shown}, and {len(names) - _NAMED} more" if len(names) > _NAMED else shown


def commit(out: Path, files: Mapping[str, bytes], old: Mapping[str, str] | None = None) -> Changes:
    """Make the generated part of `out` be `files`; files that no manifest lists are left alone.

    `old` as in :func:`compare`. Waits for another run that is writing there. Raises TaskbindError as :func:`compare`
    does, and where the directory cannot be written. Then `out` is as before.
    """
    with held(out):
        return put(out, files, old)


@contextlib.contextmanager
def held(out: Path, tell: Callable[[str], None] = lambda said: None) -> Iterator[bool]:
    """Hold an output, whose parent folder is made; gives whether that took waiting for somebody else.

    Raises TaskbindError where somebody else goes on holding it, and where its place cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with _writing(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            waited = stack.enter_context(locked(out, tell))
        yield waited


def put(out: Path, files: Mapping[str, bytes], old: Mapping[str, str] | None = None) -> Changes:
    """What :func:`commit` does, for those who hold `out`."""
    with _writing(out):
        recover(out)
        changes = compare(out, files, old)
        if changes:
            stage = beside(out, "new")
            _stage(out, stage, files, changes)
            _exchange(stage, out)
            shutil.rmtree(stage, ignore_errors=True)
        return changes


@contextlib.contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise TaskbindError(f"{error.filename or out}: cannot write the output: {reason}") from error


def recover(out: Path) -> None:
    """Clear what a killed run left beside `out`, and undo the half of a two-step exchange."""
    stage, backup = beside(out, "new"), beside(out, "old")
    if backup.exists() and not out.exists():
        backup.rename(out)
    for leftover in (stage, backup):
        if leftover.exists():
            shutil.rmtree(leftover)


def _stage(out: Path, stage: Path, files: Mapping[str, bytes], changes: Changes) -> None:
    from concurrent.futures import ThreadPoolExecutor  # not at the top: a run with nothing to do stages nothing

    stage.mkdir()
    written = {*changes.added, *changes.changed}
    if out.exists():
        shutil.copystat(out, stage)
        _link_tree(out, stage, "", {*written, *changes.removed})
    for folder in sorted({(stage / name).parent for name in written}):
        folder.mkdir(parents=True, exist_ok=True)
    # Waiting for the disk takes longer than all the rest, file by file.
    with ThreadPoolExecutor(_SYNCS) as pool:
        list(pool.map(lambda name: _write(stage / name, files[name]), sorted(written)))


def _link_tree(old: Path, new: Path, prefix: str, leave: set[str]) -> None:
    """Recreate the directory `old` in `new` with hard links to its files, but for those to `leave` out."""
    with os.scandir(old) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = f"{prefix}{entry.name}"
            target = new / entry.name
            if name in leave:
                continue
            if entry.is_symlink():
                target.symlink_to(os.readlink(entry.path))
            elif entry.is_dir():
                target.mkdir()
                _link_tree(Path(entry.path), target, f"{name}/", leave)
                # A directory that held nothing but removed files goes with them; one that was empty before stays.
                if any(item.startswith(f"{name}/") for item in leave) and not any(target.iterdir()):
                    target.rmdir()
                else:
                    shutil.copystat(entry.path, target)
            else:
                try:
                    os.link(entry.path, target)
                except OSError:  # a file system without hard links
                    shutil.copy2(entry.path, target)


def _write(path: Path, data: bytes) -> None:
    """Have a file on the disk before anything points to it."""
    with path.open("xb", buffering=0) as file:
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())


def _exchange(stage: Path, out: Path) -> None:
    if not out.exists():
        stage.rename(out)
        return
    if _swap(stage, out):
        return
    backup = beside(out, "old")
    out.rename(backup)
    stage.rename(out)
    shutil.rmtree(backup, ignore_errors=True)


def _swap(a: Path, b: Path) -> bool:
    """Exchange two directories atomically; False where the system cannot."""
    if sys.platform not in ("linux", "darwin"):
        return False
    import ctypes  # not at the top: `check` needs this module, and never exchanges anything

    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        failed = libc.renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE)
    elif hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(os.fsencode(a), os.fsencode(b), _RENAME_SWAP)
    else:
        return False
    if failed:
        code = ctypes.get_errno()
        if code not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise OSError(code, os.strerror(code), str(b))
    return not failed


def _read(path: str | Path) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _no_folders(out: Path, names: Iterable[str], old: Mapping[str, str]) -> list[str]:
    """What is in the place of folders that files need: files that are not in `old`, and links, which lead anywhere."""
    for name in names:
        _inside(name)
    folders = {name[:at] for name in names for at, letter in enumerate(name) if letter == "/"} - old.keys()
    paths = {name: out / name for name in sorted(folders)}
    return [name for name, path in paths.items() if path.is_symlink() or (path.exists() and not path.is_dir())]


def _inside(name: str) -> None:
    if name.startswith("/") or "\\" in name or any(part in ("", ".", "..") for part in name.split("/")):
        raise TaskbindError(f"output path {name!r} leaves the output directory")
