"""What a stranger has: packages built from this tree, and those that they need, in a folder instead of an index."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import ROOT

WHEELS = ROOT / ".nox" / "wheels"
BIN = "Scripts" if sys.platform == "win32" else "bin"


@pytest.fixture(scope="session")
def wheels() -> Path:
    """A folder with all packages; skips where they are not built."""
    if not list(WHEELS.glob("taskbind-*.whl")):
        pytest.skip("the packages are not built: run nox -s project")
    return WHEELS


def variables(wheels: Path, home: Path, *first: Path) -> dict[str, str]:
    """An environment in which packages come out of a folder, git is nobody's, and programs are found in `first`."""
    left_out = ("GIT_", "NOX", "PIP_", "PRE_COMMIT", "PYTEST", "PYTHON", "VIRTUAL_ENV", "GITHUB_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    who = {f"GIT_{role}_{key}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PRE_COMMIT_HOME": str(home), **who}
    packages = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.as_uri(), "PIP_CONFIG_FILE": os.devnull}
    path = os.pathsep.join([*map(os.fspath, first), kept["PATH"]])
    return kept | own | packages | {"PATH": path}


def run(folder: Path, variables: Mapping[str, str], *command: str | Path, fails: bool = False) -> str:
    """What a command prints that ends as it should."""
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, encoding="utf-8", check=False)
    assert bool(done.returncode) is fails, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def commit_all(folder: Path, variables: Mapping[str, str]) -> None:
    """Make a folder a repository, if it is none, and commit all that is in it."""
    if not (folder / ".git").exists():
        run(folder, variables, "git", "init", "--quiet", "--initial-branch", "main")
    run(folder, variables, "git", "add", "--all")
    run(folder, variables, "git", "commit", "--quiet", "--no-verify", "--message", "A commit")
