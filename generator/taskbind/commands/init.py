"""`taskbind init`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ..diagnostics import relative
from .project import ends


@click.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--package", metavar="NAME", help="Import name of the generated package; after the folder if left out.")
@ends
def init(folder: Path, package: str | None) -> int:
    """Begin a project in DIR (or here): an example task, a service with tests, nox, pre-commit, CI, editor schemas.

    Nothing that is there is overwritten.
    """
    from ..scaffold.project import init as run

    files = run(folder, package)
    place = relative(folder, Path.cwd())
    click.echo(f"wrote {len(files)} files in {'this folder' if place == '.' else place}. Now:\n")
    enter = [] if place == "." else [f"cd -- {shlex.quote(place)}"]
    steps = ["python -m pip install -r requirements-dev.txt", "taskbind generate", "nox"]
    click.echo("\n".join(f"  {step}" for step in (*enter, *steps)))
    return 0
