"""What SpeechT5 needs beside its own weights, as files of the model's directory.

SpeechT5 makes spectrograms, in the voice that a vector describes. So its directory also has to hold ``vocoder/``, a
SpeechT5HifiGan as `save_pretrained` writes it, and ``speaker.safetensors`` with one tensor, the vector of the voice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .base import ModelDirectoryError, check_directory

VOCODER = "vocoder"
SPEAKER = "speaker.safetensors"


def check_voice(directory: Path) -> None:
    """Raises ModelDirectoryError unless `directory` holds a vocoder and a voice."""
    check_directory(directory / VOCODER)
    if not (directory / SPEAKER).is_file():
        raise ModelDirectoryError(f"{directory}: lacks {SPEAKER}, a file with one tensor that says whose voice speaks")


class Voice:
    """The vocoder and the voice of one SpeechT5."""

    def __init__(self, directory: Path, model: Any) -> None:
        from safetensors.torch import load_file
        from transformers import SpeechT5HifiGan

        vocoder: Any = SpeechT5HifiGan.from_pretrained(
            directory / VOCODER, local_files_only=True, use_safetensors=True, dtype=model.dtype
        )
        self._vocoder = vocoder.eval().to(model.device)
        self.rate: int = self._vocoder.config.sampling_rate
        tensors = list(load_file(directory / SPEAKER).values())
        size = model.config.speaker_embedding_dim
        if len(tensors) != 1 or tensors[0].numel() != size:
            raise ModelDirectoryError(f"{directory / SPEAKER}: must hold one tensor of {size} numbers")
        self._speaker = tensors[0].reshape(1, size).to(model.device, model.dtype)

    def speak(self, model: Any, features: Any) -> Any:
        """The sound, (samples,), that `model` makes of `features`, which are of one text or recording."""
        sound = model.generate_speech(**features, speaker_embeddings=self._speaker, vocoder=self._vocoder)
        return sound.float().cpu().numpy().reshape(-1)
