"""What the command line tells of a place is a path from the current folder and a line: terminals make it a link."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from taskbind.cli import main
from tests.support.project import echo_task, write_specs

CONFIG = '# A project.\nspecs = "specs"\nout = "out"\n\n[package]\nname = "made"\n'
WRONG = {
    "echo/input.json": '{\n  "type": "object",\n  "type": "object"\n}\n',
    "echo/task.toml": 'title = "T"\n\nsummary = 3\n',
    "echo/wire.toml": "[mine]\nrout = 1\n",
    "dialects.toml": '[mine]\ntitle = "T"\nsummary = "S."\nclosed = 1\n',
}
PLACES = {"echo/input.json:3", "echo/task.toml:3", "echo/wire.toml:2", "dialects.toml:4"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    write_specs(folder / "specs", echo_task({"top_k": {"type": "integer", "description": "How many."}}))
    (folder / "taskbind.toml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def places(result: Result) -> set[str]:
    return set(re.findall(r"^(\S+\.(?:json|toml):\d+): ", result.output, re.MULTILINE))


@pytest.mark.parametrize("command", ["lint", "generate", "check"])
def test_findings_begin_with_their_place(project: Path, command: str) -> None:
    write_specs(project / "specs", WRONG)
    result = run(command)
    assert result.exit_code == 1
    assert places(result) == {f"specs/{place}" for place in PLACES}
    for place in places(result):
        path, _, line = place.partition(":")
        assert 0 < int(line) <= len((project / path).read_text().splitlines())


def test_the_place_leads_from_where_the_command_runs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_specs(project / "specs", WRONG)
    (project / "below").mkdir()
    for folder, specs in ((project / "below", "../specs"), (project / "specs", "."), (project.parent, "project/specs")):
        monkeypatch.chdir(folder)
        found = places(run("lint", "--specs", specs, "--out", str(project.parent / "elsewhere")))
        assert found == {place if specs == "." else f"{specs}/{place}" for place in PLACES}


def test_formats_for_programs_stay_relative_to_the_spec_root(project: Path) -> None:
    write_specs(project / "specs", WRONG)
    assert '"path": "echo/input.json"' in run("lint", "--format", "json").output
    assert "file=specs/echo/input.json,line=3," in run("lint", "--format", "github").output


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (CONFIG.replace('"specs"', "3"), "taskbind.toml:2: specs: must be a text, not int"),
        (CONFIG + "nam = 1\n", "taskbind.toml:7: package.nam: unknown key 'nam'; did you mean 'name'?"),
        (CONFIG.replace('"made"', '"Made"'), "taskbind.toml:6: package.name: package name 'Made': use lower-case"),
        (CONFIG.replace('"made"', '"class"'), "taskbind.toml:6: package.name: package name 'class' is a word"),
        (CONFIG.replace('"made"', ""), "taskbind.toml:6: not valid TOML: "),
        ('docs = ["pdf"]\n' + CONFIG, "taskbind.toml:1: docs: 'pdf' is no flavour of the docs; use github, site, hf"),
        ('\nallow_loose = ["TB1"]\n' + CONFIG, "taskbind.toml:2: allow_loose: 'TB1' cannot be loosened"),
        (CONFIG + "\n[[diff.ignore]]\nrule = 3\n", "taskbind.toml:8: diff.ignore[0]: `reason` is missing"),
        (
            CONFIG + '\n[[diff.ignore]]\nrule = "r"\nreason = "R."\nuntil = "2027-01-31"\n',
            "taskbind.toml:11: diff.ignore[0].until: must be a date",
        ),
        ("specs = " + "[" * 5000, "taskbind.toml"),
        (
            CONFIG + 'version = "banana"\n',
            "taskbind.toml:7: package.version: 'banana' is no version; one looks like 1.2.0",
        ),
        (
            CONFIG + 'license = "nope nope"\n',
            "taskbind.toml:7: package.license: 'nope nope' is no SPDX expression; one",
        ),
        (
            CONFIG.replace('"made"', '"httpx"'),
            "taskbind.toml:6: package.name: package name 'httpx' is that of a package",
        ),
        (CONFIG.replace('"out"', '"out\\u0000"'), "taskbind.toml:3: out: has a character in it that no path has\n"),
        (CONFIG.replace('"specs"', '""'), "taskbind.toml:2: specs: names no folder\n"),
        (CONFIG.replace('"specs"', '"nope"'), "taskbind.toml:2: specs: nope is no folder; make it, or name the folder"),
        ('templates = "no"\n' + CONFIG, "taskbind.toml:1: templates: no is no folder; make it, or name the folder"),
        (
            CONFIG.replace('"out"', '"specs/out"'),
            "taskbind.toml:3: out: specs (specs) and output (specs/out) must not contain each other\n",
        ),
        (CONFIG.replace('specs = "specs"', ""), "taskbind.toml: write `specs = …` into it\n"),
        ("\ufeff" + CONFIG, "taskbind.toml:1: begins with a byte order mark; save it as UTF-8 without BOM\n"),
    ],
)
def test_what_is_wrong_in_the_configuration_has_its_line(project: Path, text: str, place: str) -> None:
    (project / "taskbind.toml").write_text(text, encoding="utf-8")
    result = run("check")
    assert result.exit_code == 2
    assert result.output.startswith(f"taskbind: {place}"), result.output


def test_a_configuration_that_is_no_file_or_not_utf8_is_told(project: Path) -> None:
    path = project / "taskbind.toml"
    path.write_bytes(b'\nspecs = "\xff"\n')
    for put, said in (
        (lambda: None, "taskbind.toml:2: byte 0xff is not UTF-8; save it as UTF-8"),
        (path.mkdir, "taskbind.toml: is not a regular file; put one there"),
        (lambda: os.mkfifo(path), "taskbind.toml: is not a regular file; put one there"),
        (lambda: path.symlink_to("gone"), "taskbind.toml: cannot be read: No such file or directory; check"),
        (lambda: path.symlink_to(path.name), "taskbind.toml: cannot be read: Too many levels of symbolic links; check"),
    ):
        put()
        for command in ("check", "diff", "release"):
            result = run(command)
            assert (result.exit_code, result.output.startswith(f"taskbind: {said}")) == (2, True), result.output
        path.rmdir() if path.is_dir() else path.unlink()


def test_what_to_do_without_a_configuration(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "specs" / "echo")
    told = "taskbind: no taskbind.toml in this folder: "
    for command in ("check", "lint", "release", "diff"):
        result = run(command)
        assert (result.exit_code, result.output) == (2, f"{told}run this command beside ../../taskbind.toml\n")
    (project / "taskbind.toml").unlink()
    for arguments, said in (
        (("check",), "begin a project with `taskbind init`"),
        (("check", "--specs", "."), "pass --out, too"),
        (("diff",), "name both of what to compare: `taskbind diff OLD NEW`"),
    ):
        assert (run(*arguments).exit_code, run(*arguments).output) == (2, f"{told}{said}\n")


def test_folders_elsewhere_are_told_from_where_the_command_runs(project: Path) -> None:
    assert run("lint", "--specs", "../gone").output.startswith("taskbind: --specs: ../gone is no folder; make it")
    assert run("check", "--out", "specs").output.startswith("taskbind: --out: specs (specs) and output (specs) must")
    assert "tasks → " in run("generate", "--out", "../made").output
    assert run("check", "--out", "../made").output.startswith("../made is up to date")


# ------------------------------------------------------------------------------------------------- what may not be read


def test_folders_that_may_not_be_read_are_told(project: Path) -> None:
    def as_nobody(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "taskbind", *arguments]
        if os.geteuid() == 0:  # for whom nothing is forbidden
            none = "-dac_override,-dac_read_search"
            command = ["setpriv", f"--bounding-set={none}", f"--inh-caps={none}", *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("nothing is forbidden for root, and there is no setpriv")
    (project / "locked" / "specs").mkdir(parents=True)
    for folder, arguments, code, said in (
        ("specs/echo", ("lint",), 1, "specs/echo: error TB101: cannot be read: Permission denied (fix: check its perm"),
        ("specs", ("lint",), 1, "specs: error TB101: the spec root 'specs' cannot be read: Permission denied"),
        ("specs", ("new", "tagging"), 2, "taskbind: specs: cannot be read: Permission denied; check its permissions"),
        ("taskbind.toml", ("lint",), 2, "taskbind: taskbind.toml: cannot be read: Permission denied; check its perm"),
        ("locked", ("lint", "--specs", "locked/specs"), 2, "locked/specs"),  # nobody but the last net catches this
    ):
        mode = (project / folder).stat().st_mode
        (project / folder).chmod(0)
        try:
            found, told = as_nobody(*arguments)
        finally:
            (project / folder).chmod(mode)
        assert (found, "Traceback" in told) == (code, False), told
        assert said in told


def test_a_current_folder_that_is_gone_is_told(project: Path) -> None:
    gone = project / "gone"
    for command in ("lint", "init", "schema wire", "diff"):
        gone.mkdir()
        words = [sys.executable, "-m", "taskbind", *command.split()]
        done = subprocess.run(
            ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *words],
            cwd=gone,
            capture_output=True,
            text=True,
            check=False,
        )
        told = "taskbind: the current folder is no longer there; go to one that is\n"
        assert (done.returncode, done.stderr) == (2, told)


def test_options_that_are_wrong_are_named_as_options(project: Path) -> None:
    assert "taskbind: --package: package name 'No'" in run("check", "--package", "No").output
    assert "taskbind: --allow-loose: 'TB231' cannot be loosened" in run("check", "--allow-loose", "tb231").output
