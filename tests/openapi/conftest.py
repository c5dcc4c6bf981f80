"""What the tests of this folder share: where `nox -s openapi` installs the readers of the document, and the document.

Each skips where its reader is not installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCUMENT = ROOT / "generated" / "openapi.json"
PYTHON = ROOT / ".nox" / "openapi" / ("Scripts" if sys.platform == "win32" else "bin")
NODE = ROOT / ".nox" / "openapi-js"


def run(command: list[str | os.PathLike[str]], directory: Path) -> str:
    """What a program prints that must succeed; those that it asks for are found beside it."""
    path = os.pathsep.join((os.fspath(PYTHON), os.environ["PATH"]))
    done = subprocess.run(command, cwd=directory, env=os.environ | {"PATH": path}, capture_output=True)
    told = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, told[-5000:]
    return done.stdout.decode()


@pytest.fixture(scope="session")
def node() -> Path:
    """The folder with the packages from npm."""
    if shutil.which("node") is None or not (NODE / "node_modules").exists():
        pytest.skip("the packages of tests/openapi/package.json are not installed: run nox -s openapi")
    return NODE


@pytest.fixture(scope="session")
def openapi_python_client() -> Path:
    """The program."""
    program = PYTHON / "openapi-python-client"
    if not program.exists():
        pytest.skip("openapi-python-client is not installed: run nox -s openapi")
    return program
