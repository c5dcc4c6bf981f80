"""text-classification with any model of AutoModelForSequenceClassification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import RequestProblem
from .classification import Classifier
from .texts import TextModel, too_many_tokens


class TextClassification(TextModel, Classifier):
    """Texts in, all labels out unless ``top_k`` says otherwise.

    A text that is longer than the model reads is refused, because an answer about its beginning would pass for an
    answer about the whole.
    """

    default_top_k = None

    def auto_class(self) -> Any:
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification

    def load_processors(self) -> None:
        super().load_processors()
        # Models that judge by the last token, like XLNet, want their rows to end together.
        self.padding_side = self.tokenizer.padding_side

    def infer(self, inputs: Sequence[str], parameters: Any) -> Sequence[Any]:
        encoded = self.tokenizer(list(inputs), verbose=False)
        answers: list[Any] = [self._refusal(len(ids)) for ids in encoded["input_ids"]]
        places = [index for index, problem in enumerate(answers) if problem is None]
        rows = [{name: values[index] for name, values in encoded.items()} for index in places]
        for batch, output in self.passes(rows):
            for row, answer in zip(batch, self.answers(output.logits, parameters), strict=True):
                answers[places[row]] = answer
        return answers

    def _refusal(self, length: int) -> RequestProblem | None:
        """Why a text of `length` tokens is not read, if it is not."""
        if length > self.max_tokens:
            return too_many_tokens(length, self.max_tokens, self.binding.primary)
        return None if length else RequestProblem("holds nothing to read", field=self.binding.primary)
