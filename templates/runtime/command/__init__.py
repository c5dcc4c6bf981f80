"""What stands behind ``run``: options out of a task's schema, its input, its answer, and how that is shown."""

from __future__ import annotations

import sys

INTERRUPTED = 130
"""The exit code after Ctrl-C."""


class CommandError(Exception):
    """A command line that cannot be followed; the message is one line for the user."""


class ReadError(CommandError):
    """An INPUT that cannot be read; the message is one line for the user."""


class NoAnswer(Exception):  # noqa: N818 - it is the request that is wrong
    """A request that cannot be answered; the message is one line for the user."""


def end_interrupted_line() -> None:
    """Go to the next line, after the ^C that a terminal shows."""
    if sys.stderr.isatty():
        print(file=sys.stderr)


def printable(text: str) -> str:
    """`text` on one line, with whatever could steer a terminal spelled out."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii") for char in text
    )
