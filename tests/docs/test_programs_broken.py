"""A broken program would be noticed: each defect that published snippets have had is put into some of ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.server import Proxy

from .checker import checked, close
from .programs import LANGUAGES, Program, need, programs

Edit = Callable[[str], str]


def sub(pattern: str, replacement: str) -> Edit:
    """Replace the first match; the code stays as it is where nothing matches."""
    return lambda code: re.sub(pattern, replacement, code, count=1)


def both(first: Edit, second: Edit) -> Edit:
    """One after the other."""
    return lambda code: second(first(code))


FILE = r"""(["'][\w.-]+\.(?:png|flac|wav)["'])"""
DIRECT = tuple(language for language in LANGUAGES if language != "client")
"""The languages that write the request down themselves."""
MUTATIONS: dict[str, dict[str, Edit]] = {
    "missing comma": {
        "curl": sub(r'",(\n  | )"parameters"', r'"\1"parameters"'),
        "client": sub(r'"(?:,\n        |, )(\w+=)', r'" \1'),
        "httpx": sub(r'(/tasks/[\w-]+"),', r"\1"),
        "javascript": sub(r"(TOKEN\}`),", r"\1"),
        "java": sub(r'("Authorization"),', r"\1"),
        "php": sub(r"(getenv\('\w+'\)),", r"\1"),
        "go": sub(r'("POST"),', r"\1"),
    },
    "file name sent as bytes": {
        "curl": both(
            sub(r"--data-binary @(\w)", r"--data-binary \1"), sub(r"base64 < (\S+)", r"printf %s \1 | base64")
        ),
        "client": sub(rf"\({FILE}", r"(b\1"),
        "httpx": sub(rf"Path\({FILE}\)\.read_bytes\(\)", r"b\1"),
        "javascript": both(
            sub(rf"await readFile\({FILE}\)", r"\1"), sub(rf'await readFile\({FILE}, "base64"\)', r"btoa(\1)")
        ),
        "java": both(
            sub(rf"ofFile\(Path\.of\({FILE}\)\)", r"ofString(\1)"),
            sub(r"Files\.readAllBytes\(.*?\)\)", r"file.getBytes())"),
        ),
        "php": sub(rf"file_get_contents\({FILE}\)", r"\1"),
        "go": sub(rf"os\.ReadFile\(({FILE}|file)\)", r"[]byte(\1), error(nil)"),
    },
    "authorization without Bearer": {language: sub("Bearer ", "") for language in DIRECT},
    "authorization with a colon": {language: sub("Bearer ", "Bearer: ") for language in DIRECT},
    "wrong token": {"client": sub(r"(Client\([^)]*)\)", r'\1, token="wrong")')},
    "dropped content-type": {
        "curl": sub(r'\n *--header "Content-Type[^\n]*', ""),
        # With `json=`, httpx says the type itself.
        "httpx": lambda code: code if "json={" in code else sub(r'\n *"Content-Type[^\n]*', "")(code),
        "javascript": sub(r'\n *"Content-Type[^\n]*', ""),
        "java": sub(r'\n *\.header\("Content-Type[^\n]*', ""),
        "php": sub(r"\n *'Content-Type[^\n]*", ""),
        "go": sub(r'\n[^\n]*Set\("Content-Type[^\n]*', ""),
    },
    "wrong content-type": {language: sub("(image|audio)/[a-z]+(?=[\"'])", "application/json") for language in DIRECT},
    "upload as text": {"curl": sub(r"--data-binary (@\S+\.png)", r"--data \1")},
    "upload as a form": {
        "php": sub(rf"POSTFIELDS => file_get_contents\({FILE}\)", r"POSTFIELDS => ['file' => new CURLFile(\1)]"),
    },
    "wrong address": {language: sub("/tasks/[a-z]+", "/tasks/no") for language in DIRECT},
    "wrong parameter": {language: sub("top_k", "topk") for language in LANGUAGES},
    "another file's URL": {language: sub("/seven.png", "/three.png") for language in LANGUAGES},
    "second input left out": {
        language: sub(r"""(seven\.png["']?),? ["']?three\.png["']?""", r"\1") for language in LANGUAGES
    },
    "inputs in another order": {
        language: sub(r"""(["']?seven\.png["']?)(,? )(["']?three\.png["']?)""", r"\3\2\1") for language in LANGUAGES
    },
    "nothing printed": {
        "curl": lambda code: code.rstrip("\n") + " > /dev/null\n" if "JSON\n" not in code else code,
        "client": sub(r"print\(", "str("),
        "httpx": sub(r"print\(", "str("),
        "javascript": sub(r"console\.log", "String"),
        "java": sub(r"System\.out\.println", "String.valueOf"),
        "php": sub(r"echo ", "strlen($answer) . "),
        "go": sub(r"fmt\.Println", "fmt.Sprint"),
    },
}
MUTATED = (
    "image-classification/seven",
    "image-classification/seven-several",
    "image-classification/seven-url",
    "image-classification/three-top-3",
    "text-classification/complaint-all",
)
NOTICED = {
    "missing comma": "exit status",
    "file name sent as bytes": "the body is not|sent 0 requests",
    "authorization without Bearer": "authorization is",
    "authorization with a colon": "authorization is",
    "wrong token": "authorization is",
    "dropped content-type": "content-type is",
    "wrong content-type": "content-type is",
    "upload as text": "the body is not",
    "upload as a form": "content-type is",
    "wrong address": "path is",
    "wrong parameter": "the body is not|sent 0 requests",
    "another file's URL": "the body is not",
    "second input left out": "sent 1 requests",
    "inputs in another order": "the body is not|not the expected answer",
    "nothing printed": "not JSON",
}
"""What the checker must say about each mutation: it has to notice the defect itself, not just any failure."""


def mutants(language: str) -> list[tuple[str, Program]]:
    """Each program of some examples, broken in each way that it can be."""
    own = [p for p in programs() if p.language == language and f"{p.task}/{p.name}" in MUTATED]
    edits = [(name, edits[language]) for name, edits in MUTATIONS.items() if language in edits]
    made = [(name, program, edit(program.code)) for name, edit in edits for program in own]
    return [(name, replace(program, code=code)) for name, program, code in made if code != program.code]


@pytest.mark.parametrize("language", LANGUAGES)
def test_broken_programs_are_noticed(language: str, proxies: tuple[Proxy, Proxy], tmp_path: Path) -> None:
    need(language)
    broken = mutants(language)
    assert {name for name, _ in broken} == {name for name, edits in MUTATIONS.items() if language in edits}
    found = checked([program for _, program in broken], proxies, tmp_path)
    missed = [
        f"{program.file}, {name}: {'; '.join(problems)}"
        for (name, program), problems in zip(broken, found, strict=True)
        if not re.search(NOTICED[name], "\n".join(problems))
    ]
    assert not missed, "\n".join(missed)


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
