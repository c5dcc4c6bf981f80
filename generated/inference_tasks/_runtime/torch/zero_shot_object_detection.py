"""zero-shot-object-detection with OWL-ViT, OWLv2 and Grounding DINO."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from ..server.handler import Image
from .base import LocalModel, ModelDirectoryError
from .object_detection import bounding_box
from .phrases import length_refusal
from .pictures import prepare, sizes
from .texts import token_limit

DEFAULT_THRESHOLD = 0.1
OWL = ("owlvit", "owlv2")
GROUNDING = ("grounding-dino", "mm-grounding-dino")


class ZeroShotObjectDetection(LocalModel):
    """Images in, what looks like one of the labels out, best score first.

    Each label is looked for on its own, so one place may be found under several.
    """

    max_batch = 8

    def auto_class(self) -> Any:
        from transformers import AutoModelForZeroShotObjectDetection

        return AutoModelForZeroShotObjectDetection

    def load_processors(self) -> None:
        from transformers import AutoImageProcessor, AutoTokenizer

        kind = self.model.config.model_type
        if kind not in OWL + GROUNDING:
            known = ", ".join(OWL + GROUNDING)
            raise ModelDirectoryError(f"{self.directory}: a model of type {kind!r} is not supported, only {known}")
        self._processor = self.processor(AutoImageProcessor)
        self._tokenizer = self.processor(AutoTokenizer)
        self._owl = kind in OWL
        self._max_tokens = token_limit(self._tokenizer, self.model)
        if not self._owl:
            self._max_tokens = min(self._max_tokens, self.model.config.max_text_len)

    def infer(self, inputs: Sequence[Image], parameters: Any) -> Sequence[Any]:
        labels = list(parameters.candidate_labels)
        texts = labels if self._owl else [_sentence(label) for label in labels]
        refusal = length_refusal(self._tokenizer, texts, self._max_tokens, self.limits.max_characters)
        if refusal is not None:
            return [refusal] * len(inputs)
        threshold = DEFAULT_THRESHOLD if parameters.threshold is None else float(parameters.threshold)
        answers, batches = prepare(self._processor, inputs, self.device, self.binding.primary)
        for batch in batches:
            extents = sizes([inputs[position] for position in batch.positions])
            found: list[list[dict[str, Any]]] = [[] for _ in batch.positions]
            looks = self._owl_looks if self._owl else self._grounding_looks
            for label, outputs in zip(labels, looks(texts, batch.features), strict=True):
                objects = self._processor.post_process_object_detection(
                    outputs, threshold=threshold, target_sizes=extents
                )
                for own, answer in zip(objects, found, strict=True):
                    answer.extend(
                        {"label": label, "score": score, "box": bounding_box(box)}
                        for score, box in zip(own["scores"].tolist(), own["boxes"].tolist(), strict=True)
                    )
            for position, answer in zip(batch.positions, found, strict=True):
                answers[position] = sorted(answer, key=lambda o: -o["score"])[: parameters.top_k]
        return answers

    def _owl_looks(self, texts: list[str], features: dict[str, Any]) -> Iterator[Any]:
        """What the model sees of each text: all of them in one pass, as its scores do not depend on each other."""
        count = len(features["pixel_values"])
        tokens = self._tokenizer(texts, padding=True, return_tensors="pt").to(self.device)
        repeated = {name: tensor.repeat(count, 1) for name, tensor in tokens.items()}
        outputs = self.model(**repeated, **features)
        for index in range(len(texts)):
            yield SimpleNamespace(logits=outputs.logits[..., index : index + 1], pred_boxes=outputs.pred_boxes)

    def _grounding_looks(self, texts: list[str], features: dict[str, Any]) -> Iterator[Any]:
        """The same text by text: here one text changes what is seen of another."""
        count = len(features["pixel_values"])
        for text in texts:
            tokens = self._tokenizer([text], return_tensors="pt").to(self.device)
            yield self.model(**{name: tensor.repeat(count, 1) for name, tensor in tokens.items()}, **features)


def _sentence(label: str) -> str:
    """Grounding DINO was trained on phrases that end with a full stop."""
    return label if label.rstrip().endswith(".") else f"{label}."
