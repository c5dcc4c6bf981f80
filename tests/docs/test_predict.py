"""Predict calls on the pages: each mapped task has them in every language, and every one runs as printed."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from inference_tasks import InputError
from taskbind import ir_json
from taskbind.view.predict.asked import asked
from tests.support.server import Proxy

from .pages import DOCS, GENERATED, SPECS, tokens
from .predict_checker import checked
from .predicted import DIALECT, predicted
from .programs import PREDICT_LANGUAGES, Program, need, predict_programs, run
from .record_predict import text
from .specs import examples

PREDICTED = predicted()
IR = {task.id: task for task in ir_json.from_json(json.loads((GENERATED / "api.json").read_bytes())).tasks}
WAYS = ("predict-url", "predict-data")


def of(language: str) -> list[Program]:
    return [program for program in predict_programs() if program.language == language]


@pytest.mark.parametrize("language", PREDICT_LANGUAGES)
def test_printed_programs_run(language: str, proxy: Proxy, tmp_path: Path, tables: list[str]) -> None:
    need(language)
    emitted = of(language)
    executed = checked(emitted, proxy, tmp_path)
    wrong = {program.file: found for program, found in zip(emitted, executed, strict=True) if found}
    assert not wrong, "\n".join(f"{file}: {'; '.join(found)}" for file, found in wrong.items())
    assert len(executed) == len(emitted) == len(PREDICTED) * len(WAYS)
    tables.append(f"predict calls in {language}: {len(emitted)} printed, {len(executed)} run")


@pytest.mark.parametrize("language", PREDICT_LANGUAGES)
def test_programs_tell_of_errors(language: str, proxy: Proxy, tmp_path: Path) -> None:
    need(language)
    some = [program for program in of(language) if program.task in ("image-classification", "text-classification")]
    jobs = [(program, proxy.channel()) for program in some]
    assert len(jobs) == 4
    for outcome in run(language, jobs, tmp_path, token="wrong"):
        assert outcome.status
        assert b"401" in outcome.stderr
        assert b"11009" in (outcome.stdout if language == "curl" else outcome.stderr)
        assert [sent.method for sent in outcome.sent].count("POST") == 1


MUTATIONS = {
    "authorization": lambda code: code.replace("Key ", "Bearer "),
    "path": lambda code: code.replace("/v2/models/zero-shot", "/tasks/zero-shot"),
    "body": lambda code: code.replace("cat.png", "black-cat.png").replace("dog", "fox"),
}
"""Mistakes, by what the checker must say of them."""


@pytest.mark.parametrize("language", PREDICT_LANGUAGES)
def test_broken_programs_are_noticed(language: str, proxy: Proxy, tmp_path: Path) -> None:
    need(language)
    (program,) = (p for p in of(language) if (p.task, p.way) == ("zero-shot-image-classification", "predict-url"))
    broken = [replace(program, code=edit(program.code)) for edit in MUTATIONS.values()]
    assert all(one.code != program.code for one in broken)
    for name, found in zip(MUTATIONS, checked(broken, proxy, tmp_path), strict=True):
        assert any(said.startswith(f"{name} is ") for said in found), (name, found)


def test_a_browser_asks_beforehand_whether_it_may(proxy: Proxy, tmp_path: Path) -> None:
    """The header with the key makes it do so; the type of the content is one that it need not ask for."""
    need("browser")
    program = next(p for p in of("browser") if (p.task, p.way) == ("text-classification", "predict-data"))
    channel = proxy.channel()
    (outcome,) = run("browser", [(program, channel)], tmp_path)
    assert outcome.status == 0, outcome.stderr
    before, call = outcome.sent
    assert (before.method, call.method) == ("OPTIONS", "POST")
    assert before.headers["access-control-request-headers"] == "authorization"
    assert call.headers["content-type"] == "text/plain;charset=UTF-8"
    assert call.headers["origin"] == "null"


def test_every_task_that_the_dialect_speaks_has_its_calls_in_every_language() -> None:
    assert PREDICTED.keys() == DIALECT.wires.keys()
    listed = {(p.task, p.way, p.language): p for p in predict_programs()}
    assert listed.keys() == {(t, way, language) for t in PREDICTED for way in WAYS for language in PREDICT_LANGUAGES}
    assert len(listed) == len(predict_programs())
    for (task, way, language), program in listed.items():
        own = PREDICTED[task]
        assert program.example == own.example.name
        assert program.needs == own.needs(way)
        assert program.id == f"{task}/{own.names[way]}/{language}"
        assert program.file.startswith(f"{task}/{own.names[way]}.")


@pytest.mark.parametrize("task", PREDICTED)
def test_the_page_has_both_calls_and_the_recorded_answer(task: str) -> None:
    text = (DOCS / f"{task}.md").read_text(encoding="utf-8")
    section = text.partition("### Clarifai-compatible call\n")[2].partition("\n## ")[0]
    own = PREDICTED[task]
    headings = [line for line in section.split("\n") if line.startswith("#### ")]
    assert headings == ["#### By URL", "#### By bytes" if own.example.samples else "#### By text"]
    blocks = {
        comment.content.strip(): block.content
        for comment, block in pairwise(tokens(DOCS / f"{task}.md"))
        if comment.type == "html_block" and block.type == "fence"
    }
    name = f"{task}/{own.example.name}"
    assert blocks[f"<!-- clarifai-text: {name} -->"] == own.text.read_text(encoding="utf-8")
    assert blocks[f"<!-- clarifai-answer: {name} -->"] == own.answer.read_text(encoding="utf-8")
    missing = DIALECT.wires[task].missing
    assert ("These answers have no place for" in section) == bool(missing)
    assert all(f"`{member}`" in section for member in missing)


@pytest.mark.parametrize("task", PREDICTED)
def test_the_generator_asks_as_the_runtime_does(task: str) -> None:
    """All examples: whichever of them a page calls with."""
    (wire,) = (wire for wire in IR[task].wires if wire.dialect == DIALECT.name)
    for (of_task, _), example in examples().items():
        if of_task == task:
            try:
                said = DIALECT.wires[task].asked(example.payload)
            except InputError:
                said = None
            assert asked(wire, example.payload) == said


def test_other_tasks_have_no_such_section() -> None:
    for page in DOCS.glob("*.md"):
        if page.stem not in PREDICTED:
            assert "-compatible call" not in page.read_text(encoding="utf-8"), page.name


def test_nothing_is_recorded_but_for_them() -> None:
    found = {path for end in ("json", "txt") for path in SPECS.glob(f"*/examples/*.{DIALECT.name}.{end}")}
    assert found == {path for own in PREDICTED.values() for path in (own.answer, own.text)}


@pytest.mark.parametrize("task", PREDICTED)
def test_texts_have_an_address_of_their_own(task: str) -> None:
    own = PREDICTED[task]
    sample = DOCS / "samples" / task / f"{own.example.name}.txt"
    if own.example.samples:
        assert not sample.exists()
    else:
        assert sample.read_bytes() == own.said["data"]["text"]["raw"].encode()


@pytest.mark.parametrize("task", PREDICTED)
def test_the_text_says_what_the_answer_says(task: str) -> None:
    own = PREDICTED[task]
    answer = json.loads(own.answer.read_text(encoding="utf-8"))
    said = own.text.read_text(encoding="utf-8")
    assert said == text(answer), "run `nox -s record`"
    data = answer["outputs"][0]["data"]
    names = [concept["name"] for concept in data.get("concepts", ())]
    names += [region["data"]["concepts"][0]["name"] for region in data.get("regions", ())]
    assert all(name in said for name in names)
    assert said.strip()
