"""`taskbind explain`."""

from __future__ import annotations

import click

from .project import ends


@click.command()
@click.argument("code", required=False)
@click.option("--rules", is_flag=True, help="Print all rules of compatibility, as a page of Markdown.")
@ends
def explain(code: str | None, rules: bool) -> int:
    """Explain a finding's CODE, or a rule of `taskbind diff`: what it means and what to do."""
    if bool(code) is rules:
        raise click.UsageError("name one code or rule, or ask for --rules")
    if rules:
        from ..evolve.catalogue import page

        click.echo(page(), nl=False)
    elif code:
        from ..explain import explain as text

        click.echo(text(code))
    return 0
