"""The embedded demo models: right about the shipped samples."""

from __future__ import annotations

import base64
import io
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import soundfile

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from inference_tasks._runtime.torch import IMPLEMENTATIONS, create_handler
from inference_tasks._tasks import TASKS

from .live import Live, Serve

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


def test_every_task_has_an_implementation() -> None:
    assert set(IMPLEMENTATIONS) == set(TASKS)


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
