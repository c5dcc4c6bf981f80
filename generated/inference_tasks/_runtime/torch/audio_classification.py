"""audio-classification with any model of AutoModelForAudioClassification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import Audio
from .classification import Classifier
from .sound import prepare


class AudioClassification(Classifier):
    """Sounds in, the five best labels out unless ``top_k`` says otherwise.

    Models with a window of fixed length (AST) hear the beginning of a longer sound.
    """

    def auto_class(self) -> Any:
        from transformers import AutoModelForAudioClassification

        return AutoModelForAudioClassification

    def load_processors(self) -> None:
        from transformers import AutoFeatureExtractor

        self._extractor = self.processor(AutoFeatureExtractor)

    def infer(self, inputs: Sequence[Audio], parameters: Any) -> Sequence[Any]:
        answers: list[Any] = [None] * len(inputs)
        for batch in prepare(self._extractor, inputs, self.device):
            rows = self.answers(self.model(**batch.features).logits, parameters)
            for position, answer in zip(batch.positions, rows, strict=True):
                answers[position] = answer
        return answers
