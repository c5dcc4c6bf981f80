"""This repository as one of pre-commit's: its hooks are built and run as in anybody's project."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.project.conftest import commit_all, run, variables
from tests.support.project import echo_task, write_specs

HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
PRE_COMMIT = Path(sys.executable).parent
CONFIG = 'specs = "specs"\nout = "out"\n[package]\nname = "made"\n'


@pytest.fixture(scope="module")
def hooks(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the files of this one, as they are now."""
    folder = tmp_path_factory.mktemp("hooks") / "taskbind"
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    paths = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for path in paths:
        needed = path.startswith(("generator/", "templates/")) or "/" not in path
        if needed and (ROOT / path).is_file():  # not removed since
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, folder / path)
    commit_all(folder, variables(wheels, folder.parent, PRE_COMMIT))
    return folder


def test_a_project_in_a_folder_below_runs_them_there(hooks: Path, wheels: Path, tmp_path: Path) -> None:
    own = variables(wheels, tmp_path / "home", PRE_COMMIT)
    repository = tmp_path / "repository"
    write_specs(repository / "api" / "specs", echo_task({}))
    (repository / "api" / "taskbind.toml").write_text(CONFIG, encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text(encoding="utf-8"), re.DOTALL)
    (hook,) = yaml.safe_load(next(block for block in blocks if "(api)" in block))
    used = {"repo": str(hooks), "rev": run(hooks, own, "git", "rev-parse", "HEAD").strip(), "hooks": [hook]}
    (repository / ".pre-commit-config.yaml").write_text(json.dumps({"repos": [used]}), encoding="utf-8")
    there = own | {"PYTHONPATH": str(hooks / "generator")}
    run(repository / "api", there, sys.executable, "-m", "taskbind", "generate")
    commit_all(repository, own)
    assert run(repository, own, "pre-commit", "run", "--all-files").count("Passed") == 1
    write_specs(repository / "api" / "specs", echo_task({"top_k": {"type": "integer", "description": "How many."}}))
    assert "out is out of date" in run(repository, own, "pre-commit", "run", "--all-files", fails=True)


def test_every_hook_is_a_command() -> None:
    assert [hook["id"] for hook in HOOKS] == ["taskbind-lint", "taskbind-check", "taskbind-diff"]
    for hook in HOOKS:
        assert hook["entry"].split()[:2] == hook["id"].split("-")
        assert (hook["language"], hook["pass_filenames"]) == ("python", False)


def test_a_project_runs_them(hooks: Path, wheels: Path, tmp_path: Path) -> None:
    own = variables(wheels, tmp_path / "home", PRE_COMMIT)
    project = tmp_path / "project"
    write_specs(project / "specs", echo_task({"top_k": {"type": "integer", "description": "How many."}}))
    (project / "taskbind.toml").write_text(CONFIG, encoding="utf-8")
    used = [{"id": hook["id"]} for hook in HOOKS]
    used[-1] |= {"args": ["HEAD"]}
    repository = {"repo": str(hooks), "rev": run(hooks, own, "git", "rev-parse", "HEAD").strip(), "hooks": used}
    (project / ".pre-commit-config.yaml").write_text(json.dumps({"repos": [repository]}), encoding="utf-8")
    # With the modules that the hooks have: which they are is in the manifest.
    run(project, own | {"PYTHONPATH": str(hooks / "generator")}, sys.executable, "-m", "taskbind", "generate")
    commit_all(project, own)

    assert run(project, own, "pre-commit", "run", "--all-files").count("Passed") == 2
    pushing = ("pre-commit", "run", "--all-files", "--hook-stage", "pre-push")
    assert run(project, own, *pushing).count("Passed") == 3

    # A parameter goes: what is generated no longer fits, and callers break.
    write_specs(project / "specs", echo_task({}))
    refused = run(project, own, *pushing, fails=True)
    assert re.search(r"taskbind lint\.+Passed", refused)
    assert re.search(r"taskbind check\.+Failed", refused)
    assert re.search(r"taskbind diff\.+Failed", refused)
    assert "top_k" in refused

    # Nothing is released yet, or the base is older than the project: there is nothing to compare with.
    run(project, own, "git", "checkout", "--quiet", "--orphan", "empty")
    run(
        project, own, "git", "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "Still nothing", "--only"
    )
    run(project, own, "git", "checkout", "--quiet", "--force", "main")
    write_specs(project / "specs", echo_task({}))
    (project / "taskbind.toml").write_text(f'releases = "releases"\n{CONFIG}', encoding="utf-8")
    for arguments, passes in (([], True), (["empty"], True), (["gone"], False)):
        used[-1]["args"] = arguments
        (project / ".pre-commit-config.yaml").write_text(json.dumps({"repos": [repository]}), encoding="utf-8")
        told = run(project, own, *pushing, "taskbind-diff", fails=not passes)
        assert ("Passed" in told) is passes

    (project / "specs" / "echo" / "output.json").write_text('{"type": 3}', encoding="utf-8")
    wrong = run(project, own, "pre-commit", "run", "--all-files", fails=True)
    assert "specs/echo/output.json:1" in wrong
