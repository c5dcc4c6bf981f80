"""Code blocks of the pages, and the samples that they show."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from ..escape import markdown
from .phrases import longest_run
from .program import Program


@dataclass(frozen=True)
class Block:
    """A fenced code block. `marker` is the HTML comment before it, by which tests find it; `id` names its language."""

    id: str
    label: str
    marker: str
    fence: str
    language: str
    code: str


def sample_shown(path: str) -> tuple[str, str, bool]:
    """Name, address and whether it is a picture."""
    name = path.rsplit("/", 1)[-1]
    picture = name.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp"))
    return markdown(name, links=False), quote(f"samples/{path}"), picture


def block(id: str, label: str, marker: str, language: str, text: str) -> Block:
    """A block with a fence that nothing in it ends."""
    return Block(id, label, marker, "`" * max(3, longest_run(text) + 1), language, text.strip("\n"))


def program_block(kind: str, program: Program) -> Block:
    """The block that prints a program."""
    language = program.language
    return block(language.id, language.label, f"{kind}: {program.file}", language.fence, program.code)
