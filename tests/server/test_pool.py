"""Models that leave when they are idle or others need their memory, and come back when they are asked for."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inference_tasks._runtime.server import host, pool

from .live import Echo, Gate, Live, Serve, until
from .test_streams import Counter


class Held(Echo):
    """Takes 100 bytes, as it says itself, and remembers its life. Waits at each load if it has a `hold`."""

    def __init__(self, **attributes: Any) -> None:
        self.order: list[str] = []
        super().__init__(**attributes)
        self.life: list[str] = []
        self.holding: threading.Event | None = None

    def load(self) -> None:
        if self.holding is not None:
            assert self.holding.wait(20)
        self.life.append("load")
        self.order.append(f"{self.name} load")

    def unload(self) -> None:
        threading.Event().wait(0.05)
        self.life.append("unload")
        self.order.append(f"{self.name} unload")

    def memory(self) -> int:
        return 100

    def __call__(self, inputs: str, parameters: Any) -> Any:
        assert self.life[-1] == "load", "it must not be asked while it is unloaded"
        return super().__call__(inputs, parameters)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "TICK_SECONDS", 0.02)


def states(live: Live) -> dict[str, str]:
    answer: dict[str, str] = live.client.get("/ready").json()["models"]
    return answer


def ask(live: Live, name: str, text: str = "x", **headers: str) -> int:
    path = f"/models/{name}"
    all_headers = {"x-use-cache": "false"} | {key.replace("_", "-"): value for key, value in headers.items()}
    return live.post(path, json={"inputs": text}, headers=all_headers).status_code


def memory(live: Live) -> dict[str, float]:
    lines = [
        line for line in live.client.get("/metrics").text.splitlines() if line.startswith("inference_model_memory")
    ]
    return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}


def test_an_idle_model_leaves_and_comes_back(serve: Serve) -> None:
    handler = Held(load_seconds=3)
    live = serve(handler, unload_after=0.2)
    assert ask(live, "text-classification") == 200
    assert memory(live) == {"text-classification": 100}
    until(lambda: handler.life == ["load", "unload"])
    assert states(live) == {"text-classification": "idle"}
    assert live.client.get("/ready").status_code == 200
    assert memory(live) == {"text-classification": 0}
    handler.holding = threading.Event()
    answer = live.text("y")
    assert answer.status_code == 503
    assert answer.json()["estimated_time"] <= 3
    assert live.client.get("/ready").status_code == 200, "one model that comes back is no reason to send all elsewhere"
    handler.holding.set()
    assert live.text("y", x_wait_for_model="true").status_code == 200
    assert handler.life == ["load", "unload", "load"]


def test_a_model_in_use_stays(serve: Serve) -> None:
    handler = Held(gate=Gate())
    live = serve(handler, unload_after=0.05)
    thread = threading.Thread(target=ask, args=(live, "text-classification", "hold"), kwargs={"x_wait_for_model": "1"})
    thread.start()
    assert handler.gate.entered.wait(10)
    assert not threading.Event().wait(0.4)
    assert handler.life[-1] == "load"
    handler.gate.opened.set()
    thread.join(10)
    until(lambda: handler.life[-1] == "unload")


def test_an_answer_that_nobody_waits_for_any_more_keeps_its_model(serve: Serve) -> None:
    handler = Held(gate=Gate())
    live = serve(handler, unload_after=0.05, deadline=0.1)
    assert ask(live, "text-classification", "hold", x_wait_for_model="1") == 504
    assert not threading.Event().wait(0.3)
    assert handler.life[-1] == "load"
    handler.gate.opened.set()
    until(lambda: handler.life[-1] == "unload")


def test_a_handler_that_cannot_be_unloaded_stays(serve: Serve) -> None:
    live = serve(Echo(), unload_after=0.05)
    assert not threading.Event().wait(0.4)
    assert states(live) == {"text-classification": "ready"}


def test_the_least_recently_used_makes_room(serve: Serve) -> None:
    order: list[str] = []
    handlers = {name: Held(name=name, order=order) for name in "abc"}
    live = serve(*handlers.values(), lazy=True, max_model_memory=250)
    for name in "ab":
        assert ask(live, name, x_wait_for_model="true") == 200
    assert states(live) == {"a": "ready", "b": "ready", "c": "idle"}
    assert ask(live, "a") == 200
    assert ask(live, "c", x_wait_for_model="true") == 200
    assert states(live) == {"a": "ready", "b": "idle", "c": "ready"}
    assert memory(live) == {"a": 100, "b": 0, "c": 100}
    assert ask(live, "b", x_wait_for_model="true") == 200
    assert states(live) == {"a": "idle", "b": "ready", "c": "ready"}
    # How much the model takes is known by then, and room is made before it is loaded.
    assert order == ["a load", "b load", "c load", "b unload", "a unload", "b load"]


def test_models_that_are_loaded_together_do_not_pass_the_limit(serve: Serve) -> None:
    handlers = [Held(name=name) for name in "abcdef"]
    live = serve(*handlers, max_model_memory=250)
    assert sorted(states(live).values()) == ["idle"] * 4 + ["ready"] * 2
    assert all(handler.life[0] == "load" for handler in handlers)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda name=name: answers.append(ask(live, name, x_wait_for_model="true")))  # type: ignore[misc]
        for name in "abcdef" * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [200] * 24, "who waits for a model is answered before it leaves again"
    until(lambda: sum(memory(live).values()) <= 250)


def test_a_model_beyond_the_limit_is_served_all_the_same(serve: Serve) -> None:
    live = serve(Held(), max_model_memory=10)
    for _ in range(3):
        assert ask(live, "text-classification") == 200
        assert not threading.Event().wait(0.1)


def test_a_failure_to_unload_is_logged_and_the_model_comes_back(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError("stuck")

    handler = Held()
    handler.unload = fail  # type: ignore[method-assign]
    live = serve(handler, unload_after=0.1)
    until(lambda: states(live) == {"text-classification": "idle"})
    until(lambda: "failed to unload" in caplog.text)
    assert ask(live, "text-classification", x_wait_for_model="true") == 200


def test_a_model_that_failed_is_tried_again_after_a_while(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = Held()
    load = handler.load

    def fail_once() -> None:
        handler.life.append("try")
        if handler.life == ["try"]:
            raise MemoryError
        load()

    handler.load = fail_once  # type: ignore[method-assign]
    live = serve(handler, wait=False)
    until(lambda: states(live) == {"text-classification": "failed"})
    for _ in range(3):
        assert ask(live, "text-classification", x_wait_for_model="true") == 500
    assert handler.life == ["try"]
    monkeypatch.setattr(host, "RETRY_SECONDS", 0.0)
    assert ask(live, "text-classification", x_wait_for_model="true") == 200
    assert handler.life == ["try", "try", "load"]
    assert live.client.get("/ready").status_code == 200


class HeldCounter(Counter):
    """Streams, and notes when it is unloaded, and whether that was before the end of a stream."""

    unloaded = early = False

    def stream(self, request: Any) -> Iterator[Any]:
        for event in super().stream(request):
            self.early = self.early or self.unloaded
            yield event

    def load(self) -> None:
        self.unloaded = False

    def unload(self) -> None:
        self.unloaded = True


def test_a_stream_keeps_its_model(serve: Serve) -> None:
    handler = HeldCounter()
    live = serve(handler, unload_after=0.05)
    payload = {"inputs": "slow 300", "stream": True}
    headers = {"x-wait-for-model": "true"}
    with live.client.stream("POST", "/models/text-generation", json=payload, headers=headers) as answer:
        lines = list(filter(None, answer.iter_lines()))
    assert not handler.early
    assert len(lines) == 301
    assert lines[-1] == "data: [DONE]"
    until(lambda: handler.unloaded)


def test_a_torch_model_is_measured_freed_and_loaded_again(serve: Serve, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    from inference_tasks._runtime.torch import create_handler
    from inference_tasks._tasks import TASKS

    from . import models

    handler: Any = create_handler(TASKS["text-classification"], models.words(tmp_path, "a", "b"))
    live = serve(handler, unload_after=0.3)
    before = live.text("hello").json()
    held = [weakref.ref(tensor) for tensor in handler.model.parameters()]
    size = sum(p.numel() * p.element_size() for p in (*handler.model.parameters(), *handler.model.buffers()))
    assert memory(live) == {"text-classification": size}
    attributes = set(vars(handler))
    alive: Callable[[], bool] = lambda: any(ref() is not None for ref in held)  # noqa: E731 - a name for the reader
    assert alive()
    until(lambda: not hasattr(handler, "model"))
    until(lambda: not alive())
    assert live.text("hello", x_wait_for_model="true", x_use_cache="false").json() == before
    assert set(vars(handler)) == attributes
    assert gc.get_freeze_count() > 0
    assert isinstance(next(handler.model.parameters()), torch.Tensor)
