"""The tasks that have a demo model. A module of its own, because the processes that train import it by name."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path

# The one that takes longest comes first.
TRAINERS = {
    "automatic-speech-recognition": "speech",
    "text-classification": "sentiment",
    "audio-classification": "sounds",
    "image-classification": "digits",
}


def train(task: str, models: Path, samples: Path) -> str:
    """Train one model, in a process of its own, and say what came of it and how long it took."""
    start = time.perf_counter()
    report = import_module(f"training.{TRAINERS[task]}").train(models, samples)
    return f"{report}\n  {time.perf_counter() - start:.0f} s"
