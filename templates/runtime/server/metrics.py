"""What the server counts, in a registry of its own, so that several servers fit into one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from .trace import Trace

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

M = TypeVar("M", Counter, Histogram)


class Metrics:
    """Counters and histograms by model; a model's task is the label `task` of ``inference_model_info``."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._children: dict[tuple[Any, tuple[str, ...]], Any] = {}
        self._requests = Counter("inference_requests", "Requests by answer.", ["model", "status"], registry=registry)
        self._seconds = Histogram(
            "inference_request_seconds",
            "From the first byte to the answer.",
            ["model"],
            buckets=SECONDS,
            registry=registry,
        )
        self._stage = Histogram(
            "inference_stage_seconds",
            "How long a stage of an answered request took: read, decode, queue, inference, encode, first_event.",
            ["model", "stage"],
            buckets=SECONDS,
            registry=registry,
        )
        self._batch = Histogram("inference_batch_size", "Items a batch.", ["model"], buckets=SIZES, registry=registry)
        self._waited = Histogram(
            "inference_queue_seconds",
            "How long a batch's oldest item waited.",
            ["model"],
            buckets=SECONDS,
            registry=registry,
        )
        self._inference = Histogram(
            "inference_batch_seconds", "How long a batch took.", ["model"], buckets=SECONDS, registry=registry
        )
        self._cache = Counter(
            "inference_cache", "Cacheable requests by outcome.", ["model", "outcome"], registry=registry
        )
        self._depth = Gauge("inference_queue_depth", "Requests that wait.", ["model"], registry=registry)
        self._ready = Gauge("inference_model_ready", "1 once the model is loaded.", ["model"], registry=registry)
        self._memory = Gauge(
            "inference_model_memory_bytes", "What the weights of a loaded model take.", ["model"], registry=registry
        )
        self._cached = Gauge("inference_cache_bytes", "What kept answers take.", registry=registry)
        self._held = Gauge("inference_pending_bytes", "What unanswered requests hold.", registry=registry)
        self._info = Gauge("inference_model_info", "1 for each model.", ["model", "task"], registry=registry)

    def serve(
        self,
        model: str,
        task: str,
        *,
        depth: Callable[[], float],
        ready: Callable[[], float],
        memory: Callable[[], float],
    ) -> None:
        """Count for `model` from now on; the functions are asked whenever the metrics are read."""
        self._depth.labels(model).set_function(depth)
        self._ready.labels(model).set_function(ready)
        self._memory.labels(model).set_function(memory)
        self._info.labels(model, task).set(1)

    def hold(self, cached: Callable[[], float], held: Callable[[], float]) -> None:
        """Show what the cache and unanswered requests take."""
        self._cached.set_function(cached)
        self._held.set_function(held)

    def request(self, trace: Trace, status: int) -> None:
        """One request was answered; its model is empty if it named none of ours, 499 is a client that left."""
        self._child(self._requests, trace.model, str(status)).inc()
        self._child(self._seconds, trace.model).observe(trace.seconds)
        for stage, seconds in trace.stages.items():
            self._child(self._stage, trace.model, stage).observe(seconds)

    def batch(self, model: str, size: int, waited: float) -> None:
        """A batch begins."""
        self._child(self._batch, model).observe(size)
        self._child(self._waited, model).observe(waited)

    def inference(self, model: str, seconds: float) -> None:
        """A batch ended."""
        self._child(self._inference, model).observe(seconds)

    def cache(self, model: str, outcome: str) -> None:
        """The cache was asked (``hit``, ``miss``) or not (``bypass``)."""
        self._child(self._cache, model, outcome).inc()

    def _child(self, metric: M, *labels: str) -> M:
        # `labels()` takes a lock and as long as all the rest of counting.
        key = metric, labels
        if key not in self._children:
            self._children[key] = metric.labels(*labels)
        child: M = self._children[key]
        return child

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)
