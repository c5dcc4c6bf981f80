"""Releases, and the page on what changed from one to the next."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from taskbind import ir, ir_json
from taskbind.config import Config, load_config
from taskbind.context import Context
from taskbind.diagnostics import TaskbindError
from taskbind.evolve.change import Kind
from taskbind.evolve.releases import read_releases, release_files
from taskbind.manifest import inputs
from taskbind.memo import Memo
from taskbind.pipeline import check, generate
from taskbind.plan import plan
from taskbind.view.changelog import Changelog, changelog_view
from tests.support.project import echo_task, write_specs

from .test_changes import CASES, NUMBER, TEXT, api, member, object_of, one, with_definitions

# ------------------------------------------------------------------------------------------------------------- releases


def put(folder: Path, **releases: ir.Api) -> Path:
    """A folder of releases; `v1_2_0` is version 1.2.0."""
    folder.mkdir(exist_ok=True)
    for name, made in releases.items():
        version = name.removeprefix("v").replace("_", ".")
        (folder / f"{version}.json").write_text(json.dumps(ir_json.to_json(made)), encoding="utf-8")
    return folder


def test_releases_come_in_the_order_of_their_versions(tmp_path: Path) -> None:
    names = ("0.9.0", "0.10.0a1", "0.10.0b1", "0.10.0b2", "0.10.0rc1", "0.10.0", "0.10.1", "10.0.0")
    for name in sorted(names):
        (tmp_path / f"{name}.json").write_text(json.dumps(ir_json.to_json(one(TEXT))), encoding="utf-8")
    (tmp_path / ".hidden").write_text("")
    releases = read_releases(tmp_path)
    assert tuple(release.version for release in releases) == names
    assert {release.api for release in releases} == {one(TEXT)}
    assert read_releases(None) == read_releases(tmp_path / "not-there") == ()


@pytest.mark.parametrize(
    "name", ["README.md", "1.0.json", "v1.0.0.json", "01.0.0.json", "1.0.0-x.json", "1.0.0.json.bak"]
)
def test_other_files_among_the_releases_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(TaskbindError, match="not the name of a release"):
        release_files(tmp_path)


LOOP = one(ir.Ref("a"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 99}',
        '{"version": 1, "tasks": [], "definitions": [{}]}',
        '{"version": 1, "tasks": [], "definitions": [{"id": "a", "name": "A", "type": {"kind": "no"}}]}',
        json.dumps(ir_json.to_json(one(ir.Ref("nowhere")))),
        json.dumps(ir_json.to_json(with_definitions(LOOP, {"a": ir.Ref("b"), "b": ir.Ref("a")}))),
        json.dumps(ir_json.to_json(replace(one(TEXT), definitions=()))),
        "[" * 100_000,
    ],
)
def test_a_file_that_is_no_release_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "1.0.0.json").write_text(text)
    with pytest.raises(TaskbindError, match=r"1\.0\.0\.json: not the api\.json of a release"):
        _ = read_releases(tmp_path)[0].api


def test_a_release_is_an_input(tmp_path: Path) -> None:
    """A run with nothing to do notices that a release was added."""
    (tmp_path / "taskbind.toml").write_text('specs = "specs"\nout = "out"\nreleases = "released"\n')
    write_specs(tmp_path / "specs", echo_task())
    config = load_config(tmp_path)
    assert config.releases == tmp_path / "released"
    assert inputs(config)["releases"] == {}
    generate(config)
    assert not check(config)[0].changes
    put(tmp_path / "released", v1_0_0=one(TEXT))
    assert list(inputs(config)["releases"]) == ["1.0.0.json"]
    assert check(config)[0].changes


# ------------------------------------------------------------------------------------------------------------- the page


def page(now: ir.Api, tmp_path: Path, **releases: ir.Api) -> tuple[Changelog, str]:
    """The changelog of releases and of what came after, and its Markdown."""
    folder = put(tmp_path / "releases", **releases)
    config = Config(tmp_path / "specs", tmp_path / "out", releases=folder)
    context = Context(config)
    view = changelog_view(now, plan(now, config), context)
    template = context.template("docs/changelog.md.jinja")
    return view, template.render(view=view, flavour="github", about="", header="<!-- -->")


def test_without_a_release_the_page_lists_the_tasks(tmp_path: Path) -> None:
    view, text = page(one(TEXT), tmp_path)
    (version,) = view.versions
    assert (version.title, version.anchor, version.rows) == ("Unreleased", "version-unreleased", ())
    assert version.intro == "The first version, with 1 task: [T](t.md)."
    assert "## Unreleased" in text


def test_what_is_released_is_not_unreleased(tmp_path: Path) -> None:
    view, _ = page(one(TEXT), tmp_path, v0_1_0=one(TEXT))
    assert [version.title for version in view.versions] == ["0.1.0"]
    view, _ = page(one(TEXT), tmp_path, v0_1_0=one(TEXT), v0_1_1=one(TEXT))
    assert [(version.title, version.intro) for version in view.versions] == [
        ("0.1.1", "No change of the API."),
        ("0.1.0", "The first version, with 1 task: [T](t.md)."),
    ]


def test_versions_and_rows(tmp_path: Path) -> None:
    def two(type: ir.Type, doc: str = "") -> ir.Api:
        made = one(type, doc=doc)
        tasks = (*made.tasks, ir.Task("u", "U", "in", "out"))
        return replace(made, tasks=tasks, definitions=(*made.definitions, ir.Definition("out", "Out", TEXT)))

    gone = replace(two(NUMBER), tasks=two(NUMBER).tasks[:1])
    view, text = page(gone, tmp_path, v1_0_0=one(TEXT), v1_1_0=two(TEXT, "D."), v2_0_0=two(NUMBER))
    unreleased, two_0, one_1, one_0 = view.versions
    assert unreleased.intro == "Removed: U."
    assert [(row.field, row.where, row.change, row.level, row.tasks) for row in two_0.rows] == [
        ("`x`", "request", "number, was string", "**breaking**", "[T](t.md), U"),
        ("`x`", "response", "number, was string", "**breaking**", "[T](t.md)"),
    ]
    assert two_0.wording == "Worded anew, without a change of meaning: 3 descriptions of 2 tasks."
    assert (one_1.intro, [row.where for row in one_1.rows]) == ("New: U.", ["Python package"])
    assert one_0.title == "1.0.0"
    assert text.index("## Unreleased") < text.index("## 2.0.0") < text.index("## 1.1.0") < text.index("## 1.0.0")
    assert '<a id="version-2.0.0"></a>' in text


def test_every_change_can_be_told(tmp_path: Path) -> None:
    """Each kind gives a row, in both directions; one that goes both ways at once gives two."""
    for name, (old, new, expected) in CASES.items():
        for before, after in ((old, new), (new, old)):
            view, _ = page(after, tmp_path, v1_0_0=before)
            rows = [row for row in view.versions[0].rows if row.where == "request"]
            told = [change for change in expected if change[1] is not Kind.DESCRIPTION]
            assert len(rows) == len(told) + (name == "values"), name
            assert all(row.change and row.level for row in rows)


def test_what_breaks_comes_first(tmp_path: Path) -> None:
    old = one(object_of(member("a", TEXT), member("b", TEXT)))
    new = one(object_of(member("a", replace(TEXT, min_length=1)), member("b", TEXT, default="x"), member("c", TEXT)))
    view, text = page(new, tmp_path, v1_0_0=old)
    rows = [(row.field, row.level) for row in view.versions[0].rows if row.where == "request"]
    assert rows == [
        ("`x.a`", "**breaking**"),
        ("`x.b`", "safe"),
        ("`x.c`", "safe"),
    ]
    assert "| Field | Part of the | Change | Level | Tasks |" in text


def test_what_was_found_of_two_releases_is_kept(tmp_path: Path) -> None:
    """The difference of two releases cannot change, and is not looked for again; the page is the same."""
    folder = put(tmp_path / "releases", v1_0_0=one(TEXT), v2_0_0=one(NUMBER))
    config = Config(tmp_path / "specs", tmp_path / "out", releases=folder)
    memo = Memo()
    first = changelog_view(one(TEXT), plan(one(TEXT), config), Context(config, memo))
    memo.forget()
    assert len(memo.kept) == 1
    again = changelog_view(one(TEXT), plan(one(TEXT), config), Context(config, memo))
    assert again == first == changelog_view(one(TEXT), plan(one(TEXT), config), Context(config))
    put(folder, v1_0_0=one(NUMBER))
    assert changelog_view(one(TEXT), plan(one(TEXT), config), Context(config, memo)) != first


HOSTILE = "x|y`z\n## h <script>alert(1)</script> [l](javascript:a) {{ 7*7 }} {% raw %} \u202e ```\n| a |"


def test_hostile_names_stay_in_their_cells(tmp_path: Path) -> None:
    def made(type: ir.Type, default: Any) -> ir.Api:
        hostile = replace(
            api(object_of(member(HOSTILE, type, default=default), member("e", ir.Enum((HOSTILE, str(default)))))),
            dialects=(ir.Dialect("d", f"{HOSTILE} {default}", HOSTILE, url=str(default)),),
        )
        return replace(hostile, tasks=(replace(hostile.tasks[0], title=HOSTILE),))

    view, text = page(made(TEXT, HOSTILE), tmp_path, v1_0_0=made(NUMBER, 0))
    parsed = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text)
    rows = sum(token.type == "tr_open" for token in parsed)
    assert rows == 1 + len(view.versions[0].rows) == 1 + len(re.findall(r"^\|(?! :?-| Field)", text, re.MULTILINE))
    assert sum(token.type in ("td_open", "th_open") for token in parsed) == 5 * rows
    assert [t.content for t in parsed if t.type == "inline" and "<script" in t.content] == []
    assert [token.type for token in parsed if token.type in ("fence", "code_block")] == []
    headings = [parsed[n + 1].content for n, token in enumerate(parsed) if token.type == "heading_open"]
    assert headings == ["API changelog", "Unreleased", "1.0.0"]
    links = [str(c.attrs["href"]) for t in parsed for c in t.children or [] if "href" in c.attrs]
    assert set(links) == {"t.md"}
    assert "{{" not in text
    assert "{%" not in text
    assert "\u202e" not in text
