"""What the docs print of answers is what the demo server sends, and what the command shows of the answer beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from taskbind import ir_json
from tests.support.server import running_server

from .pages import GENERATED
from .record import answer, parsed, raw, raw_path, same_form, shortened, still_right, text, text_path
from .specs import Example, examples

EXAMPLES = examples()
API = ir_json.from_json(json.loads((GENERATED / "api.json").read_text(encoding="utf-8")))
IN_IR = {(task.id, example.name): example for task in API.tasks for example in task.examples}


@pytest.fixture(scope="module")
def demo_url() -> Iterator[str]:
    """The base URL of a server with the embedded demo models."""
    with running_server() as url:
        yield url


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=lambda example: f"{example.task}/{example.name}")
def test_raw_answer_is_what_the_demo_server_sends(example: Example, demo_url: str) -> None:
    response = answer(example, demo_url)  # valid under the output schema, or an error here
    if response is None:
        assert not raw_path(example).exists(), "no demo model takes this request any more: run `nox -s record`"
        return
    assert still_right(raw_path(example), raw(response)), "the answer has another form now: run `nox -s record`"
    status, headers, _ = parsed(raw_path(example).read_text(encoding="utf-8"))
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert len(headers["x-request-id"]) == 32
    assert not {"date", "server"} & headers.keys()


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=lambda example: f"{example.task}/{example.name}")
def test_text_is_what_the_command_shows(example: Example) -> None:
    assert text_path(example).read_text(encoding="utf-8") == text(example), "run `nox -s record`"


def test_all_but_a_few_have_a_raw_answer() -> None:
    missing = {key for key, example in EXAMPLES.items() if not raw_path(example).exists()}
    assert missing == {("chat-completion", "picture")}  # the demo model of chats reads text alone


@pytest.mark.parametrize("key", EXAMPLES, ids="/".join)
def test_pages_have_them(key: tuple[str, str]) -> None:
    example, path = IN_IR[key], raw_path(EXAMPLES[key])
    assert example.raw == (path.read_text(encoding="utf-8").rstrip("\n") if path.exists() else "")
    assert example.text == text_path(EXAMPLES[key]).read_text(encoding="utf-8").rstrip("\n")


def test_long_texts_and_lists_are_shortened() -> None:
    value = {"a": "x" * 200, "b": "y" * 12_345, "c": [1] * 16, "d": [[2] * 240] * 1000, "e": None}
    assert shortened(value) == {
        "a": "x" * 200,
        "b": f"{'y' * 40}… (12,345 characters)",
        "c": [1] * 16,
        "d": [[2, 2, 2, "… (240 items)"]] * 3 + ["… (1,000 items)"],
        "e": None,
    }


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 2.5, True),
        (1, "1", False),
        (1, True, False),
        (True, False, True),
        (None, None, True),
        (None, 1, False),
        ("a", "b", True),
        ({"a": 1}, {"a": 2}, True),
        ({"a": 1}, {"a": 2, "b": 1}, False),
        ({"a": 1}, {"a": "1"}, False),
        ([1, 2], [3], True),
        ([1, 2], [], True),
        ([1, "a"], [1], False),
        ([1, "a"], ["b", 2], True),
        ([1, 2, 3, "… (240 items)"], [5, 6], True),
        (["… (240 items)"], [], True),
        ([{"a": None}, {"a": 1}], [{"a": 2}, {"a": None}], True),
        ([], {}, False),
    ],
)
def test_same_form(one: Any, other: Any, same: bool) -> None:
    assert same_form(one, other) is same
    assert same_form(other, one) is same


def test_a_raw_answer_is_kept_while_it_has_the_form(tmp_path: Path) -> None:
    def sent(status: int, body: Any, **headers: str) -> str:
        return raw(httpx.Response(status, json=body, headers={"x-request-id": "1", "date": "now", **headers}))

    path = tmp_path / "answer"
    assert not still_right(path, sent(200, [1]))
    path.write_text(sent(200, [1, 2]), encoding="utf-8")
    assert "date" not in path.read_text(encoding="utf-8")
    assert parsed(path.read_text(encoding="utf-8"))[::2] == (200, [1, 2])
    assert still_right(path, sent(200, [7]))
    assert not still_right(path, sent(200, ["7"]))
    assert not still_right(path, sent(201, [7]))
    assert not still_right(path, sent(200, [7], server_timing="3"))
    path.write_text("nothing of the kind", encoding="utf-8")
    assert not still_right(path, sent(200, [7]))
