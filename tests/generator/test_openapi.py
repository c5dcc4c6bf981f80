"""The OpenAPI document: valid, complete, and of one mind with the specs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from tests.docs.specs import examples
from tests.end_to_end.canned import handler

SPECS = Path(__file__).parents[2] / "specs"
TASKS = sorted(path.parent.name for path in SPECS.glob("*/task.toml"))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    path = SPECS.parent / "generated" / "openapi.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def test_it_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_the_package_carries_the_same_document(document: dict[str, Any]) -> None:
    path = SPECS.parent / "generated" / "inference_tasks" / "openapi.json"
    assert json.loads(path.read_text(encoding="utf-8")) == document


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_its_operation(document: dict[str, Any], task: str) -> None:
    operation = document["paths"][f"/tasks/{task}"]["post"]
    content = operation["requestBody"]["content"]
    alone = [example for example in examples().values() if example.task == task and example.is_raw]
    kinds = {example.content_type.split("/")[0] for example in alone}
    assert set(content) - {"application/json", "application/octet-stream"} == {f"{kind}/*" for kind in kinds}
    assert ("application/octet-stream" in content) == bool(alone)
    assert {parameter["$ref"].rsplit("/", 1)[-1] for parameter in operation["parameters"]} == {
        "UseCache",
        "WaitForModel",
    }
    assert {"200", "400", "401", "413", "422", "429", "503"} <= set(operation["responses"])


@pytest.mark.parametrize("task", TASKS)
def test_examples_and_bad_requests(document: dict[str, Any], task: str) -> None:
    operation = document["paths"][f"/tasks/{task}"]["post"]

    def validator(part: dict[str, Any]) -> jsonschema.Draft202012Validator:
        return jsonschema.Draft202012Validator(part["content"]["application/json"]["schema"] | document)

    request, answer = validator(operation["requestBody"]), validator(operation["responses"]["200"])
    own = [example for example in examples().values() if example.task == task]
    assert len(own) >= 2
    for example in own:
        answer.validate(example.response)
        request.validate(example.payload)
        assert not request.is_valid(example.payload | {"topk": 1})
        assert not request.is_valid(example.payload | {"parameters": {"topk": 1}})
    assert not request.is_valid({})


@pytest.mark.parametrize("task", ["chat-completion", "text-generation"])
def test_the_schema_of_a_stream_is_that_of_an_event(document: dict[str, Any], task: str) -> None:
    answers = document["paths"][f"/tasks/{task}"]["post"]["responses"]["200"]["content"]
    event = jsonschema.Draft202012Validator(answers["text/event-stream"]["schema"] | document)
    assert event.is_valid({"data": "[DONE]"})
    assert not event.is_valid({})
    data = answers["text/event-stream"]["schema"]["properties"]["data"]["anyOf"][0]
    told = jsonschema.Draft202012Validator(data["contentSchema"] | document)
    for sent in handler(task).stream(None):
        told.validate(sent)
    told.validate({"error": "internal error"})
    assert not told.is_valid({"text": "a"})


def test_the_pages_of_the_server(document: dict[str, Any]) -> None:
    about = {path: list(item["get"]["responses"]) for path, item in document["paths"].items() if "get" in item}
    ok = ["200"]
    assert about == {"/health": ok, "/ready": ["200", "503"], "/metrics": ok, "/openapi.json": ok}
