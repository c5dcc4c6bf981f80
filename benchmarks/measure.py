"""Measure whole commands: CPU seconds and peak memory of a process and its children, as medians."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Cost:
    """Medians over several runs: CPU seconds (user and system), and peak resident memory in MB."""

    cpu: float
    memory: float


def command(*arguments: str, cwd: Path, runs: int = 7, before: Callable[[int], object] = lambda run: None) -> Cost:
    """The cost of running `arguments`; `before` prepares each run. Raises CalledProcessError for a failing command."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    costs = []
    for run in range(runs + 1):
        before(run)
        process = subprocess.Popen(
            arguments, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert process.stderr is not None
        error = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, arguments, stderr=error)
        costs.append(Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))
    warm = costs[1:]  # the first run compiles byte code
    return Cost(statistics.median(c.cpu for c in warm), statistics.median(c.memory for c in warm))


def python(code: str, *, runs: int = 15) -> Cost:
    """The cost of running `code` in a new interpreter."""
    return command(sys.executable, "-c", code, cwd=ROOT, runs=runs)


def taskbind() -> str:
    """The command under test: the one of this environment."""
    return str(Path(sys.executable).parent / "taskbind")


@contextmanager
def project() -> Iterator[Path]:
    """A copy of this repository's project: configuration, specs and generated tree."""
    with tempfile.TemporaryDirectory(prefix="taskbind-bench-") as name:
        copy = Path(name)
        shutil.copy(ROOT / "taskbind.toml", copy)
        for folder in ("specs", "generated"):
            shutil.copytree(ROOT / folder, copy / folder)
        yield copy


def report(claim: str, figure: float, target: float, unit: str, *, least: bool = False) -> None:
    """Print one figure beside its target, which is the most that it may be, or the `least`."""
    verdict = "met" if (figure >= target if least else figure <= target) else "MISSED"
    print(f"{claim:58} {figure:9.3f} {unit:3} target {target:7.3f} {unit:3} {verdict}")
