"""`taskbind site`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ..config import Config
from ..diagnostics import TaskbindError
from .project import Progress, name, project


@click.command()
@project
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
def site(config: Config, progress: Progress, to: Path, release: str | None, url: str | None, check: Path | None) -> int:
    """Build the docs as a web site, with its links checked. Needs the extra taskbind[site]."""
    from ..manifest import inputs, is_current
    from ..site.build import build_site, check_site

    start = time.perf_counter()
    if check is not None:
        checked = check_site(check, url)
        click.echo(f"{name(check.resolve())}: {checked.pages} pages, {checked.links} links, no fault")
        return 0
    if not is_current(config, inputs(config)):
        said = f"{name(config.out)} is out of date: run `taskbind generate`"
        if release is not None:
            raise TaskbindError(f"{said}; nothing is released that the specs do not give")
        click.secho(f"{said}; the site shows it as it is", fg="yellow", err=True)
    built = build_site(config, to, release=release, url=url, progress=progress)
    progress.clear()
    changes, checked = built.changes, built.checked
    click.echo(
        f"{checked.pages} pages with {checked.links} links in {name(to.resolve())}: wrote"
        f" {len(changes.added) + len(changes.changed)}, removed {len(changes.removed)}"
        f" ({time.perf_counter() - start:.2f} s)"
    )
    return 0
