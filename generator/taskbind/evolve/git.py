"""Files of a git revision, read from the repository's objects: nothing is checked out, nothing is fetched, and nothing
that a repository brings along is run.

Names come from the command line and files from whoever wrote the revision. A name is never taken for an option, a file
lands only inside the folder it is meant for, a link is made last and so never written through, and sizes are bounded.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from ..diagnostics import TaskbindError, one_line
from ..load.files import MAX_BYTES

_SECONDS: Final = 60
_MOST_FILES: Final = 20_000
_MOST_BYTES: Final = 64 << 20
_MOST_PRINTED: Final = 2 * _MOST_BYTES
_READ: Final = (".json", ".toml", ".txt")
"""The endings of the files of a spec root whose content counts; others, such as samples, only have to be there."""

_LINK: Final = "120000"
_ENTRY: Final = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40,64}) +(\d+|-)\t(.*)", re.DOTALL)
_ALONE: Final = {"GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class _GitError(Exception):
    """What git said when it failed, in one line."""


@dataclass(frozen=True)
class _Entry:
    """One file of a tree; `path` is relative to that."""

    mode: str
    kind: str
    id: str
    size: int
    path: str

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.path).parts


@dataclass(frozen=True)
class Revision:
    """One commit of the repository around `folder`, by the name that the user gave it.

    `prefix` is that folder's place in the repository: empty, or such as ``services/speech/``.
    """

    name: str
    commit: str
    folder: Path
    prefix: str

    def text(self, path: str) -> str | None:
        """The text of a file by its path in the repository; None if there is none.

        Raises TaskbindError for a link, for what is too large or not UTF-8, and for what this clone does not hold.
        """
        folder, _, name = path.rpartition("/")
        if not self._has_folder(folder):
            return None
        try:
            entry = next((entry for entry in self._entries(folder, deep=False) if entry.path == name), None)
            if entry is None:
                return None
            if entry.kind != "blob" or entry.mode == _LINK or entry.size > MAX_BYTES:
                raise TaskbindError(f"{self.name}:{path} is not a regular file of at most {MAX_BYTES:,} bytes")
            (data,) = self._contents([entry])
            return data.decode("utf-8")
        except _GitError as error:
            raise TaskbindError(f"{self.name} cannot be read: {error}") from error
        except UnicodeDecodeError as error:
            raise TaskbindError(f"{self.name}:{path} is not UTF-8") from error

    def write(self, path: str, to: Path) -> None:
        """Write the folder at a path in the repository into a new folder `to`, as far as a spec root is ever read:
        without hidden files, and of other files than texts their names only.

        Raises TaskbindError where the revision has no such folder, and for one that no spec root can be.
        """
        if not self._has_folder(path):
            raise TaskbindError(f"{self.name} has no folder {path or '.'}/")
        try:
            entries = [entry for entry in self._entries(path, deep=True) if not _hidden(entry)]
        except _GitError as error:
            raise TaskbindError(f"{path or '.'}/ of {self.name} cannot be read: {error}") from error
        for entry in entries:
            if not _stays_inside(entry):
                raise TaskbindError(f"{self.name} holds a file with the path {entry.path[:80]!r}, which is no path")
        files = [entry for entry in entries if entry.kind == "blob" and entry.mode != _LINK]
        read = [entry for entry in files if entry.size <= MAX_BYTES and entry.path.endswith(_READ)]
        links = [entry for entry in entries if entry.mode == _LINK and entry.size < 4096]
        if sum(entry.size for entry in read) > _MOST_BYTES:
            raise TaskbindError(f"{self.name}: the files in {path or '.'}/ have more than {_MOST_BYTES >> 20} MiB")
        try:
            texts = dict(zip((entry.path for entry in read), self._contents(read), strict=True))
            targets = self._contents(links)
        except _GitError as error:
            raise TaskbindError(f"{self.name} cannot be read: {error}") from error
        try:
            to.mkdir(parents=True, exist_ok=True)
            for entry in files:
                file = to.joinpath(*entry.parts)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(texts.get(entry.path, b""))
                if entry.size > MAX_BYTES:  # refused by its size, without its content
                    os.truncate(file, entry.size)
            for entry, target in zip(links, targets, strict=True):
                link = to.joinpath(*entry.parts)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(os.fsdecode(target))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise TaskbindError(f"{self.name}: the files in {path or '.'}/ cannot be written: {why}") from error

    def lacks(self, path: str) -> bool:
        """Whether there is surely nothing at a path in the repository: not where this clone does not hold enough."""
        folder = ""
        try:
            for part in PurePosixPath(path).parts:
                if part not in {entry.path for entry in self._entries(folder, deep=False)}:
                    return True
                folder = f"{folder}/{part}" if folder else part
        except _GitError:
            pass
        return False

    def moved(self, file: str) -> list[str]:
        """The folders that had a file of this name in the revision and have none now; none where nobody can tell."""
        try:
            top = Path(os.fsdecode(_git(self.folder, "rev-parse", "--show-toplevel")).removesuffix("\n"))
            found = [entry.path for entry in self._entries("", deep=True) if entry.parts[-1:] == (file,)]
        except (_GitError, TaskbindError):
            return []
        return [path.rpartition("/")[0] or "." for path in found if not (top / path).exists()]

    def _has_folder(self, path: str) -> bool:
        try:
            _git(self.folder, "ls-tree", "-z", "--full-tree", f"{self.commit}:{path}")
        except _GitError:
            return False
        return True

    def _entries(self, path: str, *, deep: bool) -> list[_Entry]:
        """What is in a folder. Raises _GitError where the clone does not hold all of it, TaskbindError for too much."""
        options = ["-r"] if deep else []
        listed = _git(self.folder, "ls-tree", "-z", "-l", "--full-tree", *options, f"{self.commit}:{path}")
        found = [match for line in listed.split(b"\0") if (match := _ENTRY.fullmatch(line))]
        if len(found) > _MOST_FILES:
            raise TaskbindError(f"{self.name} has more than {_MOST_FILES:,} files in {path or '.'}/")
        return [
            _Entry(mode.decode(), kind.decode(), id.decode(), int(size) if size.isdigit() else 0, os.fsdecode(name))
            for mode, kind, id, size, name in (match.groups() for match in found)
        ]

    def _contents(self, entries: Sequence[_Entry]) -> list[bytes]:
        """The contents of files, read by one process. Raises _GitError where the clone does not hold them."""
        asked = "".join(f"{entry.id}\n" for entry in entries).encode()
        answer = _git(self.folder, "cat-file", "--batch", given=asked) if entries else b""
        out, position = [], 0
        for entry in entries:
            start = answer.find(b"\n", position) + 1
            if answer[position:start] != f"{entry.id} blob {entry.size}\n".encode():
                raise _GitError(f"this clone does not hold {entry.path}; fetch all of the revision first")
            position = start + entry.size + 1
            out.append(answer[start : position - 1])
        return out


def find_revision(name: str, folder: Path) -> Revision:
    """The commit that a name means in the repository around a folder.

    ``main...`` is where the branch at work left main, so that what main got since is no change of ours. ``main:old`` is
    the folder `old` of the repository in main, where the project was elsewhere then.

    Raises TaskbindError where there is no git, no repository, or no such commit.
    """
    said = one_line(name[:80])
    if not name or "\0" in name:
        raise TaskbindError(f"{said!r} is neither a path nor a revision")
    try:
        prefix = os.fsdecode(_git(folder, "rev-parse", "--show-prefix")).removesuffix("\n")
    except _GitError as error:
        raise TaskbindError(f"{said}: there is no such file or folder, and no revision either: {error}") from error
    revision, colon, place = name.partition(":")
    if colon:
        prefix = f"{place.strip('/')}/" if place.strip("/.") else ""
    base = revision.removesuffix("...")
    if commit := _commit(folder, base):
        if base != revision and not (commit := _merge_base(folder, commit)):
            raise TaskbindError(
                f"{said}: {one_line(base[:80])} and HEAD have no commit in common that this clone holds"
            )
        return Revision(said, commit, folder, prefix)
    message = f"{said}: there is no such file or folder here, and no such revision in this repository"
    if _commit(folder, f"refs/remotes/origin/{name}"):
        raise TaskbindError(f"{message}; did you mean origin/{said}?")
    if _shallow(folder):
        fetch = f"--depth=1 origin {name}` fetches it, as FETCH_HEAD"
        fetch = fetch if re.fullmatch(r"[A-Za-z0-9][\w./-]{0,99}", name) else "--unshallow` fetches all of it"
        message += f"; the clone is shallow: `git fetch {fetch}"
    raise TaskbindError(message)


def _commit(folder: Path, name: str) -> str:
    try:
        out = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except _GitError:
        return ""
    commit = out.decode("ascii").strip()
    return commit if re.fullmatch("[0-9a-f]{40,64}", commit) else ""


def _merge_base(folder: Path, commit: str) -> str:
    try:
        return _git(folder, "merge-base", commit, "HEAD").decode("ascii").strip()
    except _GitError:
        return ""


def _shallow(folder: Path) -> bool:
    try:
        return _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"
    except _GitError:
        return False


def _hidden(entry: _Entry) -> bool:
    return any(part.startswith(".") and part != ".." for part in entry.parts)


def _stays_inside(entry: _Entry) -> bool:
    # What git makes itself has no such names, but a tree can be written by hand.
    foreign = os.name == "nt" and re.search(r'[\\:*?"<>|]', entry.path)
    return not foreign and bool(entry.parts) and ".." not in entry.parts and not entry.path.startswith("/")


def _git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What git prints. Raises _GitError with what it complains of, TaskbindError where it cannot run."""
    command = ["git", "-c", "protocol.allow=never", "-c", "core.fsmonitor=false", *arguments]
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
        stdin.write(given)
        stdin.seek(0)
        try:
            process = subprocess.Popen(
                command, cwd=folder, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, env={**os.environ, **_ALONE}
            )
        except OSError as error:
            raise TaskbindError(f"git cannot be run ({error.strerror}); it is needed to read a revision") from error
        except ValueError as error:
            raise _GitError(str(error)) from error
        timer = threading.Timer(_SECONDS, process.kill)
        timer.start()
        try:
            with process:
                assert process.stdout is not None, "it is a pipe"
                out = process.stdout.read(_MOST_PRINTED)
                if len(out) == _MOST_PRINTED:
                    process.kill()
        finally:
            timer.cancel()
        stderr.seek(0)
        told = stderr.read(2000).decode(errors="replace").splitlines() or [""]
    if len(out) == _MOST_PRINTED:
        raise TaskbindError("git prints more than any spec root holds")
    if process.returncode:
        why = next((line for line in told if line.startswith("fatal: ")), told[0]).removeprefix("fatal: ")
        raise _GitError(one_line(why) or f"git ended with {process.returncode}")
    return out
