"""A release with its docs: they join those of the versions before, or nothing is released."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from taskbind.cli import main
from tests.generator.test_release import PROJECT, contents
from tests.support.project import echo_task, write_specs


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.output


def test_the_docs_of_each_release_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_specs(tmp_path, {"taskbind.toml": PROJECT})
    words = {"words": {"type": "integer", "description": "How many."}}
    write_specs(tmp_path / "specs", echo_task(words))
    monkeypatch.chdir(tmp_path)
    assert run("release", "--site", "site")[0] == 0
    write_specs(tmp_path / "specs", echo_task(words | {"loud": {"type": "boolean", "description": "Whether."}}))
    code, said = run("release", "--site", "site")
    assert (code, "released 1.1.0" in said) == (0, True), said
    for version, loud in (("1.0.0", False), ("1.1.0", True), (".", True)):
        page = (tmp_path / "site" / version / "echo.html").read_text(encoding="utf-8")
        assert ("loud" in page) is loud, version
    assert run("site", "--check", "site")[0] == 0


def test_where_the_docs_fail_nothing_is_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_specs(tmp_path, {"taskbind.toml": PROJECT, "site/index.html": "mine"})
    write_specs(tmp_path / "specs", echo_task())
    monkeypatch.chdir(tmp_path)
    assert run("generate")[0] == 0
    before = contents(tmp_path)
    code, said = run("release", "--site", "site")
    assert code == 1, said
    assert "in its way" in said
    assert contents(tmp_path) == before
