"""automatic-speech-recognition with models of AutoModelForCTC and AutoModelForSpeechSeq2Seq."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ..server.handler import Audio
from .base import LocalModel
from .ctc import CtcReader
from .seq2seq import Seq2SeqReader
from .sound import prepare
from .transcript import Reader, Transcript


class AutomaticSpeechRecognition(LocalModel):
    """Sounds in, text out; with ``return_timestamps`` also when each word (CTC) or sentence (Whisper) was said."""

    def auto_class(self) -> Any:
        from transformers import AutoModelForCTC, AutoModelForSpeechSeq2Seq

        config = json.loads((self.directory / "config.json").read_bytes())
        names = config.get("architectures") or []
        self._ctc = any("CTC" in name for name in names)
        return AutoModelForCTC if self._ctc else AutoModelForSpeechSeq2Seq

    def load_processors(self) -> None:
        from transformers import AutoFeatureExtractor, AutoTokenizer

        self._extractor = self.processor(AutoFeatureExtractor)
        tokenizer = self.processor(AutoTokenizer)
        self._reader: Reader
        if self._ctc:
            self._reader = CtcReader(self.model, self._extractor, tokenizer)
        else:
            self._reader = Seq2SeqReader(self.model, tokenizer)

    def infer(self, inputs: Sequence[Audio], parameters: Any) -> Sequence[Any]:
        refusal = self._reader.refusal(parameters)
        if refusal is not None:
            return [refusal] * len(inputs)
        answers: list[Any] = [None] * len(inputs)
        alike: dict[str, list[int]] = defaultdict(list)
        options = [self._reader.options(sound.seconds) for sound in inputs]
        for index, option in enumerate(options):
            alike[repr(option)].append(index)
        for group in alike.values():
            for batch in prepare(self._extractor, [inputs[i] for i in group], self.device, **options[group[0]]):
                transcripts = self._reader.read(batch, parameters)
                for position, transcript in zip(batch.positions, transcripts, strict=True):
                    answers[group[position]] = self._output(transcript)
        return answers

    @staticmethod
    def _output(transcript: Transcript) -> dict[str, Any]:
        if transcript.chunks is None:
            return {"text": transcript.text}
        chunks = [{"text": chunk.text, "timestamp": [chunk.start, chunk.end]} for chunk in transcript.chunks]
        return {"text": transcript.text, "chunks": chunks}
