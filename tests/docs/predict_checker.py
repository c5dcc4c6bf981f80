"""Says everything that is wrong with what a printed program did that makes a predict call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tests.support.server import TOKEN, Proxy, Sent

from .checker import close
from .predicted import DIALECT, Predicted, data_of, predicted
from .programs import BASE_URL, Outcome, Program, run
from .record import rounded, shortened


def checked(programs: Sequence[Program], proxy: Proxy, folder: Path) -> list[list[str]]:
    """Run programs of one language, as `run` does, and say of each what is wrong with what it did.

    `proxy` is before a server that answers the examples.
    """
    jobs = [(program, proxy.channel()) for program in programs]
    done = run(programs[0].language, jobs, folder)
    return [problems(program, one, channel.url) for (program, channel), one in zip(jobs, done, strict=True)]


def problems(program: Program, outcome: Outcome, url: str) -> list[str]:
    """What is wrong; an empty list means nothing. `url` is the base URL that `program` was run with.

    Checked are the exit status, the request (address, key, exact media type, and body), and the output: the very answer
    of the server, a success with the data that are on the page.
    """
    own = predicted()[program.task]
    found = [] if BASE_URL in program.code else [f"it does not name {BASE_URL}"]
    if outcome.status:
        found.append(f"exit status {outcome.status}: {outcome.stderr.decode(errors='replace')[-800:]}")
    posts = [sent for sent in outcome.sent if sent.method == "POST"]
    if len(posts) != 1:
        return [*found, f"it sent {len(posts)} requests"]
    found += _request_problems(posts[0], own, program, url)
    if found:
        return found
    answer = json.loads(outcome.stdout)
    if answer != json.loads(posts[0].answer):
        found.append("the output is not the answer")
    data = data_of(shortened(rounded(answer)))
    recorded = data_of(json.loads(own.answer.read_text(encoding="utf-8")))
    if not close(data, recorded):
        found.append(f"the data are not the recorded ones: {data!r}, not {recorded!r}"[:2000])
    return found


def _request_problems(sent: Sent, own: Predicted, program: Program, url: str) -> list[str]:
    expected = {
        "path": (sent.path, own.route),
        "authorization": (sent.headers.get("authorization"), f"{DIALECT.auth} {TOKEN}"),
        "content-type": (sent.headers.get("content-type"), own.content_type(program.language)),
        "body": (json.loads(sent.body), own.body(program.way, url)),
    }
    return [f"{what} is {str(is_)[:400]!r}" for what, (is_, should) in expected.items() if is_ != should]
