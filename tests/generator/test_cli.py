"""The command line: what it says, what it writes, and how it exits."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from taskbind.cli import main
from taskbind.diagnostics import LOOSENABLE
from taskbind.explain import codes
from tests.support.project import echo_task, write_specs

CONFIG = 'specs = "specs"\nout = "out"\n[package]\nname = "made"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_specs(tmp_path / "specs", echo_task({"top_k": {"type": "integer", "description": "How many."}}))
    (tmp_path / "taskbind.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_generate_then_check(project: Path) -> None:
    first = run("generate")
    assert first.exit_code == 0
    assert first.output.startswith("1 tasks → ")
    assert "wrote" in first.output
    assert "up to date" in run("generate").output
    clean = run("check")
    assert (clean.exit_code, "is up to date" in clean.output) == (0, True)


def test_check_names_and_shows_what_would_change(project: Path) -> None:
    run("generate")
    path = project / "specs" / "echo" / "input.json"
    path.write_text(path.read_text().replace("How many.", "How many answers."))
    before = {p: p.read_bytes() for p in (project / "out").rglob("*") if p.is_file()}
    result = run("check", "--diff")
    assert result.exit_code == 1
    assert "would change  made/models/echo.py" in result.output
    assert "+    How many answers." in result.output
    assert "-    How many." in result.output
    assert "run `taskbind generate`" in result.output
    assert {p: p.read_bytes() for p in (project / "out").rglob("*") if p.is_file()} == before


def test_an_edited_file_is_named_and_kept(project: Path) -> None:
    run("generate")
    path = project / "out" / "made" / "models" / "echo.py"
    path.write_text(path.read_text() + "# mine\n")
    for command in ("generate", "check"):
        result = run(command)
        assert result.exit_code == 1
        assert "edited by hand since they were generated: made/models/echo.py" in result.output
    assert path.read_text().endswith("# mine\n")


def test_a_task_that_goes_takes_its_files_with_it(project: Path) -> None:
    write_specs(project / "specs", {k.replace("echo", "other"): v for k, v in echo_task().items()})
    run("generate")
    assert (project / "out" / "made" / "models" / "other.py").exists()
    for path in (project / "specs" / "other").iterdir():
        path.unlink()
    (project / "specs" / "other").rmdir()
    assert "removed 0" not in run("generate").output
    assert not (project / "out" / "made" / "models" / "other.py").exists()
    assert not (project / "out" / "docs" / "other.md").exists()


def test_bad_specs_stop_with_place_and_fix_and_write_nothing(project: Path) -> None:
    (project / "specs" / "echo" / "output.json").write_text('{"type": "object",\n "type": "array"}')
    result = run("generate")
    assert result.exit_code == 1
    assert "echo/output.json:2" in result.output
    assert "fix:" in result.output
    assert "nothing was written" in result.output
    assert not (project / "out").exists()


def test_lint_is_quiet_about_good_specs_and_loud_about_bad(project: Path) -> None:
    assert (run("lint").exit_code, run("lint").output) == (0, "nothing to report in specs\n")
    write_specs(project / "specs", echo_task({"value": {"type": "integer", "default": "1"}}))
    result = run("lint")
    assert result.exit_code == 1
    assert "TB230" in result.output
    assert result.output.endswith("1 error, 1 info in specs\n")


def test_explain_tells_what_a_code_means(project: Path) -> None:
    assert "null" in run("explain", "tb230").output
    unknown = run("explain", "TB999")
    assert unknown.exit_code == 2
    assert "TB999" in unknown.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("specs = 'specs'\n", "taskbind.toml: write `out = …` into it"),
        ("spec = 'specs'\nout = 'out'\n", "unknown key 'spec'; did you mean 'specs'?"),
        ("specs = 1\nout = 'out'\n", "taskbind.toml:1: specs: must be a text, not int"),
        ("specs = ", "not valid TOML"),
        ("allow_loose = 'TB244'\n" + CONFIG, "taskbind.toml:1: allow_loose: must be a list, not str"),
        ("allow_loose = ['TB231']\n" + CONFIG, "'TB231' cannot be loosened"),
        ("allow_loose = [['TB244']]\n" + CONFIG, "cannot be loosened"),
        ("specs = 'specs'\nout = 'specs/out'\n", "must not contain each other"),
        (CONFIG.replace("made", "not-a-name"), "package name 'not-a-name'"),
        (CONFIG.replace("specs = ", "specs = 'missing'\n# "), "missing"),
    ],
)
def test_bad_configuration_exits_with_2(project: Path, text: str, message: str) -> None:
    (project / "taskbind.toml").write_text(text)
    result = run("generate")
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert "Traceback" not in result.output


def test_options_win_over_the_file(project: Path) -> None:
    assert run("generate", "--out", "elsewhere", "--package", "other").exit_code == 0
    assert (project / "elsewhere" / "other" / "models" / "echo.py").exists()
    assert json.loads((project / "elsewhere" / "manifest.json").read_text())["config"]["package"] == "other"


def test_own_templates_win_and_caches_are_no_templates(project: Path) -> None:
    runtime = project / "mine" / "runtime"
    for name in ("extra.py", ".ruff_cache/x", "__pycache__/extra.cpython-311.pyc", ".hidden"):
        (runtime / name).parent.mkdir(parents=True, exist_ok=True)
        (runtime / name).write_text("# mine\n")
    (project / "taskbind.toml").write_text('templates = "mine"\n' + CONFIG)
    assert run("generate").exit_code == 0
    made = {
        p.relative_to(project / "out" / "made" / "_runtime").as_posix()
        for p in (project / "out").rglob("_runtime/**/*")
    }
    assert "extra.py" in made
    assert "types.py" in made
    assert not [name for name in made if "cache" in name.lower().split("/")[0] or name.startswith(".")]
    (runtime / ".ruff_cache" / "y").write_text("")
    assert run("check").exit_code == 0


def test_settings_are_text_too(project: Path) -> None:
    summary = 'So "typed" | it \\ hurts'
    text = CONFIG + f"version = '1.2.0rc1'\nsummary = '{summary}'\n"
    (project / "taskbind.toml").write_text(text)
    assert run("generate").exit_code == 0
    made = tomllib.loads((project / "out" / "pyproject.toml").read_text())["project"]
    assert (made["version"], made["description"]) == ("1.2.0rc1", summary)


PATTERN = {"value": {"type": "string", "description": "A value.", "pattern": "^(?!no)"}}


@pytest.fixture
def refused(project: Path) -> Path:
    """A project with a pattern that cannot be run in linear time, which is refused."""
    write_specs(project / "specs", echo_task(PATTERN))
    return project


def test_a_refusal_can_be_let_pass(refused: Path) -> None:
    for command in ("generate", "check", "lint"):
        result = run(command)
        assert result.exit_code == 1
        assert "TB244" in result.output
    assert "--allow-loose TB244 goes on without the keyword" in run("generate").output
    assert not (refused / "out").exists()
    loose = run("generate", "--allow-loose", "tb244")
    assert loose.exit_code == 0, loose.output
    assert "1 let pass, where models differ from their schemas" in loose.output
    assert "up to date" in run("generate", "--allow-loose", "TB244").output
    assert run("check", "--allow-loose", "TB244").exit_code == 0
    lint = run("lint", "--allow-loose", "TB244")
    assert lint.exit_code == 0
    assert "error TB244" in lint.output
    assert "(loose; fix:" in lint.output


def test_what_is_let_pass_is_an_input(refused: Path) -> None:
    (refused / "taskbind.toml").write_text('allow_loose = ["TB244"]\n' + CONFIG)
    assert run("generate").exit_code == 0
    assert json.loads((refused / "out" / "manifest.json").read_text())["config"]["allow_loose"] == ["TB244"]
    assert run("check").exit_code == 0
    (refused / "taskbind.toml").write_text(CONFIG)
    assert run("check").exit_code == 1
    write_specs(refused / "specs", echo_task())
    changed = run("check")
    assert changed.exit_code == 1
    assert "would change  manifest.json" in changed.output


def test_only_what_can_be_left_out_is_let_pass(project: Path) -> None:
    for code in ("TB105", "TB999", "x"):
        result = run("generate", "--allow-loose", code)
        assert (result.exit_code, "Traceback" in result.output) == (2, False)
        assert f"{code.upper()!r} cannot be loosened" in result.output
        assert "TB244" in result.output
    assert codes().keys() >= LOOSENABLE
    assert "--allow-loose TB244" in run("explain", "TB244").output
    assert "--allow-loose" not in run("explain", "TB105").output


def test_generate_runs_no_rule_of_style(project: Path) -> None:
    write_specs(project / "specs", echo_task({"num_frames": {"type": "number"}}))
    assert run("generate", "--verbose").output.count("\n") == 1
    assert "TB265" in run("lint").output
