"""The demo models: the trained ones are right about the shipped samples, and the random ones answer every example."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from examples.demo import Example, examples
from inference_tasks import Client, UnprocessableEntityError
from inference_tasks._runtime.command import CommandError
from inference_tasks._runtime.command.demos import Scratch, demo_models
from inference_tasks._runtime.command.serving import handlers_of
from inference_tasks._runtime.server.settings import Serving
from inference_tasks._runtime.torch import IMPLEMENTATIONS, create_handler
from inference_tasks._runtime.torch.demo import BUILDERS
from inference_tasks._tasks import TASKS

from .live import Live, Serve, until

DEMO = Path(str(files("inference_tasks"))) / "_demo"
EXAMPLES = Path(__file__).parent.parent.parent / "specs"

Expected = list[tuple[str, Any]]
FILES: dict[str, dict[str, str]] = {
    "image-classification": {"seven.png": "7", "three.png": "3"},
    "audio-classification": {"speech.wav": "speech", "clicks.flac": "clicks"},
}
TEXTS = {"I love this movie, it is great!": "POSITIVE", "This was a terrible, boring film.": "NEGATIVE"}


@pytest.fixture
def live(serve: Serve) -> Live:
    return serve(*(create_handler(TASKS[task], DEMO / task) for task in sorted(path.name for path in DEMO.iterdir())))


def test_every_task_has_an_implementation_and_a_demo_model() -> None:
    assert set(IMPLEMENTATIONS) == set(BUILDERS) == set(TASKS)


def test_every_demo_is_right(live: Live) -> None:
    for text, label in TEXTS.items():
        answer = live.text(text)
        assert answer.json()[0]["label"] == label, answer.text
    for task, expected in FILES.items():
        for name, label in expected.items():
            answer = live.post(f"/tasks/{task}", content=(EXAMPLES / task / "examples" / name).read_bytes())
            assert answer.json()[0]["label"] == label, (name, answer.text)


SPEECH = {"digits.flac": "three one four", "command.wav": "go left"}


@pytest.mark.parametrize("name", SPEECH)
def test_speech_is_read_with_its_times(live: Live, name: str) -> None:
    task = "automatic-speech-recognition"
    data = (EXAMPLES / task / "examples" / name).read_bytes()
    plain = live.post(f"/tasks/{task}", content=data)
    assert plain.json() == {"text": SPEECH[name]}
    payload = {"inputs": base64.b64encode(data).decode(), "parameters": {"return_timestamps": True}}
    timed = live.post(f"/tasks/{task}", json=payload).json()
    assert timed["text"] == SPEECH[name]
    assert [chunk["text"] for chunk in timed["chunks"]] == SPEECH[name].split()
    times = [time for chunk in timed["chunks"] for time in chunk["timestamp"]]
    assert times == sorted(times)
    # The recordings begin with 0.2 s of silence and end with 0.1 s.
    seconds = soundfile.info(io.BytesIO(data)).duration
    assert 0.1 <= times[0] <= 0.35
    assert seconds - 0.6 <= times[-1] <= seconds


# ------------------------------------------------------------------------------------------------ all of them, served

MAIN = "import sys; from inference_tasks.__main__ import main; sys.exit(main(sys.argv[1:]))"
DIFFUSION = [task for task, models in BUILDERS.items() if models[""][0] == "diffusion"]
HAS_DIFFUSERS = not any(demo_models("inference_tasks", DIFFUSION, Scratch()).left_out)


@dataclass
class Started:
    """A server in a process of its own, what it printed, and the folder for its temporary files."""

    process: subprocess.Popen[str]
    url: str
    lines: list[str]
    folder: Path

    def ready(self) -> bool:
        return httpx.get(f"{self.url}/ready", trust_env=False).status_code == 200

    def named(self, beginning: str) -> list[str]:
        """The models that the line with this beginning names."""
        found = [line for line in self.lines if line.startswith(beginning)]
        return found[0].rpartition(": ")[2].split(", ") if found else []


@contextmanager
def started(folder: Path, *options: str, before: str = "") -> Iterator[Started]:
    """`serve` with no model; `before` is Python that runs first."""
    command = [sys.executable, "-c", before + MAIN, "serve", "--port", "0", *options]
    environment = os.environ | {"TMPDIR": str(folder)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            url, _, what = process.stdout.readline().partition(" serves ")
            assert what == f"demo models; playground: {url}/playground\n"
            yield Started(process, url, [line.strip() for line in iter(process.stdout.readline, "\n")], folder)
        finally:
            if process.poll() is None:
                process.terminate()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with started(tmp_path_factory.mktemp("demo"), "--no-cache") as server:
        until(server.ready, 120)
        yield server


@pytest.fixture(scope="module")
def client(demo: Started) -> Iterator[Client]:
    with Client(demo.url, timeout=90, strict_responses=True, max_retries=0) as client:
        yield client


def test_it_says_which_are_trained_and_which_are_random(demo: Started) -> None:
    trained, random = demo.named("trained"), demo.named("random weights, whose answers mean nothing")
    assert trained == sorted(path.name for path in DEMO.iterdir())
    names = {f"{task}-{kind}".rstrip("-") for task, models in BUILDERS.items() for kind in models}
    left_out = demo.named("left out")
    assert left_out == ([] if HAS_DIFFUSERS else DIFFUSION)
    assert {*trained, *random} == names - {*left_out}


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: f"{example.task}/{example.name}")
def test_every_example_is_answered(client: Client, example: Example) -> None:
    if example.task in DIFFUSION and not HAS_DIFFUSERS:
        pytest.skip("diffusers is not installed")
    assert example.send(client) is not None


def test_the_chat_model_says_that_it_does_not_see(client: Client) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/cats.png"}}
    with pytest.raises(UnprocessableEntityError, match="reads text only"):
        client.chat_completion([{"role": "user", "content": [picture]}])


def test_texts_are_streamed_as_they_are_written_whole(client: Client) -> None:
    story = client.text_generation("Once", max_new_tokens=8)
    events = list(client.text_generation("Once", max_new_tokens=8, stream=True))
    assert len(events) > 1
    assert events[-1].generated_text == story.generated_text
    messages: Any = [{"role": "user", "content": "Hello"}]
    said = client.chat_completion(messages, max_tokens=8).choices[0].message.content
    deltas = [event.choices[0].delta.content for event in client.chat_completion(messages, max_tokens=8, stream=True)]
    assert "".join(filter(None, deltas)) == said


def test_chats_keep_to_a_form_and_call_tools(client: Client) -> None:
    messages: Any = [{"role": "user", "content": "Hello"}]
    schema = {"type": "object", "properties": {"mood": {"enum": ["good", "bad"]}}, "required": ["mood"]}
    form: Any = {
        "type": "json_schema",
        "json_schema": {"name": "mood", "schema": schema | {"additionalProperties": False}},
    }
    answer = client.chat_completion(messages, response_format=form, max_tokens=40).choices[0].message.content
    assert json.loads(answer or "")["mood"] in ("good", "bad")
    tool: Any = {
        "type": "function",
        "function": {"name": "feel", "parameters": schema | {"additionalProperties": False}},
    }
    made = client.chat_completion(messages, tools=[tool], tool_choice="required", max_tokens=120).choices[0].message
    assert made.tool_calls
    assert made.tool_calls[0].function.name == "feel"


def test_nothing_is_left_and_another_start_answers_alike(demo: Started, client: Client, tmp_path: Path) -> None:
    def asked(client: Client) -> list[Any]:
        masked = client.fill_mask("The [MASK] is old.", wait_for_model=True)
        rows = {"horsepower": [140, 97], "weight_kg": [1564, 1258], "cylinders": [8, 6]}
        return [masked, client.tabular_regression({"data": rows}, wait_for_model=True)]

    with started(tmp_path, "--lazy") as again, Client(again.url, strict_responses=True) as other:
        assert not list(tmp_path.iterdir())  # nothing is built before it is asked for
        assert asked(other) == asked(client)
        (folder,) = tmp_path.iterdir()
        assert sorted(path.name for path in folder.iterdir()) == ["fill-mask", "tabular-regression"]
        again.process.send_signal(signal.SIGTERM)
        assert again.process.wait(30) == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_by_a_server_that_ends_while_it_builds(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path) as server:
        until(lambda: bool(list(tmp_path.glob("*/*"))), 60)
        assert not server.ready()
        server.process.send_signal(number)
        assert server.process.wait(30) == 0
    assert not list(tmp_path.iterdir())


def test_tasks_that_need_a_missing_extra_are_left_out(tmp_path: Path) -> None:
    with started(tmp_path, "--lazy", before="import sys; sys.modules['diffusers'] = None; ") as server:
        assert server.named("left out (needs pip install 'inference-tasks[diffusion]')") == DIFFUSION
        assert not {*DIFFUSION} & {*server.named("random")}
        assert server.ready()


# ------------------------------------------------------------------------------------------------ here and now


def run(folder: Path, *words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", before + MAIN, "run", *words]
    environment = os.environ | {"TMPDIR": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=90)


def test_run_says_that_the_weights_are_random(tmp_path: Path) -> None:
    result = run(tmp_path, "translation", "good day")
    assert (result.returncode, list(json.loads(result.stdout))) == (0, ["translation_text"])
    assert "the demo model of translation has random weights: its answers mean nothing" in result.stderr
    assert not list(tmp_path.iterdir())
    trained = run(tmp_path, "text-classification", "good day")
    assert (trained.returncode, trained.stderr) == (0, "")


def test_run_names_the_missing_extra(tmp_path: Path) -> None:
    result = run(tmp_path, "text-to-image", "a boat", before="import sys; sys.modules['diffusers'] = None; ")
    assert result.returncode == 2
    assert "no demo model for text-to-image (needs pip install 'inference-tasks[diffusion]')" in result.stderr


def test_tasks_of_ones_own_are_left_out() -> None:
    found = demo_models("inference_tasks", ["count-birds", "fill-mask"], Scratch())
    assert [demo.task for demo in found] == ["fill-mask"]
    assert list(found.left_out.values()) == [["count-birds"]]
    with pytest.raises(CommandError, match=r"left out .*: count-birds: name a model with --model TASK=DIR"):
        handlers_of(TASKS, Serving(), demo_models("inference_tasks", ["count-birds"], Scratch()))
