"""A stranger's first day: install, `taskbind init`, and every command and session that it names, without this tree."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import yaml

from tests.project.conftest import BIN, commit_all, run, variables


def test_everything_that_a_new_project_names_works(wheels: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    run(tmp_path, variables(wheels, tmp_path), sys.executable, "-m", "virtualenv", "--quiet", environment)
    own = variables(wheels, tmp_path / "pre-commit", environment / BIN)
    run(tmp_path, own, "pip", "install", "--quiet", "taskbind")

    told = run(tmp_path, own, "taskbind", "init", "acme")
    project = tmp_path / "acme"
    steps = re.findall(r"^  (.+)$", told, re.MULTILINE)
    assert steps == ["cd -- acme", "python -m pip install -r requirements-dev.txt", "taskbind generate", "nox"]
    run(project, own, "git", "init", "--quiet", "--initial-branch", "main")
    for step in steps[1:-1]:
        run(project, own, *step.split())
    assert run(project, own, "taskbind", "lint") == "nothing to report in specs\n"
    assert "is up to date" in run(project, own, "taskbind", "check")
    commit_all(project, own)

    # No test of it, nor any session, leaves something that git would see.
    assert "Ran 3 sessions" in run(project, own, "nox")
    assert run(project, own, "git", "status", "--porcelain") == ""

    assert run(project, own, "pre-commit", "run", "--all-files").count("Passed") == 2
    path = project / "specs" / "keyword-extraction" / "output.json"
    path.write_text(path.read_text(encoding="utf-8").replace("in lower case", "as it stands"), encoding="utf-8")
    run(project, own, "git", "add", "--all")
    refused = run(project, own, "pre-commit", "run", fails=True)
    assert re.search(r"taskbind lint\.+Passed", refused)
    assert re.search(r"taskbind check\.+Failed", refused)
    assert "run `taskbind generate`" in refused
    run(project, own, "taskbind", "generate")
    run(project, own, "git", "add", "--all")
    assert run(project, own, "pre-commit", "run").count("Passed") == 2

    run(project, own, "taskbind", "new", "image-tagging", "--input", "image")
    assert run(project, own, "taskbind", "lint") == "nothing to report in specs\n"
    run(project, own, "taskbind", "generate")
    assert "image_tagging.py" in run(project, own, "git", "status", "--porcelain", "--untracked-files=all")
    commit_all(project, own)
    assert "image-tagging" in run(project, own, "taskbind", "diff", "HEAD~1")
    assert "nothing is released yet" in run(project, own, "taskbind", "diff", "--fail-on", "breaking")

    workflow = yaml.safe_load((project / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    steps = {step["name"]: step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step}
    assert steps.keys() == {"Install", "Findings beside their lines", "Sessions", "Changes"}
    summary = tmp_path / "summary"
    given = {"BASE": "HEAD~1", "GITHUB_STEP_SUMMARY": str(summary)}
    for name in ("Findings beside their lines", "Changes"):
        run(project, own | given, "bash", "-eo", "pipefail", "-c", steps[name])
    assert "image-tagging" in summary.read_text(encoding="utf-8")


def test_every_line_of_the_readme_of_a_new_project_works(wheels: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    run(tmp_path, variables(wheels, tmp_path), sys.executable, "-m", "virtualenv", "--quiet", environment)
    own = variables(wheels, tmp_path / "pre-commit", environment / BIN)
    run(tmp_path, own, "pip", "install", "--quiet", "taskbind")
    run(tmp_path, own, "taskbind", "init", "acme")
    project = tmp_path / "acme"
    commit_all(project, own)

    readme = (project / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```bash\n(.*?)```", readme, re.DOTALL)
    lines = [line.split("  #")[0].rstrip() for line in block.splitlines()]
    assert {line.split()[1] for line in lines if line.startswith("taskbind ")} == {"new", "generate", "diff", "release"}
    *steps, serving = lines
    said = {step: run(project, own, "bash", "-c", step) for step in steps}
    assert "image-tagging" in said["taskbind diff main"]
    assert (project / "releases" / "0.1.0.json").exists()
    assert run(project, own, "taskbind", "diff", "--fail-on", "breaking").count("nothing to compare with") == 0
    assert "is up to date" in run(project, own, "taskbind", "check")
    assert serving == "uvicorn service:app"
    assert "<html" in served(project, own, "/docs")


def served(project: Path, variables: Mapping[str, str], path: str) -> str:
    """A page of the service of a project, which runs for as long as it takes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uvicorn = Path(variables["PATH"].split(os.pathsep)[0]) / "uvicorn"
    with subprocess.Popen([uvicorn, "service:app", "--port", str(port)], cwd=project, env=variables) as process:
        try:
            while process.poll() is None:
                try:
                    with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}{path}") as answer:
                        page: str = answer.read().decode()
                        return page
                except URLError as error:
                    if not isinstance(error.reason, ConnectionRefusedError):
                        raise
                    time.sleep(0.05)
            raise AssertionError(f"the service ended with {process.returncode}")
        finally:
            process.terminate()
