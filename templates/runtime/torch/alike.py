"""Batches in which no item changes its neighbour's answer: only features of one shape go together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Batch:
    """Features of some items, stacked along the first dimension: `positions` says which items."""

    positions: list[int]
    features: dict[str, Any]


def alike(items: Sequence[Mapping[str, Any] | None], device: Any) -> list[Batch]:
    """The features of `items` (tensors with one row each) in as few batches as their shapes allow, on `device`.

    None stands for an item without features, which gets into no batch.
    """
    import torch

    groups: dict[Any, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    for position, item in enumerate(items):
        if item is not None:
            shapes = tuple(sorted((name, tuple(tensor.shape)) for name, tensor in item.items()))
            groups[shapes].append((position, item))
    return [
        Batch(
            [position for position, _ in group],
            {name: torch.cat([item[name] for _, item in group]).to(device) for name, _ in shapes},
        )
        for shapes, group in groups.items()
    ]
