"""Demo models for tables of numbers and categories; each knows the columns of one table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file


def table(
    directory: Path,
    columns: Sequence[Mapping[str, Any]],
    *,
    hidden: Sequence[int] = (8,),
    seed: int = 0,
    **options: Any,
) -> Path:
    """A model for tables with `columns`; `options` are the rest of its configuration."""
    features = sum(len(column.get("categories", "1")) for column in columns)
    sizes = [features, *hidden, len(options.get("classes", "1"))]
    config = {"model_type": "tabular", "columns": list(columns), "hidden_sizes": list(hidden), **options}
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for index, (before, after) in enumerate(pairwise(sizes)):
        weights[f"layers.{index}.weight"] = torch.randn(after, before, generator=generator)
        weights[f"layers.{index}.bias"] = torch.randn(after, generator=generator)
    save_file(weights, directory / "model.safetensors")
    return directory


def _number(name: str, mean: float, scale: float) -> dict[str, Any]:
    return {"name": name, "mean": mean, "scale": scale}


def flowers(directory: Path) -> Path:
    """tabular-classification: irises."""
    columns = [
        _number("sepal_length_cm", 5.8, 0.8),
        _number("sepal_width_cm", 3.1, 0.4),
        _number("petal_length_cm", 3.8, 1.8),
        _number("petal_width_cm", 1.2, 0.8),
    ]
    return table(directory, columns, classes=["setosa", "versicolor", "virginica"])


def parts(directory: Path) -> Path:
    """tabular-classification: parts of a machine, good (0) or not (1)."""
    columns = [
        {"name": "material", "categories": ["steel", "brass", "copper"]},
        _number("diameter_mm", 12.0, 0.2),
        _number("scratches", 2.0, 2.0),
    ]
    return table(directory, columns, classes=[0, 1])


def cars(directory: Path) -> Path:
    """tabular-regression: how many litres cars need for 100 km."""
    columns = [_number("horsepower", 105.0, 38.0), _number("weight_kg", 1350.0, 390.0), _number("cylinders", 5.5, 1.7)]
    return table(directory, columns, target={"mean": 11.0, "scale": 3.0})


def flats(directory: Path) -> Path:
    """tabular-regression: what flats cost."""
    columns = [
        {"name": "district", "categories": ["Old Town", "Harbour", "Hill"]},
        _number("area_m2", 65.0, 25.0),
        _number("rooms", 2.5, 1.0),
    ]
    return table(directory, columns, target={"mean": 280_000.0, "scale": 90_000.0})
