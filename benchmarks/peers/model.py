"""The models that the peers serve: the embedded ones, through transformers, many inputs at once.

The same few lines behind each framework, so that what is compared is the frameworks. Every file here runs in the
environment of a peer, which has no part of this project.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import torch
import transformers
from PIL import Image

Scores = list[dict[str, Any]]


def load(task: str, directory: str) -> Callable[[Sequence[str]], list[Scores]]:
    """The model in `directory`: from texts, or from pictures in base64, to what it says of each, best first."""
    torch.set_num_threads(1)
    prepare: Callable[[Sequence[str]], Any]
    if task == "text-classification":
        model = transformers.AutoModelForSequenceClassification.from_pretrained(directory)
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory)

        def prepare(texts: Sequence[str]) -> Any:
            return tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")

    else:
        model = transformers.AutoModelForImageClassification.from_pretrained(directory)
        processor = transformers.AutoImageProcessor.from_pretrained(directory)

        def prepare(texts: Sequence[str]) -> Any:
            pictures = [Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB") for text in texts]
            return processor(pictures, return_tensors="pt")

    model.eval()
    names = model.config.id2label

    def run(inputs: Sequence[str]) -> list[Scores]:
        with torch.inference_mode():
            rows = model(**prepare(inputs)).logits.softmax(-1).tolist()
        return [
            sorted(({"label": names[i], "score": x} for i, x in enumerate(row)), key=lambda found: -found["score"])[:5]
            for row in rows
        ]

    return run
