"""Working handlers on transformers models in local directories, one module a task.

Importing this costs nothing: torch and transformers are imported when a model is loaded.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from ..binding import TaskBinding
from ..server.handler import Handler

IMPLEMENTATIONS = {
    "audio-classification": ("audio_classification", "AudioClassification"),
    "automatic-speech-recognition": ("automatic_speech_recognition", "AutomaticSpeechRecognition"),
    "image-classification": ("image_classification", "ImageClassification"),
    "text-classification": ("text_classification", "TextClassification"),
}
"""Task id → module of this package and class in it."""


def create_handler(
    binding: TaskBinding, directory: Path, *, name: str = "", threads: int = 1
) -> Handler[Any, Any, Any]:
    """The handler that answers the task of `binding` with the model in `directory`, which it loads later.

    `threads` is how many threads torch may use for one operation. Raises ModelDirectoryError for a directory that
    cannot hold such a model, LookupError for a task that has no implementation here.
    """
    if binding.id not in IMPLEMENTATIONS:
        raise LookupError(f"no torch implementation of {binding.id!r}; there is one of {', '.join(IMPLEMENTATIONS)}")
    module, implementation = IMPLEMENTATIONS[binding.id]
    handler: Handler[Any, Any, Any] = getattr(import_module(f".{module}", __name__), implementation)(
        binding, directory, name=name, threads=threads
    )
    return handler
