"""`taskbind diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import click

from ..diagnostics import TaskbindError
from .project import Progress, ends, name

_FORMATS: Final = ("text", "markdown", "json", "sarif", "github")


@click.command()
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option(
    "--format",
    type=click.Choice(_FORMATS),
    default="text",
    show_default=True,
    help="How to write the changes: for a terminal, a comment on a pull request, programs, code scanning, or the log "
    "of a GitHub workflow.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["breaking", "dangerous", "never"]),
    default="never",
    show_default=True,
    help="Exit with 1 if a change that is not ignored is this bad, or worse.",
)
@click.option(
    "--for",
    "audience",
    type=click.Choice(["wire", "python", "both"]),
    default="both",
    show_default=True,
    help="Whose compatibility counts: that of callers on the wire, of users of the generated Python, or both.",
)
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write to a file.")
@ends
def diff(
    old: str | None,
    new: str | None,
    format: str,
    fail_on: Literal["breaking", "dangerous", "never"],
    audience: Literal["wire", "python", "both"],
    to: Path | None,
) -> int:
    """Tell what changed in the API from OLD to NEW, and for whom that is breaking, dangerous or safe.

    OLD and NEW are each a folder with a taskbind.toml, a folder of specs, an api.json, or a git revision, of which
    nothing is checked out. NEW is the working tree where it is left out, OLD the last release. A path that is there
    wins over a revision of that name. main... is where the branch at work left main; main:old is the project that was
    in the folder old then.

    The exit code is 0 whatever changed, unless --fail-on asks for more: reading about a change is one thing, stopping
    because of it another. Changes that [[diff.ignore]] in taskbind.toml names, with a reason and a last day, are shown
    and do not count.

    Before the first release, and against a revision from before the project, there is nothing to compare with: that is
    said, nothing is written, and the exit code is 0. A revision that there is none of is an error.
    """
    from datetime import date

    from ..evolve.compare import compare
    from ..evolve.report import FORMATS
    from ..evolve.sources import NothingYetError, ignore_list, read_sources
    from ..evolve.verdict import Level

    folder, progress = Path.cwd(), Progress()
    try:
        before, after = read_sources(old, new, folder, progress)
        progress("compare")
        comparison = compare(before, after, *ignore_list(after, folder), date.today())
    except NothingYetError as nothing:
        progress.clear()
        click.echo(f"nothing to compare with: {nothing}", err=True)
        return 0
    finally:
        progress.clear()
    written = FORMATS[format](comparison, audience)
    if to is not None:
        try:
            to.write_text(f"{click.unstyle(written)}\n" if written else "", encoding="utf-8")
        except OSError as error:
            raise TaskbindError(f"{name(to.resolve())}: cannot be written: {error.strerror or error}") from error
    elif written:
        click.echo(written)
    worst = comparison.worst(audience)
    return 0 if fail_on == "never" or worst is None or worst.rank < Level(fail_on).rank else 1
