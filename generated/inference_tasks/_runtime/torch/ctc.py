"""Reading with CTC models: one label a frame, repeats merged, blanks dropped."""

from __future__ import annotations

from typing import Any

from ..server.handler import RequestProblem
from .sound import SoundBatch
from .transcript import Chunk, Transcript

FILTER_BANK_HOP = 0.01


class CtcReader:
    """For models of AutoModelForCTC."""

    def __init__(self, model: Any, extractor: Any, tokenizer: Any) -> None:
        self._model = model
        self._extractor = extractor
        self._tokenizer = tokenizer
        self._words = hasattr(tokenizer, "word_delimiter_token")
        self._blank = tokenizer.pad_token_id
        self._special = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id}

    def options(self, seconds: float) -> dict[str, Any]:
        return {}

    def refusal(self, parameters: Any) -> RequestProblem | None:
        if parameters.generation_parameters is not None:
            message = "does not apply: this model (CTC) reads sound directly and generates nothing"
            return RequestProblem(message, field="parameters.generation_parameters")
        if parameters.return_timestamps and not self._words:
            message = "is not supported: this model's tokens do not form words"
            return RequestProblem(message, field="parameters.return_timestamps")
        return None

    def read(self, batch: SoundBatch, parameters: Any) -> list[Transcript]:
        logits = self._model(**batch.features).logits
        frames = self._frames(batch, logits.shape[1])
        labels = logits.argmax(dim=-1).tolist()
        rate = self._extractor.sampling_rate
        longest = max(batch.samples) / rate
        step = self._step(longest, logits.shape[1])
        return [
            self._transcript(row[:count], step if parameters.return_timestamps else None, samples / rate)
            for row, count, samples in zip(labels, frames, batch.samples, strict=True)
        ]

    def _frames(self, batch: SoundBatch, frames: int) -> list[int]:
        """How many of `frames` are each item's own; the others are padding."""
        mask = batch.features.get("attention_mask")
        if mask is None:
            return [frames] * len(batch.samples)
        own = mask.sum(dim=-1)
        if mask.shape[1] != frames:
            own = self._model._get_feat_extract_output_lengths(own)
        return [int(count) for count in own.tolist()]

    def _step(self, seconds: float, frames: int) -> float:
        """How many seconds a frame stands for."""
        config = self._model.config
        ratio = getattr(config, "inputs_to_logits_ratio", None)
        if ratio:
            return float(ratio) / float(self._extractor.sampling_rate)
        if hasattr(self._extractor, "num_mel_bins") and hasattr(self._extractor, "stride"):
            shrink = config.adapter_stride**config.num_adapter_layers if getattr(config, "add_adapter", False) else 1
            return FILTER_BANK_HOP * float(self._extractor.stride) * float(shrink)
        return seconds / frames

    def _transcript(self, labels: list[int], step: float | None, seconds: float) -> Transcript:
        # Not by skip_special_tokens: the blank is one of them, and skipped before repeats are merged it would turn
        # "three" into "thre" and move every word up to the start. So the others become blanks, which are dropped later.
        labels = [self._blank if label in self._special else label for label in labels]
        if step is None:
            return Transcript(self._tokenizer.decode(labels))
        decoded = self._tokenizer.decode(labels, output_word_offsets=True)
        chunks = [
            Chunk(
                word["word"],
                round(min(word["start_offset"] * step, seconds), 3),
                round(min(word["end_offset"] * step, seconds), 3),
            )
            for word in decoded["word_offsets"]
        ]
        return Transcript(decoded["text"], chunks)
