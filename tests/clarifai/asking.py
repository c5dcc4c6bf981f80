"""What the Clarifai tests share: handlers whose answers can be foreseen, and how they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from inference_tasks.models.image_classification import ImageClassificationOutputElement, ImageClassificationParameters
from inference_tasks.models.object_detection import ObjectDetectionOutputElement, ObjectDetectionParameters
from inference_tasks.models.text_classification import TextClassificationOutputElement, TextClassificationParameters
from inference_tasks.server import (
    Image,
    ImageClassificationHandler,
    ObjectDetectionHandler,
    RequestProblem,
    SentenceSimilarityHandler,
    TextClassificationHandler,
)
from tests.server.live import Gate, Live

LABELS = ("cat", "dog", "fox", "none")
GERMAN = {"cat": "Katze", "dog": "Hund", "fox": "Fuchs"}


class Scores(TextClassificationHandler):
    """Answers the labels and scores that a text holds, ``dog=0.5 cat=0.9``: the `top_k` highest, in that order."""

    labels: Sequence[str] = LABELS
    label_names = {"de": GERMAN}  # noqa: RUF012 - as one writes it

    def __init__(self, gate: Gate | None = None, **attributes: Any) -> None:
        self.gate = gate or Gate()
        self.batches: list[list[str]] = []
        for name, value in attributes.items():
            setattr(self, name, value)

    def __call__(self, inputs: str, parameters: TextClassificationParameters) -> list[TextClassificationOutputElement]:
        if inputs == "hold":
            self.gate()
        if inputs == "crash":
            raise ValueError("secret detail")
        if inputs == "fail":
            raise RequestProblem("the disk is full", status=507)
        if inputs == "refuse":
            raise RequestProblem("is refused", field="inputs")
        pairs = [pair.split("=") for pair in inputs.split() if "=" in pair]
        best = sorted(pairs, key=lambda pair: -float(pair[1]))[: parameters.top_k]
        return [TextClassificationOutputElement(label=pair[0], score=float(pair[1])) for pair in pairs if pair in best]

    def batch(self, inputs: Any, parameters: Any) -> Any:
        self.batches.append(list(inputs))
        return super().batch(inputs, parameters)


class Shown(ImageClassificationHandler):
    """Answers the size of a picture and the colour of its first pixel."""

    def __call__(
        self, inputs: Image, parameters: ImageClassificationParameters
    ) -> list[ImageClassificationOutputElement]:
        label = f"{inputs.width}x{inputs.height} {inputs.getpixel((0, 0))}"
        return [ImageClassificationOutputElement(label=label, score=0.5)]


class Boxes(ObjectDetectionHandler):
    """Finds a cat in the left half of every picture, and a dog in its lower right quarter."""

    labels: Sequence[str] = LABELS

    def __call__(self, inputs: Image, parameters: ObjectDetectionParameters) -> list[ObjectDetectionOutputElement]:
        width, height = inputs.size
        found = [
            ("dog", 0.4, width // 2, height // 2, width, height),
            ("cat", 0.9, 0, 0, width // 2, height),
        ]
        return [
            ObjectDetectionOutputElement.model_validate(
                {"label": label, "score": score, "box": {"xmin": left, "ymin": top, "xmax": right, "ymax": bottom}}
            )
            for label, score, left, top, right, bottom in found
            if score > (parameters.threshold or 0)
        ]


class Alike(SentenceSimilarityHandler):
    """Answers how long each sentence is, in parts of a thousand."""

    def __call__(self, inputs: Any, *_: Any) -> list[float]:
        return [len(sentence) / 1000 for sentence in inputs.sentences]


def texts(*said: str) -> list[dict[str, Any]]:
    """Inputs of these texts."""
    return [{"data": {"text": {"raw": text}}} for text in said]


def predict(
    live: Live, name: str, inputs: Any, options: dict[str, Any] | None = None, **members: Any
) -> httpx.Response:
    """The answer to a call of the model of this `name`, with `options` where the newest clients have them."""
    body: dict[str, Any] = {"inputs": inputs, **members}
    if options is not None:
        body["model"] = {"model_version": {"output_info": {"params": options}}}
    return live.post(f"/v2/models/{name}/outputs", json=body)


def codes(answer: httpx.Response) -> tuple[int, list[int]]:
    """The status of the call and those of its outputs."""
    body = answer.json()
    return body["status"]["code"], [output["status"]["code"] for output in body.get("outputs", [])]


def details(answer: httpx.Response) -> str:
    """What is said of the call, or of its first output."""
    body = answer.json()
    own: str = body["status"].get("details", "")
    return own or str(body["outputs"][0]["status"].get("details", ""))


def concepts(answer: httpx.Response, output: int = 0) -> list[tuple[str, float]]:
    """The names and values of an output's concepts."""
    data = answer.json()["outputs"][output]["data"]
    return [(concept["name"], concept["value"]) for concept in data.get("concepts", [])]
