"""Nothing unproven is printed: every program on the pages runs as printed, and a broken one would be noticed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.server import Proxy

from .checker import check_snippet, close
from .pages import DOCS, GENERATED, Printed, printed, responses
from .specs import examples

LANGUAGES = (".curl.sh", ".client.py", ".httpx.py", ".mjs")
PROGRAMS = printed("snippet")
BY_FILE = {program.file: program for program in PROGRAMS}


@pytest.mark.parametrize("snippet", PROGRAMS, ids=lambda snippet: snippet.file)
def test_printed_program_runs(snippet: Printed, proxy: Proxy, tmp_path: Path) -> None:
    assert check_snippet(snippet, proxy, tmp_path, responses()[snippet.task, snippet.example]) == []


def test_every_example_is_printed_in_every_language_and_run() -> None:
    expected = {f"{task}/{name}{language}" for task, name in examples() for language in LANGUAGES}
    assert sorted(BY_FILE) == sorted(expected)
    assert len(PROGRAMS) == len(expected)


def test_snippets_json_is_what_the_pages_print() -> None:
    listed = json.loads((DOCS / "snippets.json").read_text(encoding="utf-8"))
    assert {row["file"]: row["code"] for row in listed} == {program.file: program.code for program in PROGRAMS}
    assert len(listed) == len(PROGRAMS) == len({row["id"] for row in listed})
    for row in listed:
        samples = examples()[row["task"], row["example"]].samples
        assert row["needs"] == [f"{row['task']}/{sample.name}" for sample in samples]


def test_the_index_counts_right() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    assert f"The {len(PROGRAMS)} programs on these pages" in text
    recorded = sum(example.recorded.exists() for example in examples().values())
    assert f"{recorded} of the answers were recorded" in text


def test_pages_show_the_responses() -> None:
    assert responses() == {key: example.response for key, example in examples().items()}


def test_a_response_is_recorded_where_a_model_can_answer() -> None:
    for example in examples().values():
        embedded = (GENERATED / "inference_tasks" / "_demo" / example.task).is_dir()
        assert (example.recorded.exists(), example.written.exists()) == (embedded, not embedded)


# ------------------------------------------------------------------------------------------------ broken on purpose

Edit = Callable[[str], str]


def sub(pattern: str, replacement: str) -> Edit:
    """Replace the first match; the code stays as it is where nothing matches."""
    return lambda code: re.sub(pattern, replacement, code, count=1)


FILE = r'("[\w.-]+\.(?:png|flac|wav)")'
MUTATIONS: dict[str, dict[str, Edit]] = {
    "missing comma": {
        ".curl.sh": sub(r'",(\n  | )"parameters"', r'"\1"parameters"'),
        ".client.py": sub(r'"(?:,\n        |, )(\w+=)', r'" \1'),
        ".httpx.py": sub(r'(/tasks/[\w-]+"),', r"\1"),
        ".mjs": sub(r"(TOKEN\}`),", r"\1"),
    },
    "file name sent as bytes": {
        ".curl.sh": lambda code: sub(r"--data-binary @(\w)", r"--data-binary \1")(
            sub(r"base64 < (\S+)", r"printf %s \1 | base64")(code)
        ),
        ".client.py": sub(rf"\({FILE}", r"(b\1"),
        ".httpx.py": sub(rf"Path\({FILE}\)\.read_bytes\(\)", r"b\1"),
        ".mjs": lambda code: sub(rf"await readFile\({FILE}\)", r"\1")(
            sub(rf'await readFile\({FILE}, "base64"\)', r"btoa(\1)")(code)
        ),
    },
    "authorization without Bearer": {
        ".curl.sh": sub("Bearer ", ""),
        ".httpx.py": sub("Bearer ", ""),
        ".mjs": sub("Bearer ", ""),
    },
    "authorization with a colon": {
        ".curl.sh": sub("Bearer ", "Bearer: "),
        ".httpx.py": sub("Bearer ", "Bearer: "),
        ".mjs": sub("Bearer ", "Bearer: "),
    },
    "wrong token": {
        ".client.py": sub(r"(Client\([^)]*)\)", r'\1, token="wrong")'),
    },
    "dropped content-type": {
        ".curl.sh": sub(r'\n *--header "Content-Type[^\n]*', ""),
        # With `json=`, httpx says the type itself.
        ".httpx.py": lambda code: code if "json={" in code else sub(r'\n *"Content-Type[^\n]*', "")(code),
        ".mjs": sub(r'\n *"Content-Type[^\n]*', ""),
    },
    "wrong content-type": {
        ".curl.sh": sub("(image|audio)/[a-z]+", "application/json"),
        ".httpx.py": sub("(image|audio)/[a-z]+", "application/json"),
        ".mjs": sub("(image|audio)/[a-z]+", "application/json"),
    },
    "upload as text": {
        ".curl.sh": sub(r"--data-binary (@\S+\.png)", r"--data \1"),
    },
    "wrong address": {language: sub("/tasks/[a-z]+", "/tasks/no") for language in (".curl.sh", ".httpx.py", ".mjs")},
    "wrong parameter": {language: sub("top_k", "topk") for language in LANGUAGES},
    "nothing printed": {
        ".curl.sh": lambda code: code.rstrip("\n") + " > /dev/null\n" if "JSON\n" not in code else code,
        ".client.py": sub(r"print\(", "str("),
        ".httpx.py": sub(r"print\(", "str("),
        ".mjs": sub(r"console\.log", "String"),
    },
}
MUTATED_EXAMPLES = (
    "image-classification/seven",
    "image-classification/three-top-3",
    "text-classification/complaint-all",
)


def mutants() -> list[tuple[str, Printed]]:
    """Each program of some examples, broken in each way that it can be."""
    found = []
    for name, edits in MUTATIONS.items():
        for language, edit in edits.items():
            for file in (f"{example}{language}" for example in MUTATED_EXAMPLES):
                if file in BY_FILE and (code := edit(BY_FILE[file].code)) != BY_FILE[file].code:
                    found.append((name, replace(BY_FILE[file], code=code)))
    return found


NOTICED = {
    "missing comma": "exit status",
    "file name sent as bytes": "the body is not|0 requests",
    "authorization without Bearer": "authorization is",
    "authorization with a colon": "authorization is",
    "wrong token": "authorization is",
    "dropped content-type": "content-type is",
    "wrong content-type": "content-type is",
    "upload as text": "the body is not",
    "wrong address": "path is",
    "wrong parameter": "the body is not|0 requests",
    "nothing printed": "not JSON",
}
"""What the checker must say about each mutation: it has to notice the defect itself, not just any failure."""


@pytest.mark.parametrize(("name", "mutant"), mutants(), ids=lambda value: getattr(value, "file", value))
def test_broken_program_is_noticed(name: str, mutant: Printed, proxy: Proxy, tmp_path: Path) -> None:
    problems = check_snippet(mutant, proxy, tmp_path, responses()[mutant.task, mutant.example])
    assert re.search(NOTICED[name], "\n".join(problems))


def test_every_mutation_was_made_in_every_language_it_knows() -> None:
    made = {(name, language) for name, mutant in mutants() for language in LANGUAGES if mutant.file.endswith(language)}
    assert made == {(name, language) for name, edits in MUTATIONS.items() for language in edits}


def test_close() -> None:
    assert close([{"a": 1, "b": [0.5, None]}], [{"a": 1, "b": [0.5004, None]}])
    assert not close([0.5], [0.502])
    assert not close([1], [True])
    assert not close({"a": 1}, {"a": 1, "b": 2})
    assert not close([1, 2], [1])
    assert not close("1", 1)
    assert not close([], [1])


def test_close_on_classes() -> None:
    recorded = [{"label": "a", "score": 0.9}, {"label": "b", "score": 0.0002}, {"label": "c", "score": 0.0001}]
    assert close([recorded[0], {"label": "c", "score": 0.0003}, {"label": "b", "score": 0.0001}], recorded)
    assert close([*recorded[:2], {"label": "d", "score": 0.0001}], recorded)
    assert not close([{"label": "b", "score": 0.9}, *recorded[1:]], recorded)
    assert not close([recorded[1], recorded[0], recorded[2]], recorded)
    assert not close(recorded[:2], recorded)
    assert not close([], recorded)
