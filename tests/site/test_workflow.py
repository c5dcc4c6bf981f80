"""The workflow that publishes the docs runs commands that exist, and may do no more than it must."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from taskbind.cli import main
from taskbind.config import load_config
from taskbind.pipeline import generate
from tests.conftest import ROOT
from tests.support.project import echo_task, write_specs

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "docs.yml").read_text(encoding="utf-8"))


def steps() -> list[dict[str, Any]]:
    return [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_its_commands_exist() -> None:
    context = click.Context(main)
    ran = [
        shlex.split(line)
        for step in steps()
        for line in step.get("run", "").splitlines()
        if line.strip().startswith("taskbind ")
    ]
    assert {words[1] for words in ran} == {"check", "site"}
    for words in ran:
        command = main.get_command(context, words[1])
        assert command is not None, words
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_it_installs_an_extra_that_exists() -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert any('".[site]"' in step.get("run", "") for step in steps())
    assert re.search(r"^site = \[\"zensical==[\d.]+\"\]$", declared, re.MULTILINE)


def test_it_may_do_no_more_than_it_must() -> None:
    assert WORKFLOW["permissions"] == {}
    allowed = {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()}
    assert allowed == {
        "build": {"contents": "write", "pages": "read"},
        "deploy": {"id-token": "write", "pages": "write"},
    }
    # YAML takes the key `on` for a truth value.
    assert WORKFLOW[True].keys() == {"push", "workflow_dispatch"}
    assert WORKFLOW[True]["push"].keys() == {"tags"}


def test_its_actions_are_pinned_and_nothing_is_pasted_into_a_shell() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used)
    assert not any("${{" in step.get("run", "") for step in steps())


# --------------------------------------------------------------------------------------- the steps, on a repository

RAN = ("Version", "Generated tree is up to date", "Take the versions that are published", "Build", "Keep")


def git(folder: Path, *words: str) -> str:
    result = subprocess.run(["git", *words], cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    return result.stdout.strip()


def environment() -> dict[str, str]:
    who = {f"GIT_{role}_{key}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **who}
    return os.environ | own | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def publish(origin: Path, folder: Path, given: str) -> None:
    """What the job `build` does in a new folder, for the tag or version `given`, up to its upload."""
    git(folder.parent, "clone", "--quiet", str(origin), folder.name)
    outputs = folder.parent / f"{folder.name}.outputs"
    outputs.touch()
    known = {"inputs.version || github.ref_name": given, "steps.pages.outputs.base_url": "https://example.org/docs"}

    def filled(text: str) -> str:
        written = dict(line.split("=", 1) for line in outputs.read_text(encoding="utf-8").splitlines())
        values = known | {f"steps.version.outputs.{key}": value for key, value in written.items()}
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda match: values[match[1]], text)

    for step in WORKFLOW["jobs"]["build"]["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            git(folder, "checkout", "--quiet", filled(step["with"]["ref"]))
        elif step.get("name") in RAN:
            own = {key: filled(value) for key, value in step.get("env", {}).items()}
            result = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                cwd=folder,
                env=environment() | own | {"GITHUB_OUTPUT": str(outputs)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert result.returncode == 0, result.stderr


def published(origin: Path) -> dict[str, str]:
    """The files of the branch, by path, with their hashes."""
    lines = git(origin, "ls-tree", "-r", "published").splitlines()
    return {line.partition("\t")[2]: line.split()[2] for line in lines}


def below(files: dict[str, str], version: str) -> dict[str, str]:
    return {path: digest for path, digest in files.items() if path.startswith(f"{version}/")}


def says(origin: Path, page: str, words: str) -> bool:
    return words in git(origin, "show", f"published:{page}")


def test_its_steps_publish_versions_side_by_side(tmp_path: Path) -> None:
    assert {step["name"] for step in steps() if "run" in step} == {*RAN, "Install"}
    origin, work = tmp_path / "origin.git", tmp_path / "work"
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    work.mkdir()
    git(work, "init", "--quiet", "--initial-branch", "main")
    (work / "taskbind.toml").write_text('specs = "specs"\nout = "out"\n[package]\nname = "made"\n', encoding="utf-8")
    git(work, "remote", "add", "origin", str(origin))
    for tag in ("v1.0.0", "v1.0.1", "v1.1.0", None):  # the last is what comes after all releases
        meta = f'title = "Echo"\nsummary = "This is of {tag}."\n'
        write_specs(work / "specs", echo_task() | {"echo/task.toml": meta})
        generate(load_config(work))
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--message", str(tag))
        git(work, "push", "--quiet", "origin", "main")
        if tag:
            git(work, "tag", tag)
            git(work, "push", "--quiet", "origin", tag)

    publish(origin, tmp_path / "a", "v1.0.0")
    first = published(origin)
    assert below(first, "1.0.0")
    assert says(origin, "index.html", "This is of v1.0.0.")

    publish(origin, tmp_path / "b", "v1.1.0")
    second = published(origin)
    assert below(second, "1.0.0") == below(first, "1.0.0")
    assert says(origin, "index.html", "This is of v1.1.0.")
    count = git(origin, "rev-list", "--count", "published")

    publish(origin, tmp_path / "c", "1.1.0")  # by hand: of its tag, whatever the default branch has by now
    assert published(origin) == second
    assert git(origin, "rev-list", "--count", "published") == count

    publish(origin, tmp_path / "d", "v1.0.1")
    last = published(origin)
    assert {path: digest for path, digest in last.items() if not path.startswith("1.0.1/")} == second | {
        path: last[path] for path in ("manifest.json", "versions.json", "versions/index.html")
    }
    assert says(origin, "1.0.1/index.html", "This is of v1.0.1.")
    assert json.loads(git(origin, "show", "published:versions.json")) == {
        "newest": "1.1.0",
        "versions": ["1.1.0", "1.0.1", "1.0.0"],
    }


@pytest.mark.parametrize("given", ["main", "1.2", "1.2.0;id", "$(id)", "1.2.0\n1", "../1.2.0"])
def test_what_is_no_version_ends_it(tmp_path: Path, given: str) -> None:
    (step,) = (step for step in steps() if step.get("name") == "Version")
    result = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        env=os.environ | {"GIVEN": given, "GITHUB_OUTPUT": str(tmp_path / "outputs")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "this is no version such as 1.2.0" in result.stderr
    assert not (tmp_path / "outputs").exists()
