"""Claim: validating costs at most 1.3 times what a model of the same shape does that a person wrote with pydantic.

A typical request and a response of 1,000 elements, as Python values and as JSON. The two take turns; the figure is the
median of the ratios.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any, Literal

import measure
from pydantic import BaseModel, Field, TypeAdapter

from inference_tasks._tasks import IMAGE_CLASSIFICATION, OBJECT_DETECTION, TEXT_CLASSIFICATION

TURNS = 31
TARGET = 1.3


class Parameters(BaseModel):
    """What a person would write for the parameters of text classification."""

    function_to_apply: Literal["sigmoid", "softmax", "none"] | None = None
    top_k: int | None = Field(default=None, ge=1)


class Request(BaseModel):
    """The same for its request."""

    inputs: str
    parameters: Parameters | None = None


class Label(BaseModel):
    """The same for an element of its response."""

    label: str
    score: float


class Box(BaseModel):
    """The same for the box of a detected object."""

    xmin: int
    ymin: int
    xmax: int
    ymax: int


class Detected(BaseModel):
    """The same for a detected object."""

    label: str
    score: float = Field(ge=0, le=1)
    box: Box


def cost(run: Callable[[], Any], times: int) -> float:
    """Seconds of CPU that one of `times` runs takes."""
    start = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - start) / times


def compare(name: str, ours: TypeAdapter[Any], theirs: TypeAdapter[Any], payload: Any, times: int) -> None:
    """Print the ratios for one payload, of which both models must make the same."""
    text = json.dumps(payload).encode()
    assert ours.dump_python(ours.validate_python(payload), exclude_unset=True, by_alias=True) == payload
    assert theirs.dump_python(theirs.validate_python(payload), exclude_unset=True) == payload
    for path, pair in (
        ("Python", (lambda: ours.validate_python(payload), lambda: theirs.validate_python(payload))),
        ("JSON", (lambda: ours.validate_json(text), lambda: theirs.validate_json(text))),
    ):
        costs = [(cost(pair[0], times), cost(pair[1], times)) for _ in range(TURNS)]
        ratio = statistics.median(a / b for a, b in costs)
        micros = statistics.median(a for a, _ in costs) * 1e6
        measure.report(f"{name}, {path} ({micros:.1f} µs)", ratio, TARGET, "x")


random.seed(0)
request = {"inputs": "What a wonderful film!", "parameters": {"function_to_apply": "softmax", "top_k": 3}}
labels = [{"label": f"class {i}", "score": random.random()} for i in range(1000)]
objects = [
    {"label": f"class {i}", "score": random.random(), "box": {"xmin": i, "ymin": 2, "xmax": i + 9, "ymax": 7}}
    for i in range(1000)
]
compare("request", TEXT_CLASSIFICATION.input_adapter, TypeAdapter(Request), request, 4000)
compare("1,000 labels", IMAGE_CLASSIFICATION.output_adapter, TypeAdapter(list[Label]), labels, 20)
compare("1,000 objects", OBJECT_DETECTION.output_adapter, TypeAdapter(list[Detected]), objects, 8)
