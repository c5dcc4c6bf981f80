"""The pages as readers get them: real tables, no empty ones, no dead links, every field and section there."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from .pages import DOCS, GENERATED, anchors, links, pages, tables, tokens
from .specs import examples, meta

TASKS = sorted({task for task, _ in examples()})
SECTIONS = (
    "Example applications",
    "Recommended models",
    "Using the API",
    "API specification",
    "Request",
    "Payload",
    "Headers",
    "Limits",
    "Response",
    "Errors",
)


def headings(page: Path) -> list[str]:
    parsed = tokens(page)
    pairs = pairwise(parsed)
    return [content.content for token, content in pairs if token.type == "heading_open"]


@pytest.mark.parametrize("task", TASKS)
def test_page_has_every_section(task: str) -> None:
    found = headings(DOCS / f"{task}.md")
    assert [section for section in found if section in SECTIONS] == list(SECTIONS)
    assert meta(task)["learn_more"] in links(DOCS / f"{task}.md")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_table_is_a_table(page: Path) -> None:
    text = re.sub(r"^(`{3,}).*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = tables(page)
    assert len(found) == len(re.findall(r"^\| :---", text, re.MULTILINE)) > 0
    # Every line that looks like a row became one.
    assert sum(len(table.rows) + 2 for table in found) == len(re.findall(r"^\|", text, re.MULTILINE))
    for table in found:
        assert table.rows
        assert all(table.header)
        assert all(len(row) == len(table.header) for row in table.rows)
        assert all(cell for row in table.rows for cell in row), "an empty cell"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_resolve(page: Path) -> None:
    for link in links(page):
        if re.match(r"https://[\w.-]+/", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(GENERATED), f"{link} leaves the tree"
        assert target.is_file(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


def test_index_lists_all_tasks() -> None:
    rows = tables(DOCS / "index.md")[0].rows
    assert [re.findall(r"\((.*)\.md\)", row[0])[0] for row in rows] == TASKS


def resolved(schema: Any, file: Path) -> tuple[Any, Path]:
    """The schema behind a `$ref`, and the file it stands in."""
    while "$ref" in schema:
        path, _, pointer = schema["$ref"].partition("#")
        file = (file.parent / path).resolve() if path else file
        schema = json.loads(file.read_text(encoding="utf-8"))
        for part in filter(None, pointer.split("/")):
            schema = schema[part]
    return schema, file


def members(schema: Any, file: Path, prefix: str = "") -> dict[str, bool]:
    """Every member that a schema knows, by the path under which the docs list it, and whether it is required."""
    schema, file = resolved(schema, file)
    found: dict[str, bool] = {}
    for name, member in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        found[path] = name in schema.get("required", ())
        found |= members(member, file, path)
    if isinstance(schema.get("items"), dict):
        found |= members(schema["items"], file, f"{prefix}[]")
    return found


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("schema", "section"), [("input", 0), ("output", 3)])
def test_tables_have_a_row_for_every_field(task: str, schema: str, section: int) -> None:
    from .pages import SPECS

    file = SPECS / task / f"{schema}.json"
    table = tables(DOCS / f"{task}.md")[section]
    assert table.header == ("Name", "Type", "Required", "Values", "Description")
    rows = {row[0].strip("`"): row for row in table.rows}
    for path, required in members(json.loads(file.read_text(encoding="utf-8")), file).items():
        assert path in rows
        assert rows[path][2] == ("yes" if required else "no")
        assert rows[path][4] != "–", f"{path} is not described"


def test_enums_keep_type_values_and_description() -> None:
    rows = {row[0]: row for row in tables(DOCS / "automatic-speech-recognition.md")[0].rows}
    stopping = rows["`parameters.generation_parameters.early_stopping`"]
    assert stopping[1:4] == ("boolean or string", "no", '`true`, `false`, `"never"`')
    assert "beam search" in stopping[4]


SEED_ERRORS = {
    "authorization with a colon": r"Bearer:",
    "stray bracket in a link": r"\]\([^)]*\]\)",
    "the field is called `timestamp`": r"`[\w.\[\]]*\btimestamps`",
    "JavaScript without its import": r"\bfs\.",
    "no snippet": r"No snippet available",
    "a diarization model": r"pyannote",
    "camel case": r"returnTimestamps",
}


@pytest.mark.parametrize("error", SEED_ERRORS)
def test_errors_of_the_seed_pages_are_not_repeated(error: str) -> None:
    for page in pages():
        assert not re.search(SEED_ERRORS[error], page.read_text(encoding="utf-8")), page.name


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_page_says_where_it_comes_from(page: Path) -> None:
    first = page.read_text(encoding="utf-8").split("\n", 1)[0]
    assert re.fullmatch(r"<!-- Generated by taskbind from specs/.*Do not edit.* -->", first)


def test_samples_are_copies_of_the_specs() -> None:
    for example in examples().values():
        for sample in example.samples:
            assert (DOCS / "samples" / example.task / sample.name).read_bytes() == sample.read_bytes()
