"""Settings out of a file, the environment and flags: which goes first, and where each mistake is said to be."""

from __future__ import annotations

import argparse
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import torch

from inference_tasks._runtime.command.serving import add_settings, handlers_of
from inference_tasks._runtime.server.configuration import SERVING, ConfigurationError, configured
from inference_tasks._runtime.server.metrics import Metrics
from inference_tasks._runtime.server.settings import Model, Serving, Settings
from inference_tasks._tasks import TASKS as BINDINGS

from . import models
from .test_command import run

PREFIX = "INFERENCE_TASKS_SERVE_"
TASKS = ("text-classification", "image-classification")

# One value other than the default for each setting: in a file, as text, and as it is in the end.
VALUES: dict[str, tuple[str, str, Any]] = {
    "max_body": ("123", "123", 123),
    "receive_timeout": ("1.5", "1.5", 1.5),
    "max_pending": ("456", "456", 456),
    "max_queue": ("7", "7", 7),
    "deadline": ("8", "8", 8.0),
    "load_timeout": ("9", "9", 9.0),
    "lazy": ("true", "true", True),
    "unload_after": ("10", "10", 10.0),
    "max_model_memory": ("11", "11", 11),
    "cache_size": ("0", "0", 0),
    "cache_ttl": ("12", "12", 12.0),
    "decode_threads": ("3", "3", 3),
    "fetch": ('["a.example"]', "a.example", ("a.example",)),
    "fetch_timeout": ("2.5", "2.5", 2.5),
    "max_pixels": ("21", "21", 21),
    "max_seconds": ("22.5", "22.5", 22.5),
    "max_video_pixels": ("23", "23", 23),
    "max_characters": ("24", "24", 24),
    "max_grammar": ("24", "24", 24),
    "max_values": ("24", "24", 24),
    "max_texts": ("25", "25", 25),
    "max_labels": ("26", "26", 26),
    "max_top_k": ("27", "27", 27),
    "max_answers": ("28", "28", 28),
    "max_beams": ("29", "29", 29),
    "max_new_tokens": ("30", "30", 30),
    "max_steps": ("32", "32", 32),
    "max_side": ("33", "33", 33),
    "max_frames": ("34", "34", 34),
    "cors": ('["https://a.example"]', "https://a.example", ("https://a.example",)),
    "pages": ("false", "false", False),
    "tracing": ("true", "true", True),
    "host": ('"::1"', "::1", "::1"),
    "port": ("0", "0", 0),
    "grpc_port": ("0", "0", 0),
    "grpc_certificate": ('"local.pem"', "local.pem", Path("local.pem")),
    "grpc_key": ('"key.pem"', "key.pem", Path("key.pem")),
    "device": ('"cpu"', "cpu", "cpu"),
    "dtype": ('"bfloat16"', "bfloat16", "bfloat16"),
    "compile": ("true", "true", True),
    "threads": ("2", "2", 2),
    "replicas": ("2", "2", 2),
    "max_replicas": ("3", "3", 3),
    "cpus": ("0.5", "0.5", 0.5),
    "gpus": ("1", "1", 1.0),
    "memory": ("17", "17", 17),
    "max_connections": ("13", "13", 13),
    "header_timeout": ("14", "14", 14.0),
    "read_timeout": ("14.5", "14.5", 14.5),
    "drain": ("15", "15", 15.0),
    "finish": ("16", "16", 16.0),
    "log_level": ('"info"', "info", "info"),
    "log_format": ('"json"', "json", "json"),
    "token_file": ('"tokens"', "tokens", Path("tokens")),
    "token_env": ('"SOME_TOKEN"', "SOME_TOKEN", "SOME_TOKEN"),
}


def parsed(*words: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    add_settings(parser)
    return vars(parser.parse_args(words))


def configure(*words: str, **variables: str) -> Serving:
    environment = {PREFIX + name.upper(): text for name, text in variables.items()} | {"SOME_TOKEN": "s3cret"}
    return configured(parsed(*words), environment, PREFIX, TASKS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "serve.toml"


def test_every_setting_is_tried_here() -> None:
    assert {field.name for field in fields(Serving)} == {*VALUES, "token", "models"}


@pytest.mark.parametrize("name", VALUES)
def test_every_setting_can_be_made_in_every_way_and_flags_go_first(name: str, file: Path) -> None:
    in_file, text, value = VALUES[name]
    flag = "--" + name.replace("_", "-")
    words = {"true": [flag], "false": [f"--no-{name}"]}.get(text, [flag, text])
    from_file = file.parent / value if isinstance(value, Path) else value
    file.write_text(f"{name} = {in_file}\n")
    assert getattr(Serving(), name) != value
    assert getattr(configure("--config", str(file)), name) == from_file
    assert getattr(configure(config=str(file)), name) == from_file
    assert getattr(configure(**{name: text}), name) == value
    assert getattr(configure(*words), name) == value


def test_flags_go_before_variables_before_the_file_before_the_default(file: Path) -> None:
    file.write_text("port = 1\nmax_queue = 1\ndeadline = 1\n")
    settings = configure("--port", "3", "--config", str(file), port="2", max_queue="2")
    assert (settings.port, settings.max_queue, settings.deadline, settings.threads) == (3, 2, 1, 1)
    assert configure("--no-lazy", lazy="yes").lazy is False
    assert configure("--cors", "https://c", "--cors", "https://d", cors="https://a https://b").cors == (
        "https://c",
        "https://d",
    )
    assert configure(cors="https://a https://b").cors == ("https://a", "https://b")


def test_a_token_is_a_variable_or_in_one_and_never_a_flag(file: Path) -> None:
    assert configure(token="s3cret").token == "s3cret"
    assert configure("--token-env", "SOME_TOKEN").token == "s3cret"
    file.write_text('token = "s3cret"\n')
    with pytest.raises(ConfigurationError, match="token_file") as error:
        configure("--config", str(file))
    assert "s3cret" not in str(error.value)
    with pytest.raises(SystemExit):
        configure("--token", "s3cret")
    with pytest.raises(ConfigurationError, match="--token-env: the environment variable NO_SUCH is not set"):
        configure("--token-env", "NO_SUCH")
    assert "s3cret" not in repr(configure(token="s3cret"))
    # As if the secret had not been filled in: an open server is not what was meant.
    with pytest.raises(ConfigurationError, match=f"{PREFIX}TOKEN: is not a token"):
        configure(token="")


def test_the_clients_variables_are_none_of_the_servers() -> None:
    clients = {"INFERENCE_TASKS_TOKEN": "x", "INFERENCE_TASKS_URL": "http://x", "INFERENCE_TASKS_LOG": "debug"}
    assert configured({}, clients, PREFIX, TASKS) == Serving()


def test_models_of_a_file(file: Path) -> None:
    file.write_text(
        'lazy = true\n[[models]]\ntask = "text-classification"\ndirectory = "words"\n'
        '[[models]]\ntask = "text-classification"\ndirectory = "/far/away"\nname = "org/far"\ndevice = "cpu"\n'
        "threads = 2\nmax_batch = 8\nlazy = false\n"
    )
    settings = configure("--config", str(file))
    assert settings.models == (
        Model(task="text-classification", directory=file.parent / "words"),
        Model(
            task="text-classification",
            directory=Path("/far/away"),
            name="org/far",
            device="cpu",
            threads=2,
            max_batch=8,
            lazy=False,
        ),
    )
    one = (Model(task="image-classification", directory=Path("my dir")),)
    assert configure("--config", str(file), models="'image-classification=my dir'").models == one
    assert configure("--config", str(file), "--model", "image-classification=my dir").models == one


TABLE = '[[models]]\ntask = "text-classification"\ndirectory = "d"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("port = 1\nport = 2\n", ":2: is not TOML"),
        ("port = \n", ":1: is not TOML"),
        ("\nprot = 1\n", ":2: there is no setting 'prot'"),
        ("models = 3\n", ":1: models must be tables"),
        ("a.b = 1\n", ":1: there is no setting 'a'"),
        ("\n\nport = true\n", ":3: port must be a whole number of at least 0, not 'True'"),
        ("port = '8000'\n", ":1: port must be a whole number"),
        ("port = -1\n", ":1: port must be a whole number of at least 0"),
        ("max_queue = 0\n", ":1: max_queue must be a whole number of at least 1"),
        ("deadline = nan\n", ":1: deadline must be a number of at least 0, not 'nan'"),
        ("deadline = inf\n", ":1: deadline must be a number"),
        ("lazy = 1\n", ":1: lazy must be true or false"),
        ("log_level = 'loud'\n", ":1: log_level must be one of critical, error, warning, info, debug"),
        ("cors = 'https://a'\n", ":1: cors must be a list"),
        ("cors = [1]\n", ":1: cors must be text"),
        ("host = ''\n", ":1: host must be text that is not empty"),
        ("token_env = 'NO_SUCH'\n", "the environment variable NO_SUCH is not set"),
        ("port = 1\n" + TABLE + "prot = 1\n", ":5: there is no setting 'prot'"),
        (TABLE + TABLE + "threads = 0\n", ":7: threads must be a whole number of at least 1"),
        (TABLE + '[[models]]\ntask = "text-clasification"\ndirectory = "d"\n', ":5: unknown task 'text-clasification'"),
        (TABLE + '[[models]]\nname = "x"\n', ":4: a model needs task and directory"),
    ],
)
def test_mistakes_in_a_file_are_told_by_line(text: str, message: str, file: Path) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        configure("--config", str(file))
    assert message in str(error.value)
    assert message.startswith("the ") or str(error.value).startswith(str(file))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("prot", "1", "there is no such setting"),
        ("port", "many", "must be a whole number of at least 0, not 'many'"),
        ("lazy", "maybe", "must be true or false, not 'maybe'"),
        ("deadline", "inf", "must be a number"),
        ("log_format", "xml", "must be one of text, json"),
        ("models", "text-classification", "must be TASK=DIR"),
        ("models", "nothing=/x", "unknown task 'nothing'"),
        ("cors", "'https://a", "No closing quotation"),
        ("config", "/no/such/file", "no such file"),
    ],
)
def test_mistakes_in_variables_are_told_by_name(name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        configure(**{name: text})
    assert str(error.value).startswith(f"{PREFIX}{name.upper()}")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--port", "many"], "argument --port: must be a whole number of at least 0, not 'many'"),
        (["--max-queue", "0"], "argument --max-queue: must be a whole number of at least 1"),
        (["--deadline", "nan"], "argument --deadline: must be a number"),
        (["--log-level", "loud"], "argument --log-level: invalid choice"),
        (["--prot", "1"], "unrecognized arguments: --prot"),
        (["--config", "/no/such/file"], "--config: /no/such/file: no such file or directory"),
        (["--device", "abacus"], "device 'abacus': is not one that torch has here"),
    ],
)
def test_mistakes_in_flags_are_exit_code_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("serve", *words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_bad_variable_or_file_is_exit_code_2(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(b"\xff")
    assert run("serve", "--config", str(file)) == 2
    monkeypatch.setenv(f"{PREFIX}PROT", "1")
    assert run("serve") == 2
    error = capsys.readouterr().err
    assert "it is not UTF-8" in error
    assert f"{PREFIX}PROT: there is no such setting" in error


def test_what_python_is_given_has_the_same_names() -> None:
    assert {field.name for field in fields(Settings)} <= SERVING.keys()


def test_the_guides_file_is_one(file: Path) -> None:
    section = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
    file.write_text(section.partition("```toml\n")[2].partition("```")[0])
    settings = configure("--config", str(file))
    assert settings.token_file == file.parent / "tokens"
    assert [model.name for model in settings.models] == ["", "acme/topics"]
    page = Metrics().text().decode()
    named = re.findall(r"`(inference_[a-z_]+)`", section)
    assert len(named) == 12
    assert all(f"# TYPE {name} " in page for name in named)


def test_a_model_is_loaded_as_its_table_says(tmp_path: Path) -> None:
    words = models.words(tmp_path, "a", "b")
    own = Model(task="text-classification", directory=words, device="meta", threads=3, max_batch=5, lazy=True)
    rest = Model(task="text-classification", directory=words)
    settings = Serving(models=(own, rest), device="cpu", threads=2, dtype="bfloat16")
    first, second = handlers_of(BINDINGS, settings, None)
    assert (first.name, second.name) == ("", tmp_path.name)
    assert (first.max_batch, first.lazy, second.lazy) == (5, True, None)
    threads = torch.get_num_threads()
    try:
        for handler, device, count in ((first, "meta", 3), (second, "cpu", 2)):
            handler.load()
            assert torch.get_num_threads() == count
            weights = list(vars(handler)["model"].parameters())
            assert {(p.device.type, p.dtype) for p in weights} == {(device, torch.bfloat16)}
    finally:
        torch.set_num_threads(threads)
