"""Claim: 64 connections get 65 % of what a bare torch loop in batches of 32 does; one waits 0.6 ms longer than it.

The embedded text and image classifiers, on one torch thread, without the cache. The bare loop prepares its inputs, runs
the model and reads its outputs, as the server does; for the image classifier it decodes the file, too.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import load
import measure

import inference_tasks
from inference_tasks._runtime.server.decode import decode
from inference_tasks._runtime.torch import create_handler
from inference_tasks._tasks import TASKS

CONNECTIONS = (1, 8, 64)
SECONDS = 4.0
TURNS = 3
BATCH = 32
TEXT = "What a wonderful film, and what an ending!"
IMAGE = measure.ROOT / "specs" / "image-classification" / "examples" / "seven.png"
DEMO = Path(inference_tasks.__file__).parent / "_demo"


@contextmanager
def serving(task: str, directory: Path) -> Iterator[str]:
    """The address of our server with one model."""
    command = [sys.executable, "-m", "inference_tasks", "serve", "--port", "0", "--model", f"{task}={directory}"]
    process = subprocess.Popen([*command, "--no-cache"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found.group()
    finally:
        process.terminate()
        process.wait()


def bare(task: str, inputs: Callable[[], Any]) -> tuple[float, float]:
    """The bare model: milliseconds for one input, and inputs a second in batches."""
    handler = create_handler(TASKS[task], DEMO / task)
    handler.load()
    parameters = TASKS[task].parameters_class.model_construct()

    def timed(count: int) -> Callable[[], float]:
        def run() -> float:
            start = time.perf_counter()
            handler.batch([inputs() for _ in range(count)], parameters)
            return time.perf_counter() - start

        return run

    single, batch = timed(1), timed(BATCH)
    for run in (single, batch):
        run()
    alone = statistics.median(single() for _ in range(300)) * 1000
    together = statistics.median(batch() for _ in range(60))
    return alone, BATCH / together


def compare(task: str, inputs: Callable[[], Any], body: bytes, content_type: str) -> None:
    """Print the figures of one model."""
    alone, rate = bare(task, inputs)
    print(f"{task}: bare {alone:.2f} ms alone, {rate:.0f} a second in batches of {BATCH}")
    with tempfile.NamedTemporaryFile() as file, serving(task, DEMO / task) as address:
        file.write(body)
        file.flush()
        url = f"{address}/tasks/{task}"
        wait_for(f"{address}/ready")
        found = {}
        for connections in CONNECTIONS:
            runs = [load.load(url, Path(file.name), content_type, connections, SECONDS) for _ in range(TURNS)]
            found[connections] = run = sorted(runs, key=lambda run: run.rate)[TURNS // 2]
            print(f"  {connections:2} at once: {run.rate:6.0f} a second, p50 {run.p50:.2f} ms, p99 {run.p99:.2f} ms")
    measure.report(f"{task}: bare batches / ours at 64 connections", rate / found[64].rate, 1 / 0.65, "x")
    measure.report(f"{task}: added to the bare call at 1 connection", found[1].p50 - alone, 0.6, "ms")


def wait_for(url: str) -> None:
    """Wait until the model is loaded."""
    for _ in range(600):
        if httpx.get(url).status_code == 200:
            return
        time.sleep(0.1)
    raise TimeoutError(url)


compare("text-classification", lambda: TEXT, json.dumps({"inputs": TEXT}).encode(), "application/json")
picture = IMAGE.read_bytes()
compare("image-classification", lambda: decode("image", picture, "inputs"), picture, "image/png")
