"""A task of the user's own invention: specs and the handler that the README shows are all that there is to write."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from tests.conftest import ROOT
from tests.support.project import closed, write_specs
from tests.support.server import environment

RATE = 8000
PROJECT = """
specs = "specs"
out = "out"

[package]
name = "acme_tasks"
"""
TASK = """
title = "Pause Detection"
summary = "Find where nobody speaks."
"""
RECORDING = {
    "type": "string",
    "contentEncoding": "base64",
    "contentMediaType": "audio/*",
    "description": "What to hear.",
}
PARAMETERS = {
    "threshold": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.01, "description": "How loud it may be."},
    "min_seconds": {"type": "number", "exclusiveMinimum": 0, "default": 0.3, "description": "How long it must be."},
}
SECONDS = {"type": "number", "minimum": 0, "description": "In seconds."}
PAUSE = closed({"start": SECONDS, "end": SECONDS}, "start", "end", title="Pause", description="A pause.")
INPUT = closed(
    {
        "inputs": RECORDING,
        "parameters": closed(PARAMETERS, title="PauseDetectionParameters", description="What counts as a pause."),
    },
    "inputs",
    title="PauseDetectionInput",
    description="A request for pause detection.",
)
OUTPUT = {"title": "PauseDetectionOutput", "description": "The pauses.", "type": "array", "items": PAUSE}
CALLS = """
import asyncio, json, sys
from typing import Any
from acme_tasks import AsyncClient, Client, InputError, UnprocessableEntityError
from acme_tasks.models import Pause

url, recording, click = sys.argv[1:]


def told(pauses: list[Pause]) -> list[list[float]]:
    return [[pause.start, pause.end] for pause in pauses]


async def asynchronous() -> list[Pause]:
    async with AsyncClient(url) as client:
        return await client.pause_detection(recording)


with Client(url) as client:
    found: dict[str, Any] = {"plain": told(client.pause_detection(recording))}
    found["async"] = told(asyncio.run(asynchronous()))
    found["long"] = told(client.pause_detection(recording, min_seconds=0.8))
    found["loud"] = told(client.pause_detection(recording, threshold=0.9))
    try:
        client.pause_detection(click, min_seconds=5)
    except UnprocessableEntityError as error:
        found["refused"] = str(error)
    try:
        client.pause_detection(recording, min_seconds=0)
    except InputError as error:
        found["unsent"] = str(error)
print(json.dumps(found))
"""


@dataclass
class Acme:
    """The user's folder, and their server."""

    folder: Path
    url: str

    def run(self, *arguments: str) -> str:
        """What a Python program prints that finds the generated package and the user's module."""
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=self.folder, env=variables(self.folder), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def variables(folder: Path) -> dict[str, str]:
    paths = os.pathsep.join([str(folder / "out"), str(folder)])
    return environment() | {"PYTHONPATH": paths, "MYPYPATH": paths}


def readme_handler() -> str:
    """The handler that the README shows for a task of one's own."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Generate from your own specs")[2]
    shown = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert shown is not None
    return shown[1]


def sound(path: Path, *parts: tuple[float, float]) -> None:
    """A recording: for each part its seconds and how loud it is."""
    levels = [np.full(round(seconds * RATE), level, np.float32) for seconds, level in parts]
    soundfile.write(path, np.concatenate(levels), RATE)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    folder = tmp_path_factory.mktemp("acme")
    task = {"task.toml": TASK, "input.json": INPUT, "output.json": OUTPUT}
    specs = {f"specs/pause-detection/{name}": content for name, content in task.items()}
    write_specs(folder, specs | {"taskbind.toml": PROJECT, "pauses.py": readme_handler(), "calls.py": CALLS})
    subprocess.run([sys.executable, "-m", "taskbind", "generate"], cwd=folder, check=True, stdout=subprocess.PIPE)
    command = [sys.executable, "-m", "uvicorn", "pauses:app", "--port", "0", "--no-use-colors"]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=variables(folder), stdout=output, stderr=output)
    try:
        for _ in range(600):
            if listening := re.search(r"running on (http://\S+)", log.read_text()):
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        assert listening, log.read_text()
        yield Acme(folder, listening[1])
    finally:
        process.terminate()
        process.wait(20)


def test_the_generated_clients_call_it(acme: Acme) -> None:
    sound(acme.folder / "talk.wav", (0.5, 0.5), (0.5, 0.0), (0.5, 0.5), (1.0, 0.0), (0.25, 0.5))
    sound(acme.folder / "click.wav", (0.1, 0.5))
    found = json.loads(acme.run("calls.py", acme.url, "talk.wav", "click.wav"))
    both = [[0.5, 1.0], [1.5, 2.5]]
    assert [[round(edge, 3) for edge in pause] for pause in found["plain"]] == both
    assert found["async"] == found["plain"]
    assert found["long"] == found["plain"][1:]
    assert found["loud"] == [[0.0, 2.75]]
    assert "inputs: is shorter than a pause" in found["refused"]
    assert "min_seconds" in found["unsent"]


def test_the_server_refuses_what_the_specs_do(acme: Acme) -> None:
    url = f"{acme.url}/tasks/pause-detection"

    def blamed(payload: Any, status: int = 422) -> str:
        answer = httpx.post(url, json=payload)
        assert answer.status_code == status
        found: str = answer.json()["fields"][0]["field"]
        return found

    assert blamed({}) == "inputs"
    assert blamed({"inputs": "AAAA"}) == "inputs"
    assert blamed({"inputs": "AAAA", "parameters": {"min_seconds": "1"}}) == "parameters.min_seconds"
    assert blamed({"inputs": "AAAA", "parameters": {"loudness": 1}}) == "parameters.loudness"
    assert httpx.post(url, content=b"\x00\x01", headers={"content-type": "audio/wav"}).status_code == 422
    assert httpx.get(url).status_code == 405
    assert httpx.post(f"{acme.url}/tasks/another", json={}).status_code == 404


def test_what_else_was_generated(acme: Acme) -> None:
    served = httpx.get(f"{acme.url}/openapi.json").json()
    assert served == json.loads((acme.folder / "out" / "openapi.json").read_text(encoding="utf-8"))
    assert [path for path in served["paths"] if path.startswith("/tasks/")] == ["/tasks/pause-detection"]
    page = (acme.folder / "out" / "docs" / "pause-detection.md").read_text(encoding="utf-8")
    for told in ("Pause Detection", "Find where nobody speaks.", "threshold", "min_seconds", "How long it must be."):
        assert told in page
    assert httpx.get(f"{acme.url}/ready").json() == {"status": "ready", "models": {"pause-detection": "ready"}}


def test_the_command_of_the_package_asks_it(acme: Acme) -> None:
    sound(acme.folder / "quiet.wav", (1.0, 0.0))
    printed = acme.run("-m", "acme_tasks", "run", "pause-detection", "quiet.wav", "--json", "--url", acme.url)
    assert json.loads(printed) == [{"start": 0.0, "end": 1.0}]


def test_types_are_those_of_the_specs(acme: Acme) -> None:
    acme.run("-m", "mypy", "--strict", "pauses.py", "calls.py")
    wrong = readme_handler().replace("-> list[Pause]", "-> list[str]")
    (acme.folder / "wrong.py").write_text(wrong, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "wrong.py"]
    told = subprocess.run(command, cwd=acme.folder, env=variables(acme.folder), capture_output=True, text=True)
    assert told.returncode == 1
    assert "[override]" in told.stdout
