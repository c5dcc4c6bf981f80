"""A load on one address: ``python benchmarks/load.py URL BODY CONTENT_TYPE CONNECTIONS SECONDS``.

Each connection sends the same request again as soon as it has the answer. Prints a `Load` as JSON. What this takes
itself, tens of microseconds a request, counts against the server on a machine with few cores; where wrk is installed,
which takes a tenth, `load` has that do it.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

_WARM = 1.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Load:
    """What came of it: answers a second, latencies in milliseconds, and all answers, the first second's too."""

    rate: float
    p50: float
    p99: float
    answers: int


def load(url: str, body: Path, content_type: str, connections: int, seconds: float) -> Load:
    """Put the load on `url` from a process of its own. Raises CalledProcessError if an answer is no 200."""
    if wrk := shutil.which("wrk"):
        warm, run = (_wrk(wrk, url, body, content_type, connections, length) for length in (_WARM, seconds))
        rate = run["requests"] / run["microseconds"] * 1e6
        return Load(rate, run["p50"] / 1000, run["p99"] / 1000, int(warm["requests"] + run["requests"]))
    command = [sys.executable, __file__, url, str(body), content_type, str(connections), str(seconds)]
    return Load(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def _wrk(program: str, url: str, body: Path, content_type: str, connections: int, seconds: float) -> dict[str, float]:
    script = str(Path(__file__).with_suffix(".lua"))
    # It knows whole seconds only.
    command = [program, "-t1", f"-c{connections}", f"-d{math.ceil(seconds)}s", "-s", script, url, "--", str(body)]
    printed = subprocess.run([*command, content_type], check=True, stdout=subprocess.PIPE, text=True).stdout
    run: dict[str, float] = json.loads(printed.strip().splitlines()[-1])
    if run["failed"]:
        raise subprocess.CalledProcessError(1, command, printed)
    return run


class Connection(asyncio.Protocol):
    """Sends `request` again and again until `end`, and notes in `took` when answers came and what each took.

    `ended` is done then, or fails if an answer is no 200 or the server hangs up.
    """

    def __init__(self, request: bytes, end: float, took: list[tuple[float, float]]) -> None:
        self.ended = asyncio.get_running_loop().create_future()
        self._request, self._end, self._took = request, end, took
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, end, body = self._seen.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n") if end else None
        if end and (length is None or not head.startswith(b"HTTP/1.1 200 ")):
            self._fail(self._seen.decode(errors="replace"))
        elif length is not None and len(body) >= int(length[1]):
            now = time.perf_counter()
            self._took.append((now, now - self._asked))
            self._seen = b""
            if now < self._end:
                self._ask()
            else:
                self.ended.set_result(None)
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the server hung up")

    def _fail(self, why: str) -> None:
        if not self.ended.done():
            self.ended.set_exception(RuntimeError(why))
            self._transport.close()


async def main(url: str, body: str, content_type: str, connections: str, seconds: str) -> None:
    """The load."""
    parts = urlsplit(url)
    content = Path(body).read_bytes()
    head = f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: {content_type}\r\n"
    request = f"{head}content-length: {len(content)}\r\n\r\n".encode() + content
    began = time.perf_counter() + _WARM
    end, took = began + float(seconds), list[tuple[float, float]]()
    loop = asyncio.get_running_loop()

    async def one() -> None:
        _, connection = await loop.create_connection(
            lambda: Connection(request, end, took), parts.hostname or "127.0.0.1", parts.port or 80
        )
        await connection.ended

    await asyncio.gather(*(one() for _ in range(int(connections))))
    inside = sorted(seconds for came, seconds in took if began <= came < end)
    p50, p99 = (inside[int(len(inside) * share)] * 1000 for share in (0.5, 0.99))
    print(json.dumps({"rate": len(inside) / (end - began), "p50": p50, "p99": p99, "answers": len(took)}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
