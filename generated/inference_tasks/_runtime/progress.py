"""How far long work has come, on the last line of a terminal: a bar for many items, a status for one.

Both write to standard error, and only if that is a terminal that a person looks at: never to a file or a pipe, nor
where the environment variable CI is set. The line takes nothing but carriage returns and blanks, so any terminal can
show it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sized
from types import TracebackType
from typing import Self

_PAUSE = 0.1
_BAR = 30
_LEAST = 5
_ASSUMED = 80
_SPINNER = "|/-\\"


class _Line:
    """A line that is written over and over."""

    def __init__(self, wanted: bool) -> None:
        self.shown = wanted and not os.environ.get("CI") and sys.stderr is not None and sys.stderr.isatty()
        self.drawn = False

    @property
    def width(self) -> int:
        """How many columns there are, less the last one: a terminal goes to the next line after that."""
        try:
            return (os.get_terminal_size(sys.stderr.fileno()).columns or _ASSUMED) - 1
        except (OSError, ValueError):
            return _ASSUMED - 1

    def draw(self, text: str) -> None:
        width = self.width
        self._write(f"\r{text[:width].ljust(width)}")
        self.drawn = True

    def clear(self) -> None:
        """Leave the line empty, for others to write to."""
        if self.drawn:
            self._write(f"\r{' ' * self.width}\r")
            self.drawn = False

    def end(self) -> None:
        """Leave the line as it is, and go to the next."""
        if self.drawn:
            self._write("\n")
            self.drawn = False

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError):
            self.shown = False  # the terminal is gone, and the work goes on


class Progress:
    """A bar that counts `inputs` as they are done; without a bar and a remaining time if nobody knows how many."""

    def __init__(self, inputs: object, wanted: bool) -> None:
        self._total = len(inputs) if isinstance(inputs, Sized) else None
        self._line = _Line(wanted)
        self._done = 0
        self._began = self._first = time.monotonic()
        self._drawn = 0.0
        self._draw()

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        now = time.monotonic()
        if self._done == 1:
            self._first = now  # what comes before, such as a model that is loaded, says nothing about the speed
        if now - self._drawn >= _PAUSE:
            self._draw()

    def clear(self) -> None:
        """Take the bar away until the next step, so that something else can be written to the terminal."""
        self._line.clear()

    def close(self) -> None:
        """End with how far it came, on a line of its own; with nothing, if nothing was done."""
        if not self._done:
            self._line.clear()
        elif self._line.drawn:
            self._draw()
        self._line.end()

    def _draw(self) -> None:
        if self._line.shown:
            self._drawn = time.monotonic()
            self._line.draw(self._text(self._drawn, self._line.width))

    def _text(self, now: float, width: int) -> str:
        measured, seconds = self._done - 1, now - self._first
        speed = _speed(measured, seconds)
        if self._total is None:
            return f"{self._done} done  {speed}".rstrip()
        share = min(1.0, self._done / self._total) if self._total else 1.0
        if self._done >= self._total:
            time_left = f"  in {_clock(now - self._began)}"
        else:
            time_left = f"  {_clock(seconds / measured * (self._total - self._done))} left" if speed else ""
        counts = f"{share:4.0%}  {str(self._done).rjust(len(str(self._total)))}/{self._total}"
        text = f"{counts}  {speed}{time_left}".rstrip()
        room = min(_BAR, width - len(text) - len("[]  "))
        if room < _LEAST:
            return text
        filled = int(share * room)
        return f"[{'#' * filled}{'.' * (room - filled)}]  {text}"


class Status:
    """What goes on inside a ``with`` block, with the seconds it takes; shown if it takes longer than one."""

    def __init__(self, text: str, wanted: bool = True) -> None:
        self.wanted = wanted
        self._line = _Line(wanted)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inference-status", daemon=True)
        self.say(text)

    def say(self, text: str) -> None:
        """From here on, `text` is what goes on."""
        self._now = (text, time.monotonic())

    def _run(self) -> None:
        pause, turn = 1.0, 0
        while not self._ended.wait(pause) and self._line.shown:
            text, began = self._now
            self._line.draw(f"{_SPINNER[turn % len(_SPINNER)]} {text} ({time.monotonic() - began:.0f} s)")
            pause, turn = _PAUSE, turn + 1

    def __enter__(self) -> Self:
        if self._line.shown:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Take the status away; more than once does nothing."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._line.clear()


def _speed(done: int, seconds: float) -> str:
    if done < 1 or seconds <= 0:
        return ""
    rate = done / seconds
    return f"{rate:.0f}/s" if rate >= 100 else f"{rate:.1f}/s" if rate >= 1 else f"{seconds / done:.1f} s each"


def _clock(seconds: float) -> str:
    """Seconds as ``m:ss``, or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
