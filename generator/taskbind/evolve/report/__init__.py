"""What `taskbind diff` says, in the form that its reader takes: people, pull requests, programs, code scanning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ..compare import Audience, Comparison
from .data import as_json
from .github import as_github
from .markdown import as_markdown
from .sarif import as_sarif
from .text import as_text

FORMATS: Final[Mapping[str, Callable[[Comparison, Audience], str]]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
"""What writes a comparison in each format, with the levels that count for an audience."""
