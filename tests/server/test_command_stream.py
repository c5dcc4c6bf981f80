"""``run … --stream``: text as it comes in for people, events for programs, and every way in which that may end."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from inference_tasks._runtime.command import stream
from inference_tasks._runtime.command.schema import Schemas
from inference_tasks._tasks import TASKS
from tests.support.terminal import COMMAND, screen, terminal

CHAT = ("run", "chat-completion", '[{"role": "user", "content": "hi"}]', "--stream")
GENERATION = ("run", "text-generation", "Once", "--stream")
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def chat(text: str | None, index: int = 0, **more: Any) -> dict[str, Any]:
    """An event of a chat."""
    choice = {"index": index, "delta": {**({} if text is None else {"content": text}), **more}}
    return {"id": "1", "created": 0, "model": "m", "choices": [choice]}


def token(text: str, index: int, *, special: bool = False, **more: Any) -> dict[str, Any]:
    """An event of a text generation."""
    return {"index": index, "token": {"id": 1, "logprob": -1.0, "special": special, "text": text}, **more}


class Scripted:
    """A server that sends `events` one by one; the event in place of which None stands waits for `go`."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.asked: list[Any] = []
        self.go, self.waiting, self.left = threading.Event(), threading.Event(), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.end_headers()
                try:
                    for event in outer.events:
                        if event is None:
                            outer.waiting.set()
                            while not outer.go.wait(0.02):
                                self.wfile.write(b": still there\n\n")
                        else:
                            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                except OSError:
                    outer.left.set()

            def log_message(self, format: str, *args: Any) -> None:
                """Stay silent."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self.go.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Scripted]:
    running = Scripted()
    yield running
    running.close()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_the_place_of_the_text_is_found_or_not_guessed() -> None:
    found = {
        task: stream.place_of(schemas := Schemas.of(binding), schemas.named(binding.stream_type))
        for task, binding in TASKS.items()
        if binding.stream_type
    }
    assert found["text-generation"] == ("token", "text")
    assert found["chat-completion"] == ("choices", "delta", "content")
    for other in (
        {"properties": {"text": {"type": "string"}}},
        {"properties": {"token": {"type": "string"}}},
        {"properties": {"token": {"properties": {"text": {"type": "integer"}}}}},
        {"properties": {"choices": {"type": "array", "items": {"properties": {"text": {"type": "string"}}}}}},
    ):
        assert stream.place_of(Schemas({}), other) is None


def test_text_for_people(server: Scripted) -> None:
    server.events = [chat("", role="assistant"), chat("Grüße"), chat(", 猫\n"), chat("\x1b[31m!"), chat(None)]
    result = run(*CHAT, "--url", server.url)
    assert (result.returncode, result.stdout, result.stderr) == (0, "Grüße, 猫\n\x1b[31m!\n", "")
    assert server.asked[0]["stream"] is True
    server.events = [token(" upon", 1), token(" a\n", 2), token("</s>", 3, special=True, generated_text=" upon a\n")]
    result = run(*GENERATION, "--url", server.url, "--max-new-tokens", "3")
    assert (result.returncode, result.stdout, result.stderr) == (0, " upon a\n", "")
    assert server.asked[1] == {"inputs": "Once", "parameters": {"max_new_tokens": 3}, "stream": True}


def test_events_for_programs(server: Scripted) -> None:
    server.events = [chat("Grüße"), {**chat("\n"), "more": [1]}]
    result = run(*CHAT, "--url", server.url, "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == server.events


def test_what_is_not_shown_is_said(server: Scripted) -> None:
    server.events = [chat("yes", 0), chat("no", 1), chat("!", 0)]
    result = run(*CHAT, "--url", server.url, "--n", "2")
    assert result.stdout == "yes!\n"
    assert result.stderr == "only the first of several answers is shown: --json prints all of them\n"
    server.events = [chat(None, tool_calls=[{"index": 0, "function": {"name": "f", "arguments": "{}"}}])]
    result = run(*CHAT, "--url", server.url)
    assert (result.stdout, result.stderr) == ("", "the answer holds no text: --json prints all of it\n")


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_pieces_come_before_the_end(server: Scripted, more: tuple[str, ...]) -> None:
    server.events = [chat("first"), None, chat(" second")]
    command = [*COMMAND, *CHAT, "--url", server.url, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=BUFFERED) as process:
        assert process.stdout is not None
        came = select.select([process.stdout], [], [], 20)[0]
        server.go.set()
        assert came, "nothing came before the end"
        printed = process.stdout.read()
        assert b"first" in printed and b"second" in printed


def test_a_terminal_is_not_steered(server: Scripted) -> None:
    server.events = [chat("one\n\ttwo"), chat("\x1b[2J\r\x07")]
    with terminal(*CHAT, "--url", server.url) as shown:
        assert shown.wait() == 0
        assert shown.printed.endswith("one\r\n\ttwo\\x1b[2J\\r\\x07\r\n")


def test_waiting_is_shown_until_the_first_piece(server: Scripted) -> None:
    server.events = [None, chat("at last")]
    with terminal(*CHAT, "--url", server.url) as shown:
        shown.until(r"\r\| waiting for the server \(\d+ s\).*\r/ waiting")
        server.go.set()
        assert shown.wait() == 0
        assert shown.screen == ["at last", ""]


def test_an_error_in_the_middle(server: Scripted) -> None:
    server.events = [chat("so far"), {"error": "out of memory"}]
    result = run(*CHAT, "--url", server.url)
    assert (result.returncode, result.stdout) == (1, "so far\n")
    assert result.stderr == "chat-completion: the server broke off: out of memory\n"
    with terminal(*CHAT, "--url", server.url) as shown:
        assert shown.wait() == 1
        assert shown.screen == ["so far", result.stderr.strip(), ""]


def test_an_error_at_the_start() -> None:
    result = run(*CHAT, "--url", "http://127.0.0.1:9")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1


def test_ctrl_c(server: Scripted) -> None:
    server.events = [chat("so far"), None]
    with terminal(*CHAT, "--url", server.url) as shown:
        shown.until("so far")
        assert server.waiting.wait(10)
        shown.send("\x03")
        assert shown.wait() == 130
        assert shown.printed.count("so far") == 1
        assert screen(shown.printed.replace("^C", "")) == ["so far", "", ""]
    assert server.left.wait(10), "the connection is closed"


def test_a_closed_pipe(server: Scripted) -> None:
    server.events = [chat("one\n"), None, *[chat("two\n")] * 1000]
    command = [*COMMAND, *CHAT, "--url", server.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=BUFFERED) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"one\n"
        process.stdout.close()
        server.go.set()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


def test_a_closed_pipe_ends_every_command_quietly() -> None:
    for arguments in (["run", "chat-completion", "--help"], ["completion", "bash"], ["--version"]):
        read, write = os.pipe()
        os.close(read)
        command = [*COMMAND, *arguments]
        result = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, timeout=60, check=False, env=BUFFERED)
        os.close(write)
        assert (result.returncode, result.stderr) == (141, b"")
