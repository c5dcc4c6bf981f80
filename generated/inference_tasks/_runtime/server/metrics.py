"""What the server counts, in a registry of its own, so that several servers fit into one process."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from .trace import Trace

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Counts(Collector):
    """How often something happened, by label values.

    prometheus_client's own counters and histograms take a lock for each number, eight times a request: together as long
    as the rest of an answer. These are used from the event loop only.
    """

    def __init__(self, name: str, about: str, labels: Sequence[str], registry: CollectorRegistry) -> None:
        self._told = name, about, None, labels
        self._values: defaultdict[tuple[str, ...], int] = defaultdict(int)
        registry.register(self)

    def count(self, *labels: str) -> None:
        """Once more."""
        self._values[labels] += 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Called when the metrics are read."""
        family = CounterMetricFamily(*self._told)
        for labels, value in self._values.items():
            family.add_metric(labels, value)
        yield family


class Distribution(Collector):
    """How large something was, by label values: how many observations were up to each of `bounds`, and their sum."""

    def __init__(
        self, name: str, about: str, labels: Sequence[str], bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._told = name, about, None, None, labels
        self._bounds = bounds
        self._names = [*map(floatToGoString, bounds), "+Inf"]
        # The last value is the sum.
        self._values: defaultdict[tuple[str, ...], list[float]] = defaultdict(lambda: [0] * (len(bounds) + 2))
        registry.register(self)

    def observe(self, value: float, *labels: str) -> None:
        """One more observation."""
        values = self._values[labels]
        values[bisect_left(self._bounds, value)] += 1
        values[-1] += value

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Called when the metrics are read."""
        family = HistogramMetricFamily(*self._told)
        for labels, (*counts, total) in self._values.items():
            upto = [sum(counts[: index + 1]) for index in range(len(counts))]
            family.add_metric(labels, list(zip(self._names, upto, strict=True)), total)
        yield family


class Metrics(Collector):
    """Counters and histograms by model; a model's task is the label `task` of ``inference_model_info``.

    `labels` are on all of them.
    """

    def __init__(self, **labels: str) -> None:
        self._labels = labels
        registry = self._registry = CollectorRegistry()
        self._requests = Counts("inference_requests", "Requests by answer.", ["model", "status"], registry)
        self._seconds = Distribution(
            "inference_request_seconds", "From the first byte to the answer.", ["model"], SECONDS, registry
        )
        self._stage = Distribution(
            "inference_stage_seconds",
            "How long a stage of an answered request took: "
            "read, decode, queue, inference, encode, first_event, replica (elsewhere).",
            ["model", "stage"],
            SECONDS,
            registry,
        )
        self._batch = Distribution("inference_batch_size", "Items a batch.", ["model"], SIZES, registry)
        self._waited = Distribution(
            "inference_queue_seconds", "How long a batch's oldest item waited.", ["model"], SECONDS, registry
        )
        self._inference = Distribution(
            "inference_batch_seconds", "How long a batch took.", ["model"], SECONDS, registry
        )
        self._cache = Counts("inference_cache", "Cacheable requests by outcome.", ["model", "outcome"], registry)
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
        self._requests.count(trace.model, str(status))
        self._seconds.observe(trace.seconds, trace.model)
        for stage, seconds in trace.stages.items():
            self._stage.observe(seconds, trace.model, stage)

    def batch(self, model: str, size: int, waited: float) -> None:
        """A batch begins."""
        self._batch.observe(size, model)
        self._waited.observe(waited, model)

    def inference(self, model: str, seconds: float) -> None:
        """A batch ended."""
        self._inference.observe(seconds, model)

    def cache(self, model: str, outcome: str) -> None:
        """The cache was asked (``hit``, ``miss``) or not (``bypass``)."""
        self._cache.count(model, outcome)

    def collect(self) -> Iterator[Metric]:
        """Everything."""
        for family in self._registry.collect():
            family.samples = [sample._replace(labels=sample.labels | self._labels) for sample in family.samples]
            yield family

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self)
