"""The pages as readers get them: real tables, no empty ones, no dead links, every field and section there."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from .pages import DOCS, GENERATED, SPECS, anchors, links, pages, tables, tables_under, tokens
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
    "For machines",
    "See also",
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
    assert len(found) == len(re.findall(r"^\| :---", text, re.MULTILINE))
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


def test_index_lists_all_tasks_by_category() -> None:
    listed = {}
    for category in sorted({meta(task)["category"] for task in TASKS}):
        (table,) = tables_under(DOCS / "index.md", category)
        listed |= {re.findall(r"\((.*)\.md\)", row[0])[0]: category for row in table.rows}
    assert listed == {task: meta(task)["category"] for task in TASKS}


def test_index_leads_to_every_page() -> None:
    leads = {link.partition("#")[0] for link in links(DOCS / "index.md")}
    assert {page.name for page in pages()} - {"index.md"} <= leads


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


def rows_by_anchor(task: str, section: str) -> dict[str, tuple[str, ...]]:
    """The rows of all tables of a section, those in folds included, by the anchor of each."""
    found = [row for table in tables_under(DOCS / f"{task}.md", section) for row in table.rows]
    rows = {re.findall(r'<a id="([^"]+)" href="#\1"><code>', row[0])[0]: row for row in found}
    assert len(rows) == len(found), "two rows have one anchor"
    return rows


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("schema", "section", "side"), [("input", "Payload", "request"), ("output", "Response", "response")]
)
def test_tables_have_a_row_and_an_anchor_for_every_field(task: str, schema: str, section: str, side: str) -> None:
    file = SPECS / task / f"{schema}.json"
    rows = rows_by_anchor(task, section)
    for table in tables_under(DOCS / f"{task}.md", section):
        assert table.header == ("Name", "Type", "Required", "Default", "Values", "Description")
    for path, required in members(json.loads(file.read_text(encoding="utf-8")), file).items():
        anchor = ".".join([side, *path.replace("[]", ".items").strip(".").split(".")])
        assert anchor in rows
        assert rows[anchor][2] == ("yes" if required else "no")
        assert rows[anchor][5] != "–", f"{path} is not described"


def test_enums_keep_type_values_and_their_meaning() -> None:
    stopping = rows_by_anchor("automatic-speech-recognition", "Payload")[
        "request.parameters.generation_parameters.early_stopping"
    ]
    assert stopping[1:5] == ("boolean or string", "no", "–", '`true`, `false`, `"never"`')
    assert "beam search" in stopping[5]
    subtask = rows_by_anchor("image-segmentation", "Payload")["request.parameters.subtask"]
    assert "<br>– `panoptic`: Each countable thing" in subtask[5]


def test_fields_far_inside_stand_in_a_fold_of_their_own() -> None:
    near, deep = tables_under(DOCS / "automatic-speech-recognition.md", "Payload")
    assert "<code>parameters.generation_parameters</code>" in near.rows[-1][0]
    assert all("<code>parameters." not in row[0] for row in deep.rows)
    text = (DOCS / "automatic-speech-recognition.md").read_text(encoding="utf-8")
    assert "<summary>Members of <code>parameters.generation_parameters</code></summary>" in text


def test_nullable_members_and_defaults_say_so() -> None:
    score = rows_by_anchor("image-segmentation", "Response")["response.items.score"]
    assert score[1] == "number or null"
    assert "&nbsp;" not in (DOCS / "image-segmentation.md").read_text(encoding="utf-8")


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
