"""audio-to-audio with SpeechT5ForSpeechToSpeech, the one model for it that transformers has.

It says what a recording says in another voice. (Noise removers and separators are made with other libraries.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import Audio, RequestProblem
from .base import LocalModel
from .sound import prepare, wav
from .speecht5 import Voice, check_voice

MAX_SECONDS = 60.0
LABEL = "speech"


class AudioToAudio(LocalModel):
    """Recordings in, one recording each out.

    They go through the model one by one: it decides on the length of each, and would hear what pads the shorter ones.
    """

    max_batch = 1

    def check(self) -> None:
        """Raise ModelDirectoryError if the directory holds no SpeechT5."""
        super().check()
        check_voice(self.directory)

    def auto_class(self) -> Any:
        from transformers import SpeechT5ForSpeechToSpeech

        return SpeechT5ForSpeechToSpeech

    def load_processors(self) -> None:
        from transformers import AutoFeatureExtractor

        self._extractor = self.processor(AutoFeatureExtractor)
        self._voice = Voice(self.directory, self.model)

    def infer(self, inputs: Sequence[Audio], parameters: Any) -> Sequence[Any]:
        return [self._answer(sound) for sound in inputs]

    def _answer(self, sound: Audio) -> Any:
        if sound.seconds > MAX_SECONDS:
            return RequestProblem(f"is longer than {MAX_SECONDS:g} seconds, the most this model takes", field="inputs")
        (batch,) = prepare(self._extractor, [sound], self.device)
        made = self._voice.speak(self.model, batch.features)
        return [{"blob": wav(made, self._voice.rate), "content-type": "audio/wav", "label": LABEL}]
