"""The pages in each flavour: any GFM engine reads the plain one alike; the others say the same in their own tags."""

from __future__ import annotations

import json
import re
import textwrap
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.engines import cmark, markdown_it

from .pages import DOCS, FLAVOURS, pages

KEPT = ("href", "src", "id", "alt")


class Structure(HTMLParser):
    """What a reader gets from an HTML text: its elements with what they lead to, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(" ".join([tag, *(f"{name}={value}" for name, value in attrs if name in KEPT)]))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if text := " ".join(data.split()):
            joined = self.found and self.found[-1].startswith("“")
            self.found.append(f"{self.found.pop()} {text}" if joined else f"“{text}")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_two_engines_of_gfm_read_a_page_alike(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert Structure(markdown_it(text)).found == Structure(cmark(text)).found


def rows(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.lstrip().startswith("|")]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
@pytest.mark.parametrize("flavour", ["site", "hf"])
def test_flavours_have_the_same_headings_and_rows(page: Path, flavour: str) -> None:
    one, other = page.read_text(encoding="utf-8"), (FLAVOURS[flavour] / page.name).read_text(encoding="utf-8")
    headings = re.compile(r"^#+ .*$", re.MULTILINE)
    fences = re.compile(r"^( *`{3,}).*?^\1$", re.MULTILINE | re.DOTALL)
    one, other = fences.sub("", one), fences.sub("", other)
    assert headings.findall(one) == headings.findall(other)
    assert rows(one) == rows(other)


def programs(text: str) -> dict[str, str]:
    """The printed programs of a page, by the name in the comment before each."""
    found = re.finditer(r"^( *)<!-- snippet: (\S+) -->\n\n( *`{3,})\w+\n(.*?)^\3$", text, re.MULTILINE | re.DOTALL)
    return {match[2]: textwrap.dedent(match[4]) for match in found}


def listed() -> dict[str, str]:
    return {row["file"]: row["code"] for row in json.loads((DOCS / "snippets.json").read_text(encoding="utf-8"))}


def test_the_site_prints_the_same_programs() -> None:
    printed: dict[str, str] = {}
    for page in pages():
        printed |= programs((FLAVOURS["site"] / page.name).read_text(encoding="utf-8"))
    assert printed == listed()


def test_doc_builder_gets_the_languages_that_it_knows_in_its_own_tags() -> None:
    for page in pages():
        text = (FLAVOURS["hf"] / page.name).read_text(encoding="utf-8")
        assert "=== " not in text
        assert "!!! " not in text
        assert text.count("<Tip>") == text.count("</Tip>")
        for block in re.findall(r"<inferencesnippet>(.*?)</inferencesnippet>", text, re.DOTALL):
            tags = re.findall(r"^<(/?\w+)>$", block, re.MULTILINE)
            assert tags == ["curl", "/curl", "python", "/python", "js", "/js"]
    printed: dict[str, str] = {}
    for page in pages():
        printed |= programs((FLAVOURS["hf"] / page.name).read_text(encoding="utf-8"))
    predict = re.compile(r"-clarifai-(url|data)\.httpx\.py$")  # which our client does not make
    known = {file for file in listed() if file.endswith((".sh", ".client.py", ".mjs")) or predict.search(file)}
    assert printed == {file: code for file, code in listed().items() if file in known}


def test_site_pages_indent_what_is_inside_tabs_and_folds() -> None:
    for page in pages():
        lines = (FLAVOURS["site"] / page.name).read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines):
            if re.match(r"(===|!!!|\?\?\?) ", line):
                assert lines[number + 1] == ""
                assert lines[number + 2].startswith("    ")
