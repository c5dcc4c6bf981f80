"""Reading with models that generate: Whisper, and encoder-decoders without timestamps."""

from __future__ import annotations

from typing import Any

from ..server.handler import RequestProblem
from .generation import FIELD, generate, given, refusal
from .sound import SoundBatch
from .transcript import Chunk, Transcript

WINDOW_SECONDS = 30.0


class Seq2SeqReader:
    """For models of AutoModelForSpeechSeq2Seq; generation parameters go to `generate` under their own names."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._whisper = model.config.model_type == "whisper"

    def options(self, seconds: float) -> dict[str, Any]:
        # Left alone, Whisper's extractor would cut a long sound after its window.
        if self._whisper and seconds > WINDOW_SECONDS:
            return {"truncation": False, "padding": "longest", "return_attention_mask": True}
        return {}

    def refusal(self, parameters: Any) -> RequestProblem | None:
        if parameters.return_timestamps and not self._whisper:
            return RequestProblem("is not supported by this model", field="parameters.return_timestamps")
        asked = given(parameters)
        samples = bool(asked.get("temperature") or asked.get("do_sample")) if self._whisper else None
        if samples and (asked.get("num_beams") or 1) > 1:
            return RequestProblem("cannot be above 1 while this model samples", field=f"{FIELD}.num_beams")
        return refusal(parameters, self._model.generation_config, samples=samples)

    def read(self, batch: SoundBatch, parameters: Any) -> list[Transcript]:
        timestamps = bool(parameters.return_timestamps)
        segments = self._whisper and (timestamps or "attention_mask" in batch.features)
        options: dict[str, Any] = {"return_timestamps": True, "return_segments": True} if segments else {}
        if self._whisper and given(parameters).get("do_sample"):
            # It goes by the temperature alone whether it samples.
            options["temperature"] = 1.0
        generated = generate(self._model, parameters, **batch.features, **options)
        if isinstance(generated, dict) and "segments" in generated:
            return [self._joined(segments, timestamps) for segments in generated["segments"]]
        return [Transcript(text) for text in self._tokenizer.batch_decode(generated, skip_special_tokens=True)]

    def _joined(self, segments: list[dict[str, Any]], timestamps: bool) -> Transcript:
        chunks = [
            Chunk(
                self._tokenizer.decode(segment["tokens"], skip_special_tokens=True),
                round(float(segment["start"]), 3),
                None if segment["end"] is None else round(float(segment["end"]), 3),
            )
            for segment in segments
        ]
        return Transcript("".join(chunk.text for chunk in chunks), chunks if timestamps else None)
