"""The OpenAPI document: valid, complete, and of one mind with the specs."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate
from starlette.testclient import TestClient

from inference_tasks._runtime.server.body import read_body
from inference_tasks._runtime.server.host import loading
from inference_tasks._runtime.server.memory import Budget
from inference_tasks._runtime.server.problems import RequestProblem, busy, too_late
from inference_tasks.server import Settings, create_app
from tests.docs.specs import examples, meta
from tests.end_to_end.canned import handler
from tests.support.project import closed, echo_task, generate_project

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


def resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a reference into the document means, or `node` if it is none."""
    for part in node.get("$ref", "").split("/")[1:]:
        node = document if part == "components" else node
        document = node = document[part]
    return node


def every_example(node: Any) -> Any:
    """All media types in the document that have examples."""
    if isinstance(node, dict):
        if "schema" in node and ("examples" in node or "example" in node) and "in" not in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        yield from itertools.chain.from_iterable(map(every_example, node))


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_its_operation(document: dict[str, Any], task: str) -> None:
    operation = document["paths"][f"/tasks/{task}"]["post"]
    content = operation["requestBody"]["content"]
    alone = [example for example in examples().values() if example.task == task and example.is_raw]
    assert set(content) == {"application/json", *(["application/octet-stream"] if alone else [])}
    for example in alone:
        file = content["application/octet-stream"]["schema"]
        assert file["contentMediaType"] == f"{example.content_type.split('/')[0]}/*"
    parameters = [resolved(document, parameter) for parameter in operation["parameters"]]
    assert [p["name"] for p in parameters] == ["x-use-cache", "x-wait-for-model", "x-request-id"]
    assert all(p["in"] == "header" and p["description"] and "required" not in p for p in parameters)
    responses = {code: resolved(document, response) for code, response in operation["responses"].items()}
    assert set(responses) == set("200 400 401 404 408 413 415 422 429 500 503 504".split())
    for response in responses.values():
        assert {"x-request-id", "x-compute-time"} <= set(response["headers"])
    assert {code for code, response in responses.items() if "retry-after" in response["headers"]} == {"429", "503"}


def test_every_example_is_valid(document: dict[str, Any]) -> None:
    found = list(every_example(document))
    assert len(found) > len(TASKS)
    for media in found:
        validator = jsonschema.Draft202012Validator(media["schema"] | document)
        values = [example["value"] for example in media.get("examples", {}).values()]
        for value in [*values, *([media["example"]] if "example" in media else [])]:
            validator.validate(value)


@pytest.mark.parametrize("task", TASKS)
def test_examples_are_those_of_the_specs(document: dict[str, Any], task: str) -> None:
    operation = document["paths"][f"/tasks/{task}"]["post"]
    own = {name: example for (of, name), example in examples().items() if of == task}
    requests = operation["requestBody"]["content"]["application/json"].get("examples", {})
    answers = operation["responses"]["200"]["content"]["application/json"].get("examples", {})
    short = {name for name, example in own.items() if len(json.dumps(example.payload)) <= 3000}
    assert {name: shown["value"] for name, shown in requests.items()} == {n: own[n].payload for n in short}
    short = {name for name, example in own.items() if len(json.dumps(example.response)) <= 3000}
    assert {name: shown["value"] for name, shown in answers.items()} == {n: own[n].response for n in short}


@pytest.mark.parametrize("task", TASKS)
def test_programs(document: dict[str, Any], task: str) -> None:
    """In each language, one that the docs print too; what can be sent as a file, is. Dialects have other addresses."""
    rows = json.loads((SPECS.parent / "generated" / "docs" / "snippets.json").read_text(encoding="utf-8"))
    known = [row for row in rows if row["task"] == task and not row["way"].startswith("predict-")]
    shown = document["paths"][f"/tasks/{task}"]["post"]["x-codeSamples"]
    assert len({sample["label"] for sample in shown}) == len(shown) == len({row["language"] for row in known})
    named = {row["code"]: row["example"] for row in known}
    (name,) = {named[sample["source"]] for sample in shown}
    raw = [n for (of, n), example in examples().items() if of == task and example.is_raw]
    assert name == (raw or [n for of, n in examples() if of == task])[0]


def test_names_and_tags(document: dict[str, Any]) -> None:
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert all(tags.values()) and set(tags) == {tag for operation in operations for tag in operation["tags"]}
    for operation in operations:
        assert operation["summary"] and operation["description"]
    grouped = {tag: group["name"] for group in document["x-tagGroups"] for tag in group["tags"]}
    assert set(grouped) == set(tags)
    assert {task: grouped[task] for task in TASKS} == {task: meta(task)["category"] for task in TASKS}


def test_texts_of_specs_are_markdown_that_shows_them(tmp_path: Path) -> None:
    """Viewers read descriptions as Markdown; nothing of it may load, run or look like something else."""
    said = "![i](https://e.x/i) <script>alert(1)</script> *all* `code`"
    shown = r"\![i](https://e.x/i) &lt;script&gt;alert(1)&lt;/script&gt; \*all\* `code`"
    number = {"type": "integer", "description": said}
    mode = {"oneOf": [{"const": "a", "description": said}, {"const": "b`"}], "type": "string", "description": said}
    text = json.dumps(said)
    files = echo_task({"description": number, "mode": mode}, closed({"n": number}, "n", description=said))
    files["echo/task.toml"] = f"title = {text}\nsummary = {text}\ndescription = {text}\n"
    config, _ = generate_project(tmp_path, files)
    made = json.loads((config.out / "openapi.json").read_bytes())
    assert made["tags"][0]["description"] == shown
    operation = made["paths"]["/tasks/echo"]["post"]
    assert operation["description"] == operation["responses"]["200"]["description"] == shown
    assert operation["summary"] == said  # which is plain text
    members = made["components"]["schemas"]["EchoParameters"]["properties"]
    assert members["description"]["description"] == shown
    assert members["mode"]["description"] == f"{shown}\n\n- `a`: {shown}"
    assert "<script" not in re.sub(r'"(summary|x-displayName)": "[^"]*"', "", json.dumps(made))
    own = (config.out / "made" / "schemas" / "echo.json").read_text(encoding="utf-8")
    assert said in own and shown not in own


def test_any_model(document: dict[str, Any]) -> None:
    """The route of a model takes and answers what those of the tasks do."""
    operation = document["paths"]["/models/{model}"]["post"]
    assert operation["parameters"][0]["name"] == "model"
    for side in ("requestBody", "responses"):

        def schema(operation: dict[str, Any], side: str = side) -> Any:
            part = operation[side]["200"] if side == "responses" else operation[side]
            return part["content"]["application/json"]["schema"]

        tasks = [schema(document["paths"][f"/tasks/{task}"]["post"]) for task in TASKS]
        assert {part["$ref"] for part in schema(operation)["anyOf"]} == {part["$ref"] for part in tasks}
    assert set(operation["responses"]["200"]["content"]) == {"application/json", "text/event-stream"}


def test_errors_are_those_of_the_server(document: dict[str, Any]) -> None:
    def told(code: int) -> Any:
        return document["components"]["responses"][f"Error{code}"]["content"]["application/json"]["example"]

    handlers = [handler("text-classification", "mine")]
    token = {"authorization": "Bearer t"}
    json_type = token | {"content-type": "application/json"}
    bad = {"inputs": "x", "parameters": {"top_k": 0}}
    task = "/tasks/text-classification"
    with TestClient(create_app(handlers, settings=Settings(token="t"))) as client:
        answers = [
            client.post(task, content=b"{", headers=json_type),
            client.post(task, json=bad),
            client.post("/models/yours", json=bad, headers=token),
            client.post(task, content=b"x" * 20_000_001, headers=token),
            client.post(task, content=b"x", headers=token | {"content-encoding": "gzip"}),
            client.post(task, json=bad, headers=token),
        ]
    assert [answer.status_code for answer in answers] == [400, 401, 404, 413, 415, 422]
    for answer in answers:
        assert answer.json() == told(answer.status_code)
    made = [
        busy("256 requests are waiting"),
        RequestProblem("internal error", status=500),
        loading("mine", 12.5),
        too_late(60),
    ]
    for problem in made:
        assert json.loads(problem.body()) == told(problem.status)
    with Budget(1000).share() as share, pytest.raises(RequestProblem) as slow:
        asyncio.run(read_body(lambda: asyncio.sleep(10, {}), {}, Settings(receive_timeout=0.01), share))
    assert slow.value.error.replace("0.01", "60") == told(408)["error"]


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


def test_names_that_the_document_needs_itself(tmp_path: Path) -> None:
    """Tasks and schemas that are called as its own parts are."""
    task = echo_task(
        output=closed({"last": {"$ref": "#/$defs/Error"}}, **{"$defs": {"Error": closed({}, title="Error")}})
    )
    both = {f"{name}/{path.split('/')[1]}": spec for name in ("call-model", "health") for path, spec in task.items()}
    config, _ = generate_project(tmp_path, both)
    made = json.loads((config.out / "openapi.json").read_text(encoding="utf-8"))
    validate(made)
    operations = {path: next(iter(item.values()))["operationId"] for path, item in made["paths"].items()}
    assert len(set(operations.values())) == len(operations)
    assert operations["/tasks/health"] == "health"
    refused = made["components"]["responses"]["Error422"]["content"]["application/json"]["schema"]["$ref"]
    assert set(resolved(made, {"$ref": refused})["properties"]) == {"error", "fields", "estimated_time"}
    assert "x-tagGroups" not in made


def test_the_pages_of_the_server(document: dict[str, Any]) -> None:
    about = {path: list(item["get"]["responses"]) for path, item in document["paths"].items() if "get" in item}
    ok = ["200"]
    assert about == {"/health": ok, "/ready": ["200", "503"], "/metrics": ok, "/openapi.json": ok}
