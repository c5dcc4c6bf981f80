"""Spans of requests: what they hang below, what they tell, and that they reach a collector."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")

import httpx
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from .live import Echo, Serve, until

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
STAGES = ["read", "decode", "queue", "inference", "encode"]


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", lambda name: provider.get_tracer(name))
    yield exporter
    provider.shutdown()


def requests(exported: InMemorySpanExporter) -> list[ReadableSpan]:
    return [span for span in exported.get_finished_spans() if span.kind is trace.SpanKind.SERVER]


def test_a_request_is_a_span_below_its_callers_with_its_stages(
    serve: Serve, echo: Echo, exported: InMemorySpanExporter
) -> None:
    live = serve(echo, tracing=True, token="s3cret")
    live.text("private", traceparent=PARENT, x_request_id="mine", authorization="Bearer s3cret")
    until(lambda: any(span.attributes["inference.request_id"] == "mine" for span in requests(exported)))
    (span,) = (span for span in requests(exported) if span.attributes["inference.request_id"] == "mine")
    assert span.name == "POST /tasks/{name:path}"
    assert format(span.context.trace_id, "032x") == PARENT.split("-")[1]
    assert span.parent is not None
    assert format(span.parent.span_id, "016x") == PARENT.split("-")[2]
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/tasks/{name:path}",
        "inference.request_id": "mine",
        "inference.model": "text-classification",
        "inference.cache": "miss",
        "inference.batch_size": 1,
    }
    assert span.status.is_unset
    inside = [other for other in exported.get_finished_spans() if other.parent == span.context]
    inside.sort(key=lambda other: (other.start_time, other.end_time))
    assert [other.name for other in inside] == STAGES
    assert span.start_time <= inside[0].start_time
    assert all(one.end_time == next_one.start_time for one, next_one in pairwise(inside))
    assert inside[-1].end_time <= span.end_time
    texts = "".join(other.to_json() for other in exported.get_finished_spans())
    assert "private" not in texts
    assert "s3cret" not in texts


def test_what_the_server_failed_is_an_error(serve: Serve, echo: Echo, exported: InMemorySpanExporter) -> None:
    live = serve(echo, tracing=True)
    for text, ok in (("crash", False), ("refuse", True)):
        live.text(text, x_request_id=text)
        until(lambda text=text: any(s.attributes["inference.request_id"] == text for s in requests(exported)))  # type: ignore[misc]
        (span,) = (span for span in requests(exported) if span.attributes["inference.request_id"] == text)
        assert span.status.is_unset is ok


def test_no_spans_unless_wanted(serve: Serve, echo: Echo, exported: InMemorySpanExporter) -> None:
    live = serve(echo)
    live.text("x")
    assert exported.get_finished_spans() == ()


def test_spans_reach_a_collector(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from . import models
    from .test_command import COMMAND

    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = threading.Thread(target=collector.serve_forever, daemon=True)
        thread.start()
        environment = os.environ | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_address[1]}",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_SERVICE_NAME": "of-the-test",
            "INFERENCE_TASKS_SERVE_TRACING": "true",
            "NO_PROXY": "127.0.0.1",
        }
        options = ["--port", "0", "--model", f"text-classification={models.words(tmp_path, 'a', 'b')}"]
        command = [*COMMAND, "serve", *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            url = process.stdout.readline().partition(" serves ")[0]
            headers = {"x-wait-for-model": "true", "traceparent": PARENT}
            inputs = {"inputs": "private"}
            answer = httpx.post(f"{url}/tasks/text-classification", json=inputs, headers=headers, timeout=60)
            process.terminate()
            assert process.wait(30) == 0
        collector.shutdown()
        thread.join(10)
    assert answer.status_code == 200
    resources = [found for body in bodies for found in ExportTraceServiceRequest.FromString(body).resource_spans]
    names = {one.value.string_value for found in resources for one in found.resource.attributes}
    assert "of-the-test" in names
    spans = [span for found in resources for scope in found.scope_spans for span in scope.spans]
    (request,) = (span for span in spans if span.name == "POST /tasks/{name:path}")
    assert [request.trace_id.hex(), request.parent_span_id.hex()] == PARENT.split("-")[1:3]
    assert {span.name for span in spans if span.parent_span_id == request.span_id} == set(STAGES)
    assert b"private" not in b"".join(bodies)
