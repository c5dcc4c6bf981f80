"""Runs one printed program and says everything that is wrong with what it did."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.support.server import TOKEN, Proxy, Sent, environment

from .pages import DOCS, Printed
from .specs import Example, examples, output_validator

BASE_URL = "http://localhost:8000"
TOLERANCE = 1e-3
SECONDS = 90
RUNNERS = {".sh": ["bash", "-e"], ".py": [sys.executable], ".mjs": ["node"]}


def check_snippet(snippet: Printed, proxy: Proxy, directory: Path, recorded: Any) -> list[str]:
    """Run `snippet` in `directory`, exactly as printed but for the base URL; an empty list means that it is right.

    Checked are its exit status, its output (JSON, valid under the task's schema, equal to the `recorded` answer) and
    the request: address, authorization, exact media type, and content equal to the example's, byte by byte.
    """
    example = examples()[snippet.task, snippet.example]
    program = directory / Path(snippet.file).name
    program.write_text(snippet.code.replace(BASE_URL, proxy.url), encoding="utf-8")
    for sample in example.samples:
        shutil.copy(DOCS / "samples" / snippet.task / sample.name, directory)
    proxy.sent.clear()
    command = [*RUNNERS[program.suffix], program.name]
    done = subprocess.run(command, cwd=directory, env=environment(), capture_output=True, timeout=SECONDS, check=False)
    problems = [] if BASE_URL in snippet.code else [f"it does not name {BASE_URL}"]
    if done.returncode:
        problems.append(f"exit status {done.returncode}: {done.stderr.decode(errors='replace')[-800:]}")
    return problems + _answer_problems(done.stdout, snippet.task, recorded) + _request_problems(proxy.sent, example)


def _answer_problems(stdout: bytes, task: str, recorded: Any) -> list[str]:
    try:
        answer = json.loads(stdout)
    except ValueError as error:
        return [f"the output is not JSON ({error}): {stdout[:200]!r}"]
    problems = [
        f"the output breaks the schema: {error.message}" for error in output_validator(task).iter_errors(answer)
    ]
    if not close(answer, recorded):
        problems.append(f"the output is not the recorded answer: {answer!r}, not {recorded!r}")
    return problems


def _request_problems(sent: list[Sent], example: Example) -> list[str]:
    if len(sent) != 1:
        return [f"it sent {len(sent)} requests, not one"]
    request = sent[0]
    expected = {
        "path": (request.path, f"/tasks/{example.task}"),
        "authorization": (request.headers.get("authorization"), f"Bearer {TOKEN}"),
        "content-type": (request.headers.get("content-type"), example.content_type),
    }
    problems = [f"{what} is {is_!r}, not {should!r}" for what, (is_, should) in expected.items() if is_ != should]
    if not (request.body == example.body if example.is_raw else _json(request.body) == example.payload):
        problems.append(f"the body is not the example: {len(request.body)} bytes, {request.body[:80]!r}…")
    return problems


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def close(answer: Any, recorded: Any) -> bool:
    """Equal, with numbers a little apart at most. Classes that score about the same may change places."""
    match answer, recorded:
        case (bool(), _) | (_, bool()):
            return answer is recorded
        case (int() | float(), int() | float()):
            return math.isclose(answer, recorded, rel_tol=0, abs_tol=TOLERANCE)
        case (list(), list()) if recorded and all(map(_is_class, [*answer, *recorded])):
            return len(answer) == len(recorded) and _same_classes(answer, recorded) and _same_classes(recorded, answer)
        case list(), list():
            return len(answer) == len(recorded) and all(map(close, answer, recorded))
        case dict(), dict():
            return answer.keys() == recorded.keys() and all(close(answer[key], recorded[key]) for key in answer)
    return bool(answer == recorded)


def _is_class(item: Any) -> bool:
    return isinstance(item, dict) and item.keys() == {"label", "score"}


def _same_classes(some: list[dict[str, Any]], others: list[dict[str, Any]]) -> bool:
    """Whether each class in `some` has its score in `others`, or one that another machine may place below the last."""
    scores = {item["label"]: item["score"] for item in others}
    last = min(scores.values())
    in_order = all(before["score"] >= after["score"] for before, after in pairwise(some))
    return in_order and all(close(item["score"], scores.get(item["label"], last)) for item in some)
