"""Every example in a docstring runs as printed, and what a method's example returns is the answer of its example."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shutil
import sys
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

import inference_tasks
from inference_tasks import AsyncClient, Base64, Client
from inference_tasks._runtime.raw import RawResponse
from inference_tasks._runtime.streaming import AsyncStream, Stream
from inference_tasks._runtime.types import dump
from inference_tasks._tasks import TASKS
from tests.support.server import TOKEN

from .checker import close
from .pages import DOCS
from .specs import examples

BASE_URL = "http://localhost:8000"
METHODS = {binding.method: task for task, binding in TASKS.items()}
FLAVOURS = (Client, AsyncClient)


def example(documented: Any) -> str:
    """The program under ``Example:`` in a docstring; empty where there is none."""
    doc = inspect.getdoc(documented) or ""
    _, _, rest = doc.partition("Example:\n")
    lines = rest.split("\n")
    end = next((n for n, line in enumerate(lines) if line and not line.startswith(" ")), len(lines))
    return textwrap.dedent("\n".join(lines[:end])).strip()


def test_docstrings_are_indented_as_tools_read_them() -> None:
    for flavour in FLAVOURS:
        for name in METHODS:
            lines = (inspect.getdoc(getattr(flavour, name)) or "").split("\n")
            heads = [n for n, line in enumerate(lines) if re.fullmatch(r"(Args|Returns|Raises|Example):", line)]
            assert [lines[n] for n in heads] == ["Args:", "Returns:", "Raises:", "Example:"], name
            assert all(not lines[n - 1] and lines[n + 1].startswith("    ") for n in heads), name
            said = [line.strip().partition(":")[0] for line in lines[heads[0] :] if re.match(r" {4}\w+:", line)]
            assert {"model", "timeout", "wait_for_model"} <= set(said), name


def public(cls: type) -> list[str]:
    """The names of a class that callers may use, constructors of dialects included; properties of data are none."""
    names = [name for name in dir(cls) if not name.startswith("_")]
    return [name for name in names if callable(getattr(cls, name)) or name == "with_raw_response"]


def compiled(code: str) -> CodeType:
    """`code`, in which ``await`` may stand anywhere."""
    return compile(code, "<docstring>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


async def run(code: str, flavour: type, names: dict[str, Any], url: str) -> dict[str, Any]:
    """Run a program with a client of `flavour`; the names that it leaves behind."""
    client = flavour(url, token=TOKEN)
    space = {"client": client, "inference_tasks": inference_tasks, **names}
    made = eval(compiled(code.replace(BASE_URL, url)), space)
    if inspect.isawaitable(made):
        await made
    done = client.close()
    if inspect.isawaitable(done):
        await done
    return space


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a reader, with the files that the examples name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INFERENCE_TASKS_TOKEN", TOKEN)
    (tmp_path / "photos").mkdir()
    for photo in (DOCS / "samples" / "image-classification").iterdir():
        shutil.copy(photo, tmp_path / "photos")
        shutil.copy(photo, tmp_path / "mask.png")
    return tmp_path


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda cls: cls.__name__)
def test_the_example_of_a_task_gives_its_answer(flavour: type, method: str, server_url: str, folder: Path) -> None:
    task = METHODS[method]
    for sample in (DOCS / "samples" / task).glob("*"):
        shutil.copy(sample, folder)
    code = example(getattr(flavour, method))
    space = asyncio.run(run(code, flavour, {}, server_url))
    known = [known.response for (other, _), known in examples().items() if other == task]
    assert any(close(dump(space["answer"]), response) for response in known)


@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda cls: cls.__name__)
def test_every_public_method_has_an_example(flavour: type) -> None:
    without = [name for name in public(flavour) if not example(getattr(flavour, name))]
    assert without == []


@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda cls: cls.__name__)
def test_the_other_examples_run(flavour: type, server_url: str, folder: Path) -> None:
    names = {flavour.__name__: flavour}
    for sample in (DOCS / "samples" / "audio-classification").iterdir():
        shutil.copy(sample, folder)
    for name in public(flavour):
        if name not in METHODS:
            asyncio.run(run(example(getattr(flavour, name)), flavour, names, server_url))
    code = example(flavour)
    assert BASE_URL in code
    assert asyncio.run(run(code, flavour, names, server_url))["answer"]


def test_the_examples_of_answers_run(server_url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(run(example(RawResponse), Client, {}, server_url))
    assert re.fullmatch(r"\S+ 0 \w+\n", capsys.readouterr().out)
    asyncio.run(run(example(Base64), Client, {"Base64": Base64}, server_url))
    assert (folder / "copy.png").read_bytes() == (folder / "mask.png").read_bytes()


@pytest.mark.parametrize(("stream", "flavour"), [(Stream, Client), (AsyncStream, AsyncClient)])
def test_the_examples_of_streams_run(
    stream: type, flavour: type, events: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(run(example(stream), flavour, {}, events))
    assert capsys.readouterr().out == "there was"


@pytest.fixture
def events() -> Iterator[str]:
    """The address of a server that streams two words."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            for index, text in enumerate(("there", " was")):
                event = f'{{"index": {index}, "token": {{"id": 1, "text": "{text}", "logprob": -1, "special": false}}}}'
                self.wfile.write(f"data: {event}\n\n".encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_broken_example_would_be_noticed(server_url: str, folder: Path) -> None:
    code = example(Client.image_classification)
    for broken in (code.replace(".png", ".gif"), code.replace("image_", "video_"), code.replace("(", "(top_q=1, ", 1)):
        assert broken != code
        with pytest.raises((inference_tasks.InferenceError, TypeError, SyntaxError)):
            asyncio.run(run(broken, Client, {}, server_url))


def test_examples_are_found() -> None:
    assert "client." in example(Client.text_classification)
    assert example(sys) == ""
