"""Loading, waiting for it, failing to, and what is kept between requests."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from .live import Echo, Gate, Serve, until


class Slow(Echo):
    """Loads only after its gate was opened."""

    def load(self) -> None:
        self.gate()


class Broken(Echo):
    def load(self) -> None:
        raise OSError("/very/secret/path is missing")


def test_while_loading_503_says_how_long(serve: Serve) -> None:
    handler = Slow(load_seconds=7)
    live = serve(handler, wait=False)
    answer = live.text("x")
    assert answer.status_code == 503
    assert 5 <= answer.json()["estimated_time"] <= 7
    assert 5 <= int(answer.headers["retry-after"]) <= 7
    ready = live.client.get("/ready")
    assert ready.status_code == 503
    assert ready.json()["models"] == {"text-classification": "loading"}
    assert live.text("x", {"top_k": 0}).status_code == 422, "a bad request is told so at once"
    handler.gate.opened.set()
    until(lambda: live.client.get("/ready").status_code == 200)
    assert live.text("x").status_code == 200


def test_wait_for_model_waits(serve: Serve) -> None:
    handler = Slow()
    live = serve(handler, wait=False)
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(live.text("x", x_wait_for_model="true")))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    handler.gate.opened.set()
    thread.join(10)
    assert answers[0].status_code == 200


def test_wait_for_model_waits_not_for_ever(serve: Serve) -> None:
    handler = Slow()
    live = serve(handler, wait=False, load_timeout=0.2)
    assert live.text("x", x_wait_for_model="true").status_code == 503
    handler.gate.opened.set()


def test_a_client_may_leave_while_it_waits_for_the_model(serve: Serve) -> None:
    handler = Slow()
    live = serve(handler, wait=False)
    body = b'{"inputs": "gone"}'
    with socket.create_connection(("127.0.0.1", live.port)) as raw:
        head = ["POST /tasks/text-classification HTTP/1.1", "host: x", "x-wait-for-model: true"]
        head += [f"content-length: {len(body)}", "", ""]
        raw.sendall("\r\n".join(head).encode() + body)
        assert handler.gate.entered.wait(10)
    until(lambda: 'status="499"' in live.client.get("/metrics").text)
    handler.gate.opened.set()
    until(lambda: live.client.get("/ready").status_code == 200)
    assert live.text("x").status_code == 200
    assert [inputs for inputs, _ in handler.batches] == [["x"]]


def test_a_model_that_fails_to_load_says_so_without_paths(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    live = serve(Broken(name="broken"), Echo(), wait=False)
    until(lambda: live.text("x", x_wait_for_model="true").status_code == 500)
    answer = live.post("/models/broken", json={"inputs": "x"})
    assert "failed to load (OSError)" in answer.json()["error"]
    assert "secret" not in answer.text
    assert "secret" in caplog.text
    ready = live.client.get("/ready")
    assert ready.status_code == 503
    assert ready.json()["models"] == {"broken": "failed", "text-classification": "ready"}
    assert live.post("/models/text-classification", json={"inputs": "x"}).status_code == 200


def test_lazy_models_load_when_asked_for(serve: Serve) -> None:
    handler = Slow(gate=Gate())
    live = serve(handler, lazy=True)
    assert live.client.get("/ready").json()["models"] == {"text-classification": "idle"}
    handler.gate.opened.set()
    assert not handler.gate.entered.is_set()
    assert live.text("x", x_wait_for_model="true").status_code == 200


# ------------------------------------------------------------------------------------------------ the cache


def test_equal_requests_are_answered_once(serve: Serve, echo: Echo) -> None:
    live = serve(echo)
    states = [live.text(text, parameters).headers["x-cache"] for text, parameters in [
        ("x", None), ("x", None), ("y", None), ("x", {}), ("x", {"top_k": 1}), ("x", {"top_k": 1.0}), ("x ", None),
    ]]  # fmt: skip
    assert states == ["miss", "hit", "miss", "hit", "miss", "hit", "miss"]
    assert len(echo.batches) == 4
    assert live.text("x", {"top_k": 1}).json() == [{"label": "x", "score": 1.0}]


def test_use_cache_false_computes_anew(serve: Serve, echo: Echo) -> None:
    live = serve(echo)
    states = [live.text("x", x_use_cache=flag).headers["x-cache"] for flag in ("true", "false", "true")]
    assert states == ["miss", "bypass", "hit"]
    assert len(echo.batches) == 2


def test_errors_are_not_kept(serve: Serve, echo: Echo) -> None:
    live = serve(echo)
    assert [live.text("refuse").status_code for _ in range(2)] == [422, 422]
    assert len(echo.batches) == 2


def test_what_is_not_deterministic_is_not_kept(serve: Serve) -> None:
    live = serve(Echo(deterministic=False))
    assert [live.text("x").headers["x-cache"] for _ in range(2)] == ["bypass", "bypass"]


def test_models_share_no_answers(serve: Serve) -> None:
    live = serve(Echo(name="a"), Echo(name="b"))
    for name in ("a", "b"):
        assert live.post(f"/models/{name}", json={"inputs": "x"}).headers["x-cache"] == "miss"
    assert live.text("x").headers["x-cache"] == "hit"


def test_the_cache_is_bounded(serve: Serve, echo: Echo) -> None:
    live = serve(echo, cache_size=1000)
    for text in ("a", "b", "c", "d", "e", "x" * 2000):
        assert live.text(text).headers["x-cache"] == "miss"
    assert live.text("a").headers["x-cache"] == "miss"
    assert live.text("x" * 2000).headers["x-cache"] == "miss"
    assert live.text("a").headers["x-cache"] == "hit"


def test_no_cache_at_all(serve: Serve, echo: Echo) -> None:
    live = serve(echo, cache_size=0)
    assert [live.text("x").headers["x-cache"] for _ in range(2)] == ["bypass", "bypass"]
