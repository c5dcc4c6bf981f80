"""From a classifier's outputs to labels and scores: common to text, images and audio."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from .labels import LabelledModel

if TYPE_CHECKING:
    import torch


class Classifier(LabelledModel):
    """A model with one output a label."""

    default_top_k: int | None = 5
    """How many labels are answered unless the request says so; None for all."""

    @cached_property
    def default_function(self) -> str:
        """What makes scores of the outputs if the request does not say: what the model was trained with."""
        config = self.model.config
        if config.problem_type == "regression":
            return "none"
        if config.problem_type == "multi_label_classification" or config.num_labels == 1:
            return "sigmoid"
        return "softmax"

    def answers(self, logits: torch.Tensor, parameters: Any) -> list[list[dict[str, Any]]]:
        """For each row of `logits` (items x labels) the best labels, best first."""
        import torch

        function = parameters.function_to_apply or self.default_function
        if function == "softmax":
            logits = torch.softmax(logits, dim=-1)
        elif function == "sigmoid":
            logits = torch.sigmoid(logits)
        wanted = parameters.top_k or self.default_top_k or logits.shape[-1]
        best = torch.topk(logits, min(wanted, logits.shape[-1]), dim=-1)
        names = self.model.config.id2label
        return [
            [{"label": str(names[index]), "score": score} for index, score in zip(labels, scores, strict=True)]
            for labels, scores in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]
