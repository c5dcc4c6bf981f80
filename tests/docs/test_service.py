"""What the docs say of every server, held against the runtime that decides it."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from inference_tasks import APIStatusError
from inference_tasks._runtime.errors import status_error
from inference_tasks._runtime.retry import worth_retrying
from inference_tasks._runtime.server.limits import LIMITED
from inference_tasks._runtime.server.settings import Limits, Serving
from inference_tasks._runtime.types import MAX_DEPTH
from taskbind.view.service import DEPTH, LIMITS, REQUEST_HEADERS, RESPONSE_HEADERS, STATUSES, Limit, Status
from tests.conftest import ROOT

SERVER = ROOT / "templates" / "runtime" / "server"


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: str(status.code))
def test_the_client_does_what_the_page_says(status: Status) -> None:
    body = b'{"error": "x", "estimated_time": 1}' if status.code == 503 else b'{"error": "x"}'
    error = status_error(status.code, {}, body)
    assert isinstance(error, APIStatusError)
    assert type(error).__name__ == status.exception
    assert worth_retrying(status.code, {}) == status.retried


def test_every_status_that_the_server_answers_is_told() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in SERVER.glob("*.py"))
    said = {int(status) for status in re.findall(r"status=([45]\d\d)\b", code)}
    assert said <= {status.code for status in STATUSES}


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.setting)
def test_limits_are_those_of_the_settings(limit: Limit) -> None:
    assert getattr(Serving(), limit.setting) == limit.default
    assert set(limit.members) == {name for name, setting in LIMITED.items() if setting == limit.setting}


def test_no_limit_is_left_out() -> None:
    # The grammar of a text is told where it can be given.
    assert {field.name for field in fields(Limits)} - {limit.setting for limit in LIMITS} == {"max_grammar"}
    assert DEPTH == MAX_DEPTH


def test_headers_are_those_of_the_server() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in SERVER.glob("*.py"))
    for header in (*REQUEST_HEADERS, *RESPONSE_HEADERS):
        assert re.search(rf'b?"{header.name}"', code), header.name
