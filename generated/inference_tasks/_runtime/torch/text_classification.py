"""text-classification with any model of AutoModelForSequenceClassification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import RequestProblem
from .classification import Classifier

MAX_CHARACTERS = 100_000
SANE_LENGTH = 1_000_000


class TextClassification(Classifier):
    """Texts in, all labels out unless ``top_k`` says otherwise.

    A text that is longer than the model reads is refused, because an answer about its beginning would pass for an
    answer about the whole.
    """

    default_top_k = None

    def auto_class(self) -> Any:
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification

    def load_processors(self) -> None:
        from transformers import AutoTokenizer

        self._tokenizer = self.processor(AutoTokenizer)
        positions = getattr(self.model.config, "max_position_embeddings", None)
        # Tokenizers that know no limit say 1e30; the model's own table is the limit then.
        limits = [n for n in (self._tokenizer.model_max_length, positions) if n and n < SANE_LENGTH]
        self._max_tokens = min(limits, default=SANE_LENGTH)

    def infer(self, inputs: Sequence[str], parameters: Any) -> Sequence[Any]:
        answers: list[Any] = [_too_long(text) for text in inputs]
        fitting = [index for index, problem in enumerate(answers) if problem is None]
        if not fitting:
            return answers
        encoded = self._tokenizer([inputs[index] for index in fitting], verbose=False)
        lengths = [len(ids) for ids in encoded["input_ids"]]
        rows = [row for row, length in enumerate(lengths) if 0 < length <= self._max_tokens]
        for row, length in enumerate(lengths):
            if length > self._max_tokens:
                message = f"is {length} tokens long; this model reads at most {self._max_tokens}"
                answers[fitting[row]] = RequestProblem(message, field=self.binding.primary)
            elif length == 0:
                answers[fitting[row]] = RequestProblem("holds nothing to read", field=self.binding.primary)
        if rows:
            kept = {name: [values[row] for row in rows] for name, values in encoded.items()}
            tensors = self._tokenizer.pad(kept, padding=True, return_tensors="pt").to(self.device)
            for row, answer in zip(rows, self.answers(self.model(**tensors).logits, parameters), strict=True):
                answers[fitting[row]] = answer
        return answers


def _too_long(text: str) -> RequestProblem | None:
    if len(text) <= MAX_CHARACTERS:
        return None
    return RequestProblem(f"is longer than {MAX_CHARACTERS} characters", field="inputs")
