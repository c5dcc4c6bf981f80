"""Our own client against a server of ours, both in Clarifai's dialect: the answers are those of the server's own."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from examples.demo import MODELS
from inference_tasks import (
    AsyncClient,
    AuthenticationError,
    BadRequestError,
    Client,
    InferenceError,
    ModelLoadingError,
    NotFoundError,
)
from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime.forms import complete
from inference_tasks._runtime.types import dump
from inference_tasks._tasks import TASKS
from tests.docs.specs import Example, examples
from tests.server.live import Gate, Live, Serve, picture

from .asking import Scores
from .judge import Judge

WIRES = DIALECTS["clarifai"].wires


@pytest.fixture
def client(live: Live) -> Iterator[Client]:
    with Client.clarifai(live.url, strict_responses=True, max_retries=0) as client:
        yield client


def labels(found: Any) -> list[tuple[str, float]]:
    return [(one.label, one.score) for one in found]


def boxes(found: Any) -> dict[str, tuple[int, int, int, int]]:
    return {one.label: (one.box.xmin, one.box.ymin, one.box.xmax, one.box.ymax) for one in found}


# ----------------------------------------------------------------------------------------------------------- one input


def test_one_input(client: Client) -> None:
    assert labels(client.text_classification("dog=0.5 cat=0.9")) == [("cat", 0.9), ("dog", 0.5)]
    assert labels(client.text_classification("dog=0.5 cat=0.9", top_k=1)) == [("cat", 0.9)]
    assert client.text_classification("nothing") == []


def test_boxes_come_back_in_the_pixels_that_the_handler_gave(client: Client) -> None:
    found = client.object_detection(picture(size=(101, 33)))
    assert boxes(found) == {"cat": (0, 0, 50, 33), "dog": (50, 16, 101, 33)}
    assert [one.label for one in client.object_detection(picture(), threshold=0.5)] == ["cat"]
    turned = Image.Exif()
    turned[0x0112] = 6
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        found = client.object_detection(picture(kind, (40, 20), exif=turned))
        assert boxes(found) == {"cat": (0, 0, 10, 40), "dog": (10, 20, 20, 40)}


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("text-classification", None),
        ("me/mine/text-classification", None),
        ("https://clarifai.com/me/mine/models/text-classification", None),
        ("me/mine/other", 21200),
        ("text-classification/versions/none", 21304),
    ],
)
def test_models_are_found_by_any_of_their_names(client: Client, model: str, found: int | None) -> None:
    if found is None:
        assert labels(client.text_classification("cat=1", model=model)) == [("cat", 1)]
        return
    with pytest.raises(NotFoundError) as error:
        client.text_classification("cat=1", model=model)
    assert error.value.status_code == 404


def test_keys(serve: Serve) -> None:
    live = serve(Scores(), token="s3cret")
    with Client.clarifai(live.url, token="s3cret") as known, Client.clarifai(live.url, token="other") as stranger:
        assert labels(known.text_classification("cat=1")) == [("cat", 1)]
        with pytest.raises(AuthenticationError) as error:
            stranger.text_classification("cat=1")
        assert error.value.code == 11009


def test_a_url_is_fetched_only_where_the_operator_allows_it(client: Client) -> None:
    with pytest.raises(BadRequestError) as error:
        client.image_classification("http://127.0.0.1:9/a.png")
    assert error.value.code in (30002, 30106)
    assert error.value.request_id


def test_a_loading_model_is_waited_for(serve: Serve) -> None:
    gate = Gate()

    class Slow(Scores):
        load_seconds = 1.0

        def load(self) -> None:
            gate()

    live = serve(Slow(), wait=False)
    assert gate.entered.wait(10)
    with Client.clarifai(live.url) as client:
        with pytest.raises(ModelLoadingError) as error:
            client.text_classification("cat=1", wait_for_model=False)
        assert error.value.code == 21355
        client._sleep = lambda seconds: gate.opened.set()
        assert labels(client.text_classification("cat=1", wait_for_model=True)) == [("cat", 1)]


# --------------------------------------------------------------------------------------------------------- many inputs


def outcome(result: Any) -> Any:
    return getattr(result, "code", type(result)) if isinstance(result, InferenceError) else labels(result)


def test_many_inputs_share_calls_and_fail_alone(serve: Serve) -> None:
    live = serve(Scores())
    texts = ["cat=1", "refuse", *(f"dog={number / 100}" for number in range(30)), "crash"]
    expected = [[("cat", 1)], 30104, *([("dog", number / 100)] for number in range(30)), 21313]

    with Client.clarifai(live.url) as client:
        mapped = client.map(client.text_classification, texts, per_call=16, concurrency=2, keep_errors=True)
        assert [outcome(result) for result in mapped] == expected

    async def run() -> list[Any]:
        async with AsyncClient.clarifai(live.url) as client:
            mapped = client.map(client.text_classification, texts, per_call=16, concurrency=2, keep_errors=True)
            return [outcome(result) async for result in mapped]

    assert asyncio.run(run()) == expected


# ------------------------------------------------------------------------------------------------------- all the tasks

CALLED = [example for example in examples().values() if example.task in WIRES and not WIRES[example.task].missing]


def arguments(example: Example) -> tuple[Any, dict[str, Any]]:
    """What a person passes for an example; one answer where there may be any number, as dialects differ in that."""
    primary = example.media or (example.inputs | example.files if example.files else example.inputs)
    one = {"top_k": 1} if WIRES[example.task].takes("params", "max_concepts") else {}
    return primary, one | example.parameters


def is_chance(example: Example) -> bool:
    """Whether an answer is another one each time."""
    made = any(place[0] in ("audio", "image", "video") for form in WIRES[example.task].answers for _, place in form)
    return (made or "temperature" in example.parameters) and "seed" not in example.parameters


def agrees(found: Any, expected: Any) -> bool:
    """Whether all that is `found` is as `expected`, in floats as models have them.

    Members may have no place in the dialect, and null may be a value there.
    """
    if expected is None:
        return True
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() <= expected.keys() and all(agrees(found[name], expected[name]) for name in found)
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(agrees, found, expected))
    if isinstance(found, float) and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-5, abs_tol=1e-7)
    return bool(found == expected)


@pytest.mark.parametrize("example", CALLED, ids=lambda example: f"{example.task}/{example.name}")
def test_examples_are_answered_as_without_a_dialect(judge: Judge, example: Example) -> None:
    primary, parameters = arguments(example)
    options: dict[str, Any] = {"token": judge.key, "timeout": 60, "strict_responses": True}
    model = MODELS.get(example.name, example.task)
    method = TASKS[example.task].method
    with Client(judge.url, **options) as own, Client.clarifai(judge.url, **options) as clarifai:
        expected = dump(getattr(own, method)(primary, model=model, wait_for_model=True, **parameters))
        found = dump(getattr(clarifai, method)(primary, model=model, wait_for_model=True, **parameters))
    complete(WIRES[example.task].defaults, expected)
    if is_chance(example):
        assert found.keys() <= expected.keys()
    else:
        assert agrees(found, expected)
