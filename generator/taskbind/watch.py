"""Regenerate whenever something is saved that decides an output."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

from watchfiles import Change, watch as watched

from .commit import MANIFEST
from .config import FILE, Config
from .context import built_in_templates
from .diagnostics import EditedError, TaskbindError
from .manifest import tools
from .memo import InFile, InProcess
from .pipeline import Outcome, generate

_STEP: Final = 20
"""Milliseconds of silence after which something counts as saved: editors write a file in several steps."""
_LONGEST: Final = 400
_IDLE: Final = 100
"""Milliseconds after which to look for what the system does not tell, and to believe in an error."""


class Screen(Protocol):
    """Where it is said what happened."""

    def done(self, outcome: Outcome, out: Path, seconds: float) -> None:
        """The output is what the inputs say."""

    def failed(self, error: TaskbindError) -> None:
        """Something is wrong; the output is as it was."""

    def waiting(self, said: str) -> None:
        """Somebody else is writing the output."""


class Watch:
    """Keeps the output of one project up to date. `load` reads its configuration, from `folder`, as it is now."""

    def __init__(self, folder: Path, load: Callable[[], Config], screen: Screen) -> None:
        self._file = folder / FILE
        self._load = load
        self._screen = screen
        self._tools = tools()
        self._stamp: tuple[int, ...] | None = None
        self._config: Config | None = None
        self._store: InProcess | None = None
        self._unread = False  # whether the configuration could not be read when that was last tried
        self._edited = False  # whether the output is somebody's own work, until he takes that out of the way

    def run(self) -> None:
        """Go on until KeyboardInterrupt. Raises TaskbindError once the generator itself is not what it was at first."""
        error: TaskbindError | None = None
        for changed in self._events():
            if changed:
                error = self._turn()
                gc.collect()  # now that all is in place, and nobody waits
            elif error is not None:  # and nothing was saved since: this is no half of a change
                self._screen.failed(error)
                error = None

    def _events(self) -> Iterator[bool]:
        """Whether something may have changed, each time that something has, and whenever nothing has for a while."""
        while True:
            roots = self._roots()
            first = True
            for changes in watched(
                *(path for path, _ in roots),
                watch_filter=_visible,
                step=_STEP,
                debounce=_LONGEST,
                rust_timeout=_IDLE,
                yield_on_timeout=True,
            ):
                # The first time the system has just begun to tell, so that anything may have changed before.
                yield first or bool(changes) or self._stamp != _stamp(self._file) or self._mended()
                first = False
                if self._roots() != roots:
                    break

    def _roots(self) -> list[tuple[Path, int]]:
        """The folders to watch, those that are there, each with what tells it from another one of its name."""
        config = self._config
        own = [config.specs, config.releases, config.templates] if config else []
        own += [config.out] if config and self._edited else []
        found = (path for path in (*own, built_in_templates()) if path is not None and path.is_dir())
        return [(path, path.stat().st_ino) for path in found]

    def _mended(self) -> bool:
        """Whether a configuration that could not be read can be now: a folder that it names may have come to be."""
        if not self._unread:
            return False
        try:
            self._load()
        except TaskbindError:
            return False
        return True

    def _turn(self) -> TaskbindError | None:
        """Bring the output up to date; returns why that could not be."""
        if tools() != self._tools:
            raise TaskbindError("taskbind or one of its tools was changed meanwhile; start it again")
        start = time.perf_counter()
        self._stamp = _stamp(self._file)
        self._unread = True
        try:
            config = self._load()
            self._unread = False
            if self._store is None or self._config is None or config.out != self._config.out:
                self._store = InProcess(InFile(config.out))
            self._config = config
            outcome = generate(config, store=self._store, tell=self._screen.waiting)
        except TaskbindError as error:
            self._edited = isinstance(error, EditedError)
            return error
        self._edited = False
        self._screen.done(outcome, config.out, time.perf_counter() - start)
        return None


def pages(outcome: Outcome) -> list[str]:
    """The pages of the docs that a run has changed, as paths in the output."""
    paths = (*outcome.changes.added, *outcome.changes.changed)
    return [path for path in paths if path.startswith("docs/") and path.endswith(".md")]


def files(outcome: Outcome) -> int:
    """How many files a run has written or removed, the manifest aside."""
    changes = outcome.changes
    return len({*changes.added, *changes.changed, *changes.removed} - {MANIFEST})


def _visible(change: Change, path: str) -> bool:
    return not os.path.basename(path).startswith(".")


def _stamp(file: Path) -> tuple[int, ...] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
