"""The workflow that other repositories call lints, checks and compares, and may do no more than it must."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from taskbind.config import load_config
from taskbind.pipeline import generate
from taskbind.scaffold.project import project_files
from tests.conftest import ROOT
from tests.support.project import echo_task, write_specs

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "specs.yml").read_text(encoding="utf-8"))
CALL = WORKFLOW[True]["workflow_call"]  # YAML takes the key `on` for a truth value
(JOB,) = WORKFLOW["jobs"].values()
INSTALLED = "${{ !cancelled() && steps.install.outcome == 'success' }}"
COMPARED = "${{ !cancelled() && steps.install.outcome == 'success' && inputs.base != '' }}"
CONFIG = 'specs = "specs"\nout = "out"\n[package]\nname = "made"\n'
TOP_K = {"type": "integer", "description": "How many."}


def environment() -> dict[str, str]:
    who = {f"GIT_{role}_{key}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **who}
    return os.environ | own | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Run:
    """The steps of the job in a repository, for given inputs: what each printed, by name, and the summary."""

    def __init__(self, repository: Path, **inputs: str) -> None:
        # This is no pull request, so what the default of `base` names is empty.
        defaults = {name: str(given.get("default", "")) for name, given in CALL["inputs"].items()}
        values = {name: "" if value.startswith("${{") else value for name, value in defaults.items()} | inputs
        summary = repository.parent / "summary"
        summary.write_text("", encoding="utf-8")
        self.printed: dict[str, str] = {}
        self.failed: list[str] = []

        def filled(text: str) -> str:
            return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: values[match[1]], text)

        known = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(repository)}
        for step in JOB["steps"]:
            # Taskbind is here already: that of this tree.
            if "run" not in step or step["name"] == "Install" or not self._wanted(step, values):
                continue
            own = {key: filled(value) for key, value in step.get("env", {}).items()}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=repository / filled(JOB["defaults"]["run"]["working-directory"]),
                env=environment() | known | own,
                capture_output=True,
                text=True,
                check=False,
            )
            self.printed[step["name"]] = done.stdout + done.stderr
            self.failed += [step["name"]] if done.returncode else []
        self.summary = summary.read_text(encoding="utf-8")

    def _wanted(self, step: dict[str, Any], values: dict[str, str]) -> bool:
        """What GitHub makes of the condition of a step after one that installed; without one, that nothing failed."""
        text = step.get("if", "true" if not self.failed else "false").removeprefix("${{ ").removesuffix(" }}")
        text = re.sub(r"inputs\.([\w-]+)", lambda match: repr(values[match[1]]), text)
        text = text.replace("!cancelled()", "true").replace("steps.install.outcome", "'success'").replace("&&", "and")
        return bool(eval(text, {"__builtins__": {}, "true": True, "false": False}))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit, of a project in its folder `api`."""
    folder = tmp_path / "repository"
    project = folder / "api"
    write_specs(project / "specs", echo_task({"top_k": TOP_K}))
    (project / "taskbind.toml").write_text(CONFIG, encoding="utf-8")
    generate(load_config(project))
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "A commit")


def change(repository: Path, parameters: dict[str, Any]) -> None:
    """Commit other parameters of the task, and what is generated of them."""
    write_specs(repository / "api" / "specs", echo_task(parameters))
    generate(load_config(repository / "api"))
    commit(repository)


def test_it_may_do_no_more_than_it_must() -> None:
    assert WORKFLOW["permissions"] == {}
    assert JOB["permissions"] == {"contents": "read"}
    assert WORKFLOW[True].keys() == {"workflow_call"}
    used = {step["uses"]: step.get("with", {}) for step in JOB["steps"] if "uses" in step}
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used)
    assert used["actions/checkout@v5"] == {"fetch-depth": 0, "persist-credentials": False}
    assert not any("${{" in step.get("run", "") for step in JOB["steps"])


def test_steps_run_unless_there_is_nothing_to_run_or_to_compare() -> None:
    conditions = {step["name"]: step.get("if") for step in JOB["steps"] if "run" in step}
    assert conditions == {"Install": None, "Lint": None, "Check": INSTALLED, "Changes": COMPARED}
    assert [step.get("id") for step in JOB["steps"] if step.get("name") == "Install"] == ["install"]
    assert "if" not in JOB


def wheel(folder: Path, name: str) -> None:
    """A package with nothing in it but its name."""
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")


@pytest.mark.parametrize("requirements", ["", "with plugins.txt"])
def test_what_is_installed_is_what_the_caller_says(tmp_path: Path, requirements: str) -> None:
    for name in ("tool", "plugin"):
        wheel(tmp_path, name)
    (tmp_path / "with plugins.txt").write_text("plugin\n", encoding="utf-8")
    (install,) = (step for step in JOB["steps"] if step.get("name") == "Install")
    assert install["env"] == {"TASKBIND": "${{ inputs.taskbind }}", "REQUIREMENTS": "${{ inputs.requirements }}"}
    assert CALL["inputs"]["taskbind"]["required"] is True
    assert "default" not in CALL["inputs"]["taskbind"]
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_TARGET": str(tmp_path / "installed")}
    given = {"TASKBIND": "tool==1.0", "REQUIREMENTS": requirements}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", install["run"]]
    subprocess.run(command, cwd=tmp_path, env=environment() | pip | given, capture_output=True, check=True)
    installed = {path.name.partition("-")[0] for path in (tmp_path / "installed").glob("*.dist-info")}
    assert installed == ({"tool", "plugin"} if requirements else {"tool"})


def test_every_input_is_used_and_told() -> None:
    text = yaml.safe_dump(WORKFLOW["jobs"])
    for name, given in CALL["inputs"].items():
        assert f"inputs.{name}" in text
        assert given["description"]
        assert given["type"] == "string"


def test_no_change_passes(repository: Path) -> None:
    commit(repository)
    ran = Run(repository, base="HEAD~1", **{"working-directory": "api"})
    assert ran.failed == []
    assert list(ran.printed) == ["Lint", "Check", "Changes"]
    assert ran.summary.strip().endswith("no change of the API.")


def test_a_breaking_change_fails_and_is_shown_at_its_line(repository: Path) -> None:
    change(repository, {})
    ran = Run(repository, base="HEAD~1", **{"working-directory": "api"})
    assert ran.failed == ["Changes"]
    assert re.search(r"::error .*file=api/specs/echo/input\.json,line=\d+", ran.printed["Changes"])
    assert "top_k" in ran.summary
    assert Run(repository, base="HEAD~1", **{"working-directory": "api", "fail-on": "never"}).failed == []
    assert Run(repository, **{"working-directory": "api"}).failed == []  # nothing to compare with


def test_a_safe_change_passes(repository: Path) -> None:
    change(repository, {"top_k": TOP_K, "more": {"type": "boolean", "description": "Whether there is more."}})
    assert Run(repository, base="HEAD~1", **{"working-directory": "api"}).failed == []


def test_findings_and_what_is_out_of_date_fail_at_their_lines(repository: Path) -> None:
    write_specs(repository / "api" / "specs", echo_task({"top_k": TOP_K | {"default": "1"}}))
    commit(repository)
    ran = Run(repository, base="HEAD~1", **{"working-directory": "api", "fail-on": "never"})
    assert ran.failed == ["Lint", "Check"]
    assert re.search(
        r"^::error file=api/specs/echo/input\.json,line=\d+,title=TB230", ran.printed["Lint"], re.MULTILINE
    )
    assert "out is out of date" in ran.printed["Check"]


def test_what_is_new_has_nothing_to_compare_with(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--orphan", "empty")
    git(repository, "rm", "-r", "--quiet", "--cached", ".")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "Nothing yet")
    commit(repository)
    ran = Run(repository, base="HEAD~1", **{"working-directory": "api"})
    assert ran.failed == []
    assert ran.summary == ""
    assert "nothing to compare with: HEAD~1 has neither api/taskbind.toml nor api/specs/ yet" in ran.printed["Changes"]
    assert Run(repository, base="HEAD~7", **{"working-directory": "api"}).failed == ["Changes"]  # there is none


def test_the_workflow_of_new_projects_compares_in_the_same_way() -> None:
    (changes,) = (step["run"] for step in JOB["steps"] if step.get("name") == "Changes")
    own = yaml.safe_load(project_files("mine")[".github/workflows/ci.yml"])
    (theirs,) = (step["run"] for step in own["jobs"]["changes"]["steps"] if step.get("name") == "Changes")
    assert theirs == changes.replace('"$FAIL_ON"', "breaking")


@pytest.mark.parametrize("base", ["$(touch stolen)", "main; touch stolen", "--help", "--to=stolen", "`touch stolen`"])
def test_a_base_is_a_revision_and_nothing_else(repository: Path, base: str) -> None:
    ran = Run(repository, base=base, **{"working-directory": "api", "fail-on": "never"})
    assert ran.failed == ["Changes"]
    assert not list(repository.parent.rglob("stolen"))


# ----------------------------------------------------------------------------------------------------- docs/ci.md

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "ci.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_docs_call_what_there_is() -> None:
    hooks, below, call, scanning = (yaml.safe_load(text) for language, text in BLOCKS if language == "yaml")
    known = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks["repos"][0]["hooks"]] == [hook["id"] for hook in known]
    assert {hook["id"] for hook in below} < {hook["id"] for hook in known}
    for workflow in (call, scanning):
        assert workflow[True]["push"] == {"branches": ["main"]}  # not twice for a pull request
    (job,) = call["jobs"].values()
    assert job["permissions"] == JOB["permissions"]
    assert "/.github/workflows/specs.yml@" in job["uses"]
    assert job["with"].keys() <= CALL["inputs"].keys()
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([\w-]+)` \| (?:`|the base|required|none)", text, re.MULTILINE) == list(CALL["inputs"])
    checkout, *_ = scanning["jobs"]["scanning"]["steps"]
    assert checkout["with"] == {"persist-credentials": False}
    (attributes,) = (text for language, text in BLOCKS if language == "gitattributes")
    for own in (
        project_files("mine")[".gitattributes"].decode(),
        (ROOT / ".gitattributes").read_text(encoding="utf-8"),
    ):
        assert attributes.splitlines() == [line for line in own.splitlines() if not line.startswith("#")]
    assert scanning["jobs"]["scanning"]["permissions"] == {"contents": "read", "security-events": "write"}


def test_the_commands_of_the_docs_run(repository: Path) -> None:
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
    (shell,) = (text for language, text in BLOCKS if language == "bash")
    for line in [*shell.splitlines(), "taskbind schema --to .taplo", "taskbind lint --format sarif > taskbind.sarif"]:
        subprocess.run(["bash", "-c", line], cwd=repository / "api", env=environment(), capture_output=True, check=True)
    (toml,) = (text for language, text in BLOCKS if language == "toml")
    assert sorted(re.findall(r'schema\.path = "(.*)"', toml)) == sorted(
        f".taplo/{path.name}" for path in (repository / "api" / ".taplo").iterdir()
    )
