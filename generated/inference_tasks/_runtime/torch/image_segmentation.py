"""image-segmentation: models that name each point (SegFormer and others), and DETR, MaskFormer and Mask2Former."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..server.handler import Image, RequestProblem
from .base import ModelDirectoryError
from .labels import LabelledModel
from .pictures import ImageModel, png

if TYPE_CHECKING:
    import torch

MASK_MODELS = ("detr", "mask2former", "maskformer")
PREFERRED = ("panoptic", "instance", "semantic")
DEFAULT_THRESHOLD = 0.9
DEFAULT_MASK_THRESHOLD = 0.5
DEFAULT_OVERLAP = 0.5
MAX_VALUES = 1 << 28
MASK2FORMER_SIZE = (384, 384)


class Segment(NamedTuple):
    """A label's number, the model's score if it gives one, and a boolean tensor (rows x columns) of its points."""

    label: int
    score: float | None
    points: torch.Tensor


class ImageSegmentation(ImageModel, LabelledModel):
    """Images in, segments with masks out.

    Without ``mask_threshold`` each point belongs to the segment that is surest of it. With it, a point also has to
    reach the threshold. Masks are computed on at most 2²⁸ values (classes or queries times points) and enlarged from
    there, so that a large image cannot exhaust the memory.
    """

    def auto_class(self) -> Any:
        from transformers import AutoModelForSemanticSegmentation, AutoModelForUniversalSegmentation

        kind = json.loads((self.directory / "config.json").read_bytes()).get("model_type")
        return AutoModelForUniversalSegmentation if kind in MASK_MODELS else AutoModelForSemanticSegmentation

    def load_processors(self) -> None:
        super().load_processors()
        self._kind = self.model.config.model_type
        self._subtasks = PREFERRED if self._kind in MASK_MODELS else ("semantic",)
        if not hasattr(self._processor, "post_process_semantic_segmentation"):
            raise ModelDirectoryError(f"{self.directory}: its image processor does not tell segments")

    def infer(self, inputs: Sequence[Image], parameters: Any) -> Sequence[Any]:
        refusal = self._refusal(parameters)
        return [refusal] * len(inputs) if refusal is not None else super().infer(inputs, parameters)

    def answers(self, outputs: Any, images: Sequence[Image], parameters: Any) -> Sequence[Any]:
        names = self.model.config.id2label
        segments = self._segments(parameters)
        return [
            [
                {"label": str(names[segment.label]), "score": segment.score, "mask": _mask(segment.points, image)}
                for segment in segments(_row(outputs, index), image, parameters)
            ]
            for index, image in enumerate(images)
        ]

    def _subtask(self, parameters: Any) -> str:
        return str(parameters.subtask or self._subtasks[0])

    def _refusal(self, parameters: Any) -> RequestProblem | None:
        subtask = self._subtask(parameters)
        if subtask not in self._subtasks:
            message = f"is not supported by this model, which can do {', '.join(self._subtasks)}"
            return RequestProblem(message, field="parameters.subtask")
        useless: tuple[str, ...] = ()
        if subtask == "semantic":
            useless = ("threshold", "mask_threshold", "overlap_mask_area_threshold")
        elif self._by_classes(subtask):
            useless = ("mask_threshold", "overlap_mask_area_threshold")
        for name in useless:
            if getattr(parameters, name) is not None:
                message = f"does not apply to the subtask {subtask!r} of this model"
                return RequestProblem(message, field=f"parameters.{name}")
        return None

    def _by_classes(self, subtask: str) -> bool:
        """Whether instances are taken from all pairs of a query and a class, as those models' own evaluation does."""
        return subtask == "instance" and self._kind != "detr"

    def _segments(self, parameters: Any) -> Callable[[Any, Image, Any], Iterator[Segment]]:
        subtask = self._subtask(parameters)
        if subtask == "semantic":
            return self._semantic
        return self._instances if self._by_classes(subtask) else self._surest

    def _semantic(self, outputs: Any, image: Image, parameters: Any) -> Iterator[Segment]:
        """One segment for each class that some point has."""
        size = _computed_size(image, len(self.model.config.id2label))
        found = self._processor.post_process_semantic_segmentation(outputs, target_sizes=[size])[0]
        for label in found.unique().tolist():
            yield Segment(label, None, found == label)

    def _instances(self, outputs: Any, image: Image, parameters: Any) -> Iterator[Segment]:
        size = _computed_size(image, outputs.class_queries_logits.shape[1])
        found = self._processor.post_process_instance_segmentation(
            outputs, threshold=_given(parameters.threshold, DEFAULT_THRESHOLD), target_sizes=[size]
        )[0]
        for segment in found["segments_info"]:
            yield Segment(segment["label_id"], segment["score"], found["segmentation"] == segment["id"])

    def _surest(self, outputs: Any, image: Image, parameters: Any) -> Iterator[Segment]:
        """Each point goes to the query that is surest of it; queries left with too little of theirs are dropped."""
        import torch.nn.functional as functional

        logits, masks = _queries(outputs)
        if self._kind == "mask2former":
            masks = functional.interpolate(masks, size=MASK2FORMER_SIZE, mode="bilinear", align_corners=False)
        scores, labels = logits[0].softmax(dim=-1).max(dim=-1)
        nothing = logits.shape[-1] - 1
        kept = (labels != nothing) & (scores > _given(parameters.threshold, DEFAULT_THRESHOLD))
        if not kept.any():
            return
        scores, labels, masks = scores[kept], labels[kept], masks[:, kept].sigmoid()
        size = _computed_size(image, len(scores))
        values = functional.interpolate(masks, size=size, mode="bilinear", align_corners=False)[0]
        values = values * scores[:, None, None]
        owner = values.argmax(dim=0)
        for query, (label, score) in enumerate(zip(labels.tolist(), scores.tolist(), strict=True)):
            reached = values[query] >= _given(parameters.mask_threshold, DEFAULT_MASK_THRESHOLD)
            points = owner == query
            if parameters.mask_threshold is not None:
                points = points & reached
            left, whole = int(points.sum()), int(reached.sum())
            if left and whole and left / whole > _given(parameters.overlap_mask_area_threshold, DEFAULT_OVERLAP):
                yield Segment(label, round(score, 6), points)


def _given(value: float | None, default: float) -> float:
    return default if value is None else float(value)


def _row(outputs: Any, index: int) -> Any:
    """The model's outputs for one image of a batch, on the CPU: processors compute there."""
    wanted = ("logits", "pred_masks", "class_queries_logits", "masks_queries_logits")
    return SimpleNamespace(**{name: outputs[name][index : index + 1].cpu() for name in wanted if name in outputs})


def _queries(outputs: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """What each query says of classes (1 x queries x classes + 1) and of points (1 x queries x rows x columns)."""
    if hasattr(outputs, "pred_masks"):
        return outputs.logits, outputs.pred_masks
    return outputs.class_queries_logits, outputs.masks_queries_logits


def _computed_size(image: Image, channels: int) -> tuple[int, int]:
    """Height and width at which masks of `channels` are computed: the image's, unless that is too much."""
    shrink = min(1.0, math.sqrt(MAX_VALUES / (channels * image.width * image.height)))
    return max(1, int(image.height * shrink)), max(1, int(image.width * shrink))


def _mask(points: torch.Tensor, image: Image) -> str:
    import PIL.Image

    picture = PIL.Image.fromarray(points.numpy()).convert("L")
    if picture.size != image.size:
        picture = picture.resize(image.size, PIL.Image.Resampling.NEAREST)
    return png(picture)
