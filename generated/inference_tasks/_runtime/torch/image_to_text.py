"""image-to-text with models that need no words beside the image: BLIP, GIT, vision encoder-decoders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..server.handler import Image
from .base import LocalModel, ModelDirectoryError
from .generation import generate, length, refusal

FAMILIES = ("blip", "git", "vision-encoder-decoder")


class ImageToText(LocalModel):
    """Images in, text out."""

    def auto_class(self) -> Any:
        from transformers import AutoModelForImageTextToText

        family = json.loads((self.directory / "config.json").read_bytes()).get("model_type")
        if family not in FAMILIES:
            known = ", ".join(FAMILIES)
            raise ModelDirectoryError(f"{self.directory}: {family} does not write about an image alone; {known} do")
        return AutoModelForImageTextToText

    def load_processors(self) -> None:
        from transformers import AutoImageProcessor, AutoTokenizer

        self._prepare = self.processor(AutoImageProcessor)
        self._tokenizer = self.processor(AutoTokenizer)
        config = self.model.config
        text = getattr(config, "decoder", None) or getattr(config, "text_config", None) or config
        self._positions = getattr(text, "max_position_embeddings", None)

    def infer(self, inputs: Sequence[Image], parameters: Any) -> Sequence[Any]:
        config = self.model.generation_config
        problem = refusal(parameters, config, self._positions)
        if problem is not None:
            return [problem] * len(inputs)
        pixels = self._prepare(images=list(inputs), return_tensors="pt")["pixel_values"].to(self.device)
        ids = generate(self.model, parameters, pixel_values=pixels, **length(config, self._positions))
        texts = self._tokenizer.batch_decode(ids, skip_special_tokens=True)
        return [{"generated_text": text.strip()} for text in texts]
