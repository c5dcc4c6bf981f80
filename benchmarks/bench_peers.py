"""Claim: at 64 connections 4 times the answers of LitServe, and 6 times those of BentoML.

The embedded text and image classifiers, the same weights for all, one after the other on the same machine under the
same load, each on one torch thread in one model process, as its documentation advises for throughput. `nox -s peers`
installs the peers; those that are not there are left out. And: one process, which answers no later and holds no more
memory than a program that only loads the model with transformers.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import load
import measure
from processes import Memory, Started, free_port, started

import inference_tasks

CONNECTIONS = (1, 8, 64)
PEERS = measure.ROOT / ".nox" / "peers"
SERVERS = Path(__file__).parent / "peers"
DEMO = Path(inference_tasks.__file__).parent / "_demo"
TEXT = "What a wonderful film, and what an ending!"
IMAGE = measure.ROOT / "specs" / "image-classification" / "examples" / "seven.png"
CLASSES = {"text-classification": "SequenceClassification", "image-classification": "ImageClassification"}
READERS = {"text-classification": "AutoTokenizer", "image-classification": "AutoImageProcessor"}
BARE = """
import transformers
transformers.AutoModelFor{model}.from_pretrained({directory!r})
transformers.{reader}.from_pretrained({directory!r})
print(flush=True)
input()
"""


@dataclass(frozen=True)
class Server:
    """A server to measure: how it is started for a task, a model's directory and a port, and how it is asked."""

    name: str
    command: Callable[[str, Path, int], list[str]]
    path: str
    body: Callable[[str], tuple[bytes, str]]
    variables: Callable[[str, Path], dict[str, str]] = field(default=lambda task, directory: {})


@dataclass(frozen=True)
class Figures:
    """What one server did: its start, and by connections answers a second, latencies, and processor time of each."""

    seconds: float
    memory: Memory
    loads: dict[int, load.Load]
    cpu: dict[int, float]


def spec_body(task: str) -> tuple[bytes, str]:
    """A request to us: JSON, or the picture itself."""
    if task == "image-classification":
        return IMAGE.read_bytes(), "image/png"
    return json.dumps({"inputs": TEXT}).encode(), "application/json"


def json_body(task: str) -> tuple[bytes, str]:
    """A request to a framework that takes what a user defines: JSON, pictures in base64."""
    value = TEXT if task == "text-classification" else base64.b64encode(IMAGE.read_bytes()).decode()
    return json.dumps({"inputs": value}).encode(), "application/json"


def list_body(task: str) -> tuple[bytes, str]:
    """The same for BentoML, which batches lists."""
    value = json.loads(json_body(task)[0])["inputs"]
    return json.dumps({"inputs": [value]}).encode(), "application/json"


def program(peer: str, name: str) -> str:
    """A program of a peer's environment."""
    return str(PEERS / peer / "bin" / name)


def ours(task: str, directory: Path, port: int) -> list[str]:
    """Our server, which shall answer each request anew."""
    options = ["--port", str(port), "--model", f"{task}={directory}", "--no-cache"]
    return [sys.executable, "-m", "inference_tasks", "serve", *options]


def litserve(batch: int) -> Callable[[str, Path, int], list[str]]:
    """LitServe with batches of up to `batch`."""

    def command(task: str, directory: Path, port: int) -> list[str]:
        server = str(SERVERS / "litserve_server.py")
        return [program("litserve", "python"), server, task, str(directory), str(port), str(batch)]

    return command


def bentoml(task: str, directory: Path, port: int) -> list[str]:
    """BentoML."""
    place = ["--working-dir", str(SERVERS), "--host", "127.0.0.1", "--port", str(port)]
    return [program("bentoml", "bentoml"), "serve", "bentoml_server:Classifier", *place]


def bentoml_variables(task: str, directory: Path) -> dict[str, str]:
    """What BentoML's server is told; it shall tell nobody that it was used."""
    return {"TASK": task, "DIRECTORY": str(directory), "BENTOML_DO_NOT_TRACK": "true", "PYTHONPATH": str(SERVERS)}


OURS = Server("ours", ours, "/tasks/{task}", spec_body)
OTHERS = {
    "litserve": [
        Server("LitServe, batches of 32", litserve(32), "/predict", json_body),
        Server("LitServe, no batches", litserve(1), "/predict", json_body),
    ],
    "bentoml": [Server("BentoML, adaptive batches", bentoml, "/predict", list_body, bentoml_variables)],
}
TARGETS = {"litserve": 4.0, "bentoml": 6.0}


@contextmanager
def serving(server: Server, task: str) -> Iterator[tuple[Started, str, Path, str]]:
    """A server that has answered its first request; where it is asked, with which file, of which content type."""
    port, directory = free_port(), DEMO / task
    url = f"http://127.0.0.1:{port}" + server.path.format(task=task)
    body, content_type = server.body(task)
    variables = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"} | server.variables(task, directory)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "body"
        file.write_bytes(body)
        command = server.command(task, directory, port)
        with started(command, variables, url, body, content_type, Path(folder)) as running:
            yield running, url, file, content_type


def measured(server: Server, task: str, seconds: float, turns: int) -> Figures:
    """Start a server, load it, stop it."""
    with serving(server, task) as (running, url, body, content_type):
        loads, cpu = {}, {}
        for connections in CONNECTIONS:
            runs = [loaded(running, url, body, content_type, connections, seconds) for _ in range(turns)]
            loads[connections] = sorted((run for run, _ in runs), key=lambda run: run.rate)[turns // 2]
            cpu[connections] = statistics.median(each for _, each in runs)
        return Figures(running.seconds, running.memory(), loads, cpu)


def loaded(
    server: Started, url: str, body: Path, content_type: str, connections: int, seconds: float
) -> tuple[load.Load, float]:
    """One load, and the microseconds of processor time that an answer took."""
    before = server.cpu()
    run = load.load(url, body, content_type, connections, seconds)
    return run, (server.cpu() - before) / run.answers * 1e6


def show(name: str, found: Figures) -> None:
    """Print a server's figures: for each load answers a second, p50 and p99 in ms, and processor time in µs."""
    memory = found.memory
    size = f"{found.seconds:5.1f} s  {memory.resident:5.0f}/{memory.proportional:4.0f} MB ({memory.processes})"
    rows = [
        f"{run.rate:6.0f} {run.p50:6.1f} {run.p99:6.1f} {found.cpu[connections]:5.0f}"
        for connections, run in found.loads.items()
    ]
    print(f"  {name:26} {size:26} | {' | '.join(rows)}", flush=True)


def first_answer(task: str) -> tuple[float, float]:
    """Our server: seconds until its first answer, and megabytes that it holds then."""
    with serving(OURS, task) as (running, *_):
        return running.seconds, running.memory().resident


def bare(task: str) -> tuple[float, float]:
    """transformers alone with the model loaded: seconds until it is, and megabytes that it holds then."""
    code = BARE.format(model=CLASSES[task], reader=READERS[task], directory=str(DEMO / task))
    begun = time.perf_counter()
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - begun
        memory = Started(process.pid, seconds).memory().resident
        process.communicate("\n")
    return seconds, memory


def compare(task: str, seconds: float, turns: int) -> None:
    """Print the figures of all servers for one model."""
    there = [name for name in OTHERS if (PEERS / name).is_dir()]
    columns = " | ".join(f"{f'at {connections}: /s':>9}    p50    p99    µs" for connections in CONNECTIONS)
    print(f"{task}\n  {'':26} {'start, RSS/PSS (processes)':26} | {columns}")
    mine = measured(OURS, task, seconds, turns)
    show(OURS.name, mine)
    best = {}
    for name in there:
        all_figures = []
        for server in OTHERS[name]:
            all_figures.append(measured(server, task, seconds, turns))
            show(server.name, all_figures[-1])
        best[name] = max(figures.loads[64].rate for figures in all_figures)
    for name in there:
        measure.report(f"{task}: ours / {name} at 64", mine.loads[64].rate / best[name], TARGETS[name], "x", least=True)
    starts = [(*first_answer(task), *bare(task)) for _ in range(turns)]
    seconds, memory, bare_seconds, bare_memory = (statistics.median(column) for column in zip(*starts, strict=True))
    measure.report(f"{task}: start-up, with a first answer", seconds, bare_seconds, "s")
    measure.report(f"{task}: memory after it", memory, bare_memory, "MB")
    measure.report(f"{task}: processes", mine.memory.processes, 1, "")


def main() -> None:
    """Compare all for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each load lasts")
    parser.add_argument("--turns", type=int, default=3, help="how often each is put on; the median counts")
    options = parser.parse_args()
    if missing := [name for name in OTHERS if not (PEERS / name).is_dir()]:
        print(f"not installed: {', '.join(missing)}; run nox -s peers")
    for task in CLASSES:
        compare(task, options.seconds, options.turns)


if __name__ == "__main__":
    main()
