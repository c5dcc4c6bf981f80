"""The `taskbind` command.

Exit codes: 0 done (or nothing to do), 1 something in the specs or the output needs a person (errors in specs, output
out of date, files edited by hand), 2 the command could not run (wrong usage, bad configuration, unreadable files).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from . import __version__
from .config import Config, load_config
from .diagnostics import LOOSENABLE, Diagnostic, Report, Severity, TaskbindError

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="taskbind")
def main() -> None:
    """Typed models, client, server, OpenAPI and docs from one pair of JSON Schemas per inference task.

    Settings come from taskbind.toml in the current directory; options win over it.
    """


def _project(command: Callable[..., int]) -> Callable[..., None]:
    """Give a command its configuration, and turn its failures into one message and an exit code."""

    @click.option("--specs", type=click.Path(path_type=Path), help="Folder of the specs.")
    @click.option("--out", type=click.Path(path_type=Path), help="Folder of the generated tree.")
    @click.option("--package", help="Import name of the generated package.")
    @click.option(
        "--allow-loose",
        metavar="CODE",
        multiple=True,
        help=f"Go on past a refusal, without the refused keyword ({', '.join(sorted(LOOSENABLE))}); repeatable.",
    )
    @wraps(command)
    def run(
        specs: Path | None, out: Path | None, package: str | None, allow_loose: tuple[str, ...], **options: Any
    ) -> None:
        progress = _Progress()
        try:
            config = load_config(Path.cwd(), specs=specs, out=out, package=package, allow_loose=allow_loose)
            code = command(config, progress, **options)
        except TaskbindError as error:
            progress.clear()
            report = getattr(error, "report", None)
            if report is not None:
                _show(report.fatal)
            click.secho(f"taskbind: {error}", fg="red", err=True)
            code = error.exit_code
        sys.exit(code)

    return run


@main.command()
@_project
@click.option("-v", "--verbose", is_flag=True, help="Show every finding, not only a count.")
def generate(config: Config, progress: _Progress, verbose: bool) -> int:
    """Bring the generated tree up to date with the specs."""
    from .pipeline import generate as run

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
        f"{outcome.tasks} tasks → {outcome.files} files in {_name(config.out)}: {done}"
        f" ({time.perf_counter() - start:.2f} s)"
    )
    return 0


@main.command()
@_project
@click.option("--diff", is_flag=True, help="Print what generating would change.")
def check(config: Config, progress: _Progress, diff: bool) -> int:
    """Tell whether the generated tree is what generating would write. Writes nothing."""
    from .pipeline import check as run

    outcome, lines = run(config, progress)
    progress.clear()
    if not outcome.changes:
        click.echo(f"{_name(config.out)} is up to date ({outcome.tasks} tasks, {outcome.files} files)")
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
    click.secho(f"{_name(config.out)} is out of date: run `taskbind generate`", fg="red", err=True)
    return 1


@main.command()
@_project
@click.option(
    "--format",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="How to write the findings; all but text are for programs.",
)
def lint(config: Config, progress: _Progress, format: str) -> int:
    """Report everything that is wrong with the specs, with the place and the fix.

    What is poor style (TB260 to TB276) and meant can be put aside in its schema: "$comment": "lint: TB267, because …".
    """
    from .pipeline import lint as run

    report = run(config, progress)
    progress.clear()
    if format != "text":
        from .findings import FORMATS

        if written := FORMATS[format](report, config.specs, Path.cwd()):
            click.echo(written)
    else:
        _show(report)
        click.echo(f"{_counts(report) or 'nothing to report'} in {_name(config.specs)}")
    return 1 if any(d.severity is Severity.ERROR and not d.loose for d in report) else 0


@main.command()
@_project
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    default="site",
    show_default=True,
    help="Folder of the site.",
)
@click.option("--release", metavar="VERSION", help="Keep the site below this version, and the newest one at the root.")
@click.option("--url", help="Address that the site will have; for its sitemap and its page for what is not there.")
@click.option("--check", type=click.Path(path_type=Path), metavar="DIR", help="Only check the links of a built site.")
def site(
    config: Config, progress: _Progress, to: Path, release: str | None, url: str | None, check: Path | None
) -> int:
    """Build the docs as a web site, with its links checked. Needs the extra taskbind[site]."""
    from .manifest import inputs, is_current
    from .site.build import build_site, check_site

    start = time.perf_counter()
    if check is not None:
        checked = check_site(check, url)
        click.echo(f"{_name(check.resolve())}: {checked.pages} pages, {checked.links} links, no fault")
        return 0
    if not is_current(config, inputs(config)):
        said = f"{_name(config.out)} is out of date: run `taskbind generate`"
        if release is not None:
            raise TaskbindError(f"{said}; nothing is released that the specs do not give")
        click.secho(f"{said}; the site shows it as it is", fg="yellow", err=True)
    built = build_site(config, to, release=release, url=url, progress=progress)
    progress.clear()
    changes, checked = built.changes, built.checked
    click.echo(
        f"{checked.pages} pages with {checked.links} links in {_name(to.resolve())}: wrote"
        f" {len(changes.added) + len(changes.changed)}, removed {len(changes.removed)}"
        f" ({time.perf_counter() - start:.2f} s)"
    )
    return 0


@main.command()
@click.argument("code")
def explain(code: str) -> None:
    """Explain a finding's CODE: what it means and what to do."""
    from .explain import explain as text

    try:
        click.echo(text(code))
    except TaskbindError as error:
        click.secho(f"taskbind: {error}", fg="red", err=True)
        sys.exit(error.exit_code)


class _Progress:
    """One line that names the stage at work, on terminals only."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, stage: str) -> None:
        if self._shown:
            click.echo(f"\r\033[K{stage} …", nl=False, err=True)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\033[K", nl=False, err=True)


def _repairs(report: Report, verbose: bool) -> None:
    loose = [diagnostic for diagnostic in report if diagnostic.loose]
    if verbose:
        _show(report)
    elif len(report):
        what = f"{len(loose)} let pass, where models differ from their schemas" if loose else "none in the way"
        click.echo(f"specs: {_counts(report)}; {what}; `taskbind lint` lists them", err=True)


def _counts(report: Report) -> str:
    return ", ".join(f"{n} {s}{'s' * (n != 1)}" for s in Severity if (n := report.count(s)))


def _show(diagnostics: Report | list[Diagnostic]) -> None:
    for diagnostic in diagnostics:
        click.secho(str(diagnostic), fg=_COLOURS[diagnostic.severity])


def _name(path: Path) -> str:
    cwd = Path.cwd()
    return path.relative_to(cwd).as_posix() if path.is_relative_to(cwd) else path.name
