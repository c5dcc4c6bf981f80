"""A release: the files that it changes, and that it changes all of them or none."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from taskbind.cli import main
from taskbind.release import bumped, with_section
from taskbind.version import Version
from tests.support.project import echo_task, write_specs

V2 = Version("2.0.0")


@pytest.mark.parametrize(
    "text",
    [
        'specs = "specs"  # where they are\n\n[package]\n# the next one\nversion = "1.0.0" # bumped\nlicense = "MIT"\n',
        'specs = "specs"\n',
        'package = { name = "made", version = "1.0.0" }\n',
        '[package]\nname = "made"\n\n[[diff.ignore]]\nrule = "x"\n',
    ],
)
def test_a_bump_changes_the_version_alone(text: str) -> None:
    before, after = tomllib.loads(text), tomllib.loads(bumped(text, V2))
    assert after["package"].pop("version") == "2.0.0"
    before.setdefault("package", {}).pop("version", None)
    assert after == before
    assert [line for line in text.split("\n") if "#" in line and "version" not in line] == [
        line for line in bumped(text, V2).split("\n") if "#" in line and "version" not in line
    ]


LINES = ["### API", "", "- one"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# Changes\n\n## Unreleased\n\n- New: x.\n\n## 1.0.0\n\n- First.\n",
            "# Changes\n\n## Unreleased\n\n## 2.0.0\n\n- New: x.\n\n### API\n\n- one\n\n## 1.0.0\n\n- First.\n",
        ),
        ("# Changes\n\n## [unreleased]\n", "# Changes\n\n## [unreleased]\n\n## 2.0.0\n\n### API\n\n- one\n"),
        ("# Changes\n\nWords.\n", "# Changes\n\nWords.\n\n## 2.0.0\n\n### API\n\n- one\n"),
        ("# Changes\n\n## 1.0.0\n\n- First.\n", "# Changes\n\n## 2.0.0\n\n### API\n\n- one\n\n## 1.0.0\n\n- First.\n"),
        (
            "## Unreleased\n\n```\n## no heading\n```\n\n## 1.0.0\n",
            "## Unreleased\n\n## 2.0.0\n\n```\n## no heading\n```\n\n### API\n\n- one\n\n## 1.0.0\n",
        ),
        ("## Unreleased\r\n\r\n- a\r\n", "## Unreleased\r\n\r\n## 2.0.0\r\n\r\n- a\r\n\r\n### API\r\n\r\n- one\r\n"),
    ],
)
def test_a_section_takes_what_is_unreleased(before: str, after: str) -> None:
    assert with_section(before, V2, LINES) == after
    assert with_section(after, V2, LINES) == after


@pytest.mark.parametrize("heading", ["## Unreleased ##", "## [Unreleased](https://example.org/compare/1...HEAD)"])
def test_headings_may_have_links_and_closing_marks(heading: str) -> None:
    assert with_section(f"{heading}\n\n- x\n", V2, LINES) == f"{heading}\n\n## 2.0.0\n\n- x\n\n### API\n\n- one\n"


def test_other_versions_are_others() -> None:
    for heading in ("## 2.0.0-beta", "## 2.0.0.post1", "## 2.0.0rc1", "## 12.0.0"):
        assert "\n## 2.0.0\n" in with_section(f"## Unreleased\n\n{heading}\n", V2, LINES)


def test_comments_have_no_headings() -> None:
    text = "# Changes\n\n<!--\n## Unreleased\n-->\n\n## 1.0.0\n"
    after = "# Changes\n\n<!--\n## Unreleased\n-->\n\n## 2.0.0\n\n### API\n\n- one\n\n## 1.0.0\n"
    assert with_section(text, V2, LINES) == after


@pytest.mark.parametrize("heading", ["## 2.0.0", "## [2.0.0] - 2026-01-01", "## v2.0.0"])
def test_a_section_that_is_there_stays(heading: str) -> None:
    text = f"## Unreleased\n\n- x\n\n{heading}\n"
    assert with_section(text, V2, LINES) == text


def test_a_changelog_is_begun() -> None:
    text = with_section("", V2, LINES)
    assert text.startswith("# Changelog\n")
    assert text.endswith("## Unreleased\n\n## 2.0.0\n\n### API\n\n- one\n")


# --------------------------------------------------------------------------------------------------------- the command

PROJECT = """\
specs = "specs"
out = "out"
releases = "releases"   # what was released

[package]
name = "made"
version = "1.0.0"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that released 1.0.0."""
    write_specs(tmp_path, {"taskbind.toml": PROJECT})
    write_specs(tmp_path / "specs", echo_task({"words": {"type": "integer", "description": "How many."}}))
    monkeypatch.chdir(tmp_path)
    assert run("release")[0] == 0
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    """The exit code of a command, and what it printed."""
    done = CliRunner().invoke(main, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file that people have, and every folder (None); what speeds up the next run is none."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {n: path.read_bytes() if path.is_file() else None for n, path in paths.items() if not n.startswith(".")}


def spec(folder: Path, **words: Any) -> None:
    """Change the schema of the parameter."""
    write_specs(folder / "specs", echo_task({"words": {"description": "How many.", **words}}))


def version(folder: Path) -> str:
    written: str = tomllib.loads((folder / "taskbind.toml").read_text())["package"]["version"]
    return written


def test_the_first_release_is_the_version_that_is_there(project: Path) -> None:
    assert version(project) == "1.0.0"
    assert (project / "releases" / "1.0.0.json").read_bytes() == (project / "out" / "api.json").read_bytes()
    assert "## 1.0.0\n\n### API\n\n- The first version, with 1 task: Echo.\n" in (project / "CHANGELOG.md").read_text()
    assert "## 1.0.0" in (project / "out" / "docs" / "changelog.md").read_text()
    assert run("check")[0] == 0
    assert "no change of the API" in run("diff")[1]


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ({"type": "string"}, "2.0.0"),
        ({"type": "integer", "maximum": 5}, "2.0.0"),
        ({"type": "number"}, "1.1.0"),
        ({"type": "integer", "description": "How many words."}, "1.0.1"),
    ],
)
def test_the_version_follows_from_what_changed(project: Path, change: dict[str, Any], after: str) -> None:
    spec(project, **change)
    code, said = run("release", "--dry-run")
    assert (code, version(project)) == (0, "1.0.0")
    assert f"would release {after} (after 1.0.0)" in said
    code, said = run("release")
    assert (code, version(project)) == (0, after)
    assert f"released {after} (after 1.0.0)" in said
    assert "# what was released" in (project / "taskbind.toml").read_text()
    assert f'version = "{after}"' in (project / "out" / "pyproject.toml").read_text()
    assert (project / "releases" / f"{after}.json").read_bytes() == (project / "out" / "api.json").read_bytes()
    page, own = ((project / name).read_text() for name in ("out/docs/changelog.md", "CHANGELOG.md"))
    assert page.index(f"## {after}") < page.index("## 1.0.0")
    assert own.index("## Unreleased") < own.index(f"## {after}") < own.index("## 1.0.0")
    assert ("**breaking**" in page) == ("**breaking**" in own) == (after == "2.0.0")
    assert run("check")[0] == 0


def test_what_was_written_for_the_release_stands_in_its_section(project: Path) -> None:
    changelog = project / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## Unreleased\n", "## Unreleased\n\n- Faster.\n"))
    spec(project, type="number")
    run("release")
    assert changelog.read_text().split("## ")[2].startswith("1.1.0\n\n- Faster.\n\n#")


@pytest.mark.parametrize(
    ("wanted", "after"), [("major", "2.0.0"), ("minor", "1.1.0"), ("patch", "1.0.1"), ("1.5.0rc1", "1.5.0rc1")]
)
def test_another_version_can_be_asked_for(project: Path, wanted: str, after: str) -> None:
    assert run("release", wanted)[0] == 0
    assert version(project) == after


def test_a_promise_that_is_not_kept_is_refused(project: Path) -> None:
    spec(project, type="string")
    before = contents(project)
    for wanted in ("1.0.1", "minor", "1.9.0rc1"):
        code, said = run("release", wanted)
        assert code == 1
        assert "1 breaking" in said
        assert "release 2.0.0, or say --anyway" in said
    assert contents(project) == before
    assert run("release", "2.0.0rc1")[0] == 0


def test_it_can_be_made_anyway(project: Path) -> None:
    spec(project, type="string")
    assert run("release", "1.0.1", "--anyway")[0] == 0
    assert version(project) == "1.0.1"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (None, "nothing of the API changed since 1.0.0; `taskbind release patch`"),
        ("0.9.0", "0.9.0 is not above 1.0.0"),
        ("next", "'next' is no version"),
    ],
)
def test_what_can_be_no_release_is_told(project: Path, wanted: str | None, said: str) -> None:
    before = contents(project)
    code, told = run("release", *([wanted] if wanted else []))
    assert code == 2
    assert said in told
    assert contents(project) == before


def test_a_version_is_released_once(project: Path) -> None:
    spec(project, type="number")
    code, said = run("release", "1.0.0")
    assert code == 2
    assert "1.0.0 was released already, and the API is another one now" in said


def test_where_releases_are_has_to_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_specs(tmp_path, {"taskbind.toml": 'specs = "specs"\nout = "out"\n'})
    write_specs(tmp_path / "specs", echo_task())
    monkeypatch.chdir(tmp_path)
    code, said = run("release")
    assert code == 2
    assert 'add `releases = "releases"`' in said


def test_a_release_that_fails_is_none(project: Path) -> None:
    """The tree was edited by hand, so it cannot be generated; the files that were written are as before."""
    spec(project, type="number")
    (project / "out" / "made" / "_client.py").write_text("# mine\n")
    before = contents(project)
    code, said = run("release")
    assert code == 1
    assert "edited by hand" in said
    assert contents(project) == before


def test_bad_specs_are_no_release(project: Path) -> None:
    before = contents(project)
    (project / "specs" / "echo" / "input.json").write_text("{")
    code, said = run("release", "2.0.0")
    assert code == 1
    assert "specs/echo/input.json:1" in said
    assert contents(project) == before | {"specs/echo/input.json": b"{"}


def test_a_run_that_was_killed_can_be_run_again(project: Path) -> None:
    """It had put its files in place, and not yet generated."""
    spec(project, type="number")
    old = contents(project)
    assert run("release", "1.1.0")[0] == 0
    done = contents(project)
    for name in (name for name, data in done.items() if name.startswith("out/") and data is not None):
        (project / name).write_bytes(old.get(name) or b"")
        if name not in old:
            (project / name).unlink()
    assert run("check")[0] == 1
    assert "1.1.0 is not finished: `taskbind release 1.1.0` does that" in run("release")[1]
    assert run("release", "1.1.0")[0] == 0
    assert contents(project) == done


def test_a_first_release_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_specs(tmp_path, {"taskbind.toml": PROJECT, "out/README.md": "mine"})
    write_specs(tmp_path / "specs", echo_task())
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path)
    assert run("release")[0] == 1
    assert contents(tmp_path) == before
    code, said = run("release", "major")
    assert code == 2
    assert "nothing is released yet that `major` could follow on" in said


def test_a_changelog_that_is_a_link_stays_one(project: Path) -> None:
    (project / "docs").mkdir()
    (project / "CHANGELOG.md").rename(project / "docs" / "CHANGELOG.md")
    (project / "CHANGELOG.md").symlink_to("docs/CHANGELOG.md")
    spec(project, type="number")
    assert run("release")[0] == 0
    assert (project / "CHANGELOG.md").is_symlink()
    assert "## 1.1.0" in (project / "docs" / "CHANGELOG.md").read_text()


def test_a_release_is_compared_with_the_last_one_and_not_with_its_candidates(project: Path) -> None:
    spec(project, type="string")
    assert run("release", "2.0.0rc1")[0] == 0
    assert run("release", "1.1.0")[0] == 2  # below the candidate
    code, said = run("release")
    assert (code, version(project)) == (0, "2.0.0"), said
    for page in ("CHANGELOG.md", "out/docs/changelog.md"):
        parts = re.split("^## ", (project / page).read_text(), flags=re.MULTILINE)
        told = {part.split("\n")[0]: "**breaking**" in part for part in parts}
        assert (told["2.0.0"], told["2.0.0rc1"], told["1.0.0"]) == (True, True, False), page


def test_a_candidate_does_not_let_a_promise_be_broken(project: Path) -> None:
    spec(project, type="string")
    assert run("release", "1.1.0rc1", "--anyway")[0] == 0
    code, said = run("release", "1.1.0")
    assert code == 1
    assert "1.1.0 promises more than was kept since 1.0.0" in said
    assert run("release", "--dry-run")[1] == "would release 2.0.0 (after 1.0.0)\n"


def test_a_first_release_may_have_candidates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_specs(tmp_path, {"taskbind.toml": PROJECT.replace("1.0.0", "1.0.0rc1")})
    write_specs(tmp_path / "specs", echo_task())
    monkeypatch.chdir(tmp_path)
    assert run("release")[0] == run("release")[0] == 0
    assert version(tmp_path) == "1.0.0"
    text = (tmp_path / "CHANGELOG.md").read_text()
    assert text.count("The first version, with 1 task: Echo.") == 2
