"""Two runs at once on one output: the second waits and says for whom, and a killed one holds nothing up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from taskbind.config import Config
from taskbind.diagnostics import TaskbindError
from taskbind.lock import beside, locked
from taskbind.pipeline import check, generate
from tests.support.project import echo_task, write_specs

# Holds an output until somebody writes to it.
HOLDER = """
import sys
from pathlib import Path
from taskbind.lock import locked

sys.argv[0] = "/somewhere/taskbind"
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def held(out: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def left(out: Path) -> list[str]:
    return [path.name for path in out.parent.iterdir() if path.name != "specs"]


def test_nothing_is_left_of_a_lock(tmp_path: Path) -> None:
    with locked(tmp_path / "out") as waited:
        assert not waited
        assert left(tmp_path / "out") == [".out.taskbind-lock"]
    assert left(tmp_path / "out") == []


def test_the_second_waits_and_says_for_whom(tmp_path: Path) -> None:
    out = tmp_path / "out"
    config = Config(write_specs(tmp_path / "specs", echo_task()), out, package="made")
    said: list[str] = []
    with held(out) as process:
        run = threading.Thread(target=lambda: generate(config, tell=said.append))
        run.start()
        while not said:
            time.sleep(0.01)
        assert not out.exists(), "the other one has it"
        process.communicate("\n", timeout=30)
        run.join(60)
    expected = f"waiting: process {process.pid} (taskbind {out}"
    assert said[0].startswith(expected[:60])
    assert "is writing out, for " in said[0]
    assert not check(config)[0].changes
    assert left(out) == ["out"]


def test_who_waits_in_vain_is_told_what_to_do(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with held(out) as process:
        expected = rf"process {process.pid} \(taskbind .*is writing out.*; nothing was written. Wait for it, or end it"
        with pytest.raises(TaskbindError, match=expected), locked(out, patience=0.2):
            raise AssertionError("two hold it")
        assert process.poll() is None
        process.communicate("\n", timeout=30)
    assert left(out) == []


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with held(out) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        assert left(out) == [".out.taskbind-lock"], "it had no time to clear up"
        with locked(out, patience=0) as waited:
            assert not waited
    assert left(out) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1, "command": "\\u001b[2J", "since": 0}'])
def test_a_lock_file_with_anything_in_it_is_told_of_safely(tmp_path: Path, text: str) -> None:
    out = tmp_path / "out"
    with held(out) as process:
        beside(out, "lock").write_text(text)
        with pytest.raises(TaskbindError, match="is writing out") as caught, locked(out, patience=0):
            raise AssertionError("two hold it")
        assert str(caught.value).isprintable()
        process.communicate("\n", timeout=30)


def test_one_at_a_time(tmp_path: Path) -> None:
    """Many processes that take the lock in turn: whoever finds the mark of another one has broken in."""
    child = "\n".join(
        [
            "import os, sys, time",
            "from pathlib import Path",
            "from taskbind.lock import locked",
            "mark = Path(sys.argv[1] + '-mark')",
            "for _ in range(15):",
            "    with locked(Path(sys.argv[1])):",
            "        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))",
            "        time.sleep(0.001)",
            "        mark.unlink()",
        ]
    )
    command = [sys.executable, "-c", child, str(tmp_path / "out")]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in processes:
        _, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
    assert os.listdir(tmp_path) == []
