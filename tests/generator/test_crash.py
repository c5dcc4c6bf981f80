"""A run that is killed at any write leaves the old tree or the new one, never a mixture, and the next run tidies up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from taskbind.commit import MANIFEST, commit, sha256

# The child counts every operation that changes the disk and kills itself, as the kernel would, just before the n-th.
CHILD = """
import ctypes, os, signal, sys
from pathlib import Path
from taskbind import commit as module

n, two_step = int(sys.argv[2]), sys.argv[3] == "two-step"
names = "link mkdir remove rename rmdir symlink utime chmod"
writes = {f"os.{name}" for name in names.split()} | {"shutil.rmtree"}
count = 0

def step():
    global count
    count += 1
    if count == n:
        os.kill(os.getpid(), signal.SIGKILL)

def hook(event, arguments):
    if event in writes or (event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")):
        step()

swap = module._swap
module._swap = lambda a, b: (step(), False if two_step else swap(a, b))[1]
fsync = os.fsync
os.fsync = lambda descriptor: (step(), fsync(descriptor))[1]
files = eval(sys.stdin.read())
sys.addaudithook(hook)
module.commit(Path(sys.argv[1]), files)
"""


def tree(**files: str) -> dict[str, bytes]:
    out = {name.replace("__", "/"): text.encode() for name, text in files.items()}
    return out | {MANIFEST: json.dumps({"outputs": {name: sha256(data) for name, data in out.items()}}).encode()}


OLD = tree(same="1", changes="1", sub__stale="1", goes__away="1")
NEW = tree(same="1", changes="2", sub__new="2", brand__new="2")
MINE = {"mine": b"mine", "sub/mine": b"mine"}


def read(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


@pytest.mark.parametrize("mode", ["exchange", "two-step"])
def test_killed_at_every_write(tmp_path: Path, mode: str) -> None:
    seen, n = [], 0
    while True:
        n += 1
        out = tmp_path / str(n) / "out"
        commit(out, OLD)
        for name, data in MINE.items():
            (out / name).write_bytes(data)
        command = [sys.executable, "-c", CHILD, str(out), str(n), mode]
        result = subprocess.run(command, input=repr(NEW), text=True, capture_output=True, check=False)
        if result.returncode == 0:
            break
        assert result.returncode == -signal.SIGKILL, result.stderr
        # Between the two renames of the fallback there is no tree at all; the next run must find the old one.
        now = read(out) if out.exists() else None
        assert now in ([OLD | MINE, NEW | MINE] if mode == "exchange" else [OLD | MINE, NEW | MINE, None])
        seen.append("none" if now is None else "old" if now == OLD | MINE else "new")
        commit(out, NEW)
        assert read(out) == NEW | MINE
        assert [p.name for p in out.parent.iterdir()] == ["out"]
    assert seen.count("old") > 10
    assert seen.count("new") >= 1
    assert seen.count("none") == (1 if mode == "two-step" else 0)
    assert seen == sorted(seen, key=["old", "none", "new"].index), "the switch happens once"


def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    out = tmp_path / "out"
    commit(out, OLD)
    child = "\n".join(
        [
            "import sys",
            "from pathlib import Path",
            "from taskbind.commit import commit",
            "commit(Path(sys.argv[1]), eval(sys.stdin.read()))",
        ]
    )
    trees = [NEW, OLD] * 4
    processes = []
    for files in trees:
        process = subprocess.Popen([sys.executable, "-c", child, str(out)], stdin=subprocess.PIPE, text=True)
        processes.append((process, files))
    for process, files in processes:
        process.communicate(repr(files), timeout=60)
        assert process.returncode == 0
    assert read(out) in (OLD, NEW)
