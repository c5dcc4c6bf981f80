"""A Ray cluster on this machine, with an application of every kind of model; and the one process beside it."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from inference_tasks._runtime.server.ports import listen
from inference_tasks._runtime.torch import create_handler
from inference_tasks._tasks import TASKS
from inference_tasks.ray import Resources, Serving, create_app
from inference_tasks.server import Handler, create_app as create_one_process

from .handlers import Counting, Slow

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "generated" / "inference_tasks" / "_demo"
APPLICATION = "tests"
CORES = 0.1
"""What a replica takes of the cores that Ray believes in: there are more replicas here than cores."""
RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",  # Ray would write a token to the home directory
}
"""What Ray is told wherever it is started."""


@dataclass
class Cluster:
    """The application on Ray: a client of it, and what its handlers write to."""

    client: httpx.Client
    log: Path
    closed: Path

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.client.post(path, **options)

    def replicas(self, deployment: str) -> int:
        """How many replicas run."""
        from ray import serve

        states = serve.status().applications[APPLICATION].deployments[deployment].replica_states
        return int(states.get("RUNNING", 0))


def torch_handlers(folder: Path) -> list[Handler[Any, Any, Any]]:
    """Two demo models, and a tiny one that streams."""
    from tests.server.tiny_generation import writer

    made = [create_handler(TASKS[task], DEMO / task) for task in ("text-classification", "image-classification")]
    return [*made, create_handler(TASKS["text-generation"], writer(folder))]


@pytest.fixture(scope="session")
def writer_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("writer")


@pytest.fixture(scope="session")
def ray_directory() -> Iterator[str]:
    """Where Ray keeps its sockets, whose paths must be short, and its logs; and where it looks for clusters to join."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as directory:
        yield directory


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, ray_directory: str, writer_directory: Path) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("ray")
    # Replicas import these tests.
    os.environ |= RAY | {"RAY_TMPDIR": ray_directory, "PYTHONPATH": os.fspath(ROOT)}
    import ray
    from ray import serve

    with listen("127.0.0.1", 0) as socket:
        port = socket.getsockname()[1]
    closed, log = folder / "closed", folder / "log"
    handlers = [
        *torch_handlers(writer_directory),
        Slow("pair", 0.05, 4),
        Slow("growing", 0.2, 2),
        Slow("queue", 0.2, 1, log),
        Counting(closed),
    ]
    # The demo models are in the replicas of the ingress, each of the others in its own.
    one = Resources(cpus=CORES)
    resources = {"text-generation": one, "queue": one, "counting": one}
    resources |= {
        "pair": Resources(replicas=2, cpus=CORES),
        "growing": Resources(replicas=1, max_replicas=2, cpus=CORES),
    }
    settings = Serving(cpus=CORES, max_queue=16, finish=10)
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(create_app(handlers, settings=settings, resources=resources), name=APPLICATION)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            await_ready(client)
            cluster = Cluster(client, log, closed)
            assert cluster.replicas("growing") == 1
            with busy(client, "growing"):
                yield cluster
    finally:
        serve.shutdown()
        ray.shutdown()


@contextmanager
def busy(client: httpx.Client, model: str) -> Iterator[None]:
    """Always 16 requests to `model`: Ray takes half a minute to believe in a load, during which others are tested."""
    end = threading.Event()

    def ask() -> None:
        while not end.is_set():
            client.post(f"/models/{model}", json={"inputs": "x"}).raise_for_status()

    with ThreadPoolExecutor(16) as threads:
        asking = [threads.submit(ask) for _ in range(16)]
        try:
            yield
        finally:
            end.set()
        for one in asking:
            one.result()


@pytest.fixture(scope="session")
def one_process(cluster: Cluster, writer_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of the same models in the server without Ray."""
    others = [Slow("pair", 0, 4), Slow("growing", 0, 4), Slow("queue", 0, 4), Counting(tmp_path_factory.mktemp("one"))]
    with TestClient(create_one_process([*torch_handlers(writer_directory), *others])) as client:
        await_ready(client)
        yield client


def await_ready(client: Any) -> None:
    """Wait until all models are."""
    end = time.monotonic() + 60
    while (ready := client.get("/ready")).status_code != 200:
        assert "failed" not in ready.text and time.monotonic() < end, ready.text
        time.sleep(0.1)


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for `condition`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
