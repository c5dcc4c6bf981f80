"""Start the generated server on its embedded demo models, call every task with the generated client, print a table."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference_tasks import Client

ROOT = Path(__file__).parent.parent
SPECS = ROOT / "specs"
SAMPLES = {
    "image-classification": ("seven.png", "three.png"),
    "audio-classification": ("clicks.flac", "speech.wav"),
    "automatic-speech-recognition": ("digits.flac", "command.wav"),
}
SENTENCES = ("I like you. I love you.", "This film was a waste of time.")


@contextmanager
def server() -> Iterator[str]:
    """The generated server in a process of its own; yields its URL."""
    command = [sys.executable, "-m", "inference_tasks", "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()  # "http://127.0.0.1:8000 serves …", as soon as it listens
        if not first:
            sys.exit(f"the server did not start (exit code {process.wait()})")
        yield first.split()[0]
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(client: Client) -> Iterator[tuple[str, str, str]]:
    """Each task on each sample: ``(task, input, answer)``."""
    images = SPECS / "image-classification" / "examples"
    for name in SAMPLES["image-classification"]:
        best = client.image_classification(images / name, top_k=1, wait_for_model=True)[0]
        yield "image-classification", name, f"{best.label} ({best.score:.3f})"
    sounds = SPECS / "audio-classification" / "examples"
    for name in SAMPLES["audio-classification"]:
        best = client.audio_classification(sounds / name, wait_for_model=True)[0]
        yield "audio-classification", name, f"{best.label} ({best.score:.3f})"
    speech = SPECS / "automatic-speech-recognition" / "examples"
    for name in SAMPLES["automatic-speech-recognition"]:
        heard = client.automatic_speech_recognition(speech / name, return_timestamps=True, wait_for_model=True)
        chunks = " ".join(f"{chunk.text}@{chunk.timestamp[0]:.2f}s" for chunk in heard.chunks or ())
        yield "automatic-speech-recognition", name, f"{heard.text!r}  {chunks}"
    for text in SENTENCES:
        best = client.text_classification(text, top_k=1, wait_for_model=True)[0]
        yield "text-classification", text, f"{best.label} ({best.score:.3f})"


def main() -> None:
    """Print one row for each call."""
    with server() as url, Client(url, timeout=60) as client:
        rows = [("task", "input", "answer"), *answers(client)]
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    print()
    for row in rows:
        print(f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}")
    print("\nThe docs of these tasks: generated/docs/index.md")


if __name__ == "__main__":
    main()
