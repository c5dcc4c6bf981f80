"""The embedded demo models: right about the shipped samples."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

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
    return serve(*(create_handler(TASKS[task], DEMO / task) for task in sorted(IMPLEMENTATIONS)))


def test_every_implementation_has_a_demo_that_is_right(live: Live) -> None:
    for text, label in TEXTS.items():
        answer = live.text(text)
        assert answer.json()[0]["label"] == label, answer.text
    for task, expected in FILES.items():
        for name, label in expected.items():
            answer = live.post(f"/tasks/{task}", content=(EXAMPLES / task / "examples" / name).read_bytes())
            assert answer.json()[0]["label"] == label, (name, answer.text)


def test_speech_is_read_with_its_times(live: Live) -> None:
    task = "automatic-speech-recognition"
    samples = sorted((EXAMPLES / task / "examples").glob("*.*"))
    sounds = [path for path in samples if path.suffix in (".wav", ".flac")]
    assert sounds
    for path in sounds:
        plain = live.post(f"/tasks/{task}", content=path.read_bytes())
        assert plain.status_code == 200, plain.text
        assert set(plain.json()) == {"text"}
        assert plain.json()["text"].strip()
