"""`taskbind lint`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from ..config import Config
from ..diagnostics import Severity
from .project import Progress, counts, name, project, show


@click.command()
@partial(project, writes=False)
@click.option(
    "--format",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="How to write the findings; all but text are for programs.",
)
def lint(config: Config, progress: Progress, format: str) -> int:
    """Report everything that is wrong with the specs, with the place and the fix.

    What is poor style (TB260 to TB276) and meant can be put aside in its schema: "$comment": "lint: TB267, because …".
    """
    from ..pipeline import lint as run

    report = run(config, progress)
    progress.clear()
    if format != "text":
        from ..findings import FORMATS

        if written := FORMATS[format](report, config.specs, Path.cwd()):
            click.echo(written)
    else:
        show(report)
        click.echo(f"{counts(report) or 'nothing to report'} in {name(config.specs)}")
    return 1 if any(d.severity is Severity.ERROR and not d.loose for d in report) else 0
