"""Streamed answers on the pages: every member of an event is in a table, and the printed programs run."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from taskbind.config import Config
from taskbind.context import Context
from taskbind.diagnostics import Report
from taskbind.pipeline import read_api
from taskbind.plan import plan
from taskbind.render import docs
from tests.support.server import Proxy

from .pages import FLAVOURS, SPECS, Printed, pages, printed
from .programs import Program, need, run
from .specs import examples, request_members, schema_validator
from .test_pages import members, rows_by_anchor

TASKS = sorted(
    path.parent.name for path in SPECS.glob("*/stream_output.json") if "stream" in request_members(path.parent.name)
)
HEADING = "Events of a stream"


def validator(task: str) -> Draft202012Validator:
    return schema_validator(SPECS / task / "stream_output.json")


def program(block: Printed) -> Program:
    language = "curl" if block.file.endswith(".curl.sh") else "client"
    return Program(block.file, block.task, block.example, "stream", language, block.file, (), block.code)


def events(output: bytes, language: str) -> list[Any]:
    """What a program printed, without the mark of the end, which cURL shows."""
    lines = output.decode().splitlines()
    if language == "curl":
        *lines, last = [line.removeprefix("data: ") for line in lines if line]
        assert last == "[DONE]"
    return [json.loads(line) for line in lines]


def test_only_tasks_that_stream_have_the_section() -> None:
    assert TASKS
    found = [page.stem for page in pages() if f"\n### {HEADING}\n" in page.read_text(encoding="utf-8")]
    assert found == TASKS


@pytest.mark.parametrize("task", TASKS)
def test_every_member_of_an_event_has_a_row(task: str) -> None:
    file = SPECS / task / "stream_output.json"
    rows = rows_by_anchor(task, HEADING)
    wanted = members(json.loads(file.read_text(encoding="utf-8")), file)
    assert wanted
    for path, required in wanted.items():
        row = rows[f"event.{path.replace('[]', '.items')}"]
        assert row[2] == ("yes" if required else "no")


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("task", TASKS)
def test_every_flavour_prints_both_programs(task: str, flavour: str) -> None:
    text = (FLAVOURS[flavour] / f"{task}.md").read_text(encoding="utf-8")
    (first, *_) = [name for of, name in examples() if of == task]
    files = [f"{task}/{first}-stream.curl.sh", f"{task}/{first}-stream.client.py"]
    assert re.findall(r"<!-- stream: (\S+) -->", text) == files


@pytest.mark.parametrize("block", printed("stream"), ids=lambda block: block.file)
def test_the_programs_run_and_print_events(block: Printed, demo_proxy: Proxy, tmp_path: Path) -> None:
    made = program(block)
    need(made.language)
    channel = demo_proxy.channel()
    (outcome,) = run(made.language, [(made, channel)], tmp_path)
    assert not outcome.status, outcome.stderr.decode()
    found = events(outcome.stdout, made.language)
    assert len(found) > 1
    for event in found:
        validator(block.task).validate(event)
    (sent,) = channel.sent
    (first, *_) = [example for (task, _), example in examples().items() if task == block.task]
    assert json.loads(sent.body) == replace(first, parameters=first.parameters | {"stream": True}).payload
    assert sent.path == f"/tasks/{block.task}"


def rendered(folder: Path, request: dict[str, Any], event: dict[str, Any], meta: str) -> str:
    """The page of a made-up task."""
    (folder / "specs" / "t").mkdir(parents=True)
    schemas = {"input": {"type": "object", **request}, "output": {"type": "string"}, "stream_output": event}
    for name, schema in schemas.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        (folder / "specs" / "t" / f"{name}.json").write_text(json.dumps(schema), encoding="utf-8")
    (folder / "specs" / "t" / "task.toml").write_text(f'title = "T"\n{meta}', encoding="utf-8")
    config = Config(folder / "specs", folder / "out")
    api = read_api(config, Report())
    return str(docs.render(api, plan(api, config), Context(config))["docs/t.md"])


def test_a_stream_of_ones_own(tmp_path: Path) -> None:
    box = {"type": "object", "properties": {"stream": {"type": "boolean"}, "k": {"type": "integer"}}}
    request = {"properties": {"text": {"type": "string"}, "parameters": box}, "required": ["text"]}
    event = {"enum": ["a", "b"]}
    example = '[[examples]]\nname = "e"\ntitle = "E"\ninputs = "it\'s"\nparameters = { stream = false, k = 1 }\n'
    page = rendered(tmp_path / "one", request, event, example)
    assert "Where the request has `parameters.stream` as `true`" in page
    assert '"text": "it\'s",\n  "parameters": {"k": 1, "stream": true}' in page
    assert 'with client.t("it\'s", k=1, stream=True) as events:' in page
    assert "print(event)" in page
    # Without an example there is nothing to run, and without the member there is nothing to ask for.
    page = rendered(tmp_path / "two", request, event, "")
    assert HEADING in page
    assert "<!-- stream: " not in page
    del request["properties"]["parameters"]
    assert HEADING not in rendered(tmp_path / "three", request, event, "")
