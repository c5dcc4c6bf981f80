"""tabular-classification and tabular-regression with a small network over numbers and categories.

Libraries for tables keep their models as pickles, which can run code. So this package defines a directory of its own:

``config.json``
    ``{"model_type": "tabular", "columns": [...], "hidden_sizes": [16, 8], "activation": "relu", ...}``

    Each of ``columns`` is ``{"name": "weight_kg", "mean": 1100.0, "scale": 320.0}``, which becomes the one feature
    (value - mean) / scale, or ``{"name": "district", "categories": ["Old Town", "Harbour"]}``, which becomes one
    feature for each category: 1 for the value's own, 0 for the others. The features are joined in the order of the
    columns. ``activation`` is ``relu``, ``tanh`` or ``gelu``. An empty ``hidden_sizes`` makes a linear model.

    For classification there are ``classes``, texts or integers, one for each output of the network. For regression
    there is ``target``: ``{"mean": 20.5, "scale": 6.0}``, and the answer is output * scale + mean.
``model.safetensors``
    ``layers.0.weight`` (outputs x inputs) and ``layers.0.bias``, ``layers.1.weight``, …: one pair for each hidden layer
    and one for the outputs, all in float32. The activation follows each but the last.
"""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..server.handler import RequestProblem
from .base import ModelDirectoryError, TorchModel

if TYPE_CHECKING:
    import torch

MAX_ROWS = 100_000
ACTIVATIONS = {"relu": "ReLU", "tanh": "Tanh", "gelu": "GELU"}
SHOWN = 40


class Column:
    """One column: how its values become features."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self.name = str(described["name"])
        self._categories = None if "categories" not in described else [_text(one) for one in described["categories"]]
        self._mean = float(described.get("mean", 0.0))
        self._scale = float(described.get("scale", 1.0))
        self.width = 1 if self._categories is None else len(self._categories)
        if not self.width or not math.isfinite(self._mean) or not math.isfinite(self._scale) or not self._scale:
            raise ValueError("needs at least one category, or a finite mean and a finite scale other than 0")

    def features(self, value: float | str) -> list[float]:
        """The features of `value`. Raises ValueError, which says what is wrong with it."""
        if self._categories is not None:
            text = _text(value)
            if text not in self._categories:
                known = ", ".join(self._categories[:10]) + (", …" if self.width > 10 else "")
                raise ValueError(f"{text[:SHOWN]!r} is none of {known}")
            return [float(text == category) for category in self._categories]
        try:
            number = (float(value) - self._mean) / self._scale
        except (ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise ValueError(f"{str(value)[:SHOWN]!r} is no number")
        return [number]


class Tabular(TorchModel):
    """Tables in, one value for each row out; the rows of several tables go through the network together."""

    def load_model(self) -> None:
        """Load the network. Raises ModelDirectoryError for files that do not fit each other."""
        from safetensors.torch import load_file
        from torch import nn

        try:
            config = json.loads((self.directory / "config.json").read_bytes())
            if config["model_type"] != "tabular":
                raise ValueError("model_type is not 'tabular'")
            self._columns = [Column(described) for described in config["columns"]]
            sizes = [sum(column.width for column in self._columns), *config["hidden_sizes"], self.configure(config)]
            activation = getattr(nn, ACTIVATIONS[config.get("activation", "relu")])
            layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(sizes))
            weights = load_file(self.directory / "model.safetensors")
            layers.load_state_dict({name.removeprefix("layers."): tensor for name, tensor in weights.items()})
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
            raise ModelDirectoryError(f"{self.directory}: is no model for tables: {error!r}"[:1000]) from None
        joined = [part for layer in layers for part in (layer, activation())][:-1]
        self.model = nn.Sequential(*joined).eval().to(self.device, self.placement.torch_dtype)
        self.placement.prepare(self.model)

    def infer(self, inputs: Sequence[Any], parameters: Any) -> Sequence[Any]:
        import torch

        tables = [self._features(table.data) for table in inputs]
        rows = [row for table in tables if not isinstance(table, RequestProblem) for row in table]
        values: list[Any] = []
        if rows:
            values = self.values(self.model(torch.tensor(rows, device=self.device)))
        answers: list[Any] = []
        start = 0
        for table in tables:
            if isinstance(table, RequestProblem):
                answers.append(table)
            else:
                answers.append(values[start : start + len(table)])
                start += len(table)
        return answers

    def _features(self, data: Mapping[str, Sequence[float | str]]) -> list[list[float]] | RequestProblem:
        """A row of features for each row of the table, or why there is none."""
        field = f"{self.binding.primary}.data"
        names = {column.name for column in self._columns}
        for problem, found in (
            ("lacks the columns", names - data.keys()),
            ("has unknown columns", data.keys() - names),
        ):
            if found:
                shown = ", ".join(repr(name[:SHOWN]) for name in sorted(found)[:10])
                return RequestProblem(f"{problem} {shown}", field=field)
        lengths = {len(values) for values in data.values()}
        if len(lengths) > 1:
            return RequestProblem("has columns of different lengths", field=field)
        if max(lengths) > MAX_ROWS:
            return RequestProblem(f"has more than {MAX_ROWS} rows", field=field)
        features: list[list[float]] = [[] for _ in range(max(lengths))]
        for column in self._columns:
            for index, value in enumerate(data[column.name]):
                try:
                    features[index] += column.features(value)
                except ValueError as error:
                    return RequestProblem(str(error), field=f"{field}.{column.name}.{index}")
        return features

    @abstractmethod
    def configure(self, config: Mapping[str, Any]) -> int:
        """Read the task's own part of the configuration; returns how many outputs the network has."""

    @abstractmethod
    def values(self, outputs: torch.Tensor) -> list[Any]:
        """The value of each row as JSON, from `outputs` (rows x outputs)."""


class TabularClassification(Tabular):
    """The class of every row: that with the largest output."""

    def configure(self, config: Mapping[str, Any]) -> int:
        """Read the classes."""
        self._classes: list[str | int] = list(config["classes"])
        if not self._classes or not all(type(name) in (str, int) for name in self._classes):
            raise ValueError("classes must be texts or integers")
        return len(self._classes)

    def values(self, outputs: torch.Tensor) -> list[Any]:
        return [self._classes[index] for index in outputs.argmax(dim=-1).tolist()]


class TabularRegression(Tabular):
    """The number for every row."""

    def configure(self, config: Mapping[str, Any]) -> int:
        """Read what the outputs are scaled with."""
        self._mean = float(config["target"]["mean"])
        self._scale = float(config["target"]["scale"])
        return 1

    def values(self, outputs: torch.Tensor) -> list[Any]:
        numbers: list[Any] = (outputs[:, 0].double() * self._scale + self._mean).tolist()
        return numbers


def _text(value: float | str) -> str:
    """`value` as a category: whole numbers look the same however they are written in JSON."""
    return str(int(value)) if not isinstance(value, str) and value == int(value) else str(value)
