"""Configurations and weights of models that were never trained."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch

SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


def labelled(*names: str) -> dict[str, Any]:
    """Configuration of a classifier with the labels `names`."""
    return {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}


def spread(model: Any, scale: float | None = 0.3, seed: int = 3) -> Any:
    """`model` with weights so far apart that different inputs get clearly different answers.

    Matrices get the standard deviation `scale`; if it is None, one that keeps the size of what goes through them. The
    numbers come from `seed` alone: other threads may draw from torch's own generator meanwhile.
    """
    matrices, vectors = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                own = 1 / math.sqrt(parameter[0].numel())
                parameter.normal_(0, own if scale is None else scale, generator=matrices)
            elif parameter.numel() and not bool((parameter == parameter.view(-1)[0]).all()):
                parameter.normal_(0, 0.1, generator=vectors)  # it was drawn; zeros and ones are meant
    return model


def save(directory: Path, *parts: Any) -> Path:
    """Save a model and its processors in `directory`."""
    for part in parts:
        part.save_pretrained(directory)
    return directory
