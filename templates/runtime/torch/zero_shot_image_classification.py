"""zero-shot-image-classification with any model of AutoModelForZeroShotImageClassification: CLIP, SigLIP and others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import Image, RequestProblem
from .base import LocalModel
from .phrases import length_refusal
from .pictures import prepare
from .texts import token_limit

DEFAULT_TEMPLATE = "This is a photo of {}."
SLOT = "{}"
SIGLIP_LENGTH = 64


class ZeroShotImageClassification(LocalModel):
    """Images in, all labels out, best score first.

    Scores add up to 1, but for SigLIP, which was trained to score each label on its own.
    """

    def auto_class(self) -> Any:
        from transformers import AutoModelForZeroShotImageClassification

        return AutoModelForZeroShotImageClassification

    def load_processors(self) -> None:
        from transformers import AutoImageProcessor, AutoTokenizer

        config = self.model.config
        self._processor = self.processor(AutoImageProcessor)
        self._tokenizer = self.processor(AutoTokenizer)
        self._siglip = "siglip" in config.model_type
        self._max_tokens = token_limit(self._tokenizer, self.model)
        self._padding: dict[str, Any] = {"padding": True}
        if self._siglip:
            # It learned from texts of this length only and has no mask for what is missing.
            self._max_tokens = min(self._max_tokens, SIGLIP_LENGTH)
            self._padding = {"padding": "max_length", "max_length": self._max_tokens}

    def infer(self, inputs: Sequence[Image], parameters: Any) -> Sequence[Any]:
        labels = list(parameters.candidate_labels)
        template = DEFAULT_TEMPLATE if parameters.hypothesis_template is None else parameters.hypothesis_template
        refusal = _template_refusal(template)
        if refusal is not None:
            return [refusal] * len(inputs)
        # Not str.format: its fields reach into attributes, and the template is the client's.
        sentences = [template.replace(SLOT, label) for label in labels]
        refusal = length_refusal(self._tokenizer, sentences, self._max_tokens, self.limits.max_characters)
        if refusal is not None:
            return [refusal] * len(inputs)
        tokens = self._tokenizer(sentences, return_tensors="pt", **self._padding).to(self.device)
        answers, batches = prepare(self._processor, inputs, self.device, self.binding.primary)
        for batch in batches:
            logits = self.model(**tokens, **batch.features).logits_per_image
            scores = logits.sigmoid() if self._siglip else logits.softmax(dim=-1)
            for position, row in zip(batch.positions, scores.tolist(), strict=True):
                ranked = sorted(zip(labels, row, strict=True), key=lambda pair: -pair[1])
                answers[position] = [{"label": label, "score": score} for label, score in ranked]
        return answers


def _template_refusal(template: str) -> RequestProblem | None:
    field = "parameters.hypothesis_template"
    if SLOT not in template:
        return RequestProblem(f"must contain {SLOT}, which each label takes the place of", field=field)
    return None
