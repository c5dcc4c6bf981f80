"""`taskbind generate`."""

from __future__ import annotations

import time

import click

from ..config import Config
from ..diagnostics import Report
from .project import Progress, counts, name, project, show


@click.command()
@project
@click.option("-v", "--verbose", is_flag=True, help="Show every finding, not only a count.")
def generate(config: Config, progress: Progress, verbose: bool) -> int:
    """Bring the generated tree up to date with the specs."""
    from ..pipeline import generate as run

    start = time.perf_counter()
    outcome = run(config, progress)
    progress.clear()
    _repairs(outcome.report, verbose)
    changes = outcome.changes
    done = (
        f"wrote {len(changes.added) + len(changes.changed)}, removed {len(changes.removed)}"
        if changes
        else "up to date"
    )
    click.echo(
        f"{outcome.tasks} tasks → {outcome.files} files in {name(config.out)}: {done}"
        f" ({time.perf_counter() - start:.2f} s)"
    )
    return 0


def _repairs(report: Report, verbose: bool) -> None:
    loose = [diagnostic for diagnostic in report if diagnostic.loose]
    if verbose:
        show(report)
    elif len(report):
        what = f"{len(loose)} let pass, where models differ from their schemas" if loose else "none in the way"
        click.echo(f"specs: {counts(report)}; {what}; `taskbind lint` lists them", err=True)
