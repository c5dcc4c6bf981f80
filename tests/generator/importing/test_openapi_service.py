"""A small service's document, imported and generated: the client talks over HTTP to a server that is not ours."""

from __future__ import annotations

import asyncio
import importlib
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.testclient import TestClient

from taskbind.config import Config
from taskbind.importing.openapi import read
from taskbind.importing.write import write
from taskbind.pipeline import generate
from tests.support.project import imported

from .service import BINARY, JPEG, PDF, PNG, TOKEN, document, running

TASKS = {
    "adopt",
    "annotate",
    "caption",
    "chat",
    "classify-image",
    "compare",
    "convert",
    "describe",
    "draw",
    "echo",
    "embed",
    "sign",
    "thumbnail",
}
TALK = [{"role": "user", "content": "hello there"}]


@dataclass(frozen=True)
class Made:
    """What a version of the document became, and a client of it for the running service."""

    package: ModuleType
    specs: Path
    client: Any
    url: str


@pytest.fixture(scope="module", params=["3.0.3", "3.1.0"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("service")
    file = folder / "acme.json"
    file.write_text(json.dumps(document(request.param)), encoding="utf-8")
    specs = folder / "specs"
    write(read(file), specs)
    config = Config(specs, folder / "out", package=f"acme{request.param[2]}")
    generate(config)
    with (
        imported(config) as package,
        running() as url,
        package.Client.acme_vision(url, token=TOKEN, max_retries=0) as client,
    ):
        yield Made(package, specs, client, url)


def test_what_is_a_task(made: Made) -> None:
    assert {path.parent.name for path in made.specs.glob("*/input.json")} == TASKS


def test_a_file_in_an_example_becomes_a_sample(made: Made) -> None:
    table = tomllib.loads((made.specs / "describe" / "task.toml").read_text(encoding="utf-8"))
    assert table["examples"] == [{"name": "example", "title": "Example", "media": "examples/example.bin"}]
    assert (made.specs / "describe" / "examples" / "example.bin").read_bytes() == PNG


def test_a_form_with_a_file(made: Made, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    labels = made.client.classify_image(tmp_path / "cat.png", top_k=2, words=["a", "b"])
    assert [(each.label, each.score, each.box) for each in labels] == [("a b", 1.0, [1, 2]), ("a b", 0.5, None)]
    assert len(made.client.classify_image(PNG)) == 3


def test_a_form_with_two_files(made: Made) -> None:
    same = made.client.compare({"first": PNG, "second": PNG})
    assert same.same
    assert same.distance is None
    other = made.client.compare({"first": PNG, "second": JPEG, "threshold": 0.5})
    assert (other.same, other.distance) == (False, 0.5)
    with pytest.raises(made.package.InputError, match="threshold"):
        made.client.compare({"first": PNG, "second": JPEG, "threshold": 0})


def test_a_form_with_a_file_or_without(made: Made) -> None:
    assert made.client.caption({"prompt": "shown", "image": PNG}).text == "shown: a cat"
    assert made.client.caption({"prompt": "shown"}).text == "shown: nothing"
    with pytest.raises(made.package.InputError):
        made.client.caption({"prompt": "shown", "image": 7})


def test_a_file_for_a_file(made: Made) -> None:
    for picture in (PNG, JPEG):
        assert bytes(made.client.thumbnail(picture).image.data) == PNG


def test_a_file_of_any_kind(made: Made) -> None:
    assert bytes(made.client.convert(PNG).file.data) == PDF
    assert bytes(made.client.echo(BINARY).file.data) == BINARY


def test_a_file_in_json(made: Made) -> None:
    answer = made.client.describe(PNG)
    assert (answer.text, answer.language) == ("A cat.", None)


def test_json_for_a_file(made: Made) -> None:
    drawn = made.client.draw("a cat", model="painter", size=2.5, extra_query={"tenant": "acme"})
    assert bytes(drawn.image.data) == PNG
    with pytest.raises(made.package.UnprocessableEntityError, match="no tenant"):
        made.client.draw("a cat", model="painter")


def test_a_conversation(made: Made) -> None:
    assert made.client.chat(TALK, model="m").message.content == "HELLO THERE"
    with made.client.chat(TALK, model="m", stream=True) as events:
        assert [event.delta for event in events] == ["HELLO", "THERE"]


def test_asynchronously(made: Made) -> None:
    async def talk() -> list[str]:
        async with (
            made.package.AsyncClient.acme_vision(made.url, token=TOKEN) as client,
            await client.chat(TALK, model="m", stream=True) as events,
        ):
            return [event.delta async for event in events]

    assert asyncio.run(talk()) == ["HELLO", "THERE"]


def test_variants_and_directions(made: Made) -> None:
    cat, dog = made.client.adopt("s", name="Tom", kind="cat")
    assert (type(cat).__name__, cat.id, cat.lives) == ("Cat", 1, 9)
    assert (type(dog).__name__, dog.id, dog.bark) == ("Dog", 2, "loud")


def test_a_list_for_a_list(made: Made) -> None:
    assert made.client.embed(["a", "bcd"]) == [[1.0, 0.5], [3.0, 0.5]]
    with pytest.raises(made.package.InputError, match="inputs"):
        made.client.embed([])
    with pytest.raises(made.package.InputError, match="extra_body"):
        made.client.embed(["a"], extra_body={"b": 1})


def test_json_by_another_name(made: Made) -> None:
    assert made.client.annotate("note").text == "note"


def test_a_request_that_two_operations_share(made: Made) -> None:
    assert made.client.sign("note").text == "note, signed"
    assert made.package.models.SignInput is made.package.models.AnnotateInput is made.package.models.Note


def test_our_server_speaks_as_the_service(made: Made) -> None:
    server: Any = importlib.import_module(f"{made.package.__name__}.server")

    def embed(self: object, inputs: list[str]) -> list[list[float]]:
        return [[float(len(text))] for text in inputs]

    def compare(self: object, inputs: Any) -> Any:
        same = inputs.first == inputs.second
        return made.package.models.Comparison(same=same, distance=inputs.threshold)

    def sign(self: object, text: str) -> Any:
        return made.package.models.Note(text=f"{text}, signed")

    handlers = [
        type("Sign", (server.SignHandler,), {"__call__": sign})(),
        type("Embed", (server.EmbedHandler,), {"__call__": embed})(),
        type("Compare", (server.CompareHandler,), {"__call__": compare})(),
    ]
    with TestClient(server.create_app(handlers)) as client:
        assert client.post("/acme_vision/v2/embed", json=["a", "bcd"]).json() == [[1.0], [3.0]]
        assert client.post("/acme_vision/v2/embed", json={"inputs": ["a"]}).status_code == 200
        assert client.post("/acme_vision/v2/embed", json=[]).status_code == 422
        answer = client.post("/acme_vision/v2/sign/", json={"text": "note"}, follow_redirects=False)
        assert answer.json() == {"text": "note, signed"}
        answer = client.post("/acme_vision/v2/compare", files={"first": PNG, "second": PNG}, data={"threshold": "0.5"})
        assert answer.json() == {"same": True, "distance": 0.5}


def test_the_address_of_the_service_itself(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_VISION_TOKEN", "hosted")
    client = made.package.Client.acme_vision()
    binding = made.package._tasks.EMBED
    request = client._prepare(binding, ["a"])
    assert request.url == "https://vision.acme.test/v2/embed"
    assert request.headers["authorization"] == "Bearer hosted"
    with pytest.raises(made.package.InputError, match="takes none for this task"):
        client._prepare(binding, ["a"], model="m")


def test_a_service_without_models_is_asked_for_none(made: Made) -> None:
    with pytest.raises(made.package.InputError, match="model: Acme Vision takes none for this task"):
        made.client.embed(["a"], model="m")


def test_a_base_url_with_the_path_of_the_service(made: Made) -> None:
    client = made.package.Client.acme_vision(f"{made.url}/v2", token=TOKEN)
    assert client.embed(["a"]) == [[1.0, 0.5]]
