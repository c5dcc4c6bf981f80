"""Handlers that replicas import."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inference_tasks.models.text_classification import TextClassificationOutputElement, TextClassificationParameters
from inference_tasks.models.text_generation import TextGenerationInput
from inference_tasks.server import TextClassificationHandler, TextGenerationHandler


class Slow(TextClassificationHandler):
    """Takes `seconds` for a batch and answers which process it was; what it does is written to `log`, if any."""

    deterministic = False

    def __init__(self, name: str, seconds: float, max_batch: int, log: Path | None = None) -> None:
        self.name = name
        self.seconds = seconds
        self.max_batch = max_batch
        self.log = log

    def load(self) -> None:
        self.labels = ("one", "two")
        self.label_names = {"de": {"one": "eins"}}

    def __call__(self, inputs: str, parameters: TextClassificationParameters) -> Any:
        raise AssertionError("only batches are asked for")

    def batch(self, inputs: Any, parameters: Any) -> Any:
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as file:
                file.writelines(f"{text}\n" for text in inputs)
        time.sleep(self.seconds)
        return [[TextClassificationOutputElement(label=str(os.getpid()), score=float(len(inputs)))] for _ in inputs]


class Counting(TextGenerationHandler):
    """Streams its process and then numbers, and writes to `log` when a stream is closed."""

    name = "counting"

    def __init__(self, log: Path) -> None:
        self.log = log

    def __call__(self, request: TextGenerationInput) -> Any:
        raise AssertionError("only streams are asked for")

    def stream(self, request: TextGenerationInput) -> Iterator[Any]:
        try:
            for number in range(1000):
                text = str(os.getpid() if number == 0 else number)
                yield {"index": number, "token": {"id": number, "text": text, "logprob": 0.0, "special": False}}
                time.sleep(0.02)
        finally:
            self.log.write_text("closed", encoding="utf-8")
