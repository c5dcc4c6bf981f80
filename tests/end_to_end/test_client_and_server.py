"""The generated client against the generated server: real HTTP, real torch, the embedded demo models."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import PIL.Image
import pytest

from inference_tasks import (
    AsyncClient,
    AuthenticationError,
    Client,
    InputError,
    NotFoundError,
    UnprocessableEntityError,
)
from inference_tasks.models import ClassificationOutput, GenerationParameters
from tests.support.server import TOKEN, running_server

SPECS = Path(__file__).parents[2] / "specs"
SEVEN = SPECS / "image-classification" / "examples" / "seven.png"
CLICKS = SPECS / "audio-classification" / "examples" / "clicks.flac"
DIGITS = SPECS / "automatic-speech-recognition" / "examples" / "digits.flac"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_server() as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Client]:
    with Client(url, token=TOKEN, timeout=60, strict_responses=True) as client:
        yield client


def test_every_task_answers_its_sample(client: Client) -> None:
    assert client.image_classification(SEVEN)[0].label == "7"
    assert client.audio_classification(CLICKS)[0].label == "clicks"
    assert client.text_classification("I like you. I love you.")[0].label == "POSITIVE"
    heard = client.automatic_speech_recognition(DIGITS)
    assert heard.text == "three one four"
    assert heard.chunks is None


def test_answers_are_models(client: Client) -> None:
    answers = client.image_classification(SEVEN)
    assert all(isinstance(answer, ClassificationOutput) for answer in answers)
    assert [a.score for a in answers] == sorted((a.score for a in answers), reverse=True)


def test_every_kind_of_input_is_the_same_picture(client: Client, tmp_path: Path) -> None:
    misnamed = tmp_path / "seven.txt"
    misnamed.write_bytes(SEVEN.read_bytes())
    picture = PIL.Image.open(SEVEN)
    with SEVEN.open("rb") as file:
        inputs = [SEVEN, str(SEVEN), misnamed, SEVEN.read_bytes(), bytearray(SEVEN.read_bytes()), file, picture]
        inputs += [io.BytesIO(SEVEN.read_bytes()), memoryview(SEVEN.read_bytes())]
        answers = [client.image_classification(source, top_k=3) for source in inputs]
    assert len(answers[0]) == 3
    assert all([a.label for a in answer] == [a.label for a in answers[0]] for answer in answers)
    assert {answer[0].label for answer in answers} == {"7"}


def test_parameters_reach_the_model(client: Client) -> None:
    raw = client.image_classification(SEVEN, function_to_apply="none", top_k=10)
    soft = client.image_classification(SEVEN, function_to_apply="softmax", top_k=10)
    assert len(raw) == len(soft) == 10
    assert sum(a.score for a in soft) == pytest.approx(1, abs=1e-4)
    assert any(a.score < 0 or a.score > 1 for a in raw)
    assert [a.label for a in raw] == [a.label for a in soft]


def test_timestamps_follow_each_other(client: Client) -> None:
    chunks = client.automatic_speech_recognition(DIGITS, return_timestamps=True).chunks
    assert chunks
    times = [chunk.timestamp for chunk in chunks]
    assert all(0 <= start <= (end if end is not None else start) for start, end in times)
    assert [start for start, _ in times] == sorted(start for start, _ in times)


def test_both_clients_say_the_same(client: Client, url: str) -> None:
    async def ask() -> list[str]:
        async with AsyncClient(url, token=TOKEN) as other:
            calls = [other.text_classification(text) for text in ("I love it.", "I hate it.")]
            return [answers[0].label for answers in await asyncio.gather(*calls)]

    assert asyncio.run(ask()) == [client.text_classification(t)[0].label for t in ("I love it.", "I hate it.")]


def test_a_bad_parameter_never_leaves(client: Client) -> None:
    with pytest.raises(InputError, match=r"parameters\.top_k: input should be an integer greater than or equal to 1"):
        client.image_classification(SEVEN, top_k=0)
    with pytest.raises(TypeError, match="topk"):
        client.image_classification(SEVEN, topk=3)  # type: ignore[call-arg]  # what is tested


def test_the_server_names_the_field(url: str) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    answer = httpx.post(
        f"{url}/tasks/image-classification", json={"inputs": "AAAA", "parameters": {"topk": 3}}, headers=headers
    )
    assert answer.status_code == 422
    assert answer.json()["fields"] == [
        {"field": "parameters.topk", "message": "unknown name 'topk'; did you mean 'top_k'?"}
    ]
    assert answer.headers["x-request-id"]


def test_the_server_says_no_in_types(client: Client, url: str) -> None:
    with pytest.raises(UnprocessableEntityError, match="inputs") as undecodable:
        client.image_classification(b"\x89PNG\r\n\x1a\n but no more")
    assert undecodable.value.request_id
    with pytest.raises(UnprocessableEntityError, match="generation_parameters"):
        client.automatic_speech_recognition(DIGITS, generation_parameters=GenerationParameters(num_beams=2))
    with pytest.raises(InputError, match=r"takes 20,000,000; nothing was sent"):
        client.image_classification(SEVEN.read_bytes() + b"\0" * 20_000_000)
    with pytest.raises(NotFoundError, match=r"served here: .*text-classification"):
        client.text_classification("x", model="nobody/nothing")
    with Client(url, token="wrong", max_retries=0) as stranger, pytest.raises(AuthenticationError):
        stranger.text_classification("x")


def test_equal_requests_are_answered_from_the_cache(url: str) -> None:
    states = []
    for extra in ({}, {}, {"x-use-cache": "false"}):
        headers = {"authorization": f"Bearer {TOKEN}", **extra}
        answer = httpx.post(f"{url}/tasks/text-classification", json={"inputs": "only once"}, headers=headers)
        states.append(answer.headers["x-cache"])
    assert states == ["miss", "hit", "bypass"]


def test_the_service_routes_are_open(url: str) -> None:
    assert httpx.get(f"{url}/health").json() == {"status": "ok", "max_body": 20_000_000}
    assert httpx.get(f"{url}/ready").json()["status"] == "ready"
    assert "# TYPE" in httpx.get(f"{url}/metrics").text
    document = httpx.get(f"{url}/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert "/tasks/image-classification" in document["paths"]
