"""Working handlers on transformers models in local directories, one module a task.

Importing this costs nothing: torch and transformers are imported when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from ..binding import TaskBinding
from ..server.handler import Handler
from .placement import ANYWHERE, Placement

IMPLEMENTATIONS = {
    "audio-classification": ("audio_classification", "AudioClassification"),
    "audio-to-audio": ("audio_to_audio", "AudioToAudio"),
    "automatic-speech-recognition": ("automatic_speech_recognition", "AutomaticSpeechRecognition"),
    "chat-completion": ("chat_completion", "ChatCompletion"),
    "depth-estimation": ("depth_estimation", "DepthEstimation"),
    "document-question-answering": ("document_question_answering", "DocumentQuestionAnswering"),
    "feature-extraction": ("feature_extraction", "FeatureExtraction"),
    "fill-mask": ("fill_mask", "FillMask"),
    "image-classification": ("image_classification", "ImageClassification"),
    "image-segmentation": ("image_segmentation", "ImageSegmentation"),
    "image-text-to-image": ("diffusion", "FromEither"),
    "image-text-to-video": ("diffusion", "FilmFromEither"),
    "image-to-image": ("image_to_image", "image_to_image"),
    "image-to-text": ("image_to_text", "ImageToText"),
    "image-to-video": ("diffusion", "FilmFromImage"),
    "object-detection": ("object_detection", "ObjectDetection"),
    "question-answering": ("question_answering", "QuestionAnswering"),
    "sentence-similarity": ("sentence_similarity", "SentenceSimilarity"),
    "summarization": ("text_to_text", "Summarization"),
    "table-question-answering": ("table_question_answering", "TableQuestionAnswering"),
    "tabular-classification": ("tabular", "TabularClassification"),
    "tabular-regression": ("tabular", "TabularRegression"),
    "text-classification": ("text_classification", "TextClassification"),
    "text-generation": ("text_generation", "TextGeneration"),
    "text-to-audio": ("text_to_audio", "TextToAudio"),
    "text-to-image": ("diffusion", "FromText"),
    "text-to-speech": ("text_to_audio", "TextToAudio"),
    "text-to-video": ("diffusion", "FilmFromText"),
    "token-classification": ("token_classification", "TokenClassification"),
    "translation": ("text_to_text", "Translation"),
    "video-classification": ("video_classification", "VideoClassification"),
    "visual-question-answering": ("visual_question_answering", "VisualQuestionAnswering"),
    "zero-shot-classification": ("zero_shot_classification", "ZeroShotClassification"),
    "zero-shot-image-classification": ("zero_shot_image_classification", "ZeroShotImageClassification"),
    "zero-shot-object-detection": ("zero_shot_object_detection", "ZeroShotObjectDetection"),
}
"""Task id → module of this package and what makes the handler in it: a class, or a function of its arguments."""


def create_handler(
    binding: TaskBinding,
    directory: Path,
    *,
    name: str = "",
    placement: Placement = ANYWHERE,
    build: Callable[[Path], object] | None = None,
) -> Handler[Any, Any, Any]:
    """The handler that answers the task of `binding` with the model in `directory`, which it loads later.

    `build` makes the model in `directory`, once, when it is to be loaded. Raises ModelDirectoryError for a directory
    that cannot hold such a model, LookupError for a task that has no implementation here.
    """
    if binding.id not in IMPLEMENTATIONS:
        raise LookupError(f"no torch implementation of {binding.id!r}; there is one of {', '.join(IMPLEMENTATIONS)}")
    module, implementation = IMPLEMENTATIONS[binding.id]
    handler: Handler[Any, Any, Any] = getattr(import_module(f".{module}", __name__), implementation)(
        binding, directory, name=name, placement=placement, build=build
    )
    return handler
