"""`taskbind import`: specs of other kinds become specs in our layout."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config import is_project, load_config
from ..diagnostics import Report, TaskbindError, relative
from .project import counts, ends, name, show

if TYPE_CHECKING:
    from ..importing.write import Imported

to_option = click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="Folder to put the specs into.  [default: that of taskbind.toml, otherwise `specs`]",
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Count the repairs, and list none.")


@click.group(name="import")
def importing() -> None:
    """Make specs of what is written for other tools.

    What is imported is repaired first, and each repair is listed. All of it is written, or nothing where an error has
    no safe repair, or where a file with other content is in the way.
    """


@importing.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@to_option
@quiet_option
@click.option("--skip", metavar="TASK", multiple=True, help="Leave a task out; repeatable.")
@ends
def hf(folder: Path, to: Path | None, quiet: bool, skip: tuple[str, ...]) -> int:
    """Hugging Face's task specs: a folder of <task>/spec/input.json beside common-definitions.json."""
    from ..importing.huggingface import read

    to = target(to)
    one, other = folder.resolve(), to.resolve()
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise TaskbindError(f"{name(one)} and {name(other)} must not contain each other: name another folder with --to")
    return finish(read(folder, skip), to, quiet)


@importing.command()
@click.argument("file", metavar="FILE")
@to_option
@quiet_option
@click.option(
    "--only",
    metavar="PATTERN",
    multiple=True,
    help="Import operations whose id or path fits, such as '/v1/images/*'; repeatable.",
)
@click.option("--name", "dialect", default="", help="What the service is called in code.  [default: from its title]")
@ends
def openapi(file: str, to: Path | None, quiet: bool, only: tuple[str, ...], dialect: str) -> int:
    """A service's OpenAPI 3 document, JSON or YAML: each operation that is a task, and the service's own dialect.

    An operation that cannot be said exactly is left out, with its reason; the others are written. Exit code 1 says that
    there was one.
    """
    from ..importing.openapi import read
    from ..importing.openapi.operations import NOT_ASKED

    if is_url(file):
        raise TaskbindError("FILE is an address, and nothing is fetched; save it first: `curl -o openapi.json URL`")
    imported = read(Path(file), only, dialect)
    left = dict(imported.left_out)
    if skipped := [what for what, why in left.items() if why == NOT_ASKED]:  # what was not asked for is no news
        left = {what: why for what, why in left.items() if why != NOT_ASKED}
        left[_count(len(skipped), "operation")] = NOT_ASKED
    return finish_in_part(replace(imported, left_out=left), target(to), quiet)


@importing.command()
@click.argument("file", metavar="FILE")
@to_option
@quiet_option
@click.option("--model", metavar="NAME", default="", help="What the model is called, where FILE does not say.")
@ends
def clarifai(file: str, to: Path | None, quiet: bool, model: str) -> int:
    """What Clarifai's models publish about their methods, as JSON: a task for each method.

    FILE holds method signatures, or an answer of Clarifai's API with some in it. A method that cannot be said exactly
    is left out, with its reason; the others are written. Exit code 1 says that there was one.
    """
    from ..importing.clarifai import read

    if is_url(file):
        raise TaskbindError("FILE is an address, and nothing is fetched; save what Clarifai's API answers first")
    return finish_in_part(read(Path(file), model), target(to), quiet)


def is_url(file: str) -> bool:
    """Whether an argument is an address rather than a file."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", file) is not None


def target(to: Path | None) -> Path:
    """Where the specs go: where the user says, where the project at hand has them, or `specs`."""
    return to or (load_config(Path.cwd()).specs if is_project(Path.cwd()) else Path("specs"))


def finish_in_part(imported: Imported, to: Path, quiet: bool) -> int:
    """Finish an import that goes on without what cannot be said, and tell of that, with its place: exit code 1."""
    report = imported.report
    refused = {diagnostic.message.partition(": ")[0] for diagnostic in report.fatal}
    left = {what: why for what, why in imported.left_out.items() if what not in refused}
    told = [diagnostic for diagnostic in report if not diagnostic.repaired and not diagnostic.fatal]
    code = finish(replace(imported, left_out=left), to, quiet)
    show(Report([*([] if quiet else told), *report.fatal], root=report.root))
    return 1 if report.fatal else code


def finish(imported: Imported, to: Path, quiet: bool) -> int:
    """Write what was imported, and say what was repaired, what was left out, and what is left to do."""
    from ..explain import codes
    from ..importing.write import write

    written = write(imported, to)
    repaired = [replace(diagnostic, fix="") for diagnostic in imported.report if diagnostic.repaired]
    if not quiet:
        show(Report(repaired, root=imported.report.root))
    known = codes()
    for code, count in sorted(Counter(diagnostic.code for diagnostic in repaired).items()):
        click.echo(f"{count:5} × {code} {known[code].title if code in known else ''}")
    for what, why in sorted(imported.left_out.items()):
        click.echo(f"left out: {what}: {why}")
    changes = written.changes
    done = f"wrote {len(changes.added)}" if changes else "up to date"
    tasks = len({path.partition("/")[0] for path in imported.files if path.endswith("/input.json")})
    made = f"{_count(tasks, 'task')} → {_count(len(imported.files), 'file')}"
    click.echo(f"{made} in {name(to.resolve())}: {done}; {_count(len(repaired), 'repair')}")
    if left := counts(written.findings):
        folder = shlex.quote(relative(to.resolve(), Path.cwd()))
        where = "" if is_project(Path.cwd()) and target(None).resolve() == to.resolve() else f" --specs {folder}"
        click.echo(f"left for you: {left}; `taskbind lint{where}` lists them", err=True)
    return 0


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
