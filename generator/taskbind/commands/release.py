"""`taskbind release`."""

from __future__ import annotations

from pathlib import Path

import click

from ..config import load_config
from .project import Progress, ends, name


@click.command()
@click.argument("version", required=False)
@click.option("--anyway", is_flag=True, help="Release a version that promises more than the changes keep.")
@click.option("--dry-run", is_flag=True, help="Say what would be released, and write nothing.")
@click.option(
    "--site", type=click.Path(path_type=Path), metavar="DIR", help="Add the docs of the version to this site."
)
@click.option("--url", help="Address that the site will have.")
@ends
def release(version: str | None, anyway: bool, dry_run: bool, site: Path | None, url: str | None) -> int:
    """Release the API as it is: version, baseline, changelog, generated tree and docs.

    VERSION is a version, or major, minor or patch; left out, it is what the changes since the last release ask for.
    """
    from ..release import make_release, next_release

    folder, progress = Path.cwd(), Progress()
    config = load_config(folder)
    found = next_release(config, folder, version, anyway=anyway, progress=progress)
    progress.clear()
    since = f"after {found.last.name}" if found.last else "the first release"
    if dry_run:
        click.echo(f"would release {found.version.name} ({since})")
        return 0
    made = make_release(found, config, folder, site=site, url=url, progress=progress)
    progress.clear()
    for path in made.files:
        click.echo(f"wrote {name(path)}")
    changes = made.changes
    count = len(changes.added) + len(changes.changed) + len(changes.removed)
    click.echo(f"{name(config.out)}: {count} file{'s' * (count != 1)} changed")
    if site is not None and made.built is not None:
        click.echo(
            f"{name(site.resolve())}: {made.built.checked.pages} pages, those of {found.version.name} among them"
        )
    click.echo(f"released {found.version.name} ({since}); commit it, and tag it v{found.version.name}")
    return 0
