"""image-classification with any model of AutoModelForImageClassification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import Image
from .classification import Classifier


class ImageClassification(Classifier):
    """Images in, the five best labels out unless ``top_k`` says otherwise."""

    def auto_class(self) -> Any:
        from transformers import AutoModelForImageClassification

        return AutoModelForImageClassification

    def load_processors(self) -> None:
        from transformers import AutoImageProcessor

        self._prepare = self.processor(AutoImageProcessor)

    def infer(self, inputs: Sequence[Image], parameters: Any) -> Sequence[Any]:
        pixels = self._prepare(images=list(inputs), return_tensors="pt")["pixel_values"]
        return self.answers(self.model(pixel_values=pixels.to(self.device)).logits, parameters)
