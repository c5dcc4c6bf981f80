"""object-detection with any model of AutoModelForObjectDetection whose processor tells boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import Image
from .base import ModelDirectoryError
from .labels import LabelledModel
from .pictures import ImageModel, sizes

DEFAULT_THRESHOLD = 0.5


class ObjectDetection(ImageModel, LabelledModel):
    """Images in, objects that score above ``threshold`` (0.5 unless the request says so) out, in the model's order."""

    def auto_class(self) -> Any:
        from transformers import AutoModelForObjectDetection

        return AutoModelForObjectDetection

    def load_processors(self) -> None:
        super().load_processors()
        if not hasattr(self._processor, "post_process_object_detection"):
            raise ModelDirectoryError(f"{self.directory}: its image processor does not tell boxes of objects")

    def answers(self, outputs: Any, images: Sequence[Image], parameters: Any) -> Sequence[Any]:
        threshold = DEFAULT_THRESHOLD if parameters.threshold is None else float(parameters.threshold)
        found = self._processor.post_process_object_detection(outputs, threshold=threshold, target_sizes=sizes(images))
        names = self.model.config.id2label
        return [
            [
                {"label": str(names[label]), "score": score, "box": bounding_box(box)}
                for label, score, box in zip(
                    objects["labels"].tolist(), objects["scores"].tolist(), objects["boxes"].tolist(), strict=True
                )
            ]
            for objects in found
        ]


def bounding_box(corners: Sequence[float]) -> dict[str, int]:
    """The rectangle from left, top, right and bottom in pixels, cut to whole ones."""
    return dict(zip(("xmin", "ymin", "xmax", "ymax"), map(int, corners), strict=True))
