"""The engines that read our Markdown, set as its readers set them: GFM's two, and the site's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cmarkgfm
import yaml
from cmarkgfm.cmark import Options
from markdown import Markdown
from markdown_it import MarkdownIt

from tests.conftest import ROOT

_GFM: Final = MarkdownIt("gfm-like", {"html": True, "linkify": False})


def markdown_it(text: str) -> str:
    return str(_GFM.render(text))


def cmark(text: str) -> str:
    extensions = ["table", "strikethrough", "tasklist"]
    return cmarkgfm.markdown_to_html_with_extensions(text, Options.CMARK_OPT_UNSAFE, extensions=extensions)


def python_markdown(text: str) -> str:
    """Python-Markdown with the extensions of the site; what stands before the page is left out."""
    path = ROOT / "generated" / "site" / "mkdocs.yml"
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))["markdown_extensions"]
    settings: dict[str, dict[str, object]] = {}
    for one in listed:
        settings |= one if isinstance(one, dict) else {one: {}}
    body = text.partition("\n---\n")[2] if text.startswith("---\n") else text
    return str(Markdown(extensions=list(settings), extension_configs=settings).convert(body))


ENGINES: Final[dict[Callable[[str], str], str]] = {markdown_it: "docs", cmark: "docs", python_markdown: "site/docs"}
"""Each with the folder of the pages that are made for it."""

STARTERS: Final = (
    *("#", "######", ">", "-", "*", "+", "1.", "1)", "٣.", "- [ ]", "---", "***", "___", "- - -", "===", "=", "~~~"),
    *("```", "~~~py", "```py", "|", "| a | b |", ":---", "<div>", "<!--", "<script>", "    code", "\tcode", ": def"),
    *("[x]: /x", "[^1]: note", "[TOC]", "*[x]: y", "![i](x.png)", "{: #x }", "{{ x }}", "$$", "///"),
    *("!!! danger", "!!!", '!!! note "x"', "??? note", "???+ note", '=== "x"', '===! "x"', '--8<-- "x"', "\\", "@"),
)
"""What begins a block, or means something else at the start of a line, to one of them or to an extension of one."""
