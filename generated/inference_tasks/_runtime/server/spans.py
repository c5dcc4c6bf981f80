"""Requests as OpenTelemetry spans: one each, below the caller's if it sent a ``traceparent``, with one below per stage.

They are made when a request was answered, from the times that were taken anyway, so that requests wait for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from .trace import Trace

NANOSECONDS = 1_000_000_000


class Spans:
    """Gives spans to the tracer provider of the process, which is up to whoever runs it."""

    def __init__(self) -> None:
        """Raises ImportError where OpenTelemetry is not installed."""
        self._api = _module("trace")
        self._extract = _module("propagate").extract
        self._tracer = self._api.get_tracer(__name__.partition(".")[0])

    def answered(
        self, method: str, route: str, headers: Iterable[tuple[bytes, bytes]], trace: Trace, status: int
    ) -> None:
        """The span of a request that was answered just now."""
        ended = time.time_ns()
        begun = ended - int(trace.seconds * NANOSECONDS)
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        about: dict[str, str | int] = {
            "http.request.method": method,
            "http.response.status_code": status,
            "inference.request_id": trace.request_id,
        }
        named = {"http.route": route, "inference.model": trace.model, "inference.cache": trace.cache}
        about |= {name: value for name, value in named.items() if value}
        if trace.batch:
            about["inference.batch_size"] = trace.batch
        span = self._tracer.start_span(
            f"{method} {route}".rstrip(),
            context=self._extract(carrier),
            kind=self._api.SpanKind.SERVER,
            attributes=about,
            start_time=begun,
        )
        if status >= 500:
            span.set_status(self._api.Status(self._api.StatusCode.ERROR))
        inside = self._api.set_span_in_context(span)
        for stage, seconds in trace.stages.items():
            after = begun + int(seconds * NANOSECONDS)
            self._tracer.start_span(stage, context=inside, start_time=begun).end(after)
            begun = after
        span.end(ended)


def export_spans(service: str) -> None:
    """Send spans over OTLP from now on, to where the variables ``OTEL_…`` say, as `service` if they do not say that.

    Raises ImportError where OpenTelemetry's SDK is not installed.
    """
    resources, sdk = _module("sdk.resources"), _module("sdk.trace")
    exporter = _module("exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter()
    named = resources.Resource.create({"service.name": service})
    provider = sdk.TracerProvider(resource=named.merge(resources.OTELResourceDetector().detect()))
    provider.add_span_processor(_module("sdk.trace.export").BatchSpanProcessor(exporter))
    _module("trace").set_tracer_provider(provider)


def _module(name: str) -> Any:
    # By name: type checkers need not have what only this extra brings.
    return import_module(f"opentelemetry.{name}")
