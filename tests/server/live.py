"""What the server tests share: handlers without models, a running server, and pictures."""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import PIL.Image
import uvicorn

from inference_tasks._runtime.server.ports import listen
from inference_tasks.models.image_classification import (
    ImageClassificationOutputElement,
    ImageClassificationParameters,
)
from inference_tasks.models.text_classification import TextClassificationOutputElement, TextClassificationParameters
from inference_tasks.server import (
    Handler,
    Image,
    ImageClassificationHandler,
    RequestProblem,
    Settings,
    TextClassificationHandler,
    create_app,
)


@dataclass
class Live:
    """A running server: its address, its application, and a client with the address built in."""

    url: str
    port: int
    app: Any
    client: httpx.Client

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.client.post(path, **options)

    def text(self, text: str, parameters: Any = None, **headers: str) -> httpx.Response:
        payload = {"inputs": text} if parameters is None else {"inputs": text, "parameters": parameters}
        return self.post(
            "/tasks/text-classification", json=payload, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )


Serve = Callable[..., Live]


READY_SECONDS = 120


@contextmanager
def serving() -> Iterator[Serve]:
    """Starts servers: `serve(handler, …, setting=…)`, each with uvicorn in a thread; all of them end with the block."""
    stops: list[Callable[[], None]] = []

    def start(*handlers: Handler[Any, Any, Any], wait: bool = True, **settings: Any) -> Live:
        app = create_app(handlers=handlers, settings=Settings(**settings))
        socket = listen("127.0.0.1", 0)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
        thread.start()
        port = socket.getsockname()[1]
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)

        def stop() -> None:
            client.close()
            server.should_exit = True
            thread.join(10)
            socket.close()

        stops.append(stop)
        live = Live(f"http://127.0.0.1:{port}", port, app, client)
        assert live.client.get("/health").status_code == 200
        end = time.monotonic() + READY_SECONDS
        while wait and (ready := live.client.get("/ready")).status_code != 200:
            assert "failed" not in ready.text and time.monotonic() < end, ready.text
            time.sleep(0.01)
        return live

    try:
        yield start
    finally:
        for stop in stops:
            stop()


@dataclass
class Gate:
    """Holds a handler back until it is opened."""

    entered: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> None:
        self.entered.set()
        assert self.opened.wait(20), "the test never opened the gate"


class Echo(TextClassificationHandler):
    """Answers the text itself as a label, and remembers each batch. The text ``hold`` waits for the gate."""

    def __init__(self, gate: Gate | None = None, **attributes: Any) -> None:
        self.gate = gate or Gate()
        self.batches: list[tuple[list[str], Any]] = []
        for name, value in attributes.items():
            setattr(self, name, value)

    def __call__(self, inputs: str, parameters: TextClassificationParameters) -> list[TextClassificationOutputElement]:
        if inputs == "hold":
            self.gate()
        if inputs == "crash":
            raise ValueError("secret detail")
        if inputs == "refuse":
            raise RequestProblem("is refused", field="inputs")
        if inputs == "nan":
            return [TextClassificationOutputElement.model_construct(label="x", score=float("nan"))]
        return [TextClassificationOutputElement(label=inputs, score=float(parameters.top_k or 0))]

    def batch(self, inputs: Any, parameters: Any) -> Any:
        self.batches.append((list(inputs), parameters))
        return super().batch(inputs, parameters)


class Size(ImageClassificationHandler):
    """Answers the size of the image, and the colour of its first pixel."""

    def __call__(
        self, inputs: Image, parameters: ImageClassificationParameters
    ) -> list[ImageClassificationOutputElement]:
        label = f"{inputs.mode} {inputs.width}x{inputs.height} {inputs.getpixel((0, 0))}"
        return [ImageClassificationOutputElement(label=label, score=float(parameters.top_k or 0))]


def picture(format: str = "PNG", size: tuple[int, int] = (6, 4), mode: str = "RGB", **options: Any) -> bytes:
    """An image file of one colour."""
    buffer = io.BytesIO()
    PIL.Image.new(mode, size, "red" if mode == "RGB" else 1).save(buffer, format, **options)
    return buffer.getvalue()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def blamed(response: httpx.Response) -> list[str]:
    """The fields that an error answer names."""
    return [item["field"] for item in response.json().get("fields", [])]


def depth(live: Live) -> int:
    """How many requests wait."""
    return sum(len(host.batcher) for host in live.app.state.server.hosts if host.batcher is not None)


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for `condition`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)
