"""A terminal for programs to run in: what they print to it, what is typed, and what stands on it at last."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

COMMAND = (sys.executable, "-m", "inference_tasks")


class Terminal:
    """A program at work in a terminal; `printed` is all that came out of it so far."""

    def __init__(self, process: subprocess.Popen[bytes], end: int) -> None:
        self.process = process
        self.printed = ""
        self._end = end

    def send(self, keys: str) -> None:
        """Type `keys`; ``\\x03`` is Ctrl-C."""
        os.write(self._end, keys.encode())

    def until(self, text: str, seconds: float = 60) -> str:
        """Wait until `text` (a regular expression) comes; what was printed before and with it since the last wait."""
        began = len(self.printed)
        deadline = time.monotonic() + seconds
        while not (found := re.search(text, self.printed[began:])):
            if not self._read(deadline):
                raise AssertionError(f"{text!r} never came:\n{self.printed[began:]!r}")
        return self.printed[began : began + found.end()]

    def wait(self, seconds: float = 60) -> int:
        """Wait for the end of the program; its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def _read(self, deadline: float) -> bool:
        """Take what comes next; False at the end of the program or of the time."""
        if not select.select([self._end], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self._end, 65536)
        except OSError:  # Linux says so when nobody has the other end open any more
            return False
        self.printed += data.decode("utf-8", "replace")
        return bool(data)

    @property
    def screen(self) -> list[str]:
        """The lines that stand on the terminal, for programs that steer it with nothing but carriage returns."""
        return screen(self.printed)


def screen(printed: str) -> list[str]:
    """The lines that `printed` leaves on a terminal."""
    lines = []
    for raw in printed.replace("\r\n", "\n").split("\n"):
        line = ""
        for part in raw.split("\r"):
            line = part + line[len(part) :]
        lines.append(line.rstrip())
    return lines


@contextmanager
def terminal(
    *command: str,
    columns: int = 80,
    variables: Mapping[str, str] | None = None,
    stdout: Any = None,
    program: Sequence[str] = COMMAND,
) -> Iterator[Terminal]:
    """Run `program` with the arguments `command` in a terminal that ends with the block; `stdout` may go elsewhere."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    unwanted = ("CI", "COLUMNS", "LINES", "PYTHONUNBUFFERED")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    process = subprocess.Popen(
        [*program, *command],
        stdin=theirs,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        env={**environment, "TERM": "xterm", **(variables or {})},
        start_new_session=True,
        # The terminal has to be the program's own, or Ctrl-C would reach nobody.
        preexec_fn=lambda: fcntl.ioctl(2, termios.TIOCSCTTY, 0) and None,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)
