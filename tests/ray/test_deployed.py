"""What ``deploy ray`` wrote, served by the commands that it printed, is asked as users would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("ray.serve", reason="ray is not installed here: `nox -s ray` has an environment of its own")

from inference_tasks import Client
from inference_tasks._runtime.server.ports import listen
from tests.server.tiny_generation import writer

from .conftest import CORES, DEMO, RAY, until

TOKEN = "open-sesame"
CONFIG = """
port = {port}
cpus = {cores}

[[models]]
task = "text-classification"
directory = {demo!r}

[[models]]
task = "text-generation"
directory = {writer!r}
cpus = {cores}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where it answers; afterwards, it ends as it does when a user presses Ctrl-C."""
    folder = tmp_path_factory.mktemp("deployed")
    port, *others = free_ports(3)
    text = CONFIG.format(
        port=port, cores=CORES, demo=str(DEMO / "text-classification"), writer=str(writer(folder / "writer"))
    )
    (folder / "serve.toml").write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as ray_directory:
        environment = os.environ | RAY | own_proxy(ray_directory, *others)
        environment |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "RAY_TMPDIR": ray_directory,
            "INFERENCE_TASKS_SERVE_TOKEN": TOKEN,
        }
        command = ["inference-tasks", "deploy", "ray", "--config", "serve.toml", "--out", "out"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        # The command for a cluster that runs already comes last.
        script = "\n".join(line for line in done.stdout.splitlines() if not line.startswith("serve deploy"))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["bash", "-c", script], cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        address = f"http://127.0.0.1:{port}"
        try:
            until(lambda: process.poll() is not None or answers(f"{address}/ready"), 120)
            assert process.poll() is None, (folder / "log").read_text(errors="replace")[-3000:]
            (proxy,) = Path(ray_directory).rglob("haproxy.cfg")
            assert f":{port}" in proxy.read_text()
            yield address
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(60) == 0, (folder / "log").read_text(errors="replace")[-3000:]
            until(lambda: not started_with(ray_directory), 30)
        finally:
            for pid in started_with(ray_directory):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


def own_proxy(directory: str, *ports: int) -> dict[str, str]:
    """What keeps this HAProxy apart from any other on the machine, and ends it without waiting for new connections."""
    names = {"CONFIG_FILE_LOC": "haproxy.cfg", "SERVER_STATE_FILE": "server-state"}
    names |= {"SOCKET_PATH": "admin.sock", "METRICS_SOCKET_PATH": "metrics.sock"}
    places = {name: os.path.join(directory, file) for name, file in names.items()}
    places |= {"SERVER_STATE_BASE": directory, "METRICS_PORT": str(ports[0]), "STATS_PORT": str(ports[1])}
    ends = {"RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1", "RAY_SERVE_PROXY_MIN_DRAINING_PERIOD_S": "1"}
    return ends | {f"RAY_SERVE_HAPROXY_{name}": value for name, value in places.items()}


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(listen("127.0.0.1", 0)) for _ in range(count)]
        return [socket.getsockname()[1] for socket in sockets]


def started_with(directory: str) -> list[int]:
    """The processes that were started with `directory` for Ray's own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"RAY_TMPDIR={directory}".encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def answers(page: str) -> bool:
    """Whether there is an answer that all is well."""
    with suppress(httpx.TransportError):
        return httpx.get(page, trust_env=False).status_code == 200
    return False


def test_typed_calls_are_answered(url: str) -> None:
    with Client(url, token=TOKEN) as client:
        best, *_ = client.text_classification("what a lovely day")
        assert best.label == "POSITIVE"
        assert best.score > 0.5
        events = list(client.text_generation("Once", do_sample=False, max_new_tokens=4, stream=True))
        assert [event.index for event in events] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("path", "payload", "status"),
    [
        ("/tasks/text-classification", {"inputs": "good"}, 200),
        ("/models/text-classification", {"inputs": "good"}, 200),
        ("/huggingface/models/text-classification", {"inputs": "good"}, 200),
        ("/v1/completions", {"model": "text-generation", "prompt": "Once", "max_tokens": 2}, 200),
        ("/tasks/text-classification", {"inputs": 7}, 422),
        ("/models/nobody", {"inputs": "good"}, 404),
    ],
)
def test_each_route_answers(url: str, path: str, payload: dict[str, Any], status: int) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "x-request-id": "mine"}
    answer = httpx.post(f"{url}{path}", json=payload, headers=headers, trust_env=False, timeout=60)
    assert answer.status_code == status, answer.text
    assert answer.headers.get_list("x-request-id") == ["mine"]


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}])
def test_the_token_of_the_environment_is_required(url: str, headers: dict[str, str]) -> None:
    payload = {"inputs": "good"}
    answer = httpx.post(f"{url}/tasks/text-classification", json=payload, headers=headers, trust_env=False)
    assert answer.status_code == 401
