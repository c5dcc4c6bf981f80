"""`taskbind watch`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ..config import Config, is_project
from ..diagnostics import Report, Severity, TaskbindError
from .project import configured, harmless, name, show

if TYPE_CHECKING:
    from ..pipeline import Outcome

_NAMED: Final = 4
"""How many pages of one run are named."""


@click.command()
@configured
def watch(load: Callable[[], Config]) -> int:
    """Keep the generated tree up to date while specs, templates, releases and taskbind.toml are edited.

    Ctrl-C ends it. It says what each change changed, and what is wrong for as long as something is.
    """
    from ..watch import Watch

    if not is_project(Path.cwd()):
        load()  # or say that there is nothing to watch
    try:
        Watch(Path.cwd(), load, _Screen()).run()
    except KeyboardInterrupt:
        below = "\n" if sys.stderr.isatty() else ""  # terminals have put ^C there
        click.echo(f"{below}stopped", err=True)
    return 0


class _Screen:
    """A line for each run, and one for findings that stop nothing where those are news.

    On a terminal, what is wrong has the screen to itself.
    """

    def __init__(self) -> None:
        self._begun = False
        self._wrong = False
        self._found = ""

    def done(self, outcome: Outcome, out: Path, seconds: float) -> None:
        from ..watch import files, pages

        if self._wrong:
            _clear()
        if not (self._begun and not self._wrong and not outcome.changes):
            count = files(outcome)
            what = f"{count} file{'s' * (count != 1)} changed" if outcome.changes else "up to date"
            shown = [f"{name(out)}/{page}" for page in pages(outcome)]
            more = [f"and {len(shown) - _NAMED} more pages"] if len(shown) > _NAMED else []
            named = f": {', '.join([*shown[:_NAMED], *more])}" if shown else ""
            good = "good again, " if self._wrong else ""
            click.secho(f"{_now()} {good}{what} in {seconds:.2f} s{named}", fg="green")
        if outcome.changes:  # else nothing was read
            found = harmless(outcome.report)
            if found != self._found:
                click.echo(found or "specs: nothing to find fault with")
            self._found = found
        if not self._begun:
            click.echo("watching specs, templates, releases and taskbind.toml; Ctrl-C ends", err=True)
        self._begun, self._wrong = True, False

    def failed(self, error: TaskbindError) -> None:
        _clear()
        report = getattr(error, "report", None)
        if report is not None:
            # A warning in the same file may be about the cause.
            paths = {diagnostic.path for diagnostic in report.fatal}
            near = [d for d in report if d.fatal or (d.path in paths and d.severity is not Severity.INFO)]
            show(Report(near, root=report.root))
        click.secho(f"{_now()} taskbind: {error}", fg="red")
        self._begun = self._wrong = True

    def waiting(self, said: str) -> None:
        click.echo(f"{_now()} {said}")


def _clear() -> None:
    if sys.stdout.isatty():
        click.clear()


def _now() -> str:
    return time.strftime("%H:%M:%S")
