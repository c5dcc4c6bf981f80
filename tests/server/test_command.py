"""The console script: what it serves, prints and refuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import httpx

from inference_tasks._runtime.cli import main
from inference_tasks._tasks import TASKS

from . import models
from .live import picture

COMMAND = [
    sys.executable,
    "-c",
    "from inference_tasks._runtime.cli import main; from inference_tasks._tasks import TASKS; "
    "raise SystemExit(main(TASKS, package='inference_tasks', distribution='inference-tasks'))",
]


def run(*arguments: str) -> int:
    try:
        return main(TASKS, package="inference_tasks", distribution="inference-tasks", argv=arguments)
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.words(tmp_path_factory.mktemp("words"), "good", "bad", "ugly")


@pytest.fixture(scope="module")
def image_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.pictures(tmp_path_factory.mktemp("pictures"), "a", "b")


def test_run_prints_json(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run("run", "text-classification", "hello", "--model", str(directory), "--top-k", "2")
    assert code == 0
    answer = json.loads(capsys.readouterr().out)
    assert [element.keys() for element in answer] == [{"label", "score"}] * 2


def test_run_types_its_parameters(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "text-classification", "hello", "--model", str(directory)]
    assert run(*arguments, "--function-to-apply", "none") == 0
    assert run(*arguments, "--top-k", "2.0") == 0
    capsys.readouterr()
    for option, value in (("--top-k", "0"), ("--top-k", "many"), ("--top-k", "true"), ("--function-to-apply", "tanh")):
        assert run(*arguments, option, value) == 2
        error = capsys.readouterr().err
        assert f"argument {option}: must be " in error
        assert f"not '{value}'" in error


def test_run_reads_files(image_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", str(image_model)]
    (tmp_path / "red.png").write_bytes(picture())
    assert run("run", "image-classification", str(tmp_path / "red.png"), *arguments) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    (tmp_path / "red.txt").write_text("no image")
    assert run("run", "image-classification", str(tmp_path / "red.txt"), *arguments) == 1
    assert "inputs: is not an image" in capsys.readouterr().err
    assert run("run", "image-classification", str(tmp_path / "none.png"), *arguments) == 2


def test_a_broken_model_is_said(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_bytes((directory / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    assert run("run", "text-classification", "x", "--model", str(tmp_path)) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path}: the model cannot be loaded: " in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serve", "--model", "text-classification"], "must be TASK=DIR"),
        (["serve", "--model", "text-clasification=/x"], "unknown task"),
        (["serve", "--model", "text-classification=/no/such/dir"], "no such directory"),
        (["run", "text-classification", "x", "--model", "/no/such/dir"], "no such directory"),
        (["run", "text-classification", "x", "--topk", "1"], "unrecognized"),
        (["run", "nothing", "x"], "invalid choice"),
        ([], "required"),
    ],
)
def test_wrong_commands_are_exit_code_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_taken_port_is_said(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run("serve", "--port", port, "--model", f"text-classification={directory}") == 2
    assert f"127.0.0.1:{port}: address already in use" in capsys.readouterr().err


def test_an_unset_token_is_said(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = f"text-classification={directory}"
    assert run("serve", "--token-env", "NO_SUCH_VARIABLE", "--model", model) == 2
    assert "NO_SUCH_VARIABLE" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out.startswith("inference-tasks ")


def test_missing_extras_are_named() -> None:
    hide = "import sys; sys.modules['torch'] = None; "
    result = subprocess.run(
        [*COMMAND[:2], hide + COMMAND[2], "serve"], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 2
    assert "pip install 'inference-tasks[torch]'" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.fixture
def process(directory: Path) -> Iterator[Any]:
    """A served model in a process of its own, and its address."""
    environment = os.environ | {"TOKEN": "s3cret"}
    options = ["--port", "0", "--token-env", "TOKEN", "--drain", "1", "--model", f"text-classification={directory}"]
    with subprocess.Popen([*COMMAND, "serve", *options], stdout=subprocess.PIPE, text=True, env=environment) as started:
        assert started.stdout is not None
        yield started, started.stdout.readline()
        if started.poll() is None:
            started.kill()


def test_serve_until_told_to_end(process: Any) -> None:
    started, line = process
    url, _, tasks = line.partition(" serves ")
    assert tasks == f"text-classification; playground: {url}/playground\n"
    headers = {"authorization": "Bearer s3cret", "x-wait-for-model": "true"}
    with httpx.Client(base_url=url, timeout=60, trust_env=False, headers=headers) as client:
        answer = client.post("/tasks/text-classification", json={"inputs": "hello"})
        assert answer.status_code == 200
        started.send_signal(signal.SIGTERM)
        threading.Event().wait(0.3)
        ready = client.get("/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
        assert client.post("/tasks/text-classification", json={"inputs": "more"}).status_code == 200
    assert started.wait(10) == 0


def test_a_configuration_file_serves_two_models(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("s3cret\n")
    (tmp_path / "serve.toml").write_text(
        f"""
port = 1
token_file = "tokens"
log_level = "info"
log_format = "json"
pages = false
threads = 1
[[models]]
task = "text-classification"
directory = {json.dumps(str(directory))}
[[models]]
task = "text-classification"
directory = {json.dumps(str(directory))}
name = "org/late"
device = "cpu"
lazy = true
"""
    )
    log = tmp_path / "log"
    environment = os.environ | {"INFERENCE_TASKS_SERVE_PORT": "2", "INFERENCE_TASKS_SERVE_CACHE_SIZE": "0"}
    command = [*COMMAND, "serve", "--config", str(tmp_path / "serve.toml"), "--port", "0"]
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as started,
    ):
        assert started.stdout is not None
        url, _, models = started.stdout.readline().partition(" serves ")
        assert models == "text-classification, org/late\n", "with pages = false"
        headers = {"authorization": "Bearer s3cret", "x-wait-for-model": "true", "x-request-id": "mine"}
        with httpx.Client(base_url=url, timeout=60, trust_env=False, headers=headers) as client:
            assert client.post("/models/text-classification", json={"inputs": "hello"}).status_code == 200
            assert client.get("/ready").json() == {
                "status": "ready",
                "models": {"text-classification": "ready", "org/late": "idle"},
            }
            answer = client.post("/models/org/late", json={"inputs": "hello"})
            assert (answer.status_code, answer.headers["x-cache"]) == (200, "bypass")
            refused = client.post("/models/org/late", json={"inputs": "hello"}, headers={"authorization": ""})
            assert refused.status_code == 401
        started.terminate()
        assert started.wait(30) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    asked = [line for line in lines if line.get("route") == "/models/{name:path}"]
    assert [(line.get("model"), line["status"]) for line in asked] == [
        ("text-classification", 200),
        ("org/late", 200),
        (None, 401),
    ]
    assert "s3cret" not in log.read_text()
    assert "hello" not in log.read_text()
