"""Claim: on one machine, one process is faster and smaller than Ray Serve; and what Ray Serve costs there.

Prints the table of the guide (templates/runtime/ray/__init__.py): the embedded text classifier in one process, in the
replicas of Ray's ingress, and in a replica of its own, each as ``serve`` and ``deploy ray`` start it. It takes the
environment that has Ray: ``.nox/ray/bin/python benchmarks/bench_ray.py``, once ``nox -s ray`` has made that.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import load
import measure
from processes import free_port, started

import inference_tasks

CONNECTIONS = (1, 8, 64)
SETTLE_SECONDS = 5
"""HAProxy starts anew whenever it hears of replicas, and hangs up on its clients then."""
TASK = "text-classification"
DEMO = Path(inference_tasks.__file__).parent / "_demo" / TASK
BODY = json.dumps({"inputs": "What a wonderful film, and what an ending!"}).encode()
CONTENT_TYPE = "application/json"
CONFIG = """
port = {port}
cache_size = 0

[[models]]
task = "{task}"
directory = {directory}
"""
OWN_REPLICA = "cpus = 1\n"


def one_process(config: Path) -> list[str]:
    """The command of the server without Ray."""
    return [sys.executable, "-m", "inference_tasks", "serve", "--config", str(config)]


def on_ray(config: Path) -> list[str]:
    """What ``deploy ray`` says is to be run in the foreground."""
    command = [sys.executable, "-m", "inference_tasks", "deploy", "ray", "--config", str(config)]
    told = subprocess.run(command, cwd=config.parent, check=True, stdout=subprocess.PIPE, text=True).stdout
    lines = [line for line in told.splitlines() if not line.startswith("serve deploy")]
    return ["bash", "-c", "\n".join(lines)]


SERVERS: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "one process, without Ray": (one_process, ""),
    "all models in a replica of the ingress": (on_ray, ""),
    "the model in a replica of its own": (on_ray, OWN_REPLICA),
}


def variables(folder: str) -> dict[str, str]:
    """What Ray is told: to keep to `folder` with all it writes, and to tell nobody that it was used."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RAY_TMPDIR": folder,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{folder}/haproxy.cfg",
        "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{folder}/admin.sock",
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": f"{folder}/metrics.sock",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": folder,
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{folder}/server-state",
        # It has no other clients to wait for when it ends.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
        "RAY_SERVE_PROXY_MIN_DRAINING_PERIOD_S": "1",
    }


def measured(command: Callable[[Path], list[str]], more: str, seconds: float, turns: int) -> tuple[list[float], float]:
    """Start a server, load it, stop it: answers a second by `CONNECTIONS` (medians), and gigabytes of memory."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        config, body, port = Path(folder) / "serve.toml", Path(folder) / "body", free_port()
        config.write_text(CONFIG.format(port=port, task=TASK, directory=json.dumps(str(DEMO))) + more)
        body.write_bytes(BODY)
        url = f"http://127.0.0.1:{port}/tasks/{TASK}"
        # Ray stops its proxy on SIGINT only.
        end = signal.SIGTERM if command is one_process else signal.SIGINT
        with started(command(config), variables(folder), url, BODY, CONTENT_TYPE, Path(folder), end=end) as server:
            time.sleep(SETTLE_SECONDS)
            rates = [
                statistics.median(load.load(url, body, CONTENT_TYPE, each, seconds).rate for _ in range(turns))
                for each in CONNECTIONS
            ]
            return rates, server.memory().resident / 1000


def main() -> None:
    """Print the table, and hold the claim."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each load lasts")
    parser.add_argument("--turns", type=int, default=3, help="how often each is put on; the median counts")
    options = parser.parse_args()
    if find_spec("ray") is None:
        print("ray is not installed here; .nox/ray has it once `nox -s ray` has run")
        return
    width = max(map(len, SERVERS))
    rule = "  ".join(["=" * width, *["=====  =====  ====="], "============"])
    print(rule)
    print(f"{'what':{width}}  {'  '.join(f'{each:^5}' for each in CONNECTIONS)}  memory (RSS)")
    print(rule)
    found = {}
    for name, (command, more) in SERVERS.items():
        rates, memory = found[name] = measured(command, more, options.seconds, options.turns)
        print(f"{name:{width}}  {'  '.join(f'{rate:5,.0f}' for rate in rates)}  {memory:.1f} GB", flush=True)
    print(rule)
    (alone, alone_memory), *others = found.values()
    rate = alone[-1] / max(rates[-1] for rates, _ in others)
    measure.report("one process at 64, over the best on Ray", rate, 1, "x", least=True)
    measure.report("its memory, over the smallest on Ray", alone_memory / min(size for _, size in others), 1, "x")


if __name__ == "__main__":
    main()
