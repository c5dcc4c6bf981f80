"""What ``/metrics`` counts while many ask at once: it must add up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from .live import Echo, Gate, Live, Serve, depth, until

MODEL = "text-classification"
ASKED, DIFFERENT = 240, 60

Sample = Callable[..., float]


def samples(live: Live) -> Sample:
    """What is counted now, by name and labels; 0 for what is not there."""
    page = live.client.get("/metrics").text
    found = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    return lambda name, **labels: found.get((f"inference_{name}", frozenset(labels.items())), 0.0)


def test_all_adds_up_under_load(serve: Serve, echo: Echo) -> None:
    live = serve(echo)
    limits = httpx.Limits(max_connections=16)
    with (
        httpx.Client(base_url=live.url, limits=limits, timeout=60, trust_env=False) as client,
        ThreadPoolExecutor(16) as threads,
    ):

        def ask(number: int) -> int:
            # Each is asked once with a bad parameter, too.
            parameters = {"top_k": -1} if number < DIFFERENT else {}
            payload = {"inputs": str(number % DIFFERENT), "parameters": parameters}
            return client.post(f"/tasks/{MODEL}", json=payload).status_code

        answers = list(threads.map(ask, range(ASKED)))
    assert sorted(set(answers)) == [200, 422]
    value = samples(live)
    good, bad = ASKED - DIFFERENT, DIFFERENT
    assert value("requests_total", model=MODEL, status="200") == good
    assert value("requests_total", model=MODEL, status="422") == bad
    assert value("request_seconds_count", model=MODEL) == ASKED
    hits = value("cache_total", model=MODEL, outcome="hit")
    misses = value("cache_total", model=MODEL, outcome="miss")
    assert hits + misses == good
    assert misses >= DIFFERENT
    assert value("batch_size_sum", model=MODEL) == misses
    batches = value("batch_size_count", model=MODEL)
    assert batches == len(echo.batches) == value("batch_seconds_count", model=MODEL)
    assert value("batch_size_bucket", model=MODEL, le="32.0") == batches, "no batch is larger than the handler allows"
    for stage in ("decode", "queue", "inference", "encode"):
        assert value("stage_seconds_count", model=MODEL, stage=stage) == misses
    assert value("stage_seconds_count", model=MODEL, stage="read") == good, "what was refused has no stages"
    stages = ("read", "decode", "queue", "inference", "encode")
    summed = sum(value("stage_seconds_sum", model=MODEL, stage=stage) for stage in stages)
    assert 0 < summed <= value("request_seconds_sum", model=MODEL)
    assert value("queue_depth", model=MODEL) == 0
    assert value("pending_bytes") == 0
    assert value("cache_bytes") > DIFFERENT * len('[{"label":"0","score":0.0}]')
    assert value("model_ready", model=MODEL) == 1
    assert value("model_info", model=MODEL, task=MODEL) == 1


def test_what_waits_is_shown_while_it_waits(serve: Serve) -> None:
    handler = Echo(gate=Gate(), max_batch=1)
    live = serve(handler, max_queue=5)
    with ThreadPoolExecutor(16) as threads:
        first = threads.submit(live.text, "hold")
        assert handler.gate.entered.wait(10)
        waiting = [threads.submit(live.text, f"waits {number}") for number in range(5)]
        until(lambda: depth(live) == 5)
        value = samples(live)
        assert value("queue_depth", model=MODEL) == 5
        assert value("pending_bytes") > 5 * len('{"inputs": "waits 0"}')
        refused = live.text("too many")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        handler.gate.opened.set()
        assert [request.result().status_code for request in (first, *waiting)] == [200] * 6
    value = samples(live)
    assert value("requests_total", model=MODEL, status="429") == 1
    assert value("queue_depth", model=MODEL) == value("pending_bytes") == 0


@pytest.mark.parametrize("path", ["/models/nothing", "/tasks/nothing"])
def test_what_is_not_served_makes_no_new_series(serve: Serve, echo: Echo, path: str) -> None:
    live = serve(echo, token="s3cret")
    before = live.client.get("/metrics").text.count("\n")
    for number in range(20):
        live.post(f"{path}{number}")
        live.post(f"{path}{number}", headers={"authorization": "Bearer s3cret"})
    lines = live.client.get("/metrics").text
    assert "nothing" not in lines
    assert lines.count("\n") - before < 50
