"""Your own torch code behind the routes of a task: a sentiment model of a few words, made while it loads.

    python examples/own_handler.py            # serves on port 8000
    inference-tasks run text-classification "a wonderful day" --url http://localhost:8000

The class gets what the spec says and gives back what it says; the server does all the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch
import uvicorn

from inference_tasks.models import TextClassificationOutputElement, TextClassificationParameters
from inference_tasks.server import RequestProblem, TextClassificationHandler, create_app

GOOD = ("good", "great", "lovely", "wonderful", "happy")
BAD = ("bad", "awful", "terrible", "boring", "sad")
LABELS = ("negative", "positive")

Labels = list[TextClassificationOutputElement]


class FewWords(TextClassificationHandler):
    """Adds up how good and how bad the words of a text are."""

    name = "few-words"
    max_batch = 64

    def load(self) -> None:
        """Make the model; called in the thread in which it will run."""
        self.words = {word: row for row, word in enumerate((*BAD, *GOOD), 1)}
        weights = torch.tensor([[0.0, 0.0], *[[2.0, -2.0]] * len(BAD), *[[-2.0, 2.0]] * len(GOOD)])
        self.model = torch.nn.EmbeddingBag.from_pretrained(weights, mode="sum", padding_idx=0)

    def unload(self) -> None:
        """Let go of it, if nobody asked for long."""
        del self.model

    def __call__(self, inputs: str, parameters: TextClassificationParameters) -> Labels:
        """One text is a batch of one."""
        answer = self.batch([inputs], parameters)[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def batch(self, inputs: Sequence[str], parameters: TextClassificationParameters) -> list[Labels | Exception]:
        """All texts that wait, through the model at once; a bad one fails alone."""
        if parameters.function_to_apply == "none":
            raise RequestProblem("is not supported by this model", field="parameters.function_to_apply")
        rows = [[self.words.get(word, 0) for word in text.lower().split()] for text in inputs]
        longest = max(1, *map(len, rows))
        with torch.inference_mode():
            logits = self.model(torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows]))
            scores = logits.sigmoid() if parameters.function_to_apply == "sigmoid" else logits.softmax(-1)
        return [
            self._labels(found, parameters.top_k) if row else RequestProblem("has no words", field="inputs")
            for row, found in zip(rows, scores.tolist(), strict=True)
        ]

    def _labels(self, scores: list[float], top_k: int | None) -> Labels:
        best = sorted(zip(LABELS, scores, strict=True), key=lambda pair: -pair[1])[:top_k]
        return [TextClassificationOutputElement(label=label, score=score) for label, score in best]


app = create_app([FewWords()])

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
