"""schemathesis, which reads the served OpenAPI document and tries to break what it describes, against real servers.

`nox -s fuzz` installs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.server import environment, running_server

HERE = Path(__file__).parent
PROGRAM = ROOT / ".nox" / "schemathesis" / ("Scripts" if sys.platform == "win32" else "bin") / "schemathesis"
if not PROGRAM.exists():
    pytest.skip("schemathesis is not installed: run nox -s fuzz", allow_module_level=True)


def fuzz(url: str, directory: Path, *options: str) -> None:
    """Test the server at `url`; `directory` is for what schemathesis leaves behind."""
    command = [PROGRAM, "--config-file", HERE / "schemathesis.toml", "--no-color", "run", f"{url}/openapi.json"]
    found = subprocess.run(
        [*command, "--continue-on-failure", *options],
        cwd=directory,
        env=environment() | {"SCHEMATHESIS_HOOKS": os.fspath(HERE / "hooks.py")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert found.returncode == 0, found.stdout.decode(errors="replace")


def test_a_server_of_all_tasks(tmp_path: Path) -> None:
    with running_server(["-m", "tests.fuzz.canned_server"]) as url:
        fuzz(url, tmp_path)


def test_the_embedded_models(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    with running_server(["-m", "inference_tasks", "serve", "--port", "0"]) as url:
        options = [
            # A model may refuse what its task allows (422), as one that generates nothing does with `num_beams`. That
            # no other part of the server does shows the other test.
            "--exclude-checks=positive_data_acceptance",
            # A model that is loaded when it is asked for is not failing (503).
            "--header=x-wait-for-model: true",
            # Seconds for each film.
            "--exclude-path-regex=-to-video$",
            "--max-examples=10",
        ]
        fuzz(url, tmp_path, *options)
