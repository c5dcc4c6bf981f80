"""Servers under test: started, waited for, measured with all their processes (by Linux's /proc), and stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

START_SECONDS = 120
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Memory:
    """Megabytes of all processes together: as each sees it, and with what they share counted once."""

    resident: float
    proportional: float
    processes: int


@dataclass(frozen=True)
class Started:
    """A server that has answered; `seconds` after it was started."""

    pid: int
    seconds: float

    def cpu(self) -> float:
        """Seconds of processor time that its living processes have used."""
        fields = (_read(pid, "stat").rpartition(")")[2].split() for pid in family(self.pid))
        return sum(int(user) + int(system) for *_, user, system in (found[:13] for found in fields if found)) / _TICKS

    def memory(self) -> Memory:
        """What its processes hold now."""
        pids = family(self.pid)
        resident = sum(int(found[1]) * _PAGE for pid in pids if (found := _read(pid, "statm").split()))
        lines = [line.split() for pid in pids for line in _read(pid, "smaps_rollup").splitlines()]
        proportional = sum(int(line[1]) * 1024 for line in lines if line[0] == "Pss:")
        return Memory(resident / 1e6, proportional / 1e6, len(pids))


def family(pid: int) -> list[int]:
    """A process with its children, and theirs."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*"):
            found += map(int, _read(parent, f"task/{task.name}/children").split())
    return found


def _read(pid: int, name: str) -> str:
    """A file about a process; empty if the process is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_text()
    return ""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def started(
    command: Sequence[str],
    variables: dict[str, str],
    url: str,
    body: bytes,
    content_type: str,
    cwd: Path,
    *,
    end: signal.Signals = signal.SIGTERM,
) -> Iterator[Started]:
    """A server, from its first answer to a request to `url` on until `end` is sent to it.

    Raises RuntimeError with its log if no answer comes.
    """
    log = cwd / "log"
    with log.open("wb") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=os.environ | variables, stdout=output, stderr=output, start_new_session=True
        )
    try:
        while process.poll() is None and time.perf_counter() - begun < START_SECONDS:
            with suppress(httpx.TransportError):
                answer = httpx.post(url, content=body, headers={"content-type": content_type}, timeout=60)
                if answer.status_code == 200:
                    break
            time.sleep(0.02)
        else:
            raise RuntimeError(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
        yield Started(process.pid, time.perf_counter() - begun)
    finally:
        # A group of its own: whatever it started ends with it.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, end)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
