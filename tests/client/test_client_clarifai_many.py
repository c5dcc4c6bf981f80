"""Many inputs in one predict call: packed in their order, each with a result or an error of its own."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference_tasks import (
    APIConnectionError,
    AsyncClient,
    AuthenticationError,
    BadRequestError,
    Client,
    InferenceError,
    InputError,
    NotFoundError,
    RateLimitError,
    ResponseValidationError,
)
from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime import _several
from tests.support.predictions import concepts, output, response

CLARIFAI: dict[str, Any] = {"dialect": "clarifai", "token": "pat", "max_retries": 0}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def mapped(
    flavour: Any, url: str, inputs: Any, method: str = "text_classification", *, max_retries: int = 0, **options: Any
) -> list[Any]:
    """The results of a map over `inputs`, without waiting before any other try."""
    settings = CLARIFAI | {"max_retries": max_retries}
    if not flavour.is_async:
        with flavour.client(url, **settings) as client:
            return list(client.map(getattr(client, method), inputs, **options))

    async def run() -> list[Any]:
        async with flavour.client(url, **settings) as client:
            return [item async for item in client.map(getattr(client, method), inputs, **options)]

    return asyncio.run(run())


@pytest.fixture
def echo(server: Any, answer: Any) -> Any:
    """A server whose concept is the text that it was sent; texts that begin with an exclamation mark fail."""

    class Echo(list):  # type: ignore[type-arg] # it only has to be what the server takes answers from
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: Any) -> Any:
            inputs = [one["data"]["text"]["raw"] for one in server.last.json["inputs"]]
            bad = [text.startswith("!") for text in inputs]
            outputs = [
                output(None, 30104, "Invalid input", text) if text.startswith("!") else output(concepts(**{text: 1}))
                for text in inputs
            ]
            return answer(response(*outputs, code=10020 if all(bad) else 10010 if any(bad) else 10000))

    server.answers = Echo()
    return server


def sizes(server: Any) -> list[int]:
    return [len(seen.json["inputs"]) for seen in server.seen]


def test_inputs_travel_together_and_results_come_in_their_order(flavour: Any, echo: Any) -> None:
    texts = [f"t{number}" for number in range(37)]
    results = mapped(flavour, echo.url, texts, concurrency=1, per_call=16, top_k=1)
    assert [labels[0].label for labels in results] == texts
    assert sizes(echo) == [16, 16, 5]
    assert [one["data"]["text"]["raw"] for seen in echo.seen for one in seen.json["inputs"]] == texts
    info = {"params": {"max_concepts": 1}, "output_config": {"max_concepts": 1}}
    assert [seen.json["model"] for seen in echo.seen] == [{"model_version": {"output_info": info}}] * 3


def test_without_being_asked_each_travels_alone(flavour: Any, echo: Any) -> None:
    assert len(mapped(flavour, echo.url, ["a", "b", "c"])) == 3
    assert sizes(echo) == [1, 1, 1]


def test_an_error_takes_the_place_of_its_result(flavour: Any, echo: Any) -> None:
    first, second, third, fourth = mapped(
        flavour, echo.url, ["a", "!b", 7, "d"], concurrency=1, per_call=4, keep_errors=True
    )
    assert (first[0].label, fourth[0].label) == ("a", "d")
    assert isinstance(second, BadRequestError)
    assert (second.code, second.message) == (30104, "Invalid input: !b")
    assert isinstance(third, InputError)
    assert sizes(echo) == [3]


def test_without_that_the_first_is_raised_and_the_rest_is_dropped(flavour: Any, echo: Any) -> None:
    with pytest.raises(BadRequestError, match="Invalid input: !5"):
        mapped(flavour, echo.url, (f"{'!' if n == 5 else ''}{n}" for n in range(1000)), concurrency=1, per_call=4)
    assert len(echo.seen) <= 4


def test_a_call_that_fails_as_a_whole_fails_for_each(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(response(code=11009, description="No key"), status=401))
    results = mapped(flavour, server.url, ["a", "b", "c"], per_call=3, keep_errors=True)
    assert [type(result) for result in results] == [AuthenticationError] * 3
    server.answer(answer(status=0))
    results = mapped(flavour, server.url, ["a", 7, "c"], per_call=3, keep_errors=True)
    assert [type(result) for result in results] == [APIConnectionError, InputError, APIConnectionError]
    server.answer(answer(response(code=11005, description="Throttled")))
    results = mapped(flavour, server.url, ["a", "b", "c"], concurrency=1, per_call=2, keep_errors=True)
    assert [type(result) for result in results] == [RateLimitError] * 3


def texts(server: Any) -> list[list[str]]:
    """What each call held."""
    return [[one["data"]["text"]["raw"] for one in seen.json["inputs"]] for seen in server.seen]


@pytest.mark.parametrize("whole", [10000, 10010, 10020])
def test_only_what_may_end_better_is_sent_again(flavour: Any, server: Any, answer: Any, whole: int) -> None:
    later = [output(None, code, "Later") for code in (11005, 30104, 21355)]
    server.answer(
        answer(response(*later[:2], output(concepts(c=1)), later[2], output(concepts(e=1)), code=whole)),
        answer(response(output(concepts(a=1)), later[0], code=10010)),
        answer(response(output(concepts(d=1)))),
    )
    results = mapped(flavour, server.url, list("abcde"), concurrency=1, per_call=5, keep_errors=True, max_retries=2)
    assert [getattr(result, "code", None) or result[0].label for result in results] == ["a", 30104, "c", "d", "e"]
    assert texts(server) == [list("abcde"), ["a", "d"], ["d"]]
    keys = [seen.headers["idempotency-key"] for seen in server.seen]
    assert len(set(keys)) == 3


def test_outputs_are_tried_again_no_more_often_than_calls(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(
        answer(response(output(concepts(a=1)), output(None, 11005), code=10010)),
        answer(response(output(None, 11005), code=10010)),
    )
    good, bad = mapped(flavour, server.url, ["a", "b"], concurrency=1, per_call=2, keep_errors=True, max_retries=2)
    assert (good[0].label, type(bad)) == ("a", RateLimitError)
    assert texts(server) == [["a", "b"], ["b"], ["b"]]


def test_a_call_that_breaks_later_fails_for_what_was_still_on_its_way(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(response(output(concepts(a=1)), output(None, 21351), code=10010)), answer(status=0))
    good, bad = mapped(flavour, server.url, ["a", "b"], concurrency=1, per_call=2, keep_errors=True, max_retries=2)
    assert (good[0].label, type(bad)) == ("a", APIConnectionError)


def test_a_file_that_is_gone_before_another_try_fails_alone(server: Any, answer: Any, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for file in files:
        file.write_bytes(PNG + bytes(1 << 20))
    server.answer(
        answer({"status": "ok"}),
        answer(response(code=11005, description="Throttled")),
        answer(response(*[output(concepts(cat=1))] * 2)),
    )
    with Client(server.url, **CLARIFAI | {"max_retries": 2}) as client:
        client._sleep = lambda _: files[1].unlink()
        found = list(client.map(client.image_classification, files, per_call=3, keep_errors=True))
    assert [type(result) for result in found] == [list, InputError, list]
    assert "1.png" in str(found[1])
    assert [len(seen.json["inputs"]) for seen in server.seen[1:]] == [3, 2]


def test_calls_are_as_large_as_the_server_takes(flavour: Any, server: Any, answer: Any) -> None:
    images = [PNG + bytes(600_000)] * 5
    server.answer(
        answer({"max_body": 2_000_000}), *[answer(response(*[output(concepts(cat=1))] * n)) for n in (2, 1, 1)]
    )
    sources = [*images[:4], PNG + bytes(3_000_000)]
    results = mapped(flavour, server.url, sources, "image_classification", concurrency=1, per_call=5, keep_errors=True)
    assert [type(result) for result in results] == [list] * 4 + [InputError]
    assert [len(seen.json["inputs"]) for seen in server.seen[1:]] == [2, 1, 1]
    assert "takes 2,000,000; nothing was sent" in str(results[4])


def test_no_more_is_held_than_there_is_room_for(server: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_several, "HELD", 10)
    server.answer(answer(response(code=21200, description="No")))
    with Client(server.url, **CLARIFAI) as client:
        list(
            client.map(
                client.text_classification, ["aaaa", "bbbb", "cccc", "d" * 99, "e"], per_call=5, keep_errors=True
            )
        )
    assert texts(server) == [["aaaa", "bbbb"], ["cccc"], ["d" * 99], ["e"]]


def test_an_output_too_few_fails_for_each(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(response(output(concepts(cat=1)))))
    results = mapped(flavour, server.url, ["a", "b"], per_call=2, keep_errors=True)
    assert [type(result) for result in results] == [ResponseValidationError] * 2


def test_an_output_that_is_no_answer_fails_alone(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(response(output(concepts(cat=1)), output({"concepts": [{"name": 1}]}))))
    good, bad = mapped(flavour, server.url, ["a", "b"], per_call=2, keep_errors=True)
    assert good[0].label == "cat"
    assert isinstance(bad, ResponseValidationError)


def test_inputs_with_other_options_travel_apart(server: Any, answer: Any) -> None:
    """A question is an input there, and what it is about an option."""
    server.answer(answer(response(code=21200, description="No")))
    asked = [{"question": str(number), "context": "abb"[number]} for number in range(3)]
    with Client(server.url, **CLARIFAI) as client:
        # As if the answers had all that the task needs, so that it could be asked.
        known = DIALECTS["clarifai"]
        wires = {name: replace(wire, missing=()) for name, wire in known.wires.items()}
        client._dialect = replace(known, wires=wires)
        results = list(client.map(client.question_answering, asked, per_call=3, keep_errors=True))
    assert [type(result) for result in results] == [NotFoundError] * 3
    said = [([one["data"]["text"]["raw"] for one in seen.json["inputs"]], params(seen)) for seen in server.seen]
    assert said == [(["0"], {"context": "a"}), (["1", "2"], {"context": "b"})]


def params(seen: Any) -> Any:
    return seen.json["model"]["model_version"]["output_info"]["params"]


def test_files_and_urls_travel_together(flavour: Any, server: Any, answer: Any, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(PNG + os.urandom(1 << 20))
    server.answer(answer(response(*[output(concepts(cat=1))] * 3)))
    sources = [PNG, large, "https://h.example/a.png", tmp_path / "none.png"]
    results = mapped(flavour, server.url, sources, "image_classification", concurrency=1, per_call=4, keep_errors=True)
    assert [result[0].label for result in results[:3]] == ["cat"] * 3
    assert isinstance(results[3], InputError)
    small, big, url = [one["data"]["image"] for one in server.last.json["inputs"]]
    assert (list(small), list(big), url) == (["base64"], ["base64"], {"url": "https://h.example/a.png"})
    assert (base64.b64decode(small["base64"]), base64.b64decode(big["base64"])) == (PNG, large.read_bytes())


def test_inputs_are_taken_as_results_are_asked_for(echo: Any) -> None:
    taken = []

    def inputs() -> Iterator[str]:
        for number in range(1000):
            taken.append(number)
            yield f"t{number}"

    with Client(echo.url, **CLARIFAI) as client:
        results = client.map(client.text_classification, inputs(), concurrency=2, per_call=8)
        assert taken == []
        next(results)
        assert len(taken) == 32
        results.close()


def test_async_inputs_are_packed_too(echo: Any) -> None:
    async def inputs() -> AsyncIterator[str]:
        for number in range(7):
            yield f"t{number}"

    async def run() -> list[Any]:
        async with AsyncClient(echo.url, **CLARIFAI) as client:
            found = client.map(client.text_classification, inputs(), concurrency=1, per_call=3)
            return [labels[0].label async for labels in found]

    assert asyncio.run(run()) == [f"t{number}" for number in range(7)]
    assert sizes(echo) == [3, 3, 1]


def test_responses_as_they_came(echo: Any) -> None:
    with Client(echo.url, **CLARIFAI) as client:
        method = client.with_raw_response.text_classification
        first, bad, last = client.map(method, ["a", "!", "c"], per_call=3, keep_errors=True)
        assert isinstance(bad, InferenceError)
        assert not isinstance(first, InferenceError)
        assert not isinstance(last, InferenceError)
        assert first.content == last.content
        assert [raw.parse()[0].label for raw in (first, last)] == ["a", "c"]


@pytest.mark.parametrize("per_call", [0, -1, 129, 1.5, "16"])
def test_how_many_a_call_carries(flavour: Any, server: Any, per_call: Any) -> None:
    with pytest.raises(InputError, match=r"^per_call: .* is not a number of inputs from 1 to 128"):
        mapped(flavour, server.url, ["a"], per_call=per_call)
    assert server.seen == []


def test_other_dialects_carry_one(server: Any) -> None:
    for settings in ({}, {"dialect": "huggingface"}):
        with Client(server.url, **settings) as client:
            with pytest.raises(InputError, match=r"^per_call: a call to this server carries one input"):
                client.map(client.text_classification, ["a"], per_call=2)
            assert client.map(client.text_classification, ["a"], per_call=1)
    with (
        Client(server.url, **CLARIFAI) as client,
        pytest.raises(InputError, match=r"^per_call: is for the methods of a client's tasks"),
    ):
        client.map(lambda text: client.text_classification(text), ["a"], per_call=2)
    assert server.seen == []


def test_whose_method_it_is_tells_how_many_a_call_carries(echo: Any) -> None:
    with Client(echo.url, **CLARIFAI) as packing, Client(echo.url) as other:
        found = list(other.map(packing.text_classification, ["a", "b"], per_call=2, keep_errors=True))
        assert [labels[0].label for labels in found if not isinstance(labels, InferenceError)] == ["a", "b"]
        with pytest.raises(InputError, match=r"^per_call: a call to this server carries one input"):
            packing.map(other.text_classification, ["a"], per_call=2)
        close: Any = packing.close
        with pytest.raises(InputError, match=r"^per_call: is for the methods of a client's tasks"):
            packing.map(close, ["a"], per_call=2)
    assert sizes(echo) == [2]


@pytest.mark.parametrize("model", ["a/b", None])
def test_a_model_that_is_none_is_told_before_anything_is_read(flavour: Any, other: Any, model: Any) -> None:
    urls = [f"{other.url}/a.png"] * 3
    url = "https://api.clarifai.com"
    results = mapped(flavour, url, urls, "object_detection", per_call=3, model=model, keep_errors=True)
    assert [str(result).partition(":")[0] for result in results] == ["model"] * 3
    assert other.seen == []
