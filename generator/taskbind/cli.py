"""The `taskbind` command.

Exit codes: 0 done (or nothing to do), 1 something in the specs or the output needs a person (errors in specs, output
out of date, files edited by hand), 2 the command could not run (wrong usage, bad configuration, unreadable files).
"""

from __future__ import annotations

import click

from . import __version__
from .commands import check, diff, explain, generate, importing, init, lint, new, release, schema, site, watch


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="taskbind")
def main() -> None:
    """Typed models, client, server, OpenAPI and docs from one pair of JSON Schemas per inference task.

    Settings come from taskbind.toml in the current directory; options win over it.
    """


for _command in (
    generate.generate,
    check.check,
    lint.lint,
    diff.diff,
    release.release,
    watch.watch,
    site.site,
    explain.explain,
    importing.importing,
    init.init,
    new.new,
    schema.schema,
):
    main.add_command(_command)
