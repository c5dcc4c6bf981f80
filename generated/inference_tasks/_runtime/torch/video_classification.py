"""video-classification with models of AutoModelForVideoClassification: VideoMAE, TimeSformer, ViViT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import RequestProblem
from .alike import alike
from .base import ModelDirectoryError
from .classification import Classifier
from .video import frames

DEFAULT_RATE = 1
MAX_SPAN = 10_000


class VideoClassification(Classifier):
    """Video files in, the five best labels out unless ``top_k`` says otherwise.

    The model sees the frames 0, r, 2r, … for a ``frame_sampling_rate`` of r, every one unless the request says
    otherwise; a video that ends too early goes on with its last frame. Only TimeSformer can look at another number of
    frames than it was trained with.
    """

    max_batch = 8

    def auto_class(self) -> Any:
        from transformers import AutoModelForVideoClassification

        return AutoModelForVideoClassification

    def load_processors(self) -> None:
        from transformers import AutoImageProcessor

        config = self.model.config
        self._frames: int = getattr(config, "num_frames", None) or 0
        if not self._frames:
            message = f"a model of type {config.model_type!r} is not supported: it does not say how many frames it sees"
            raise ModelDirectoryError(f"{self.directory}: {message}")
        self._flexible = config.model_type == "timesformer"
        self._prepare = self.processor(AutoImageProcessor)

    def infer(self, inputs: Sequence[bytes], parameters: Any) -> Sequence[Any]:
        count = parameters.num_frames or self._frames
        rate = parameters.frame_sampling_rate or DEFAULT_RATE
        refusal = self._refusal(count, rate)
        if refusal is not None:
            return [refusal] * len(inputs)
        answers: list[Any] = [None] * len(inputs)
        features: list[Any] = [None] * len(inputs)
        for index, data in enumerate(inputs):
            try:
                pictures = frames(data, range(0, count * rate, rate), self.binding.primary, self.limits)
            except RequestProblem as problem:
                answers[index] = problem
            else:
                features[index] = self._prepare(pictures, return_tensors="pt")
        # TimeSformer's layers tell frames apart by this number, and not by what they are given.
        self.model.config.num_frames = count
        for batch in alike(features, self.device):
            rows = self.answers(self.model(**batch.features).logits, parameters)
            for position, answer in zip(batch.positions, rows, strict=True):
                answers[position] = answer
        return answers

    def _refusal(self, count: int, rate: int) -> RequestProblem | None:
        field = "parameters.num_frames"
        if count != self._frames and not self._flexible:
            return RequestProblem(f"must be {self._frames}: this model sees no other number of frames", field=field)
        if count * rate > MAX_SPAN:
            message = f"must be at most {MAX_SPAN // count} with {count} frames on this server"
            return RequestProblem(message, field="parameters.frame_sampling_rate")
        return None
