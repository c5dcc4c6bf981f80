"""A load on one address: ``python benchmarks/load.py URL BODY CONTENT_TYPE CONNECTIONS SECONDS``.

Each connection sends the same request again as soon as it has the answer. Prints requests a second, and the median and
the 99th percentile of latency in milliseconds, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_WARM = 1.0


@dataclass(frozen=True)
class Load:
    """What came of it: answers a second, and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float


def load(url: str, body: Path, content_type: str, connections: int, seconds: float) -> Load:
    """Put the load on `url` from a process of its own. Raises CalledProcessError if an answer is no 200."""
    command = [sys.executable, __file__, url, str(body), content_type, str(connections), str(seconds)]
    return Load(**json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


async def one(host: str, port: int, request: bytes, until: list[float], took: list[float]) -> None:
    """One connection."""
    reader, writer = await asyncio.open_connection(host, port)
    while (now := time.perf_counter()) < until[1]:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:20]:
            raise SystemExit(head.decode())
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        if now >= until[0]:
            took.append(time.perf_counter() - now)
    writer.close()


async def main(url: str, body: str, content_type: str, connections: str, seconds: str) -> None:
    """The load."""
    parts = urlsplit(url)
    content = Path(body).read_bytes()
    head = f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: {content_type}\r\n"
    request = f"{head}content-length: {len(content)}\r\n\r\n".encode() + content
    began = time.perf_counter() + _WARM
    until, took = [began, began + float(seconds)], list[float]()
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    await asyncio.gather(*(one(host, port, request, until, took) for _ in range(int(connections))))
    took.sort()
    percentile = [took[int(len(took) * share)] * 1000 for share in (0.5, 0.99)]
    print(json.dumps({"rate": len(took) / float(seconds), "p50": percentile[0], "p99": percentile[1]}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
