"""Several INPUTs in one run: an answer to each, in their order; one that fails does not stop the others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from typing import Any

from ..progress import Progress, Status
from . import CommandError, NoAnswer, ReadError, printable
from .output import Shown, json_text

_HEADING = 100


def attempt(ask: Callable[[str], Any]) -> Callable[[str], Any]:
    """`ask`, with the error of an input in place of its answer."""

    def tried(text: str) -> Any:
        try:
            return ask(text)
        except (NoAnswer, ReadError) as error:
            return error

    return tried


def show(task: str, inputs: Sequence[str], answers: Iterator[Any], shown: Shown, status: Status) -> int:
    """Print `answers` (or errors) to `inputs` as they come in, and at last how many failed; the exit code.

    `status` is shown until the first of them.
    """
    failed = 0
    with closing(Progress(inputs, status.wanted)) as progress:
        with status:
            first = next(answers)
        for number, (text, answer) in enumerate(zip(inputs, chain([first], answers), strict=True), 1):
            if sys.stdout.isatty() or isinstance(answer, Exception) or shown.target is not None:
                progress.clear()  # something else comes to where it stands
            failed += not _one(text, answer, shown, number)
            progress.step()
        if sys.stdout.isatty():
            progress.clear()
    if failed:
        print(f"{task}: {failed} of {len(inputs)} inputs failed", file=sys.stderr)
    return 1 if failed else 0


def _one(text: str, answer: Any, shown: Shown, number: int) -> bool:
    """Print one answer; whether it is one, and its files could be saved."""
    if isinstance(answer, NoAnswer | ReadError):
        if shown.as_json:
            print(json_text({"input": text, "error": printable(str(answer))}), flush=True)
        else:
            _complain(text, answer)
        return False
    if shown.as_json:
        print(json_text({"input": text, "output": answer}), flush=True)
    else:
        print(f"{'' if number == 1 else chr(10)}{_heading(text)}:")
        print(shown.text(answer), flush=True)
    try:
        shown.save(answer, number)
    except CommandError as error:
        _complain(text, error)
        return False
    return True


def _complain(text: str, error: Exception) -> None:
    sys.stdout.flush()
    said = printable(str(error))
    heading = _heading(text)
    print(said if said.startswith(heading) else f"{heading}: {said}", file=sys.stderr)


def _heading(text: str) -> str:
    heading = printable(text)
    return heading if len(heading) <= _HEADING else f"{heading[: _HEADING - 1]}…"
