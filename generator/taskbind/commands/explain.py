"""`taskbind explain`."""

from __future__ import annotations

import click

from .project import ends


@click.command()
@click.argument("code")
@ends
def explain(code: str) -> int:
    """Explain a finding's CODE: what it means and what to do."""
    from ..explain import explain as text

    click.echo(text(code))
    return 0
