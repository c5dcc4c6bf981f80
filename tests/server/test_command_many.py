"""``run TASK INPUT INPUT …``: an answer to each in its order, on one machine or from a server, whatever fails."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from inference_tasks._runtime.cli import main
from inference_tasks._runtime.command import local
from inference_tasks._tasks import TASKS
from tests.support.terminal import terminal

from . import models
from .live import Echo, Gate, Serve, Size, picture, until

Lines = list[dict[str, Any]]


def run(*arguments: str) -> int:
    try:
        return main(TASKS, package="inference_tasks", distribution="inference-tasks", argv=arguments)
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], Lines]:
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Four images of different sizes, and one that is none in their middle."""
    for number in (1, 2, 3, 4):
        (tmp_path / f"{number}.png").write_bytes(picture(size=(number, 1)))
    (tmp_path / "none.png").write_text("no image")
    return [str(tmp_path / f"{name}.png") for name in (1, 2, "none", "missing", 3, 4)]


# ------------------------------------------------------------------------------------------------------- in general


def check(found: Lines, pictures: list[str], names: list[str]) -> None:
    assert [line["input"] for line in found] == pictures
    for line, name in zip(found, names, strict=True):
        assert line.keys() == ({"input", "output"} if name else {"input", "error"})
        if name:
            assert name in line["output"][0]["label"]
    assert "is not an image" in found[2]["error"]
    assert found[3]["error"] == f"{pictures[3]}: No such file or directory"


def test_a_server_answers_each(
    serve: Serve, pictures: list[str], lines: Callable[[], Lines], capsys: pytest.CaptureFixture[str]
) -> None:
    live = serve(Size())
    assert run("run", "image-classification", *pictures, "--url", live.url, "--top-k", "7") == 1
    printed = capsys.readouterr()
    found = [json.loads(line) for line in printed.out.splitlines()]
    check(found, pictures, ["1x1", "2x1", "", "", "3x1", "4x1"])
    assert found[0]["output"][0]["score"] == 7
    assert printed.err == "image-classification: 2 of 6 inputs failed\n"
    assert run("run", "image-classification", *pictures[:2], "--url", live.url) == 0
    assert len(lines()) == 2


def test_a_model_here_is_loaded_once(
    tmp_path: Path, pictures: list[str], lines: Callable[[], Lines], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    original = local._load
    monkeypatch.setattr(local, "_load", lambda *arguments: (loaded.append(arguments), original(*arguments)))
    directory = models.pictures(tmp_path, "a", "b")
    # The first input is wrong, so the second one loads the model.
    wanted = [pictures[2], *pictures[:2]]
    assert run("run", "image-classification", *wanted, "--model", str(directory)) == 1
    assert [line.keys() for line in lines()] == [{"input", "error"}, {"input", "output"}, {"input", "output"}]
    assert len(loaded) == 1


def test_what_is_wrong_with_all_of_them_is_said_once(pictures: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run", "image-classification", *pictures[:2], "--model", "/no/such/dir") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("no such directory") == 1
    assert run("run", "image-classification", *pictures[:2], "--url", "localhost") == 2
    assert capsys.readouterr().err.count("not an http:// or https:// URL") == 1


def test_standard_input_is_one_of_them(
    serve: Serve, echo: Echo, lines: Callable[[], Lines], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"typed")))
    assert run("run", "text-classification", "--url", serve(echo).url, "--", "first", "-", "-last") == 0
    found = [(line["input"], line["output"][0]["label"]) for line in lines()]
    assert found == [("first", "first"), ("-", "typed"), ("-last", "-last")]


def test_a_file_goes_into_each(serve: Serve, tmp_path: Path, lines: Callable[[], Lines]) -> None:
    from inference_tasks.server import VisualQuestionAnsweringHandler

    class Looks(VisualQuestionAnsweringHandler):
        def __call__(self, inputs: Any, parameters: Any) -> Any:
            same = base64.b64decode(inputs.image) == picture()
            return [{"answer": inputs.question, "score": float(same)}]

    (tmp_path / "red.png").write_bytes(picture())
    questions = ['{"question": "red?"}', '{"question": "blue?"}', '{"question": "x", "image": "!"}', "[]"]
    arguments = ["--url", serve(Looks()).url, "--file", f"image={tmp_path}/red.png"]
    assert run("run", "visual-question-answering", *questions, *arguments) == 1
    found = lines()
    assert [line["output"][0] for line in found[:3]] == [
        {"answer": "red?", "score": 1.0},
        {"answer": "blue?", "score": 1.0},
        {"answer": "x", "score": 1.0},
    ]
    assert "must be a JSON object" in found[3]["error"]
    assert run("run", "visual-question-answering", *questions[2:], *arguments[:2]) == 1
    assert "image is not valid base64" in lines()[0]["error"]


# ------------------------------------------------------------------------------------------------------ concurrency


@pytest.mark.parametrize(("more", "most"), [([], 8), (["--concurrency", "3"], 3)])
def test_so_many_are_asked_at_once(more: list[str], most: int, lines: Callable[[], Lines]) -> None:
    texts = [f"text {number}" for number in range(12)]
    with Slow() as server:
        thread = threading.Thread(target=lambda: codes.append(run(*RUN, *texts, "--url", server.url, *more)))
        codes: list[int] = []
        thread.start()
        until(lambda: server.begun == most)
        threading.Event().wait(0.3)
        assert server.begun == most, "no more than wanted"
        server.go.set()
        thread.join(30)
    assert codes == [0]
    assert [line["output"][0]["label"] for line in lines()] == texts


RUN = ("run", "text-classification")


class Slow:
    """A server that holds every request until it may go on, and counts them."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = 0
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                text = json.loads(self.rfile.read(int(self.headers["content-length"])))["inputs"]
                with lock:
                    outer.begun += 1
                outer.go.wait(30)
                body = json.dumps([{"label": text, "score": 1.0}]).encode()
                with suppress(OSError):  # the client may be gone
                    self.send_response(200)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Stay silent."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Slow:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go.set()
        self._http.shutdown()
        self._http.server_close()


def test_ctrl_c_does_not_wait_for_answers() -> None:
    with Slow() as server, terminal(*RUN, "a", "b", "c", "--url", server.url) as shown:
        until(lambda: server.begun == 3, 30)
        shown.send("\x03")
        assert shown.wait(10) == 130, "the server has not answered"
        assert "Traceback" not in shown.printed


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.5])
def test_ctrl_c_while_a_model_is_loaded(seconds: float, tmp_path: Path) -> None:
    directory = models.pictures(tmp_path, "a", "b")
    (tmp_path / "red.png").write_bytes(picture())
    arguments = ("run", "image-classification", f"{tmp_path}/red.png", "--model", str(directory))
    with terminal(*arguments) as shown:
        shown.until("loading the model")
        threading.Event().wait(seconds)
        shown.send("\x03")
        assert (shown.wait(), "Traceback" in shown.printed, shown.screen[-1]) in ((130, False, ""), (0, False, ""))


# ------------------------------------------------------------------------------------------------------ for people


def test_headings_in_a_terminal(serve: Serve, pictures: list[str]) -> None:
    live = serve(Size())
    with terminal("run", "image-classification", *pictures[1:4], "--url", live.url, columns=300) as shown:
        assert shown.wait() == 1
    error = shown.screen[3]
    assert error.startswith(f"{pictures[2]}: image-classification: inputs: is not an image")
    assert shown.screen == [
        f"{pictures[1]}:",
        "label                 score",
        "RGB 2x1 (255, 0, 0)  0.0000",
        error,
        f"{pictures[3]}: No such file or directory",
        "image-classification: 2 of 3 inputs failed",
        "",
    ]


def test_a_bar_for_what_is_written_to_a_file(serve: Serve, tmp_path: Path) -> None:
    gate = Gate()
    live = serve(Echo(gate))
    texts = [*["quick"] * 5, "hold", *["quick"] * 4]
    arguments = (*RUN, *texts, "--url", live.url, "--concurrency", "1")
    with (tmp_path / "out").open("wb") as out, terminal(*arguments, stdout=out, columns=50) as shown:
        assert gate.entered.wait(30)
        shown.until(r"\d/10")
        gate.opened.set()
        assert shown.wait() == 0
    assert len((tmp_path / "out").read_text().splitlines()) == 10
    *_, last, empty = shown.screen
    assert empty == ""
    assert last.startswith("[####")
    assert "100%  10/10  " in last
    assert all(len(line) < 50 for line in shown.printed.replace("\n", "\r").split("\r"))


def test_nothing_but_answers_and_errors_in_pipes(serve: Serve, echo: Echo) -> None:
    command = [sys.executable, "-m", "inference_tasks", *RUN, "good", "refuse", "--url", serve(echo).url]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert [json.loads(line)["input"] for line in result.stdout.splitlines()] == ["good", "refuse"]
    assert result.stderr == "text-classification: 1 of 2 inputs failed\n"


# ------------------------------------------------------------------------------------------------------------ files


def test_files_are_numbered_by_their_input(
    serve: Serve, tmp_path: Path, lines: Callable[[], Lines], capsys: pytest.CaptureFixture[str]
) -> None:
    from inference_tasks.server import AudioToAudioHandler, RequestProblem

    class Splits(AudioToAudioHandler):
        def __call__(self, inputs: Any, parameters: Any = None) -> Any:
            count = len(inputs.samples) // 100
            if not count:
                raise RequestProblem("is too short", field="inputs")
            blob = base64.b64encode(b"x" * count).decode()
            return [{"label": "part", "blob": blob, "content-type": "audio/wav"}] * count

    import numpy
    import soundfile

    names = []
    for number, count in enumerate((1, 0, 2)):
        soundfile.write(tmp_path / f"in{number}.wav", numpy.zeros(100 * count + 10), 16000)
        names.append(str(tmp_path / f"in{number}.wav"))
    target = tmp_path / "out.wav"
    assert run("run", "audio-to-audio", *names, "--url", serve(Splits()).url, "--save", str(target)) == 1
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out-1.wav", "out-3-1.wav", "out-3-2.wav"]
    assert (tmp_path / "out-3-2.wav").read_bytes() == b"xx"
    printed = capsys.readouterr()
    assert f"{tmp_path}/out-1.wav: audio, 1 bytes\n" in printed.err
    (tmp_path / "out-1.wav").unlink()
    (tmp_path / "out-1.wav").mkdir()
    assert run("run", "audio-to-audio", *names[::2], "--url", serve(Splits()).url, "--save", str(target)) == 1
    printed = capsys.readouterr()
    assert "Is a directory" in printed.err
    assert [json.loads(line).keys() for line in printed.out.splitlines()] == [{"input", "output"}] * 2
