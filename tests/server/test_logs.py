"""What is logged of a request, and above all what is not."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inference_tasks._runtime.server.logs import JsonLines, Lines

from .live import Echo, Gate, Serve, until

SECRET = "s3cret"  # in every place that a client writes to


@pytest.fixture
def logged(request: pytest.FixtureRequest) -> Iterator[Callable[[], list[str]]]:
    """The lines that the server has logged, as the `param` formatter writes them."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(request.param())
    logger = logging.getLogger("inference_tasks")
    before = logger.level
    logger.setLevel("DEBUG")
    logger.addHandler(handler)
    yield lambda: stream.getvalue().splitlines()
    logger.removeHandler(handler)
    logger.setLevel(before)


def requests(lines: list[str]) -> list[dict[str, Any]]:
    return [found for line in lines if (found := json.loads(line))["message"] == "request"]


@pytest.mark.parametrize("logged", [JsonLines], indirect=True)
def test_each_request_is_one_line_of_json(serve: Serve, echo: Echo, logged: Callable[[], list[str]]) -> None:
    live = serve(echo)
    live.text("x", x_request_id="first")
    live.text("x", x_request_id="second")
    live.text("crash", x_request_id="third")
    live.post("/models/nothing", json={"inputs": "x"}, headers={"x-request-id": "fourth"})
    until(lambda: len([line for line in logged() if '"request_id": "fourth"' in line]) == 1)
    found = {line["request_id"]: line for line in requests(logged())}
    first = found["first"]
    times = {name: first.pop(name) for name in list(first) if name.endswith("ms")}
    assert times.keys() == {"ms", "read_ms", "decode_ms", "queue_ms", "inference_ms", "encode_ms"}
    assert 0 < sum(times.values()) - times["ms"] <= times["ms"] < 5000
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info",
        "logger": "inference_tasks._runtime.server.logs",
        "message": "request",
        "request_id": "first",
        "method": "POST",
        "route": "/tasks/{name:path}",
        "model": "text-classification",
        "status": 200,
        "batch": 1,
        "cache": "miss",
    }
    second = found["second"]
    assert (second["cache"], second["status"], "batch" in second) == ("hit", 200, False)
    assert (found["third"]["level"], found["third"]["status"]) == ("warning", 500)
    assert (found["fourth"]["level"], found["fourth"]["status"], "model" in found["fourth"]) == ("info", 404, False)
    assert any("exception" in json.loads(line) for line in logged()), "what broke is in the log too"


@pytest.mark.parametrize("logged", [JsonLines, Lines], indirect=True)
def test_nothing_that_a_client_wrote_is_logged(serve: Serve, echo: Echo, logged: Callable[[], list[str]]) -> None:
    live = serve(echo, token=SECRET)
    headers = {"authorization": f"Bearer {SECRET}", "user-agent": SECRET, "x-request-id": f"{SECRET} {SECRET}"}
    paths = ["/tasks/text-classification", f"/{SECRET}", f"/models/{SECRET}", "/models/a%0aINFO%20forged"]
    for path in paths:
        for content in (f'{{"inputs": "{SECRET}"}}', f'{{"inputs": ["{SECRET}"]}}', f"{SECRET}{{"):
            for type_ in ("application/json", SECRET):
                all_headers = headers | {"content-type": type_}
                live.client.request("POST", f"{path}?key={SECRET}", content=content, headers=all_headers)
    live.post(f"/models/{SECRET}", headers={"authorization": f"Bearer {SECRET}x"})
    until(lambda: sum("status" in line for line in logged()) >= 25)
    text = "\n".join(logged())
    assert "text-classification" in text
    assert SECRET not in text
    assert "forged" not in text


@pytest.mark.parametrize("logged", [Lines], indirect=True)
def test_lines_of_text(serve: Serve, echo: Echo, logged: Callable[[], list[str]]) -> None:
    live = serve(echo)
    live.text("x", x_request_id="mine")
    until(lambda: any("request_id=mine" in line for line in logged()))
    (line,) = (line for line in logged() if "request_id=mine" in line)
    assert " INFO inference_tasks._runtime.server.logs: request request_id=mine method=POST route=/tasks/" in line
    assert " status=200 ms=" in line
    assert " batch=1 cache=miss " in line


@pytest.mark.parametrize("logged", [JsonLines], indirect=True)
def test_a_client_that_left_is_logged_as_499(serve: Serve, logged: Callable[[], list[str]]) -> None:
    import socket

    handler = Echo(gate=Gate())
    live = serve(handler)
    body = b'{"inputs": "hold"}'
    with socket.create_connection(("127.0.0.1", live.port)) as raw:
        head = f"POST /tasks/text-classification HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        raw.sendall(head.encode() + body)
        assert handler.gate.entered.wait(10)
    until(lambda: any(line["status"] == 499 for line in requests(logged())))
    handler.gate.opened.set()


@pytest.mark.parametrize("logged", [JsonLines], indirect=True)
def test_that_a_model_is_not_ready_yet_is_no_failure(serve: Serve, logged: Callable[[], list[str]]) -> None:
    class Broken(Echo):
        def load(self) -> None:
            raise ValueError("no weights")

    live = serve(Broken(), wait=False)
    assert live.client.get("/ready", headers={"x-request-id": "asked"}).status_code == 503
    until(lambda: any('"asked"' in line for line in logged()))
    assert [line["level"] for line in requests(logged()) if line["request_id"] == "asked"] == ["info"]
