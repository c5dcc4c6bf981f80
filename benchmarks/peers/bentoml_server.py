"""A model behind BentoML: ``bentoml serve bentoml_server:Classifier``, with TASK and DIRECTORY in the environment.

As its documentation has it for throughput: adaptive batching, for which a request brings a list, here of one.
"""

from __future__ import annotations

import os
from typing import Any

import bentoml
from model import load


@bentoml.service(workers=1, traffic={"timeout": 60})
class Classifier:
    """Takes ``{"inputs": [text]}``."""

    def __init__(self) -> None:
        self.model = load(os.environ["TASK"], os.environ["DIRECTORY"])

    @bentoml.api(batchable=True, max_batch_size=32)
    def predict(self, inputs: list[str]) -> list[Any]:
        return self.model(inputs)
