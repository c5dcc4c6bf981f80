"""What stands behind ``run``: options out of a task's schema, its input, its answer, and how that is shown."""

from __future__ import annotations


class CommandError(Exception):
    """A command line that cannot be followed; the message is one line for the user."""


class NoAnswer(Exception):  # noqa: N818 - it is the request that is wrong
    """A request that cannot be answered; the message is one line for the user."""


def printable(text: str) -> str:
    """`text` on one line, with whatever could steer a terminal spelled out."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii") for char in text
    )
