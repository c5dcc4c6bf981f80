"""`taskbind check`."""

from __future__ import annotations

import click

from ..config import Config
from .project import Progress, name, project


@click.command()
@project
@click.option("--diff", is_flag=True, help="Print what generating would change.")
def check(config: Config, progress: Progress, diff: bool) -> int:
    """Tell whether the generated tree is what generating would write. Writes nothing."""
    from ..pipeline import check as run

    outcome, lines = run(config, progress)
    progress.clear()
    if not outcome.changes:
        click.echo(f"{name(config.out)} is up to date ({outcome.tasks} tasks, {outcome.files} files)")
        return 0
    changes = outcome.changes
    for word, paths in (
        ("would add", changes.added),
        ("would change", changes.changed),
        ("would remove", changes.removed),
    ):
        for path in paths:
            click.echo(f"{word}  {path}")
    if diff:
        for line in lines:
            click.echo(line)
    click.secho(f"{name(config.out)} is out of date: run `taskbind generate`", fg="red", err=True)
    return 1
