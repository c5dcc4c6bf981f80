"""`taskbind init` and `taskbind new`: what they write is in good form, and over nobody's work."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import tomllib
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner, Result
from ruff import find_ruff_bin

from taskbind import __version__
from taskbind.cli import main
from taskbind.commands.new import new
from taskbind.config import load_config, unfit_package
from taskbind.diagnostics import TaskbindError
from taskbind.pipeline import generate, lint
from taskbind.scaffold.create import create
from taskbind.scaffold.project import package_for, project_files
from taskbind.scaffold.task import kinds, new_task
from taskbind.schemas import NAMES, file_name, schema_text

INPUTS, OUTPUTS = kinds()["input"], kinds()["output"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "acme"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def everything(folder: Path) -> dict[str, bytes | None]:
    """What is below a folder: the bytes of files, None for folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


# ------------------------------------------------------------------------------------------------------------- init


def test_a_new_project_has_nothing_to_report(here: Path) -> None:
    result = run("init")
    assert result.exit_code == 0, result.output
    commands = re.findall(r"^  (.+)$", result.output, re.MULTILINE)
    assert commands == ["python -m pip install -r requirements-dev.txt", "taskbind generate", "nox"]
    assert run("generate").exit_code == 0
    assert run("lint").output == "nothing to report in specs\n"
    assert run("check").exit_code == 0
    assert (here / "generated" / "acme_tasks" / "models" / "keyword_extraction.py").exists()


def test_a_folder_is_made_and_the_package_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("init", "a/b", "--package", "mine")
    assert result.exit_code == 0, result.output
    assert "  cd -- a/b\n" in result.output
    assert load_config(tmp_path / "a" / "b").package == "mine"
    assert "from mine.server import" in (tmp_path / "a" / "b" / "service.py").read_text()
    refused = run("init", "c", "--package", "not-mine")
    assert (refused.exit_code, "package name 'not-mine'" in refused.output) == (2, True)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("folder", "package"),
    [
        ("acme", "acme_tasks"),
        ("Acme-ML", "acme_ml_tasks"),
        ("our tasks", "our_tasks"),
        ("class", "class_tasks"),
        ("日本", "my_tasks"),
        ("_", "my_tasks"),
        ("123", "my_tasks"),
        ("tests", "tests_tasks"),
        ("x" * 200, "my_tasks"),
    ],
)
def test_the_package_is_called_like_the_folder(folder: str, package: str) -> None:
    assert package_for(Path("/somewhere") / folder) == package


def test_files_fit_to_each_other() -> None:
    files = {path: data.decode() for path, data in project_files("mine").items()}
    assert not [path for path, text in files.items() if "{{ package" in text or "{{ version" in text or "{%" in text]
    for name in NAMES:
        assert files[f".taplo/{file_name(name)}"] == schema_text(name)
    rules = tomllib.loads(files[".taplo.toml"])["rule"]
    named = [rule["schema"]["path"] for rule in rules]
    named += re.findall(r"#:schema \./(\S+)", files["taskbind.toml"])
    assert sorted(named) == sorted(f".taplo/{file_name(name)}" for name in NAMES)
    pin = f"taskbind=={__version__}"
    hooks = [hook for repo in yaml.safe_load(files[".pre-commit-config.yaml"])["repos"] for hook in repo["hooks"]]
    assert {tuple(hook["additional_dependencies"]) for hook in hooks} == {(pin,)}
    assert not any("files" in hook for hook in hooks)  # templates and examples count, too
    assert sum(text.count(f"=={__version__}") for text in files.values()) == 2
    assert f"\ntaskbind[site]=={__version__}\n" in files["requirements-dev.txt"]
    workflow = yaml.safe_load(files[".github/workflows/ci.yml"])
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        assert not any("${{" in step.get("run", "") for step in job["steps"])
        (checkout,) = (step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@"))
        assert checkout["with"]["persist-credentials"] is False


@pytest.mark.parametrize(
    "there", ["README.md", "specs/keyword-extraction/input.json", ".taplo/wire.schema.json", "tests"]
)
def test_what_is_there_is_named_and_kept(here: Path, there: str) -> None:
    path = here / there
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    (here / "other.txt").write_text("mine, too")
    before = everything(here)
    result = run("init")
    assert result.exit_code == 1
    assert f"in the way in .: {there}" in result.output
    assert "nothing was written" in result.output
    assert everything(here) == before


def test_other_files_are_left_alone(here: Path) -> None:
    (here / "LICENSE").write_text("mine")
    (here / "specs").mkdir()
    assert run("init").exit_code == 0
    assert (here / "LICENSE").read_text() == "mine"


def test_a_run_that_was_killed_is_completed_by_the_next(here: Path) -> None:
    run("init")
    whole = everything(here)
    for path in ("README.md", "specs/keyword-extraction/input.json"):
        (here / path).unlink()
    assert run("init").output.startswith("wrote 2 files in this folder.")
    assert everything(here) == whole
    (here / "noxfile.py").write_text("mine")
    assert "in the way in .: noxfile.py; move" in run("init").output


def test_what_a_gitignore_lacks_is_told(here: Path) -> None:
    (here / ".gitignore").write_text("*.log\n.nox/\n__pycache__/\n")
    (here / "README.md").write_text("# Ours\n")
    refused = run("init")
    assert refused.exit_code == 1
    assert "in the way in .: .gitignore, README.md;" in refused.output
    (lines,) = re.findall(r"^Or keep \.gitignore, and add: (.*)$", refused.output, re.MULTILINE)
    assert (".nox/" not in lines, ".venv/" in lines) == (True, True)
    with (here / ".gitignore").open("a") as file:
        file.writelines(f"{line}\n" for line in lines.split(" | "))
    ours = (here / ".gitignore").read_text()
    assert "in the way in .: README.md;" in run("init").output
    (here / "README.md").unlink()
    assert run("init").exit_code == 0
    assert (here / ".gitignore").read_text() == ours


@pytest.mark.parametrize("folder", ["a b", "$(id)", "-x", "it's"])
def test_the_commands_of_a_new_project_are_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.chdir(tmp_path)
    (enter, *_) = re.findall(r"^  (.+)$", run("init", "--", folder).output, re.MULTILINE)
    done = subprocess.run(["bash", "-c", f"{enter} && pwd"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path / folder}\n"


@pytest.mark.parametrize(
    ("package", "why"),
    [
        ("service", "a file or folder of the project"),
        ("tests", "a file or folder of the project"),
        ("noxfile", "a file or folder of the project"),
        ("json", "a module of Python's own"),
        ("site", "a module of Python's own"),
        ("httpx", "which it needs itself"),
        ("pillow", "which it needs itself"),
        ("taskbind", "which it needs itself"),
        ("class", "a word of Python's own"),
        ("a_", "no _ last"),
        ("", "a letter first"),
    ],
)
def test_a_package_that_could_not_be_imported_is_refused(here: Path, package: str, why: str) -> None:
    result = run("init", "--package", package)
    assert (result.exit_code, why in result.output) == (2, True), result.output
    assert everything(here) == {}


def test_no_package_is_called_like_what_it_needs(here: Path) -> None:
    run("init")
    run("generate")
    project = tomllib.loads((here / "generated" / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    for name in {re.split(r"[^\w-]", requirement)[0].replace("-", "_") for requirement in needed} - {"acme_tasks"}:
        assert "which it needs itself" in unfit_package(name), name


@pytest.mark.parametrize("package", ["a", "zz", "x" * 64])
def test_what_is_written_is_as_ruff_writes_it(here: Path, package: str) -> None:
    run("init", "--package", package)
    run("generate")
    for command in (
        ["format", "--no-cache", "--check"],
        ["check", "--no-cache", "--extend-select", "B,I,N,PT,RUF,SIM,UP,W"],
    ):
        done = subprocess.run([find_ruff_bin(), *command, "."], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_a_clone_with_other_line_ends_is_up_to_date(here: Path, tmp_path: Path) -> None:
    run("init")
    run("generate")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "core.autocrlf=true"]
    for command in (["init"], ["add", "--all"], ["commit", "--message", "A commit"], ["clone", ".", "../crlf"]):
        subprocess.run([*git, *command], cwd=here, capture_output=True, check=True)
    os.chdir(tmp_path / "crlf")
    subprocess.run([*git, "checkout", "--force", "HEAD"], capture_output=True, check=True)
    checked = run("check")
    assert checked.exit_code == 0, checked.output


def test_what_cannot_be_written_whole_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    os.symlink("nowhere", tmp_path / "link")
    before = everything(tmp_path)
    for path in ("link/e", "z" * 300):
        with pytest.raises(TaskbindError, match="cannot be written"):
            create(tmp_path, {"a/b/c": b"1", "kept/d": b"2", path: b"3"})
        assert everything(tmp_path) == before


def test_a_link_to_nowhere_is_in_the_way(here: Path) -> None:
    os.symlink("nowhere", here / "README.md")
    assert "README.md" in run("init").output
    assert not (here / "nowhere").exists()


# -------------------------------------------------------------------------------------------------------------- new


@pytest.fixture
def project(here: Path) -> Path:
    run("init")
    return here


def test_a_new_task_of_every_kind_has_nothing_to_report_and_generates(project: Path) -> None:
    for takes, gives in itertools.product(INPUTS, OUTPUTS):
        result = run("new", f"{takes}-to-{gives}", "--input", takes, "--output", gives)
        if takes not in OUTPUTS[gives].get("of", INPUTS):
            assert (result.exit_code, "pass another --input" in result.output) == (2, True)
            continue
        assert result.exit_code == 0, result.output
        assert f"specs/{takes}-to-{gives}/input.json\n" in result.output
    config = load_config(project)
    report = lint(config)
    assert [str(diagnostic) for diagnostic in report] == []
    assert generate(config).tasks == len(list((project / "specs").iterdir())) == 23


def test_the_options_have_the_kinds_that_there_are() -> None:
    options = {option.name: option for option in new.params}
    for name, known in (("input", INPUTS), ("output", OUTPUTS)):
        choice = options[name].type
        assert isinstance(choice, click.Choice)
        assert list(choice.choices) == list(known)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("Image_Tagging",), 2, "such as image-tagging"),
        (("imageTagging",), 2, "such as image-tagging"),
        (("image tagging!",), 2, "such as image-tagging"),
        (("../up",), 2, "such as up"),
        (("-",), 2, "such as image-tagging"),
        (("a--b",), 2, "such as a-b"),
        (("x" * 101,), 2, "at most 100 characters"),
        (("keyword-extraction",), 1, "specs/keyword-extraction is there already: edit it, or take another name"),
        (("a", "--input", "picture"), 2, "'picture' is not one of 'text', 'image', 'audio', 'video'."),
        (("a", "--out", "image"), 2, "No such option"),
        (("errors",), 2, "the docs have a page called errors: take another name, such as errors-task"),
        (("a", "--output", "boxes"), 2, "is about image or video, not text"),
    ],
)
def test_what_cannot_be_a_task_is_refused_with_a_suggestion(
    project: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    before = everything(project)
    result = run("new", *arguments[1:], "--", arguments[0])
    assert (result.exit_code, message in result.output) == (code, True), result.output
    assert everything(project) == before


def test_a_task_in_another_folder(project: Path) -> None:
    assert run("new", "tagging").output.endswith("\nEdit them; then: taskbind lint && taskbind generate\n")
    other = run("new", "tagging", "--specs", "../other").output
    assert other.splitlines()[-3:] == [
        "../other/tagging/task.toml",
        "",
        "Edit them; then: `taskbind lint`, where their taskbind.toml is",
    ]


def test_a_free_name_is_suggested(project: Path) -> None:
    for name in ("tagging", "tagging-2"):
        assert run("new", name).exit_code == 0
    assert "such as tagging-3" in run("new", "tagging").output


def test_a_task_may_be_the_first_of_a_folder(tmp_path: Path) -> None:
    paths = new_task(tmp_path / "specs", "tagging", "image", "labels")
    assert sorted(path for path, data in everything(tmp_path / "specs").items() if data is not None) == paths
