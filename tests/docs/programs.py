"""The printed programs, and how those of each language are run: several in one go where starting them takes long."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support.server import TOKEN, TOKEN_VARIABLE, Channel, Sent, environment

from .pages import DOCS, ROOT

BASE_URL = "http://localhost:8000"
SECONDS = 90
AT_ONCE = 15
"""How many Go programs are built before they are run: each takes 5 MB."""


@dataclass(frozen=True)
class Program:
    """A row of `snippets.json`."""

    id: str
    task: str
    example: str
    way: str
    language: str
    file: str
    needs: tuple[str, ...]
    code: str

    @property
    def name(self) -> str:
        """The stem of its file."""
        return self.id.split("/")[1]


@dataclass(frozen=True)
class Outcome:
    """What a program printed, the status that it exited with, and what it sent."""

    stdout: bytes
    stderr: bytes
    status: int
    sent: list[Sent]


@cache
def listed() -> tuple[Program, ...]:
    """All of them. Empty as long as nothing has been generated."""
    path = DOCS / "snippets.json"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return tuple(Program(**row | {"needs": tuple(row["needs"])}) for row in rows)


@cache
def programs() -> tuple[Program, ...]:
    """Those that send examples to the tasks' own addresses."""
    return tuple(program for program in listed() if not program.way.startswith("predict-"))


@cache
def predict_programs() -> tuple[Program, ...]:
    """Those that make predict calls."""
    return tuple(program for program in listed() if program.way.startswith("predict-"))


Job = tuple[Program, Channel]
"""A program, and the way that what it sends is to take."""
Done = tuple[bytes, bytes, int]
"""Output, messages and exit status."""
Run = Callable[[Sequence[Path], Path, str], list[Done]]
"""Runs programs: their files, an empty folder to work in, and the token to give them."""


def _each(*command: str) -> Run:
    """Run each program by itself."""

    def run(files: Sequence[Path], _: Path, token: str) -> list[Done]:
        return [_process([*command, file.name], file.parent, token) for file in files]

    return run


def _process(command: Sequence[str | Path], folder: Path, token: str, seconds: float = SECONDS) -> Done:
    # Java reads and prints in the encoding of its machine, which is a reader's, not that of a bare container.
    variables = environment() | {TOKEN_VARIABLE: token, "LC_ALL": "C.UTF-8", "GO111MODULE": "off", "GOFLAGS": "-p=2"}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, timeout=seconds, check=False)
    return done.stdout, done.stderr, done.returncode


def _batch(*command: str) -> Run:
    """Run all in one go, by a program beside this module: what they begin with takes longer than they do."""

    def run(files: Sequence[Path], folder: Path, token: str) -> list[Done]:
        batch = [command[0], Path(__file__).with_name(command[1])]
        output, errors, status = _process([*batch, *files], folder, token, SECONDS + 2 * len(files))
        assert status == 0, (output + errors).decode(errors="replace")
        return list(map(_written, files))

    return run


def _written(file: Path) -> Done:
    """What was written beside a program that was run in one go with others."""
    status = int(file.with_name("status").read_text())
    return file.with_name("stdout").read_bytes(), file.with_name("stderr").read_bytes(), status


def _open(files: Sequence[Path], _: Path, token: str) -> list[Done]:
    """Open all in one browser."""
    batch = [sys.executable, "-m", "tests.docs.batch_browser"]
    output, errors, status = _process([*batch, *files], ROOT, token, SECONDS + 2 * len(files))
    assert status == 0, (output + errors).decode(errors="replace")
    return list(map(_written, files))


def _go(files: Sequence[Path], folder: Path, token: str) -> list[Done]:
    """Build some at once, so that what they share is read once, and run each; one that does not build has failed."""
    done = []
    for start in range(0, len(files), AT_ONCE):
        some = files[start : start + AT_ONCE]
        binaries = folder / f"{start}"
        binaries.mkdir()
        for number, file in enumerate(some):
            package = folder / "src" / f"{number}"
            package.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, package / "main.go")
        packages = [f"./src/{number}" for number in range(len(some))]
        _, errors, _ = _process(["go", "build", "-ldflags=-s -w", "-o", f"{binaries}/", *packages], folder, token)
        for number, file in enumerate(some):
            binary = binaries / f"{number}"
            done.append(_process([binary], file.parent, token) if binary.exists() else (b"", errors, 1))
        shutil.rmtree(binaries)
    return done


@dataclass(frozen=True)
class Tool:
    """What runs a language: `test` is a command that succeeds where it is there, `package` what brings it.

    `alone` is what a reader types before the name of a file; `run` gives the same for many of them.
    """

    test: tuple[str, ...]
    package: str
    alone: tuple[str, ...]
    run: Run


_FIND_CHROMIUM = "from tests.support.browser import find; raise SystemExit(find() is None)"
_PYTHON = Tool((sys.executable, "--version"), "python3", (sys.executable,), _batch(sys.executable, "batch.py"))
TOOLS = {
    "curl": Tool(("curl", "--version"), "curl", ("bash", "-e"), _each("bash", "-e")),
    "client": _PYTHON,
    "httpx": _PYTHON,
    "javascript": Tool(("node", "--version"), "nodejs", ("node",), _batch("node", "batch.mjs")),
    "java": Tool(("javac", "--version"), "default-jdk", ("java",), _batch("java", "Batch.java")),
    "php": Tool(("php", "-r", "exit(extension_loaded('curl') ? 0 : 1);"), "php-cli php-curl", ("php",), _each("php")),
    "go": Tool(("go", "version"), "golang-go", ("go", "run"), _go),
    "browser": Tool((sys.executable, "-c", _FIND_CHROMIUM), "chromium", (), _open),
}
LANGUAGES = tuple(language for language in TOOLS if language != "browser")
PREDICT_LANGUAGES = ("curl", "httpx", "browser", "javascript", "java", "php")


def need(language: str) -> None:
    """Skip the test where a language's tool is missing; where CI is set, that is a failure."""
    tool = TOOLS[language]
    if shutil.which(tool.test[0]) and _succeeds(tool.test):
        return
    message = f"programs in {language} cannot be run here: {' '.join(tool.test)} fails; install {tool.package}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


def prepare(program: Program, channel: Channel, folder: Path) -> Path:
    """Save `program` in `folder`, exactly as printed but for the base URL, with its samples beside it."""
    folder.mkdir()
    path = folder / Path(program.file).name
    path.write_text(program.code.replace(BASE_URL, channel.url), encoding="utf-8")
    for sample in program.needs:
        shutil.copy(DOCS / "samples" / sample, folder)
    return path


def run(language: str, jobs: Sequence[Job], folder: Path, *, token: str = TOKEN, alone: bool = False) -> list[Outcome]:
    """Run programs of one language in empty folders below the empty `folder`; `alone`: each as a reader would."""
    files = [prepare(program, channel, folder / f"{number}") for number, (program, channel) in enumerate(jobs)]
    work = folder / "work"
    work.mkdir()
    tool = TOOLS[language]
    done = (_each(*tool.alone) if alone else tool.run)(files, work, token)
    return [Outcome(*one, channel.sent) for one, (_, channel) in zip(done, jobs, strict=True)]
