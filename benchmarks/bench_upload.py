"""Claim: uploading a 100 MB file costs at most 20 MB of memory: as the body itself or in JSON, sync or async.

The figure is the highest resident memory of the client's process while it uploads, above what it held after a call
with a small file. The server, which keeps nothing, is another process; so is each client. Linux only.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import measure

SIZE = 100_000_000  # bytes
TARGET = 20.0  # MB
PIECE = 1 << 16
WAV = b"RIFF\0\0\0\0WAVE"


class Sink(BaseHTTPRequestHandler):
    """Answers with the number of bytes that came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """No limit is known."""
        self.answer({})

    def do_POST(self) -> None:
        """Read all and keep none."""
        total = left = int(self.headers["content-length"])
        while left:
            left -= len(self.rfile.read(min(PIECE, left)))
        self.answer({"text": str(total)})

    def answer(self, value: dict[str, str]) -> None:
        """Send JSON."""
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def serve() -> None:
    """Print the port, then serve for ever."""
    server = HTTPServer(("127.0.0.1", 0), Sink)
    print(server.server_port, flush=True)
    server.serve_forever()


def resident(field: str) -> float:
    """This process's memory in MB: now (VmRSS) or at its highest (VmHWM)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


def upload(url: str, folder: str, form: str, flavour: str) -> None:
    """Call twice, with a small file and a large one, and print the difference in MB."""
    from inference_tasks import AsyncClient, Client

    small, large = Path(folder, "small.wav"), Path(folder, "large.wav")
    options: dict[str, Any] = {"return_timestamps": True} if form == "JSON" else {}

    def check(answer: Any) -> None:
        sent = SIZE if form == "raw" else SIZE * 4 // 3
        assert int(answer.text) >= sent, f"{answer.text} bytes arrived"

    def sync() -> float:
        with Client(url) as client:
            client.automatic_speech_recognition(small, **options)
            before = resident("VmRSS")
            check(client.automatic_speech_recognition(large, **options))
            return before

    async def concurrent() -> float:
        async with AsyncClient(url) as client:
            await client.automatic_speech_recognition(small, **options)
            before = resident("VmRSS")
            check(await client.automatic_speech_recognition(large, **options))
            return before

    before = sync() if flavour == "sync" else asyncio.run(concurrent())
    print(resident("VmHWM") - before)


def main() -> None:
    """Measure all four."""
    here = [sys.executable, __file__]
    with tempfile.TemporaryDirectory(prefix="taskbind-bench-") as folder:
        Path(folder, "small.wav").write_bytes(WAV)
        with Path(folder, "large.wav").open("wb") as file:
            file.write(WAV)
            file.truncate(SIZE)
        server = subprocess.Popen([*here, "serve"], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{int(server.stdout.readline())}"
            for form in ("raw", "JSON"):
                for flavour in ("sync", "async"):
                    run = subprocess.run(
                        [*here, "upload", url, folder, form, flavour], stdout=subprocess.PIPE, text=True, check=True
                    )
                    measure.report(f"100 MB as {form}, {flavour}, memory", float(run.stdout), TARGET, "MB")
        finally:
            server.terminate()
            server.wait()


if sys.argv[1:] == ["serve"]:
    serve()
elif sys.argv[1:2] == ["upload"]:
    upload(*sys.argv[2:])
else:
    main()
