"""text-classification with any model of AutoModelForSequenceClassification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import RequestProblem
from .classification import Classifier
from .texts import token_limit, too_many_characters, too_many_tokens


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
        self._max_tokens = token_limit(self._tokenizer, self.model)

    def infer(self, inputs: Sequence[str], parameters: Any) -> Sequence[Any]:
        answers: list[Any] = [too_many_characters(text, self.binding.primary) for text in inputs]
        fitting = [index for index, problem in enumerate(answers) if problem is None]
        if not fitting:
            return answers
        encoded = self._tokenizer([inputs[index] for index in fitting], verbose=False)
        lengths = [len(ids) for ids in encoded["input_ids"]]
        rows = [row for row, length in enumerate(lengths) if 0 < length <= self._max_tokens]
        for row, length in enumerate(lengths):
            if length > self._max_tokens:
                answers[fitting[row]] = too_many_tokens(length, self._max_tokens, self.binding.primary)
            elif length == 0:
                answers[fitting[row]] = RequestProblem("holds nothing to read", field=self.binding.primary)
        if rows:
            kept = {name: [values[row] for row in rows] for name, values in encoded.items()}
            tensors = self._tokenizer.pad(kept, padding=True, return_tensors="pt").to(self.device)
            for row, answer in zip(rows, self.answers(self.model(**tensors).logits, parameters), strict=True):
                answers[fitting[row]] = answer
        return answers
