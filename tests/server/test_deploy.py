"""``deploy ray``: what it writes, without a secret in it, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import yaml

from inference_tasks._runtime.command.deploy import FILE
from inference_tasks._runtime.ray.configuration import as_arguments
from inference_tasks._runtime.server.configuration import configured, from_table
from inference_tasks._runtime.server.settings import Resources, Serving
from inference_tasks._tasks import TASKS

from .test_command import run

CONFIG = """
max_queue = 7
cors = ["https://a.example"]
token_file = "tokens"
replicas = 2
port = 8123

[[models]]
task = "text-classification"
directory = "words"

[[models]]
task = "text-classification"
directory = "more"
name = "more"
max_replicas = 3
gpus = 0.5
"""


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def deploy(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs ``deploy ray`` with arguments."""

    def deploy(*arguments: str) -> Done:
        code = run("deploy", "ray", *arguments)
        return Done(code, *capsys.readouterr())

    return deploy


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "serve.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def written(folder: Path) -> Any:
    return yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))


def test_it_writes_what_serve_would_do(deploy: Callable[..., Done], config: Path, tmp_path: Path) -> None:
    done = deploy("--config", str(config), "--out", str(tmp_path / "out"), "--max-queue", "8")
    assert done.returncode == 0, done.stderr
    content = written(tmp_path / "out")
    (application,) = content["applications"]
    assert content["http_options"] == {"host": "127.0.0.1", "port": 8123}
    assert application["import_path"] == "inference_tasks.ray:build"
    assert application["args"] == {
        "max_queue": 8,
        "cors": ["https://a.example"],
        "token_file": str(tmp_path / "tokens"),
        "replicas": 2,
        "models": [
            {"task": "text-classification", "directory": str(tmp_path / "words")},
            {
                "task": "text-classification",
                "directory": str(tmp_path / "more"),
                "name": "more",
                "max_replicas": 3,
                "gpus": 0.5,
            },
        ],
    }
    assert f"serve run {tmp_path / 'out' / FILE}" in done.stdout


def test_its_arguments_are_the_settings_again(config: Path, tmp_path: Path) -> None:
    settings = configured({"config": str(config)}, {}, "X_", TASKS)
    again = Serving(**from_table(as_arguments(settings), Path("/elsewhere"), lambda key, model: key, TASKS))
    assert again == Serving(**{**vars(settings), "port": 8000})
    assert [model.scaled for model in again.models] == [False, True]
    assert again.scaled
    assert not Resources().scaled


def test_no_token_is_written(deploy: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERENCE_TASKS_SERVE_TOKEN", "open-sesame")
    done = deploy("--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "open-sesame" not in (tmp_path / FILE).read_text(encoding="utf-8") + done.stdout + done.stderr
    assert written(tmp_path)["applications"][0]["args"] == {"token_env": "INFERENCE_TASKS_SERVE_TOKEN"}


def test_only_its_own_file_is_replaced(deploy: Callable[..., Done], tmp_path: Path) -> None:
    path = tmp_path / FILE
    assert deploy("--out", str(tmp_path)).returncode == 0
    assert deploy("--out", str(tmp_path), "--max-queue", "9").returncode == 0
    assert written(tmp_path)["applications"][0]["args"] == {"max_queue": 9}
    for text in (path.read_text(encoding="utf-8").replace("9", "10"), "mine"):
        path.write_text(text, encoding="utf-8")
        done = deploy("--out", str(tmp_path))
        assert done.returncode == 2
        assert f"{path}: was not written by this command, or was edited" in done.stderr
        assert path.read_text(encoding="utf-8") == text


def test_it_says_what_it_leaves_out(deploy: Callable[..., Done], tmp_path: Path) -> None:
    done = deploy("--out", str(tmp_path), "--drain", "5", "--read-timeout", "9")
    assert "read_timeout, drain left out" in done.stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("replicas = 0", "replicas must be a whole number of at least 1"),
        ("replicas = 3\nmax_replicas = 2", "max_replicas must be at least 3, as many as replicas"),
        ("gpus = -1", "gpus must be a number of at least 0"),
    ],
)
def test_what_cannot_be_is_refused(deploy: Callable[..., Done], tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "serve.toml"
    for text in (line, f'[[models]]\ntask = "text-classification"\ndirectory = "x"\n{line}'):
        path.write_text(text, encoding="utf-8")
        done = deploy("--config", str(path), "--out", str(tmp_path))
        assert done.returncode == 2
        assert message in done.stderr
