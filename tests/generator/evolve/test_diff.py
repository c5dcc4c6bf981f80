"""`taskbind diff` as people run it: what it prints and how it ends, in real projects under git."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from taskbind.cli import main
from tests.support.project import closed, echo_task, write_specs
from tests.support.repository import Repository

TEXT = {"type": "string", "description": "A text."}
NUMBER = {"type": "number", "description": "A number."}
TOML = 'specs = "specs"\nout = "out"\n[package]\nversion = "1.4.0"\n'
IGNORE = '[[diff.ignore]]\nrule = "{}"\ntask = "ec*"\nreason = "Nobody is there yet."\nuntil = {}\n'
NEVER, LONG_AGO = "9999-12-31", "2001-01-31"


def specs(parameters: dict[str, Any], *required: str, title: str = "EchoOutput") -> dict[str, Any]:
    files = echo_task(parameters, {**closed({"text": TEXT}, "text"), "title": title})
    files["echo/input.json"]["properties"]["parameters"]["required"] = list(required)
    return files


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a commit, tagged v1; the working tree is the same still."""
    repository = Repository(tmp_path / "project")
    write_specs(repository.folder / "specs", specs({"pause": NUMBER}))
    (repository.folder / "taskbind.toml").write_text(TOML)
    repository.commit("v1")
    monkeypatch.chdir(repository.folder)
    return repository.folder


def change(project: Path, *required: str, title: str = "EchoOutput", **parameters: Any) -> None:
    write_specs(project / "specs", specs({"pause": NUMBER} | parameters, *required, title=title))


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(main, ["diff", *arguments], catch_exceptions=False, **options)


def data(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--format", "json").stdout)


def line_of(file: Path, text: str) -> int:
    return next(number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line)


def test_nothing_changed(project: Path) -> None:
    result = run("v1", "--fail-on", "dangerous")
    assert (result.exit_code, result.stdout) == (0, "v1 → the working tree: no change of the API\n")
    assert data("v1")["suggested"] == {"bump": "none", "version": "1.4.0"}


def test_text(project: Path) -> None:
    change(project, "mode", mode=TEXT, speed=NUMBER)
    result = run("v1")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "echo"
    assert lines[1].startswith("  breaking   request parameters.mode: ")
    file = project / "specs/echo/input.json"
    assert lines[2].split() == [
        f"specs/echo/input.json:{line_of(file, chr(34) + 'mode')}:",
        "request-required-member-added",
    ]
    assert lines[3].split(": ", 1)[0].strip() == "was accepted, is refused now"
    assert "mode" not in json.loads(lines[3].split(": ", 1)[1]).get("parameters", {})
    assert any(line.startswith("  safe       request parameters.speed: ") for line in lines)
    assert "This asks for a major version: after 1.4.0 comes 2.0.0." in lines
    assert lines[-1] == "v1 → the working tree: 1 breaking, 1 safe"
    assert "\x1b" not in result.stdout
    assert "\x1b[31mbreaking" in run("v1", color=True).stdout


def test_places_lead_from_the_current_folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(project, speed=NUMBER)
    line = line_of(project / "specs/echo/input.json", '"speed"')
    (found,) = data("v1")["changes"]
    assert (found["file"], found["line"]) == ("specs/echo/input.json", line)
    assert found["pointer"] == "/properties/parameters/properties/speed"
    Repository(project).commit("v2")
    (project / "specs/echo/input.json").write_text("not what it was in v2")
    assert data("v1", "v2")["changes"] == [found]
    change(project, speed=NUMBER)
    Repository(project).git("worktree", "add", "--quiet", "../old", "v1")
    (project / "inner").mkdir()
    monkeypatch.chdir(project / "inner")
    (found,) = data("../../old", "..")["changes"]
    assert (found["file"], found["line"]) == ("../specs/echo/input.json", line)


def test_what_is_gone_has_the_place_of_what_it_was_in(project: Path) -> None:
    change(project, "mode", mode=TEXT)
    Repository(project).commit("v2")
    change(project)
    (found,) = data("v2")["changes"]
    assert found["kind"] == "removed"
    assert found["pointer"] == "/properties/parameters/properties"
    lines = (project / "specs/echo/input.json").read_text().splitlines()
    assert '"properties"' in lines[found["line"] - 1]


def test_a_task_that_is_gone_names_its_file_without_a_line(project: Path) -> None:
    write_specs(project / "specs", {name.replace("echo", "sing"): s for name, s in echo_task().items()})
    Repository(project).commit("v2")
    for file in (project / "specs/sing").iterdir():
        file.unlink()
    (found,) = [change for change in data("v2")["changes"] if change["task"] == "sing"]
    assert (found["kind"], found["line"], found["wire"]) == ("removed", None, "breaking")
    assert run("v2", "--format", "github").stdout.startswith("::error ")


def test_an_api_json_has_no_lines(project: Path, tmp_path: Path) -> None:
    from taskbind import ir_json
    from taskbind.evolve.sources import read_sources

    change(project, speed=NUMBER)
    api = read_sources("v1", None, project)[1].api
    (tmp_path / "api.json").write_text(json.dumps(ir_json.to_json(api)))
    told = data("v1", "../api.json")
    assert (told["new"], told["specs"]) == ("../api.json", None)
    (found,) = told["changes"]
    assert (found["file"], found["line"]) == ("echo/input.json", None)
    assert found["pointer"] == "/properties/parameters/properties/speed"


def test_dialects_and_prose_have_lines(project: Path) -> None:
    dialects = (
        '[ours]\ntitle = "Ours"\nsummary = "How we speak."\n\n[theirs]\ntitle = "Theirs"\nsummary = "How they do."\n'
    )
    wire = '[ours]\nroute = "/v1"\nnulls = true\n\n[theirs]\n# as well\nroute = "/theirs"\nnulls = true\n'
    write_specs(
        project / "specs", {"dialects.toml": dialects, "echo/wire.toml": wire, "echo/task.toml": 'title = "E"\n'}
    )
    Repository(project).commit("v2")
    dialects = dialects.replace("How they do.", "As they do.") + '\n[new]\ntitle = "New"\nsummary = "A new one."\n'
    wire = wire.replace('route = "/theirs"\n', 'route = "/other"\n').replace("nulls = true\n", "", 1)
    prose = 'title = "E"\n\nsummary = "Says it again."\n'
    write_specs(project / "specs", {"dialects.toml": dialects, "echo/wire.toml": wire, "echo/task.toml": prose})
    told = {(c["side"], c["path"], c["kind"], c["name"]): (c["file"], c["line"]) for c in data("v2")["changes"]}
    assert told == {
        ("task", "", "description", "summary"): ("specs/echo/task.toml", 3),
        ("dialect", "ours", "wire", "nulls"): ("specs/echo/wire.toml", 1),
        ("dialect", "theirs", "wire", "route"): ("specs/echo/wire.toml", 6),
        ("dialect", "theirs", "description", "summary"): ("specs/dialects.toml", 7),
        ("dialect", "new", "added", ""): ("specs/dialects.toml", 9),
    }


def test_a_key_that_is_written_has_its_line_whatever_its_value(project: Path) -> None:
    dialects = '[ours]\ntitle = "Ours"\nsummary = "How we speak."\n\n[theirs]\ntitle = "T"\nsummary = "S."\n'
    wire = '[ours]\nroute = "/v1"\nnulls = true\n\n[theirs]\nroute = "/theirs"\nnulls = true\n'
    write_specs(project / "specs", {"dialects.toml": dialects, "echo/wire.toml": wire})
    Repository(project).commit("v2")
    write_specs(project / "specs", {"echo/wire.toml": wire.replace("true", "false")})
    assert [(c["path"], c["name"], c["line"]) for c in data("v2")["changes"]] == [
        ("ours", "nulls", 3),
        ("theirs", "nulls", 7),
    ]


def test_examples_need_not_fit_yet(project: Path) -> None:
    """They are no part of the API; whoever changes a schema sees what that means first and mends them afterwards."""
    toml = 'title = "E"\n[[examples]]\nname = "one"\ntitle = "One"\ninputs = "a"\n[examples.parameters]\npause = 1\n'
    write_specs(project / "specs", {"echo/task.toml": toml})
    Repository(project).commit("v2")
    change(project, pause=TEXT)
    assert "TB250" in CliRunner().invoke(main, ["lint"]).output
    Repository(project).commit("v3")
    assert {found["path"] for found in data("v2")["changes"]} == {"parameters.pause"}
    assert data("v3", "v2")["changes"]


def test_what_tasks_share_is_told_once(project: Path) -> None:
    names = [f"echo-{letter}" for letter in "abcd"]
    shared = specs({"pause": {"$ref": "../common.json#/$defs/Pause"}})

    def write(**more: Any) -> None:
        common = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {"Pause": NUMBER | more}}
        files = {path.replace("echo", name): schema for name in names for path, schema in shared.items()}
        write_specs(project / "specs", {"common.json": common, **files})

    write()
    Repository(project).commit("v2")
    write(maximum=9)
    lines = run("v2").stdout.splitlines()
    assert lines[0] == ", ".join(names)
    assert lines[2].split()[0].startswith("specs/common.json:")
    assert lines[-1] == "v2 → the working tree: 1 breaking in 4 tasks"
    assert [found["task"] for found in data("v2")["changes"]] == names


# ----------------------------------------------------------------------------------------------------------- exit codes


@pytest.mark.parametrize(
    ("fail_on", "audience", "breaking", "renamed"),
    [
        (None, "both", 0, 0),
        ("never", "both", 0, 0),
        ("breaking", "both", 1, 1),
        ("dangerous", "both", 1, 1),
        ("breaking", "wire", 1, 0),
        ("breaking", "python", 1, 1),
    ],
)
def test_exit_codes(project: Path, fail_on: str | None, audience: str, breaking: int, renamed: int) -> None:
    options = ["v1", "--for", audience, *(["--fail-on", fail_on] if fail_on else [])]
    change(project, "mode", mode=TEXT)
    assert run(*options).exit_code == breaking
    change(project, title="Echoed")
    for format in ("text", "markdown", "json", "sarif", "github"):
        assert run(*options, "--format", format).exit_code == renamed
    change(project, speed=NUMBER)
    assert run(*options).exit_code == 0


def test_a_renamed_class_breaks_python_and_not_the_wire(project: Path) -> None:
    change(project, title="Echoed")
    (found,) = data("v1")["changes"]
    assert (found["side"], found["rule"], found["wire"], found["python"]) == (
        "python",
        "python-class-renamed",
        "safe",
        "breaking",
    )
    assert (found["path"], found["before"], found["after"]) == (
        "models.EchoOutput",
        "models.EchoOutput",
        "models.Echoed",
    )
    assert (found["file"], found["line"], found["direction"]) == ("specs/echo/output.json", 1, None)
    assert "(safe on the wire, breaking in Python)" in run("v1").stdout
    assert data("v1")["suggested"] == {"bump": "major", "version": "2.0.0"}
    assert run("v1", "--for", "wire").stdout.splitlines()[1].startswith("  safe ")


# ---------------------------------------------------------------------------------------------------- the ignore list


def test_ignored_changes_are_shown_and_do_not_count(project: Path) -> None:
    change(project, "mode", mode=TEXT)
    (project / "taskbind.toml").write_text(TOML + IGNORE.format("request-required-member-added", NEVER))
    result = run("v1", "--fail-on", "dangerous")
    assert result.exit_code == 0
    assert "  ignored    request parameters.mode: " in result.stdout
    assert f"ignored until {NEVER}: Nobody is there yet." in result.stdout
    assert result.stdout.splitlines()[-1] == "v1 → the working tree: 1 ignored"
    told = data("v1")
    assert told["counts"]["wire"] == {"breaking": 0, "dangerous": 0, "safe": 0}
    assert told["changes"][0]["ignored"] == {"reason": "Nobody is there yet.", "until": NEVER, "line": 6}
    assert told["suggested"]["bump"] == "major"  # it is a break all the same
    (result_,) = json.loads(run("v1", "--format", "sarif").stdout)["runs"][0]["results"]
    assert result_["suppressions"][0]["justification"] == f"ignored until {NEVER}: Nobody is there yet."
    assert run("v1", "--format", "github").stdout.startswith("::notice file=specs/echo/input.json,")
    assert "<summary>Ignored (1)</summary>" in run("v1", "--format", "markdown").stdout


def test_expired_entries_ignore_nothing_and_are_told(project: Path) -> None:
    change(project, "mode", mode=TEXT)
    (project / "taskbind.toml").write_text(TOML + IGNORE.format("request-required-member-added", LONG_AGO))
    result = run("v1", "--fail-on", "breaking")
    assert result.exit_code == 1
    said = f"taskbind.toml:6: the ignore of request-required-member-added ended on {LONG_AGO}; nothing is ignored by it"
    assert said in result.stdout.splitlines()
    assert data("v1")["ignores"] == {
        "file": "taskbind.toml",
        "expired": [{"rule": "request-required-member-added", "line": 6, "until": LONG_AGO}],
        "unused": [],
    }
    assert (
        "::warning file=taskbind.toml,line=6,title=taskbind diff%3A ignore list::"
        in run("v1", "--format", "github").stdout
    )
    log = json.loads(run("v1", "--format", "sarif").stdout)
    (told,) = log["runs"][0]["invocations"][0]["toolConfigurationNotifications"]
    assert told["message"]["text"] == said


def test_entries_that_fit_nothing_are_told(project: Path) -> None:
    (project / "taskbind.toml").write_text(TOML + IGNORE.format("request-member-required", NEVER))
    result = run("v1")
    assert "taskbind.toml:6: the ignore of request-member-required fits no change" in result.stdout
    (project / "taskbind.toml").write_text(TOML + IGNORE.format("request-member-requird", NEVER))
    result = run("v1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "taskbind.toml:6: diff.ignore: there is no rule 'request-member-requird'; did you mean" in result.stderr


# ------------------------------------------------------------------------------------------------ files, usage, mishaps


def test_to_a_file(project: Path) -> None:
    change(project, speed=NUMBER)
    result = run("v1", "--format", "markdown", "--to", "change.md")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (project / "change.md").read_text() == run("v1", "--format", "markdown").stdout
    assert run("v1", "--to", "change.txt", color=True).exit_code == 0
    assert "\x1b" not in (project / "change.txt").read_text()
    result = run("v1", "--to", "missing/change.md")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "missing/change.md: cannot be written: " in result.stderr


@pytest.mark.parametrize("format", ["text", "markdown", "json", "sarif", "github"])
def test_errors_leave_stdout_alone(project: Path, format: str) -> None:
    for wrong in (["missing"], ["--fail-on", "safe", "v1"], ["v1", "v1", "v1"], [""], []):
        result = run(*wrong, "--format", format)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr


def test_bad_specs_are_told_as_lint_tells_them(project: Path) -> None:
    (project / "specs/echo/output.json").write_text('{\n"type": 5}')
    result = run("v1", "--format", "json")
    assert (result.exit_code, result.stdout) == (1, "")
    lint = CliRunner().invoke(main, ["lint"])
    told = [line for line in result.stderr.splitlines() if "TB121" in line]
    assert told and told[0] in lint.output.splitlines()
    assert told[0].startswith("specs/echo/output.json:2: /type error TB121: ")
    assert "NEW (the working tree): 1 error in the specs; there is nothing to compare" in result.stderr


def test_hostile_names_all_the_way(project: Path) -> None:
    name = "a\n::error file=x::b|`@everyone #1 <b>"
    change(project, name, **{name: {"type": "string", "description": f"\x1b[31m\u202e{name}\n\n# {name}"}})
    text = run("v1").stdout
    assert "\x1b" not in text and "\u202e" not in text
    for line in run("v1", "--format", "github").stdout.splitlines():
        assert line.startswith(("::error file=specs/echo/input.json,line=", "::warning file="))
    assert name in [found["path"].removeprefix("parameters.") for found in data("v1")["changes"]]
    markdown = run("v1", "--format", "markdown").stdout
    assert "\x1b" not in markdown and "<b>" not in markdown


def test_as_a_process_with_bytes_that_are_no_text(project: Path) -> None:
    """Names of revisions come as the bytes that someone typed."""
    command = [sys.executable, "-m", "taskbind", "diff", b"\xff\xfe", "--format", "json"]
    done = subprocess.run(command, cwd=project, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no such revision" in done.stderr
    assert b"Traceback" not in done.stderr
