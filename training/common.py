"""What every trainer needs: seeding, fitting, saving, and one way to report figures."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

Batch = Mapping[str, Tensor]
"""Keyword arguments of a model's forward pass, labels included."""


class Saveable(Protocol):
    """A model, tokenizer, processor or feature extractor."""

    def save_pretrained(self, save_directory: str, /) -> Any: ...


@dataclass
class Report:
    """What a trainer measured: figures on unseen data, and the answers to the sample inputs."""

    task: str
    figures: dict[str, float]
    answers: dict[str, str]
    misses: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [self.task]
        lines += [f"  {name}: {value:.3f}" for name, value in self.figures.items()]
        lines += [f"  sample {name}: {answer}" for name, answer in self.answers.items()]
        lines += [f"  missed {miss}" for miss in self.misses]
        return "\n".join(lines)


def seed_everything(seed: int) -> None:
    """Seed each generator that the libraries below draw from."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def label_maps(names: Sequence[str]) -> dict[str, Any]:
    """Config arguments that name a classifier's outputs."""
    return {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}}


def fit(
    model: torch.nn.Module,
    batches: Iterable[Batch],
    *,
    steps: int,
    learning_rate: float,
    loss: Callable[[torch.nn.Module, Batch], Tensor] | None = None,
    weight_decay: float = 0.01,
) -> None:
    """Train ``model`` for exactly ``steps`` batches: AdamW, one learning-rate cycle, clipped gradients.

    The loss is the one the model computes from its ``labels``, unless ``loss`` is given.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps, pct_start=0.15)
    model.train()
    source = iter(batches)
    for _ in range(steps):
        batch = next(source)
        value: Tensor = model(**batch).loss if loss is None else loss(model, batch)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()


def save(directory: Path, *parts: Saveable) -> None:
    """Make ``directory`` hold exactly the files of these parts, and nothing of an earlier training."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        fresh = Path(scratch) / "model"
        for part in parts:
            part.save_pretrained(str(fresh))
        for file in fresh.iterdir():
            file.chmod(0o644)  # safetensors makes its files private
        if directory.exists():
            shutil.rmtree(directory)
        fresh.rename(directory)


def examples(samples: Path, task: str) -> Path:
    """The folder that holds a task's sample inputs."""
    folder = samples / task / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def accuracy(predicted: Iterable[object], expected: Iterable[object]) -> float:
    """Share of the predictions that are right."""
    hits = [one == other for one, other in zip(predicted, expected, strict=True)]
    return sum(hits) / len(hits)
