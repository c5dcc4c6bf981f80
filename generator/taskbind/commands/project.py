"""What the commands share: the configuration of the project at hand, progress, findings, and how failures end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from ..config import Config, load_config
from ..diagnostics import LOOSENABLE, Report, Severity, TaskbindError, one_line, relative

_COLOURS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def ends(command: Callable[..., int]) -> Callable[..., None]:
    """Exit with the code that a command returns; turn its failures into one message and theirs."""

    @wraps(command)
    def run(**options: Any) -> None:
        try:
            _need_folder()
            code = command(**options)
        except BrokenPipeError:  # nobody reads on; click ends the run
            raise
        except OSError as error:
            click.secho(f"taskbind: {_said(error)}", fg="red", err=True)
            code = TaskbindError.exit_code
        except TaskbindError as error:
            report = getattr(error, "report", None)
            if report is not None:
                show(report, fatal=True, err=True)  # what was asked for stays alone on standard output
            click.secho(f"taskbind: {error}", fg="red", err=True)
            code = error.exit_code
        sys.exit(code)

    return run


def _need_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise TaskbindError("the current folder is no longer there; go to one that is") from error


def _said(error: OSError) -> str:
    """What the system refused, where no command had a better word for it."""
    where = f"{name(Path(os.fsdecode(error.filename)))}: " if isinstance(error.filename, str | bytes) else ""
    return one_line(f"{where}{error.strerror or error}")


def configured(command: Callable[..., int]) -> Callable[..., None]:
    """Give a command what reads the configuration of the project at hand; it ends as :func:`ends` says."""

    @click.option("--specs", type=click.Path(path_type=Path), help="Folder of the specs.")
    @click.option("--out", type=click.Path(path_type=Path), help="Folder of the generated tree.")
    @click.option("--package", help="Import name of the generated package.")
    @click.option(
        "--allow-loose",
        metavar="CODE",
        multiple=True,
        help=f"Go on past a refusal, without the refused keyword ({', '.join(sorted(LOOSENABLE))}); repeatable.",
    )
    @ends
    @wraps(command)
    def run(
        specs: Path | None, out: Path | None, package: str | None, allow_loose: tuple[str, ...], **options: Any
    ) -> int:
        def load(*, writes: bool = True) -> Config:
            folder = Path.cwd()
            return load_config(folder, specs=specs, out=out, package=package, allow_loose=allow_loose, writes=writes)

        return command(load, **options)

    return run


def project(command: Callable[..., int], *, writes: bool = True) -> Callable[..., None]:
    """Give a command the configuration of the project at hand, and progress; it ends as :func:`ends` says.

    A command that `writes` nothing needs no place for it.
    """

    @configured
    @wraps(command)
    def run(load: Callable[..., Config], **options: Any) -> int:
        progress = Progress()
        try:
            return command(load(writes=writes), progress, **options)
        finally:
            progress.clear()

    return run


class Progress:
    """One line that names the stage at work, on terminals only."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, stage: str) -> None:
        if self._shown:
            click.echo(f"\r\033[K{stage} …", nl=False, err=True)

    def tell(self, said: str) -> None:
        """A line that stays."""
        self.clear()
        click.echo(said, err=True)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\033[K", nl=False, err=True)


def show(report: Report, *, fatal: bool = False, err: bool = False) -> None:
    """Print findings, or the fatal ones, each with a place that terminals and editors make a link of: ``specs/…:3``."""
    folder = relative(report.root, Path.cwd()) if report.root else ""
    for diagnostic in report.fatal if fatal else report:
        click.secho(diagnostic.told(folder), fg=_COLOURS[diagnostic.severity], err=err)


def counts(report: Report) -> str:
    return ", ".join(f"{n} {s}{'s' * (n != 1)}" for s in Severity if (n := report.count(s)))


def harmless(report: Report) -> str:
    """What was found that stops nothing, in a line; empty where there is nothing of that kind."""
    others = [diagnostic for diagnostic in report if not diagnostic.fatal]
    if not others:
        return ""
    loose = sum(diagnostic.loose for diagnostic in others)
    what = f"{loose} let pass, where models differ from their schemas" if loose else "none in the way"
    return f"specs: {counts(Report(others))}; {what}; `taskbind lint` lists them"


def name(path: Path) -> str:
    """How to get to a path from where the command runs."""
    return relative(path, Path.cwd())
