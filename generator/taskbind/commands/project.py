"""What the commands share: the configuration of the project at hand, progress, findings, and how failures end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from ..config import load_config
from ..diagnostics import LOOSENABLE, Diagnostic, Report, Severity, TaskbindError

_COLOURS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def ends(command: Callable[..., int]) -> Callable[..., None]:
    """Exit with the code that a command returns; turn its failures into one message and theirs."""

    @wraps(command)
    def run(**options: Any) -> None:
        try:
            code = command(**options)
        except TaskbindError as error:
            report = getattr(error, "report", None)
            if report is not None:
                show(report.fatal)
            click.secho(f"taskbind: {error}", fg="red", err=True)
            code = error.exit_code
        sys.exit(code)

    return run


def project(command: Callable[..., int]) -> Callable[..., None]:
    """Give a command the configuration of the project at hand, and progress; it ends as :func:`ends` says."""

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
        progress = Progress()
        try:
            config = load_config(Path.cwd(), specs=specs, out=out, package=package, allow_loose=allow_loose)
            return command(config, progress, **options)
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

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\033[K", nl=False, err=True)


def show(diagnostics: Report | list[Diagnostic]) -> None:
    for diagnostic in diagnostics:
        click.secho(str(diagnostic), fg=_COLOURS[diagnostic.severity])


def counts(report: Report) -> str:
    return ", ".join(f"{n} {s}{'s' * (n != 1)}" for s in Severity if (n := report.count(s)))


def name(path: Path) -> str:
    cwd = Path.cwd()
    return path.relative_to(cwd).as_posix() if path.is_relative_to(cwd) else path.name
