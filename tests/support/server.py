"""A generated server in a process of its own, and a proxy that writes down what programs send to it."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TOKEN = "a-token-of-the-docs-tests"
TOKEN_VARIABLE = "INFERENCE_TASKS_TOKEN"
START_SECONDS = 180


def environment() -> dict[str, str]:
    """This process's environment with the token, and without proxies that would come between."""
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return kept | {TOKEN_VARIABLE: TOKEN}


DEMO_SERVER = ("-m", "inference_tasks", "serve", "--port", "0", "--token-env", TOKEN_VARIABLE)


@contextmanager
def running_server(program: Sequence[str] = DEMO_SERVER) -> Iterator[str]:
    """The base URL of a ready server, which ends with the block: one with the embedded demo models, or `program`."""
    command = [sys.executable, *program]
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment(), stdout=output, stderr=subprocess.STDOUT)
        try:
            yield _ready_url(process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready_url(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that the server prints, once it answers there that it is ready."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if printed := re.match(r"(http://\S+) serves ", log.read_text(encoding="utf-8", errors="replace")):
            with suppress(OSError), opener.open(f"{printed[1]}/ready", timeout=5) as response:
                if response.status == 200:
                    return printed[1]
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}")


def serve_examples(app: Any) -> None:
    """Serve `app` in this process until told to end, and print where, as `running_server` wants it."""
    from inference_tasks._runtime.server.ports import listen
    from inference_tasks._runtime.server.run import serve
    from inference_tasks._runtime.server.settings import Serving

    socket = listen("127.0.0.1", 0)
    print(f"http://127.0.0.1:{socket.getsockname()[1]} serves examples", flush=True)
    serve(app, socket, Serving())


@dataclass(frozen=True)
class Sent:
    """One request as it came over the wire, and the `answer` to it; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    answer: bytes


@dataclass(frozen=True)
class Channel:
    """One way through a proxy, by a `url` of its own; what went through it is in `sent`."""

    url: str
    sent: list[Sent] = field(default_factory=list)


@dataclass
class Proxy:
    """Passes requests on to `target`, and keeps them."""

    target: str
    url: str = ""
    channels: list[Channel] = field(default_factory=list)

    def channel(self) -> Channel:
        """A new way through it."""
        self.channels.append(Channel(f"{self.url}/{len(self.channels)}"))
        return self.channels[-1]


_HOP = {"host", "connection", "content-length", "expect", "http2-settings", "transfer-encoding", "upgrade"}
_TOLD = {"content-type", "x-request-id", "retry-after"}


@contextmanager
def recording_proxy(target: str) -> Iterator[Proxy]:
    """A proxy before the server at `target`."""
    proxy = Proxy(target)
    address = urlsplit(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.pass_on()

        def do_POST(self) -> None:
            self.pass_on()

        def do_OPTIONS(self) -> None:
            self.pass_on()

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            _, number, path = self.path.split("/", 2)
            onward = http.client.HTTPConnection(address.hostname or "", address.port, timeout=90)
            onward.request(self.command, f"/{path}", body, {k: v for k, v in headers.items() if k not in _HOP})
            answer = onward.getresponse()
            content = answer.read()
            onward.close()
            proxy.channels[int(number)].sent.append(Sent(self.command, f"/{path}", headers, body, content))
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() in _TOLD or name.lower().startswith("access-control-"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.send_header("connection", "close")
            self.close_connection = True
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
