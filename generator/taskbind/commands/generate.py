"""`taskbind generate`."""

from __future__ import annotations

import time

import click

from ..config import Config
from .project import Progress, harmless, name, project, show


@click.command()
@project
@click.option("--cold", is_flag=True, help="Make everything anew, whatever the last run has kept.")
@click.option("-v", "--verbose", is_flag=True, help="Show every finding, not only a count.")
def generate(config: Config, progress: Progress, cold: bool, verbose: bool) -> int:
    """Bring the generated tree up to date with the specs."""
    from ..memo import InFile
    from ..pipeline import generate as run

    start = time.perf_counter()
    outcome = run(config, progress, store=None if cold else InFile(config.out), tell=progress.tell)
    progress.clear()
    if verbose:
        show(outcome.report)
    elif found := harmless(outcome.report):
        click.echo(found, err=True)
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
