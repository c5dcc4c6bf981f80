"""The one module that knows Zensical, which turns a folder of Markdown into web pages."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from ..diagnostics import TaskbindError
from .links import read_site

_COLOUR: Final = re.compile(r"\x1b\[[\d;]*m")


def render(project: Path) -> dict[str, bytes]:
    """The site of a project, a folder with ``mkdocs.yml`` and ``docs/``: the files by path.

    Raises TaskbindError where Zensical is not installed, or finds something wrong.
    """
    if importlib.util.find_spec("zensical") is None:
        raise TaskbindError("a site needs Zensical, which is not installed: pip install 'taskbind[site]'")
    result = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", "mkdocs.yml"],
        cwd=project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode:
        raise TaskbindError(f"Zensical refused the pages of the site; nothing was written:\n{_reason(result.stderr)}")
    return read_site(project / "site")


def _reason(said: str) -> str:
    """What Zensical says is wrong: its findings, and without any the error that it ended with."""
    findings, _, crash = _COLOUR.sub("", said).partition("Traceback (most recent call last):")
    return findings.strip() or "".join(crash.strip().splitlines()[-1:])
