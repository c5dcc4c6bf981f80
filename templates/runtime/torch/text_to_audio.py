"""text-to-speech and text-to-audio with VITS, SpeechT5, Bark and MusicGen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..server.handler import RequestProblem
from . import generation
from .base import LocalModel, ModelDirectoryError
from .sound import wav
from .speecht5 import Voice, check_voice

MAX_TOKENS = 10_000
"""What is read with a model without a limit of its own: its sound is made in one piece, however long the text."""

SPECTROGRAMS = ("speecht5",)
WAVEFORMS = ("bark", "musicgen", "vits")
COMPOSERS = ("bark", "musicgen")
"""Models that make sound token by token."""
BARK_LENGTHS = ("max_new_tokens", "min_new_tokens")
BARK_UNSUPPORTED = ("max_length", "min_length", "num_beams", "early_stopping")


class TextToAudio(LocalModel):
    """Texts in, one WAV file each out.

    MusicGen takes several texts at once. The others decide on the length of each sound, and what pads the shorter ones
    would change their ends, so these go through the model one by one.
    """

    deterministic = False  # VITS and SpeechT5 draw random numbers, and Bark's and MusicGen's own settings sample
    max_batch = 8

    def check(self) -> None:
        """Raise ModelDirectoryError if the directory holds none of these models."""
        super().check()
        config = json.loads((self.directory / "config.json").read_bytes())
        self._type = config.get("model_type") if isinstance(config, dict) else None
        if self._type not in SPECTROGRAMS + WAVEFORMS:
            known = ", ".join(sorted(SPECTROGRAMS + WAVEFORMS))
            raise ModelDirectoryError(f"{self.directory}: is no model of a type that makes sound here: {known}")
        if self._type in SPECTROGRAMS:
            check_voice(self.directory)

    def auto_class(self) -> Any:
        from transformers import AutoModelForTextToSpectrogram, AutoModelForTextToWaveform

        return AutoModelForTextToSpectrogram if self._type in SPECTROGRAMS else AutoModelForTextToWaveform

    def load_processors(self) -> None:
        from transformers import AutoTokenizer, GenerationConfig

        self._tokenizer = self.processor(AutoTokenizer)
        config = self.model.config
        positions = getattr(config, "max_text_positions", None)
        self._voice = None
        if self._type == "speecht5":
            self._voice = Voice(self.directory, self.model)
            self._rate = self._voice.rate
        elif self._type == "bark":
            self._rate = self.model.generation_config.sample_rate
            config_class: Any = GenerationConfig  # untyped
            semantic = self.model.generation_config.semantic_config
            self._generation: Any = config_class(**semantic)  # of the network that decides on the length
            positions = semantic["max_input_semantic_length"]
        elif self._type == "musicgen":
            self._generation = self.model.generation_config
            self._rate = config.audio_encoder.sampling_rate
        else:
            self._rate = config.sampling_rate
            self._speaker = {"speaker_id": 0} if config.num_speakers > 1 else {}
        self._most = min(n for n in (self._tokenizer.model_max_length, positions, MAX_TOKENS) if n)
        try:
            self._tokens("a")
        except ImportError as error:  # some voices read sounds instead of letters, and leave that to other packages
            raise ModelDirectoryError(f"{self.directory}: {error}"[:1000]) from None

    def infer(self, inputs: Sequence[str], parameters: Any) -> Sequence[Any]:
        problem = self._unsupported(parameters)
        if problem is not None:
            return [problem] * len(inputs)
        answers: list[Any] = [self._refusal(text) for text in inputs]
        fitting = [index for index, problem in enumerate(answers) if problem is None]
        groups = [fitting] if self._type == "musicgen" else [[index] for index in fitting]
        for group in filter(None, groups):
            try:
                sounds = self._sounds([inputs[index] for index in group], parameters)
            except RequestProblem as refused:
                sounds = [refused] * len(group)
            for index, sound in zip(group, sounds, strict=True):
                answers[index] = sound if isinstance(sound, RequestProblem) else self._output(sound)
        return answers

    def _unsupported(self, parameters: Any) -> RequestProblem | None:
        """Why this model does not generate as `parameters` say, if it does not."""
        asked = generation.given(parameters)
        if asked and self._type not in COMPOSERS:
            return RequestProblem("is not supported by this model", field=generation.FIELD)
        for name in BARK_UNSUPPORTED if self._type == "bark" else ():
            if name in asked:
                return RequestProblem("is not supported by this model", field=f"{generation.FIELD}.{name}")
        return generation.refusal(parameters, self._generation) if asked else None

    def _refusal(self, text: str) -> RequestProblem | None:
        """Why this model does not read `text`, if it does not."""
        field = self.binding.primary
        if not text.strip() or not (length := self._tokens(text)["input_ids"].shape[-1]):
            return RequestProblem("holds nothing to read", field=field)
        if length > self._most:
            return RequestProblem(f"is {length} tokens long; this model reads at most {self._most}", field=field)
        return None

    def _tokens(self, *texts: str, **options: Any) -> Any:
        if self._type == "bark":
            options |= {"add_special_tokens": False, "return_token_type_ids": False}
        return self._tokenizer(list(texts), return_tensors="pt", return_attention_mask=True, verbose=False, **options)

    def _sounds(self, texts: Sequence[str], parameters: Any) -> list[Any]:
        """The sound of each text: (samples,) or (samples, channels), within [-1, 1]."""
        if self._type == "bark":
            tokens = self._tokens(*texts, padding="max_length", max_length=self._most).to(self.device)
            return [self._bark(tokens, parameters)]
        tokens = self._tokens(*texts, padding=True).to(self.device)
        if self._voice is not None:
            return [self._voice.speak(self.model, tokens)]
        if self._type == "vits":
            return [self.model(**tokens, **self._speaker).waveform[0].float().cpu().numpy()]
        length = generation.length(self.model.generation_config)
        sounds = generation.generate(self.model, parameters, **tokens, **length).float().cpu().numpy()
        return [sound.T for sound in sounds]

    def _bark(self, tokens: Any, parameters: Any) -> Any:
        """Bark hands its options to the three networks that it is made of; only the first decides on the length."""
        asked = generation.given(parameters)
        lengths = {f"semantic_{name}": asked.pop(name) for name in BARK_LENGTHS if name in asked}
        try:
            return self.model.generate(**tokens, **asked, **lengths)[0].float().cpu().numpy()
        except ValueError as error:
            if not asked and not lengths:
                raise
            message = f"was refused: {error}"[: generation.MAX_MESSAGE]
            raise RequestProblem(message, field=generation.FIELD) from None

    def _output(self, sound: Any) -> Any:
        if not sound.size:
            return RequestProblem("was read without a sound", field=self.binding.primary)
        return {"audio": wav(sound, self._rate), "sampling_rate": self._rate}
