"""Claim: a call costs at most 1.3 times the CPU of raw httpx sending the same request and parsing the same JSON.

Sync and async, one call at a time and 64 at once. The two take turns on servers of their own; the figure is the median
of the ratios.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import measure
import sink

from inference_tasks import AsyncClient, Client

TURNS = 9
CALLS = 384
TARGET = 1.3
TEXT = "What a wonderful film!"
PAYLOAD = {"inputs": TEXT, "parameters": {"top_k": 2}}
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100)


def sync_cost(call: Callable[[], Any], concurrency: int) -> float:
    """Seconds of CPU that one of many calls takes, from as many threads."""
    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(lambda _: call(), range(concurrency)))  # threads and connections are there
        start = time.process_time()
        if concurrency == 1:
            for _ in range(CALLS):
                call()
        else:
            list(pool.map(lambda _: call(), range(CALLS)))
        return (time.process_time() - start) / CALLS


async def async_cost(call: Callable[[], Awaitable[Any]], concurrency: int) -> float:
    """The same, from as many tasks."""

    async def some() -> None:
        for _ in range(CALLS // concurrency):
            await call()

    await asyncio.gather(*(call() for _ in range(concurrency)))
    start = time.process_time()
    await asyncio.gather(*(some() for _ in range(concurrency)))
    return (time.process_time() - start) / CALLS


def tell(name: str, costs: list[tuple[float, float]]) -> None:
    """Print the ratio of our costs to raw ones."""
    ours, raw = (statistics.median(column) * 1e6 for column in zip(*costs, strict=True))
    ratio = statistics.median(a / b for a, b in costs)
    measure.report(f"{name} ({ours:.0f} µs, raw httpx {raw:.0f} µs)", ratio, TARGET, "x")


def sync_side(url: str, concurrency: int) -> None:
    """Compare the sync clients."""
    route = f"{url}/tasks/text-classification"
    with Client(url) as client, httpx.Client(limits=LIMITS) as raw:
        costs = [
            (
                sync_cost(lambda: client.text_classification(TEXT, top_k=2), concurrency),
                sync_cost(lambda: raw.post(route, json=PAYLOAD).raise_for_status().json(), concurrency),
            )
            for _ in range(TURNS)
        ]
    tell(f"sync, {concurrency} at once", costs)


async def async_side(url: str, concurrency: int) -> None:
    """Compare the async clients."""
    route = f"{url}/tasks/text-classification"
    async with AsyncClient(url) as client, httpx.AsyncClient(limits=LIMITS) as raw:

        async def plain() -> Any:
            return (await raw.post(route, json=PAYLOAD)).raise_for_status().json()

        costs = [
            (
                await async_cost(lambda: client.text_classification(TEXT, top_k=2), concurrency),
                await async_cost(plain, concurrency),
            )
            for _ in range(TURNS)
        ]
    tell(f"async, {concurrency} at once", costs)


with sink.running() as address:
    for at_once in (1, 64):
        sync_side(address, at_once)
        asyncio.run(async_side(address, at_once))
