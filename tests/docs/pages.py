"""Reads the rendered pages as a reader's tools do: parsed as GFM, nothing taken from `snippets.json` or a template."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
GENERATED = ROOT / "generated"
DOCS = GENERATED / "docs"
FLAVOURS = {"github": DOCS, "site": GENERATED / "site" / "docs", "hf": GENERATED / "hf"}

_MARKER = re.compile(r"<!-- (snippet|response|stream): (\S+) -->")
_GFM = MarkdownIt("gfm-like", {"html": True, "linkify": False})


@dataclass(frozen=True)
class Printed:
    """One code block of a page: a program to save as `file`, or (`kind` is ``"response"``) the answer of an example.

    `kind` is ``"stream"`` for a program that prints events.
    """

    kind: str
    file: str
    code: str

    @property
    def task(self) -> str:
        return self.file.split("/")[0]

    @property
    def example(self) -> str:
        return self.file.split("/")[1].split(".")[0]


@dataclass(frozen=True)
class Table:
    """Header cells and body rows, as GFM engines see them."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tokens(page: Path) -> list[Token]:
    """A page as Markdown tokens."""
    return _GFM.parse(page.read_text(encoding="utf-8"))


def pages() -> list[Path]:
    """All pages. Empty as long as nothing has been generated."""
    return sorted(DOCS.glob("*.md"))


def printed(kind: str) -> list[Printed]:
    """All marked code blocks of one kind, from all pages."""
    found = []
    for page in pages():
        parsed = tokens(page)
        for comment, block in pairwise(parsed):
            marker = _MARKER.fullmatch(comment.content.strip()) if comment.type == "html_block" else None
            if marker and marker[1] == kind:
                assert block.type == "fence", f"{page.name}: no code block follows {marker[0]}"
                found.append(Printed(kind, marker[2], block.content))
    return found


def responses() -> dict[tuple[str, str], Any]:
    """The recorded answers on the pages, by task and example."""
    return {(block.task, block.example): json.loads(block.code) for block in printed("response")}


def tables(page: Path) -> list[Table]:
    """The tables of a page that really are tables."""
    return _tables(page.read_text(encoding="utf-8"))


def _tables(text: str) -> list[Table]:
    found: list[Table] = []
    lines: list[list[str]] = []
    parsed = _GFM.parse(f"{text}\n\nend")  # each token is looked at with the one after it
    for token, content in pairwise(parsed):
        match token.type:
            case "table_open":
                lines = []
            case "tr_open":
                lines.append([])
            case "th_open" | "td_open":
                lines[-1].append(content.content)
            case "table_close":
                found.append(Table(tuple(lines[0]), tuple(tuple(line) for line in lines[1:])))
    return found


def tables_under(page: Path, heading: str) -> list[Table]:
    """The tables of a page between a heading and the next one."""
    lines = page.read_text(encoding="utf-8").split("\n")
    start = next(i for i, line in enumerate(lines) if line.lstrip("#") == f" {heading}" and line.startswith("#"))
    ends = (i for i, line in enumerate(lines) if i > start and line.startswith("#"))
    return _tables("\n".join(lines[start : next(ends, len(lines))]))


def anchors(page: Path) -> set[str]:
    """The anchors that a code host gives to a page's headings, and those in the page itself."""
    found = set(re.findall(r'<a id="([^"]+)"', page.read_text(encoding="utf-8")))
    parsed = tokens(page)
    for token, content in pairwise(parsed):
        if token.type == "heading_open":
            text = "".join(child.content for child in content.children or [])
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            numbered = (name if number == 0 else f"{name}-{number}" for number in range(1000))
            found.add(next(anchor for anchor in numbered if anchor not in found))
    return found


def links(page: Path) -> list[str]:
    """Everything that a page links to or shows."""
    children = [child for token in tokens(page) for child in token.children or []]
    raw = "".join(child.content for child in children if child.type == "html_inline")
    linked = [str(child.attrs[name]) for child in children for name in ("href", "src") if name in child.attrs]
    return linked + re.findall(r'(?:href|src)="([^"]*)"', raw)
