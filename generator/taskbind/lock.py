"""Keep two runs on one output apart: the second waits, and says for whom.

The lock is the operating system's own on a file beside the output, so it ends with the process that holds it, however
that ends. What stands in the file only tells others who that is.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from .diagnostics import TaskbindError, one_line

PATIENCE: Final = 60.0
"""How many seconds a run waits for another one."""
_PAUSE: Final = 0.05
_COMMAND: Final = 100
_OFFSET: Final = 1 << 30  # on Windows a locked byte cannot be read, so it is one that is not there


def beside(out: Path, what: str) -> Path:
    """A file or folder of ours next to an output; version control is told to ignore them all."""
    return out.with_name(f".{out.name}.taskbind-{what}")


@contextlib.contextmanager
def locked(out: Path, tell: Callable[[str], None] = lambda said: None, patience: float = PATIENCE) -> Iterator[bool]:
    """Hold an output for as long as the context lasts; gives whether that took waiting for somebody else.

    `tell` is told once for whom. Raises TaskbindError after `patience` seconds of waiting, and OSError where there can
    be no lock beside `out`.
    """
    path = beside(out, "lock")
    start = time.monotonic()
    waited = False
    while (descriptor := _take(path)) is None:
        if time.monotonic() - start >= patience:
            raise TaskbindError(f"{_holder(path, out)}; nothing was written. Wait for it, or end it, and run again.")
        if not waited:
            tell(f"waiting: {_holder(path, out)}")
        waited = True
        time.sleep(_PAUSE)
    try:
        holder = {"pid": os.getpid(), "command": _command(), "since": time.time()}
        os.write(descriptor, json.dumps(holder).encode())
        yield waited
    finally:
        with contextlib.suppress(OSError):  # Windows keeps a file that is open; the next run will use it
            path.unlink()
        os.close(descriptor)


def _take(path: Path) -> int | None:
    """The open lock file, once it is ours; None where it is somebody else's."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor)
            if _is(path, descriptor):
                os.truncate(descriptor, 0)
                return descriptor
        except OSError as error:
            os.close(descriptor)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
                raise
            return None
        os.close(descriptor)  # whoever held it has removed it meanwhile: another run may hold a new one


def _is(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _command() -> str:
    words = [Path(sys.argv[0]).name, *sys.argv[1:]] if sys.argv else []
    return one_line(shlex.join(words))[:_COMMAND]


def _holder(path: Path, out: Path) -> str:
    """Who holds an output, as far as can be told."""
    try:
        holder = json.loads(path.read_bytes())
        who = f"process {int(holder['pid'])} ({one_line(str(holder['command']))[:_COMMAND]})"
        since = f", for {max(0.0, time.time() - float(holder['since'])):.0f} s now"
    except (OSError, ValueError, KeyError, TypeError):
        who, since = "another process", ""
    return f"{who} is writing {out.name}{since}"
