"""`taskbind new`."""

from __future__ import annotations

from pathlib import Path

import click

from ..config import load_config
from .project import ends, name


@click.command()
@click.argument("task")
@click.option(
    "--input",
    type=click.Choice(["text", "image", "audio", "video"]),
    default="text",
    show_default=True,
    help="What it takes.",
)
@click.option(
    "--output",
    type=click.Choice(["labels", "text", "numbers", "boxes", "image", "audio"]),
    default="labels",
    show_default=True,
    help="What it gives.",
)
@click.option("--specs", type=click.Path(path_type=Path), help="Folder of the specs.  [default: the project's]")
@ends
def new(task: str, input: str, output: str, specs: Path | None) -> int:
    """Begin a task in the folder of the specs: schemas, prose and examples, to be changed into what it is."""
    from ..scaffold.task import new_task

    folder = specs or load_config(Path.cwd()).specs
    for path in new_task(folder, task, input, output):
        click.echo(name(folder / path))
    following = "taskbind lint && taskbind generate"
    if specs is not None:
        following = "`taskbind lint`, where their taskbind.toml is"
    click.echo(f"\nEdit them; then: {following}")
    return 0
