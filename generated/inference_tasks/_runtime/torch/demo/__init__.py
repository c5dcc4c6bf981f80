"""Demo models for every task: tiny, built on the spot with seeded random weights, so that their answers mean nothing.

Importing this costs nothing: torch and the rest are imported when a model is built. The same version of torch always
builds the same model.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from ..base import silence_transformers

BUILDERS: dict[str, dict[str, tuple[str, str]]] = {
    "audio-classification": {"": ("sound", "classifier")},
    "audio-to-audio": {"": ("sound", "converter")},
    "automatic-speech-recognition": {"": ("sound", "recognizer")},
    "chat-completion": {"": ("writing", "chatter")},
    "depth-estimation": {"": ("vision", "dpt")},
    "document-question-answering": {"": ("vision", "donut"), "words": ("vision", "layoutlm")},
    "feature-extraction": {"": ("text", "sentences")},
    "fill-mask": {"": ("text", "masked")},
    "image-classification": {"": ("vision", "classifier")},
    "image-segmentation": {"": ("vision", "detr_panoptic")},
    "image-text-to-image": {"": ("diffusion", "stable")},
    "image-text-to-video": {"": ("diffusion", "film_from_image")},
    "image-to-image": {"": ("diffusion", "stable")},
    "image-to-text": {"": ("vision", "blip")},
    "image-to-video": {"": ("diffusion", "film_from_image")},
    "object-detection": {"": ("vision", "yolos")},
    "question-answering": {"": ("text", "reader")},
    "sentence-similarity": {"": ("text", "sentences")},
    "summarization": {"": ("writing", "summarizer")},
    "table-question-answering": {"": ("text", "tables")},
    "tabular-classification": {"": ("tables", "flowers"), "parts": ("tables", "parts")},
    "tabular-regression": {"": ("tables", "cars"), "flats": ("tables", "flats")},
    "text-classification": {"": ("text", "classifier")},
    "text-generation": {"": ("writing", "storyteller")},
    "text-to-audio": {"": ("sound", "musicgen")},
    "text-to-image": {"": ("diffusion", "stable")},
    "text-to-speech": {"": ("sound", "bark")},
    "text-to-video": {"": ("diffusion", "film_from_text")},
    "token-classification": {"": ("text", "tagger")},
    "translation": {"": ("writing", "translator")},
    "video-classification": {"": ("vision", "timesformer")},
    "visual-question-answering": {"": ("vision", "vilt")},
    "zero-shot-classification": {"": ("text", "judge")},
    "zero-shot-image-classification": {"": ("vision", "clip")},
    "zero-shot-object-detection": {"": ("vision", "owlvit")},
}
"""Task id → the models it takes to answer what the task is about, each with the module and function that build it.

The first is served as the task itself, further ones by what stands before them here.
"""

EXTRAS = {"diffusion": "diffusers"}
"""Extra of the package → the module that it brings, for modules of the same name here."""


def missing_extra(task: str) -> str | None:
    """The extra of the package that the models of `task` need and that is not installed, if there is one."""
    for module, _ in BUILDERS[task].values():
        if module in EXTRAS and find_spec(EXTRAS[module]) is None:
            return module
    return None


def build(task: str, kind: str, directory: Path) -> None:
    """Write the model of `task` that is called `kind` in ``BUILDERS`` to `directory`; takes some 0.1 s."""
    module, function = BUILDERS[task][kind]
    if module != "tables":
        silence_transformers()
    getattr(import_module(f".{module}", __name__), function)(directory)
