"""`taskbind schema`."""

from __future__ import annotations

from pathlib import Path

import click

from ..diagnostics import TaskbindError
from ..schemas import NAMES, file_name, schema_text
from .project import ends


@click.command()
@click.argument("name", type=click.Choice(NAMES), required=False)
@click.option("--to", metavar="DIR", type=click.Path(path_type=Path), help="Write all (or the one) to a folder.")
@ends
def schema(name: str | None, to: Path | None) -> int:
    """Print the JSON Schema of task.toml, wire.toml, dialects.toml or taskbind.toml, for editors.

    Editors that know Taplo (VS Code with Even Better TOML, and others) take `#:schema PATH` in a file's first line, or
    rules in .taplo.toml.
    """
    if to is None:
        if name is None:
            raise TaskbindError(f"say which: {', '.join(NAMES)}; or pass --to DIR, which writes all of them")
        click.echo(schema_text(name), nl=False)
        return 0
    try:
        to.mkdir(parents=True, exist_ok=True)
        for each in [name] if name else NAMES:
            path = to / file_name(each)
            path.write_text(schema_text(each), encoding="utf-8")
            click.echo(path.as_posix())
    except OSError as error:
        raise TaskbindError(f"{to}: cannot be written: {error.strerror or error}") from error
    return 0
