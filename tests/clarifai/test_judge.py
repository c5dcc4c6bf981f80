"""Clarifai's own client asks every task that is served for it: the examples of the specs, of the demo models."""

from __future__ import annotations

import base64
import copy
import io
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import av
import httpx
import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
import soundfile
from clarifai_grpc.grpc.api.resources_pb2 import Data, Input, Model
from clarifai_grpc.grpc.api.service_pb2 import GetModelRequest
from google.protobuf.message import Message

from examples.demo import MODELS
from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime._sniff import sniff
from inference_tasks._runtime.clarifai.codes import Code
from inference_tasks._runtime.dialect import Wire
from inference_tasks._runtime.errors import InputError
from inference_tasks._runtime.forms import EACH, Path, complete
from inference_tasks._runtime.types import dump
from inference_tasks._runtime.validation import validate_response
from inference_tasks._tasks import TASKS
from inference_tasks.testing import accepts_request
from tests.docs.specs import Example, examples

from . import judge as judging
from .judge import Judge, alike

# Clarifai's client asks descriptors what protobuf will not tell much longer.
pytestmark = pytest.mark.filterwarnings("ignore:label:DeprecationWarning")

WIRES = DIALECTS["clarifai"].wires
DEFAULT_CONCEPTS = 20

KINDS = {
    "audio-classification": ("concepts", "audio-classifier"),
    "automatic-speech-recognition": ("text.raw", "audio-to-text"),
    "depth-estimation": ("heatmaps.base64", None),
    "document-question-answering": ("concepts", "multimodal-to-text"),
    "feature-extraction": ("embeddings.vector", "text-embedder"),
    "fill-mask": ("concepts", "text-classifier"),
    "image-classification": ("concepts", "visual-classifier"),
    "image-segmentation": ("regions.region_info.mask.image.base64", "visual-segmenter"),
    "image-to-image": ("image.base64", "text-to-image"),
    "image-to-text": ("text.raw", "image-to-text"),
    "object-detection": ("regions.region_info.bounding_box", "visual-detector"),
    "question-answering": ("text.raw", "text-to-text"),
    "sentence-similarity": ("embeddings.vector", "text-embedder"),
    "summarization": ("text.raw", "text-to-text"),
    "text-classification": ("concepts", "text-classifier"),
    "text-generation": ("text.raw", "text-to-text"),
    "text-to-audio": ("audio.base64", "text-to-audio"),
    "text-to-image": ("image.base64", "text-to-image"),
    "text-to-speech": ("audio.base64", "text-to-audio"),
    "token-classification": ("regions.region_info.span", "text-token-classifier"),
    "translation": ("text.raw", "text-to-text"),
    "video-classification": ("concepts", "visual-classifier"),
    "visual-question-answering": ("concepts", "multimodal-to-text"),
    "zero-shot-classification": ("concepts", "text-classifier"),
    "zero-shot-image-classification": ("concepts", "visual-classifier"),
}
"""What Clarifai answers for a task, and of which type its model is there: None where it has no such models."""


def asked(example: Example, base: str | None = None) -> dict[str, Any]:
    """The call that an example is, with its media at URLs of `base` if given; empty if it cannot be said so."""
    try:
        call: dict[str, Any] = WIRES[example.task].asked((example.by_url(base) if base else example).payload)
    except InputError:
        return {}
    return call


def settled(example: Example) -> Example:
    """An example that leaves as little to chance as its task allows: with a seed, or else without samples."""
    parameters = copy.deepcopy(example.parameters)
    parameters.pop("best_of", None)
    for name in ("do_sample", "temperature"):
        parameters.get("generation_parameters", {}).pop(name, None)
    for name, value in (("seed", 7), ("num_inference_steps", 2)):
        # Two steps make a picture too, and soon.
        added = replace(example, parameters=parameters | {name: value})
        parameters = added.parameters if accepts_request(example.task, added.payload) else parameters
    return replace(example, parameters=parameters)


ASKED = [settled(example) for example in examples().values() if example.task in WIRES and asked(example)]


def answer(judge: Judge, example: Example) -> Any:
    """What the task's own route says to the same, asked for so many labels as Clarifai's models tell."""
    payload = example.payload
    labels = judge.call(
        "GetModelOutputInfo", GetModelRequest(model_id=model_id(example))
    ).model.output_info.data.concepts
    for start, end in (pair for form in WIRES[example.task].requests for pair in form):
        if labels and end == ("params", "max_concepts"):
            assert start[0] == "parameters", start
            payload["parameters"] = {start[1]: DEFAULT_CONCEPTS, **payload.get("parameters", {})}
    response = httpx.post(
        f"{judge.url}/models/{model_id(example)}",
        json=payload,
        headers={"authorization": f"Bearer {judge.key}"},
        timeout=60,
        trust_env=False,
    )
    assert response.status_code == 200, response.text
    return response.json()


def model_id(example: Example) -> str:
    return MODELS.get(example.name, example.task)


def facts(example: Example, id: str) -> dict[str, Any]:
    known: dict[str, Any] = {"{id}": id}
    if WIRES[example.task].measured:
        (path,) = example.samples
        with PIL.Image.open(path) as image:
            known["{width}"], known["{height}"] = PIL.ImageOps.exif_transpose(image).size
    return known


def heard(example: Example, output: Any) -> Any:
    """What an output says, for a client of ours; as far as it says enough, that is a whole answer."""
    wire, binding = WIRES[example.task], TASKS[example.task]
    said = judging.written(output.data)
    if wire.missing:
        return wire.heard(said, lambda value: value, facts(example, output.id))
    return dump(wire.heard(said, lambda value: validate_response(binding, value), facts(example, output.id)))


def check(judge: Judge, example: Example, output: Any) -> None:
    """An output says all that the task's own route says, but for what its form has no place for."""
    assert output.status.code == Code.SUCCESS, output.status
    wire, expected = WIRES[example.task], answer(judge, example)
    # Some models of pictures are always left to chance: then it is a picture alike only in its size.
    by_chance = "seed" not in example.parameters and answer(judge, example) != expected
    complete(wire.defaults, expected, nulls=True)
    for place in left_out(heard(example, output), expected, within=1 if by_chance else 0.02):
        assert not named(wire, place), place


def left_out(one: Any, other: Any, here: Path = (), *, within: float) -> Iterator[Path]:
    """The places that only the other value has; all else must be the same, media as far as `within` says."""
    if isinstance(one, dict) and isinstance(other, dict):
        assert one.keys() <= other.keys()
        for name, value in other.items():
            if name in one:
                yield from left_out(one[name], value, (*here, name), within=within)
            else:
                yield *here, name
    elif isinstance(one, list) and isinstance(other, list):
        assert len(one) <= len(other)
        for index, pair in enumerate(zip(one, other, strict=False)):
            yield from left_out(*pair, (*here, index), within=within)
        yield from ((*here, index) for index in range(len(one), len(other)))
    else:
        same = alike(one, other) or near(one, other) or same_media(one, other, within)
        assert same, f"at {here}: {one!r:.80} is not {other!r:.80}"


def near(one: Any, other: Any) -> bool:
    """Whether two numbers are those of one model, which may have answered several requests together."""
    return isinstance(one, float) and isinstance(other, float) and math.isclose(one, other, abs_tol=1e-6)


def same_media(one: Any, other: Any, within: float) -> bool:
    """Whether two texts are media of one size, of which no sample or pixel differs by more: 1 is all there is."""
    try:
        first, second = (decoded(base64.b64decode(text, validate=True)) for text in (one, other))
    except (TypeError, ValueError):
        return False
    return first.shape == second.shape and float(np.abs(first - second).max(initial=0)) <= within


def decoded(data: bytes) -> Any:
    """The samples or pixels of a media file, of a range of 1. Raises ValueError."""
    kind = (sniff(data) or "").partition("/")[0]
    if kind == "audio":
        return soundfile.read(io.BytesIO(data))[0]
    if kind == "image":
        with PIL.Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"), dtype=float) / 255
    if kind == "video":
        with av.open(io.BytesIO(data)) as video:
            return np.stack([frame.to_ndarray(format="rgb24") / 255 for frame in video.decode(video=0)])
    raise ValueError("no media")


def named(wire: Wire, place: Path) -> bool:
    """Whether a form has something at, inside or around this place."""
    return any(
        all(step in (here, EACH) for step, here in zip(spec, place, strict=False))
        for form in wire.answers
        for spec, _ in form
    )


def says(message: Message, path: str) -> bool:
    """Whether a message has what this path leads to, in lists by their first items; an empty one leads nowhere."""
    if not path:
        return True
    name, _, rest = path.partition(".")
    value = {field.name: value for field, value in message.ListFields()}.get(name)
    if message.DESCRIPTOR.fields_by_name[name].is_repeated:
        value = value[0] if value else None
    return value is not None and (not rest or says(value, rest))


def given(example: Example, base: str | None = None, id: str = "") -> tuple[Input, Model]:
    """An example as an input, and the options that go with it."""
    return Input(id=id, data=judging.data(asked(example, base)["data"])), judging.parsed(
        judging.options(options(example)), Model
    )


def options(example: Example) -> dict[str, Any]:
    """What the call of an example has beside its input."""
    params: dict[str, Any] = asked(example).get("params", {})
    return params


def test_all_that_clarifai_has_a_form_for_is_served() -> None:
    assert KINDS.keys() <= WIRES.keys()
    assert {example.task for example in ASKED} == set(WIRES)


@pytest.mark.parametrize("example", ASKED, ids=lambda example: f"{example.task}/{example.name}")
def test_examples_are_answered_as_by_their_own_route(judge: Judge, example: Example) -> None:
    input, model = given(example, id="mine")
    response = judge.outputs(model_id(example), input, model=model)
    assert (judge.status, response.status.code) == (200, Code.SUCCESS), judge.json
    (output,) = response.outputs
    assert output.input.id == "mine"
    assert output.model.id == model_id(example)
    assert b"".join(medium.base64 for medium in media(output.input.data)) == b"", "bytes are not echoed"
    check(judge, example, output)
    form, type_id = KINDS.get(example.task, ("", None))
    assert type_id in (None, output.model.model_type_id)
    # The answer to an input in parts may be in parts.
    found = [output.data, *(part.data for part in output.data.parts if input.data.parts)]
    assert any(says(data, form) for data in found) or output.data == Data(), "the answer is of another kind"


def media(data: Any) -> list[Any]:
    return [data.image, data.audio, data.video]


@pytest.mark.parametrize(
    "example", {one.task: one for one in ASKED if one.samples}.values(), ids=lambda example: example.task
)
def test_examples_are_fetched(judge: Judge, example: Example) -> None:
    input, model = given(example, judge.url)
    urls = [medium.url for medium in media(input.data) if medium.url]
    assert urls, "the example has a medium"
    (output,) = judge.outputs(model_id(example), input, model=model).outputs
    assert [medium.url for medium in media(output.input.data) if medium.url] == urls
    check(judge, example, output)


@pytest.mark.parametrize("task", sorted(WIRES))
def test_several_inputs_are_answered_in_their_order(judge: Judge, task: str) -> None:
    first, *others = [one for one in ASKED if one.task == task]
    # What is a parameter there is the same for all of them.
    alike = [replace(one, parameters=first.parameters) for one in others if model_id(one) == task]
    same = [one for one in alike if asked(one).keys() == asked(first).keys() and options(one) == options(first)]
    said = [first, *same, first]
    inputs = [given(example, id=f"input-{index}")[0] for index, example in enumerate(said)]
    response = judge.outputs(task, *inputs, model=given(first)[1])
    assert response.status.code == Code.SUCCESS
    assert [output.input.id for output in response.outputs] == [input.id for input in inputs]
    assert len({output.id for output in response.outputs}) == len(inputs)
    for example, output in zip(said, response.outputs, strict=True):
        check(judge, example, output)


def test_texts_are_fetched(judge: Judge, site: Any) -> None:
    url = site("/review.txt", b"What a wonderful film!")
    by_url, raw = [
        judge.outputs("text-classification", Input(data=judging.parsed({"text": text}, Data)))
        for text in ({"url": url}, {"raw": "What a wonderful film!"})
    ]
    assert by_url.outputs[0].input.data.text.url == url
    assert by_url.outputs[0].data == raw.outputs[0].data


def test_a_video_is_answered_in_frames(judge: Judge) -> None:
    example = next(one for one in ASKED if one.task == "video-classification")
    (path,) = example.samples
    input = Input(data=judging.parsed({"video": {"url": f"{judge.url}/samples/{example.task}/{path.name}"}}, Data))
    model = judging.parsed(judging.options({"sample_ms": 500, "max_concepts": 2}), Model)
    for task in ("image-classification", "video-classification"):
        (output,) = judge.outputs(task, input, model=model).outputs
        frames = output.data.frames
        assert [frame.frame_info.index for frame in frames] == list(range(len(frames)))
        assert [frame.frame_info.time for frame in frames[:-1]] == [250 + 500 * n for n in range(len(frames) - 1)]
        assert len(frames) > 1
        assert all(len(frame.data.concepts) == 2 for frame in frames)
