"""Reading with models that generate: Whisper, and encoder-decoders without timestamps."""

from __future__ import annotations

from typing import Any

from ..server.handler import RequestProblem
from .sound import SoundBatch
from .transcript import Chunk, Transcript

FIELD = "parameters.generation_parameters"
MAX_BEAMS = 16
MAX_TOKENS = 4096
LIMITS = {"num_beams": MAX_BEAMS, "max_new_tokens": MAX_TOKENS, "max_length": MAX_TOKENS}
UNSUPPORTED = ("num_beam_groups", "penalty_alpha")
WINDOW_SECONDS = 30.0
MAX_MESSAGE = 300


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
        given = _given(parameters)
        for name in UNSUPPORTED:
            if given.get(name) is not None:
                return RequestProblem("is not supported by this server", field=f"{FIELD}.{name}")
        for name, limit in LIMITS.items():
            if (given.get(name) or 0) > limit:
                return RequestProblem(f"must be at most {limit} on this server", field=f"{FIELD}.{name}")
        return None

    def read(self, batch: SoundBatch, parameters: Any) -> list[Transcript]:
        given = _given(parameters)
        timestamps = bool(parameters.return_timestamps)
        if self._whisper and (timestamps or "attention_mask" in batch.features):
            given |= {"return_timestamps": True, "return_segments": True}
        try:
            generated = self._model.generate(**batch.features, **given)
        except ValueError as error:
            if parameters.generation_parameters is None:
                raise
            raise RequestProblem(f"was refused: {error}"[:MAX_MESSAGE], field=FIELD) from None
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


def _given(parameters: Any) -> dict[str, Any]:
    """The generation parameters that the request names."""
    group = parameters.generation_parameters
    return {} if group is None else dict(group.model_dump(by_alias=False))
