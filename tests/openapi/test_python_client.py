"""The client that openapi-python-client makes of the document, as it is and without options, calls the real server."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from inference_tasks._runtime.types import dump
from tests.docs.specs import Example, examples
from tests.end_to_end.canned import TOKEN, Server

from .conftest import DOCUMENT, run

EXAMPLES = list(examples().values())
FILES = [example for example in EXAMPLES if example.is_raw]


class Made:
    """The generated package, and a client of it for a running server."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.models: Any = self.module("models")
        self.types: Any = self.module("types")
        self.stranger = self.module("client").Client(base_url=url)
        self.client = self.module("client").AuthenticatedClient(base_url=url, token=TOKEN)
        paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
        self.operations = {path: next(iter(item.values())) for path, item in paths.items()}

    def module(self, path: str) -> Any:
        return importlib.import_module(f"{self.name}.{path}")

    def endpoint(self, path: str) -> Any:
        """The module of an operation."""
        operation = self.operations[path]
        tag = re.sub(r"\W", "_", operation["tags"][0]).lower()
        return self.module(f"api.{tag}.{operation['operationId']}")

    def input(self, task: str) -> Any:
        """The class of a task's requests."""
        content = self.operations[f"/tasks/{task}"]["requestBody"]["content"]
        return getattr(self.models, content["application/json"]["schema"]["$ref"].rpartition("/")[2])

    def call(self, path: str, *arguments: Any, client: Any = None, **keywords: Any) -> Any:
        """The answer of an operation: its status and what became of its body."""
        return self.endpoint(path).sync_detailed(*arguments, client=client or self.client, **keywords)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture(scope="module")
def made(openapi_python_client: Path, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("made")
    output = folder / "made_of_openapi"
    command = [openapi_python_client, "generate", "--fail-on-warning", "--meta", "none", "--path", DOCUMENT]
    told = run([*command, "--output-path", output.name], folder)
    assert told.splitlines() == [f"Generating {output.name}"]
    sys.path.insert(0, str(folder))
    yield Made(output.name, server.url)
    sys.path.remove(str(folder))


def plain(value: Any) -> Any:
    """What the made client gave as JSON values."""
    return [plain(item) for item in value] if isinstance(value, list) else getattr(value, "to_dict", lambda: value)()


def test_everything_can_be_imported(made: Made) -> None:
    assert all(hasattr(made.endpoint(path), "sync") for path in made.operations)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.task}/{example.name}")
def test_every_example(made: Made, server: Server, example: Example) -> None:
    """Its models lose nothing, neither of what is sent nor of what is answered."""
    body = made.input(example.task).from_dict(example.payload)
    assert body.to_dict() == example.payload
    answer = made.call(f"/tasks/{example.task}", body=body)
    assert answer.status_code == 200
    assert plain(answer.parsed) == dump(server.handlers[example.task].answer)


@pytest.mark.parametrize("example", FILES, ids=lambda example: f"{example.task}/{example.name}")
def test_files(made: Made, server: Server, example: Example) -> None:
    """A file as the body is what it is in base64."""
    task = example.task
    server.handlers[task].seen = []
    answer = made.call(f"/tasks/{task}", body=made.types.File(payload=BytesIO(example.body)))
    assert answer.status_code == 200
    by_file = server.seen(task)
    uncached = {"x_use_cache": False}
    made.call(f"/tasks/{task}", body=made.input(task).from_dict(example.payload), **uncached)
    assert type(server.seen(task)) is type(by_file)
    assert plain(answer.parsed) == dump(server.handlers[task].answer)


def test_types_of_an_answer(made: Made, server: Server) -> None:
    example = examples()["image-classification", "seven"]
    softmax = made.models.ImageClassificationParametersFunctionToApply.SOFTMAX
    parameters = made.models.ImageClassificationParameters(top_k=2, function_to_apply=softmax)
    body = made.models.ImageClassificationInput(inputs=example.payload["inputs"], parameters=parameters)
    answer = made.endpoint("/tasks/image-classification").sync(client=made.client, body=body)
    assert {type(item) for item in answer} == {made.models.ClassificationOutput}
    first = server.handlers["image-classification"].answer[0]
    assert (answer[0].label, answer[0].score) == (first.label, first.score)
    _, parameters = server.handlers["image-classification"].seen
    assert (parameters.top_k, parameters.function_to_apply) == (2, "softmax")


def test_pairs_of_times(made: Made) -> None:
    """Lists whose items have each a type of their own."""
    example = next(e for e in EXAMPLES if e.task == "automatic-speech-recognition" and e.is_raw)
    chunk = {"text": "one", "timestamp": [0.5, None]}
    answer = made.models.AutomaticSpeechRecognitionOutput.from_dict({"text": "one", "chunks": [chunk]})
    assert answer.chunks[0].timestamp == [0.5, None]
    assert made.call("/tasks/automatic-speech-recognition", body=made.types.File(BytesIO(example.body))).parsed.text


def test_a_model_by_its_name(made: Made, server: Server) -> None:
    body = made.models.TranslationInput(inputs="Hello")
    answer = made.call("/models/{model}", "translation", body=body)
    assert plain(answer.parsed) == dump(server.handlers["translation"].answer)


def test_the_service(made: Made) -> None:
    assert made.call("/health").parsed.status == "ok"
    ready = made.call("/ready", client=made.stranger).parsed
    assert (ready.status, ready.models["translation"]) == ("ready", "ready")
    assert "# TYPE" in made.call("/metrics").parsed


def test_errors(made: Made) -> None:
    parameters = made.models.TextClassificationParameters(top_k=0)
    body = made.models.TextClassificationInput(inputs="x", parameters=parameters)
    answer = made.call("/tasks/text-classification", body=body)
    assert (answer.status_code, type(answer.parsed)) == (422, made.models.Error)
    assert [field.field for field in answer.parsed.fields] == ["parameters.top_k"]
    assert answer.headers["x-request-id"]
    answer = made.call("/tasks/text-classification", body=body, client=made.stranger)
    assert (answer.status_code, type(answer.parsed)) == (401, made.models.Error)
    answer = made.call("/models/{model}", "no/such", body=body)
    assert (answer.status_code, "'no/such'" in answer.parsed.error) == (404, True)


def test_coroutines(made: Made) -> None:
    body = made.models.FillMaskInput(inputs="a [MASK]")
    answer = asyncio.run(made.endpoint("/tasks/fill-mask").asyncio(client=made.client, body=body))
    assert answer and {type(item) for item in answer} == {made.models.FillMaskOutputElement}
