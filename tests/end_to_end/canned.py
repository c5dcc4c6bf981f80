"""Handlers that answer every task with the response of one of its examples, and remember what they were called with.

And a server of them, for the clients that others wrote.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

from inference_tasks import server
from inference_tasks._runtime.binding import TaskBinding
from inference_tasks._runtime.server.ports import listen
from inference_tasks._tasks import TASKS
from inference_tasks.server import Handler, Settings, create_app
from tests.docs.specs import examples

TOKEN = "hf_of_the_tests"
WORDS = ("Once", " upon", " a", " time")


class Canned:
    """What every handler here shares."""

    def __init__(self, binding: TaskBinding, name: str = "") -> None:
        self.binding = binding
        self.name = name
        self.seen: list[Any] = []
        known = [example.response for (task, _), example in examples().items() if task == binding.id]
        self.answer = binding.output_adapter.validate_python(known[0], by_name=False, by_alias=True)

    def __call__(self, *arguments: Any) -> Any:
        self.seen = list(arguments)
        return self.answer

    def stream(self, request: Any) -> Iterator[Any]:
        self.seen = [request]
        for index, word in enumerate(WORDS):
            last = index == len(WORDS) - 1
            if self.binding.id == "text-generation":
                token = {"id": index, "text": word, "logprob": -0.5, "special": False}
                yield {"index": index, "token": token} | ({"generated_text": "".join(WORDS)} if last else {})
            else:
                delta = {"role": "assistant", "content": word}
                choice = {"index": 0, "delta": delta} | ({"finish_reason": "stop"} if last else {})
                yield {"id": "1", "created": 1, "model": self.name or "m", "choices": [choice]}


def handler(task: str, name: str = "") -> Any:
    """A handler of `task`; `seen` are the arguments of its last call."""
    binding = TASKS[task]
    base: type[Handler[Any, Any, Any]] = getattr(server, "".join(map(str.capitalize, task.split("-"))) + "Handler")
    return type("CannedHandler", (Canned, base), {})(binding, name)


class Server:
    """A running server with a canned handler for each of `tasks`, or for all of them; `handlers` are they by task."""

    def __init__(self, *tasks: str) -> None:
        self.handlers = {task: handler(task) for task in tasks or TASKS}
        app = create_app(self.handlers.values(), settings=Settings(token=TOKEN, cache_size=0))
        self._socket = listen("127.0.0.1", 0)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def seen(self, task: str) -> Any:
        """What a handler was called with last, but for the parameters."""
        return self.handlers[task].seen[0]

    def close(self) -> None:
        """Stop, and wait until it has."""
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
