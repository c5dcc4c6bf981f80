"""The formats of `taskbind lint` for programs: complete, well-formed whatever a spec says, and alone on stdout."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, strategies as st

from taskbind.cli import main
from taskbind.diagnostics import ADVISORY, Diagnostic, Report, Severity, one_line
from taskbind.findings import FORMATS, as_github, as_json, as_sarif
from tests.support.project import write_specs
from tests.support.sarif import assert_sarif

COMMAND = re.compile(r"::(error|warning|notice) file=([^:,]*)(?:,line=(\d+))?,title=([^:,]*)::(.*)")
SPECS = {
    "my-task/input.json": '{\n "type": "object",\n "properties": {"inputs": {"type": "string", "description": "T."}},\n'
    ' "required": ["inputs"],\n "minimum": 1\n}\n',
    "my-task/output.json": '{\n "type": "string",\n "default": 5,\n "pattern": "(?=a)"\n}\n',
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_specs(tmp_path / "specs", SPECS)
    (tmp_path / "taskbind.toml").write_text('specs = "specs"\nout = "out"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["lint", *arguments], catch_exceptions=False)


def files(log: Any) -> set[tuple[str, str]]:
    """The base and the path of every place in a SARIF log."""
    artifacts = (r["locations"][0]["physicalLocation"]["artifactLocation"] for r in log["runs"][0]["results"])
    return {(artifact["uriBaseId"], artifact["uri"]) for artifact in artifacts}


def test_json(project: Path) -> None:
    result = run("--format", "json")
    assert (result.exit_code, result.stderr) == (1, "")
    data = json.loads(result.stdout)
    assert data["version"] == 1
    assert data["specs"] == "specs"
    assert data["counts"] == {"error": 2, "warning": 1, "info": 0, "repaired": 2, "loose": 0}
    assert [(f["path"], f["line"], f["pointer"], f["code"], f["severity"]) for f in data["findings"]] == [
        ("my-task/input.json", 5, "/minimum", "TB215", "warning"),
        ("my-task/output.json", 3, "/default", "TB231", "error"),
        ("my-task/output.json", 4, "/pattern", "TB244", "error"),
    ]
    for finding in data["findings"]:
        assert list(finding) == "path line pointer code severity title message fix repaired loose".split()
        assert finding["title"] and finding["message"] and finding["fix"]
    assert [f["repaired"] for f in data["findings"]] == [True, True, False]


def test_json_tells_what_was_let_pass(project: Path) -> None:
    (project / "specs/my-task/input.json").write_text(SPECS["my-task/input.json"].replace(',\n "minimum": 1', ""))
    (project / "specs/my-task/output.json").write_text('{"type": "string", "pattern": "(?=a)"}')
    result = run("--format", "json", "--allow-loose", "TB244")
    data = json.loads(result.stdout)
    assert result.exit_code == 0
    assert data["counts"] == {"error": 1, "warning": 0, "info": 0, "repaired": 0, "loose": 1}
    assert [f["loose"] for f in data["findings"]] == [True]
    log = json.loads(run("--format", "sarif", "--allow-loose", "TB244").stdout)
    assert log["runs"][0]["results"][0]["suppressions"] == [{"kind": "external", "justification": "--allow-loose"}]


def test_sarif(project: Path) -> None:
    result = run("--format", "sarif")
    assert (result.exit_code, result.stderr) == (1, "")
    log = json.loads(result.stdout)
    assert_sarif(log)
    (run_,) = log["runs"]
    assert [rule["id"] for rule in run_["tool"]["driver"]["rules"]] == ["TB215", "TB231", "TB244"]
    first = run_["results"][0]
    assert (first["ruleId"], first["level"], first["properties"]["repaired"]) == ("TB215", "warning", True)
    place = first["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "specs/my-task/input.json", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 5},
    }
    assert first["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "/minimum", "kind": "value"}]
    assert "fix: remove it" in first["message"]["text"]
    assert str(project) not in result.stdout


def test_specs_elsewhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "inner").mkdir()
    monkeypatch.chdir(project / "inner")
    arguments = ("--specs", "../specs", "--out", "out")
    log = json.loads(run("--format", "sarif", *arguments).stdout)
    assert_sarif(log)
    assert files(log) == {("SPECS", "my-task/input.json"), ("SPECS", "my-task/output.json")}
    assert run("--format", "github", *arguments).stdout.startswith("::warning file=../specs/my-task/input.json,")
    assert json.loads(run("--format", "json", *arguments).stdout)["specs"] == "../specs"


def test_github_is_led_from_its_repository(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job may work in a folder of the repository; GitHub looks for every path from the repository on."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    where = f"{project.name}/specs/my-task"
    assert run("--format", "github").stdout.startswith(f"::warning file={where}/input.json,")
    expected = {("%SRCROOT%", f"{where}/input.json"), ("%SRCROOT%", f"{where}/output.json")}
    assert files(json.loads(run("--format", "sarif").stdout)) == expected
    (project / "inner").mkdir()
    monkeypatch.chdir(project / "inner")
    arguments = ("--specs", "../specs", "--out", "out")
    assert run("--format", "github", *arguments).stdout.startswith(f"::warning file={where}/input.json,")
    assert files(json.loads(run("--format", "sarif", *arguments).stdout)) == expected
    for elsewhere in (project / "other", project / "inner"):
        monkeypatch.setenv("GITHUB_WORKSPACE", str(elsewhere))
        assert run("--format", "github", *arguments).stdout.startswith("::warning file=../specs/my-task/input.json,")
        assert {base for base, _ in files(json.loads(run("--format", "sarif", *arguments).stdout))} == {"SPECS"}


def test_github(project: Path) -> None:
    result = run("--format", "github")
    assert (result.exit_code, result.stderr) == (1, "")
    found = [match.groups() for line in result.stdout.splitlines() if (match := COMMAND.fullmatch(line))]
    assert [(level, file, line, title.partition(" ")[0]) for level, file, line, title, _ in found] == [
        ("warning", "specs/my-task/input.json", "5", "TB215"),
        ("error", "specs/my-task/output.json", "3", "TB231"),
        ("error", "specs/my-task/output.json", "4", "TB244"),
    ]
    assert found[0][4].startswith("/minimum: `minimum` has no effect")


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_found_is_an_empty_document(project: Path, name: str) -> None:
    write_specs(project / "specs", {"my-task/output.json": {"type": "string"}})
    (project / "specs/my-task/input.json").write_text(SPECS["my-task/input.json"].replace(',\n "minimum": 1', ""))
    result = run("--format", name)
    assert result.exit_code == 0
    assert name == "github" or not json.loads(result.stdout).get("findings", [])
    assert name != "github" or result.stdout == ""


@pytest.mark.parametrize("name", FORMATS)
def test_errors_of_usage_leave_stdout_alone(project: Path, name: str) -> None:
    for wrong in (("--specs", "missing"), ("--allow-loose", "TB231")):
        result = run("--format", name, *wrong)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("taskbind: ")
    assert run("--format", "xml").exit_code == 2


# -------------------------------------------------------------------------------------------------- hostile texts

TEXTS = st.text() | st.sampled_from(
    ["::error::x", "a\n::stop-commands::b", "%0A::error::", "\x1b[31m", "\udce9", "a,b=c:d"]
)
FINDINGS = st.builds(
    Diagnostic,
    path=TEXTS.map(lambda text: text.replace("/", "").replace("\x00", "") or "x"),
    line=st.integers(0, 9),
    pointer=TEXTS.map(lambda text: f"/{text}"),
    code=st.sampled_from(["TB121", "TB999"]),
    severity=st.sampled_from(Severity),
    message=TEXTS.map(lambda text: f"m{text}"),
    fix=TEXTS,
    repaired=st.booleans(),
)


@given(st.lists(FINDINGS, max_size=3))
def test_no_text_breaks_a_format(findings: list[Diagnostic]) -> None:
    report = Report(list(findings))
    count, specs, folder = len(report), Path("/p/specs"), Path("/p")
    lines = as_github(report, specs, folder).splitlines()
    assert len(lines) == count
    assert all(COMMAND.fullmatch(line) for line in lines)
    data = json.loads(as_json(report, specs, folder))
    assert [(f["path"], f["message"], f["pointer"]) for f in data["findings"]] == [
        (d.path, d.message, d.pointer) for d in report
    ]
    log = json.loads(as_sarif(report, specs, folder))
    assert_sarif(log)
    assert all(len(result["locations"]) == 1 for result in log["runs"][0]["results"])
    uris = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in log["runs"][0]["results"]]
    assert [unquote(uri, errors="surrogateescape") for uri in uris] == [
        str(PurePosixPath("specs", d.path)) for d in report
    ]
    assert all(len(str(d).splitlines()) == 1 and str(d).isprintable() for d in report)


def test_github_escapes_what_separates() -> None:
    d = Diagnostic("a,b:c%.json", 1, "/x\ny", "TB121", Severity.ERROR, "50%\r\n::error::no", "a: b, c")
    (line,) = as_github(Report([d]), Path("/p/s"), Path("/p")).splitlines()
    assert line == (
        "::error file=s/a%2Cb%3Ac%25.json,line=1,title=TB121 schema is not valid in its dialect::"
        "/x%0Ay: 50%25%0D%0A::error::no (fix: a: b, c)"
    )


def test_hostile_names_all_the_way(project: Path) -> None:
    name = "a\n::error file=x::b\x1b[31m\u202e"
    schema = {"type": "object", "properties": {name: {"type": 5}}}
    (project / "specs/my-task/output.json").write_text(json.dumps(schema))
    text = run()
    assert "\x1b" not in text.stdout
    assert len(text.stdout.splitlines()) == 2  # the finding and the count
    assert all(COMMAND.fullmatch(line) for line in run("--format", "github").stdout.splitlines())
    data = json.loads(run("--format", "json").stdout)
    assert name in [f["pointer"].removeprefix("/properties/").removesuffix("/type") for f in data["findings"]]


def test_one_line_keeps_what_prints() -> None:
    assert one_line("naïve – 日本 \\n") == "naïve – 日本 \\n"
    assert one_line("a\nb\u2028\x1b") == "a\\nb\\u2028\\x1b"


def test_what_stops_generation() -> None:
    def error(code: str, repaired: bool = False) -> Diagnostic:
        return Diagnostic("x", 1, "", code, Severity.ERROR, "m", repaired=repaired)

    report = Report(loose=frozenset({"TB244"}))
    for diagnostic in (error("TB121"), error("TB230", repaired=True), error("TB244"), error("TB234")):
        report.add(diagnostic)
    assert [d.code for d in report.fatal] == ["TB121"]
    assert [d.code for d in report if d.loose] == ["TB244"]
    assert [d.code for d in report if d.code in ADVISORY] == ["TB234"]
