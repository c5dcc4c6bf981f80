"""Says everything that is wrong with what a printed program did."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.support.server import TOKEN, Proxy, Sent

from .pages import responses
from .programs import BASE_URL, Outcome, Program, run
from .specs import Request, output_validator, sendings

TOLERANCE = 1e-3


def checked(programs: Sequence[Program], proxies: Sequence[Proxy], folder: Path, **how: bool) -> list[list[str]]:
    """Run programs of one language, as `run` does, and say of each what is wrong with what it did.

    The first of `proxies` is before a server that answers the examples. It knows no answers to several inputs with the
    parameters of one, so those go to the second.
    """
    jobs = [(program, proxies[program.way == "several"].channel()) for program in programs]
    recorded = responses()
    done = run(programs[0].language, jobs, folder, **how)
    return [
        problems(program, outcome, channel.url, recorded[program.task, program.example])
        for (program, channel), outcome in zip(jobs, done, strict=True)
    ]


def problems(program: Program, outcome: Outcome, url: str, recorded: Any) -> list[str]:
    """What is wrong; an empty list means nothing. `url` is the base URL that `program` was run with.

    Checked are the exit status, the output (a JSON document for each request, in order, valid under the task's schema)
    and the requests: address, authorization, exact media type, and content equal to that of the examples, byte by byte.
    The answer must be the `recorded` one; several must be those that the server gave.
    """
    sending = sendings()[program.task, program.name]
    found = [] if BASE_URL in program.code else [f"it does not name {BASE_URL}"]
    if outcome.status:
        found.append(f"exit status {outcome.status}: {outcome.stderr.decode(errors='replace')[-800:]}")
    expected = sending.requests(program.language, url)
    posts = [sent for sent in outcome.sent if sent.method == "POST"]
    complete = len(posts) == len(expected)
    if not complete:
        found.append(f"it sent {len(posts)} requests, not {len(expected)}")
    elif program.language == "client":  # it sends them at once, so that they may come in any order
        posts = [next((sent for sent in posts if _says(sent, request)), posts[0]) for request in expected]
    for sent, request in zip(posts, expected, strict=False):
        found += _request_problems(sent, request, program.task)
    answers = [_json(sent.answer) for sent in posts] if program.way == "several" else [recorded]
    return found + _answer_problems(outcome.stdout, program.task, answers if complete else None)


def _answer_problems(stdout: bytes, task: str, expected: list[Any] | None) -> list[str]:
    answers = _documents(stdout)
    if not answers:
        return [f"the output is not JSON: {stdout[:200]!r}"]
    errors = (error for answer in answers for error in output_validator(task).iter_errors(answer))
    found = [f"the output breaks the schema: {error.message}" for error in errors]
    if expected is not None and not close(answers, expected):
        found.append(f"the output is not the expected answer: {answers!r}, not {expected!r}")
    return found


def _request_problems(sent: Sent, request: Request, task: str) -> list[str]:
    expected = {
        "path": (sent.path, f"/tasks/{task}"),
        "authorization": (sent.headers.get("authorization"), f"Bearer {TOKEN}"),
        "content-type": (sent.headers.get("content-type"), request.content_type),
    }
    found = [f"{what} is {is_!r}, not {should!r}" for what, (is_, should) in expected.items() if is_ != should]
    if not _says(sent, request):
        found.append(f"the body is not the example: {len(sent.body)} bytes, {sent.body[:80]!r}…")
    return found


def _says(sent: Sent, request: Request) -> bool:
    return sent.body == request.body if request.body else _json(sent.body) == request.payload


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _documents(stdout: bytes) -> list[Any] | None:
    """The JSON documents that follow each other in an output; None if it is anything else."""
    found = []
    try:
        rest = stdout.decode("utf-8").strip()
        while rest:
            document, end = json.JSONDecoder().raw_decode(rest)
            found.append(document)
            rest = rest[end:].lstrip()
    except ValueError:
        return None
    return found


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
