"""Images for models, and images in answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from ..encoded import Base64
from ..server.handler import Image, RequestProblem
from .alike import Batch, alike
from .base import LocalModel


def prepared(processor: Any, image: Image, field: str) -> Mapping[str, Any]:
    """`image` as tensors of one row. Raises RequestProblem at `field` for one that cannot be prepared."""
    try:
        features: Mapping[str, Any] = processor(images=image, return_tensors="pt")
    except (ValueError, ZeroDivisionError):  # what resizing to nothing raises
        message = f"has a shape this model cannot look at ({image.width} x {image.height} pixels)"
        raise RequestProblem(message, field=field) from None
    return features


def prepare(processor: Any, images: Sequence[Image], device: Any, field: str) -> tuple[list[Any], list[Batch]]:
    """`images` as batches of tensors, and a list with a RequestProblem at `field` for each that cannot be prepared.

    Each is prepared alone: padding to a common size would change what many models see.
    """
    problems: list[Any] = [None] * len(images)
    features: list[Any] = [None] * len(images)
    for index, image in enumerate(images):
        try:
            features[index] = prepared(processor, image, field)
        except RequestProblem as problem:
            problems[index] = problem
    return problems, alike(features, device)


def sizes(images: Sequence[Image]) -> list[tuple[int, int]]:
    """Height and width of each of `images`."""
    return [(image.height, image.width) for image in images]


def png(image: Image) -> Base64:
    """`image` as a PNG file in base64."""
    file = BytesIO()
    image.save(file, "PNG", compress_level=1)
    return Base64.of(file.getvalue())


class ImageModel(LocalModel):
    """A model that looks at images and nothing else."""

    max_batch = 8  # these models look at large pictures

    def load_processors(self) -> None:
        from transformers import AutoImageProcessor

        self._processor = self.processor(AutoImageProcessor)

    def infer(self, inputs: Sequence[Image], parameters: Any) -> Sequence[Any]:
        answers, batches = prepare(self._processor, inputs, self.device, self.binding.primary)
        for batch in batches:
            images = [inputs[position] for position in batch.positions]
            outputs = self.model(**batch.features)
            for position, answer in zip(batch.positions, self.answers(outputs, images, parameters), strict=True):
                answers[position] = answer
        return answers

    @abstractmethod
    def answers(self, outputs: Any, images: Sequence[Image], parameters: Any) -> Sequence[Any]:
        """One answer as JSON values for each of `images`, from the model's `outputs` for all of them."""
