"""Every way to send every example is printed in every language; `snippets.json` lists what the pages print."""

from __future__ import annotations

import re
import tomllib

from .execute import RECORD, digest
from .pages import DOCS, FLAVOURS, GENERATED, printed, responses
from .predicted import predicted
from .programs import LANGUAGES, PREDICT_LANGUAGES, listed, predict_programs, programs
from .specs import examples, sendings

SUFFIXES = {
    "curl": ".curl.sh",
    "client": ".client.py",
    "httpx": ".httpx.py",
    "javascript": ".mjs",
    "java": ".java",
    "php": ".php",
    "go": ".go",
}


def test_everything_is_printed_in_every_language() -> None:
    found = {(program.task, program.name, program.language): program for program in programs()}
    assert found.keys() == {(*sending, language) for sending in sendings() for language in LANGUAGES}
    assert len(found) == len(programs())
    for (task, name, language), program in found.items():
        sending = sendings()[task, name]
        assert (program.way, program.example) == (sending.way, sending.example.name)
        assert program.id == f"{task}/{name}/{language}"
        assert program.file == f"{task}/{name}{SUFFIXES[language]}"
        assert program.needs == tuple(f"{task}/{sample.name}" for sample in sending.samples)


def test_every_task_has_its_ways() -> None:
    for task in {task for task, _ in examples()}:
        own = [sending for sending in sendings().values() if sending.task == task]
        media = any(example.samples for (of, _), example in examples().items() if of == task)
        assert [sending.way for sending in own].count("several") == 1
        assert [sending.way for sending in own].count("url") == media


def test_snippets_json_is_what_the_pages_print() -> None:
    pages = printed("snippet")
    assert {program.file: program.code for program in pages} == {program.file: program.code for program in listed()}
    assert len(pages) == len(listed())


def test_the_index_counts_right() -> None:
    # That as many are run, `test_programs_run` and `test_predict` say of each language.
    record = tomllib.loads(RECORD.read_text(encoding="utf-8"))
    count = len(sendings()) * len(LANGUAGES) + 2 * len(predicted()) * len(PREDICT_LANGUAGES)
    assert record == {"sha256": digest(), "programs": count}, "programs have changed: run nox -s record"
    assert count == len(listed())
    known = sum(program.language in ("curl", "client", "javascript") for program in programs())
    known += sum(program.language in ("curl", "httpx", "javascript") for program in predict_programs())
    for flavour, printed_there in (("github", count), ("site", count), ("hf", known)):
        assert f"{printed_there} of {printed_there}" in (FLAVOURS[flavour] / "index.md").read_text(encoding="utf-8")
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    recorded = sum(example.recorded.exists() for example in examples().values())
    assert re.search(rf"\b{recorded}\W+ of the answers shown were recorded", text)


def test_pages_show_the_responses() -> None:
    assert responses() == {key: example.response for key, example in examples().items()}


def test_a_response_is_recorded_where_a_model_can_answer() -> None:
    for example in examples().values():
        embedded = (GENERATED / "inference_tasks" / "_demo" / example.task).is_dir()
        assert (example.recorded.exists(), example.written.exists()) == (embedded, not embedded)
