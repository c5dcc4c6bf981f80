"""What the docs say of every server, held against the runtime that decides it."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields

import pytest

from inference_tasks import APIStatusError, Client, ModelLoadingError, ServerError
from inference_tasks._runtime.errors import status_error
from inference_tasks._runtime.retry import LOADING_PATIENCE, LONGEST_WAIT, delay, worth_retrying
from inference_tasks._runtime.server.limits import LIMITED
from inference_tasks._runtime.server.settings import Limits, Serving
from inference_tasks._runtime.types import MAX_DEPTH
from taskbind.view.service import DEPTH, LIMITS, REQUEST_HEADERS, RESPONSE_HEADERS, STATUSES, Limit, Status
from tests.conftest import ROOT

from .pages import DOCS

SERVER = ROOT / "templates" / "runtime" / "server"


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: str(status.code))
def test_the_client_does_what_the_page_says(status: Status) -> None:
    error = status_error(status.code, {}, b'{"error": "x"}')
    assert isinstance(error, APIStatusError)
    assert type(error).__name__ == status.exception
    assert worth_retrying(status.code, {}) == status.retried


def test_a_model_that_is_loading_has_an_error_of_its_own() -> None:
    error = status_error(503, {}, b'{"error": "x", "estimated_time": 1.5}')
    assert type(error) is ModelLoadingError
    assert isinstance(error, ServerError)
    assert error.estimated_time == 1.5
    assert "is a `ModelLoadingError`, which has `estimated_time`" in page("errors")


def test_the_numbers_on_the_page_of_errors_are_those_of_the_client() -> None:
    retries = inspect.signature(Client).parameters["max_retries"].default
    assert f"up to `max_retries` times ({retries} unless you say otherwise)" in page("errors")
    assert f"with more than {LONGEST_WAIT:g}, it gives up at once" in page("errors")
    waits = [delay(attempt, {}, lambda: 0.0) for attempt in range(7)]
    assert waits == [0.5, 1, 2, 4, 8, 8, 8]
    assert delay(0, {}, lambda: 1.0) == 0.375
    assert f"waits up to {LOADING_PATIENCE:g} seconds for the model" in page("parameters")
    assert f"for {Serving().load_timeout:g} seconds, unless the operator says otherwise" in page("parameters")


def test_every_status_that_the_server_answers_is_told() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in SERVER.glob("*.py"))
    said = {int(status) for status in re.findall(r"status=([45]\d\d)\b", code)}
    assert said <= {status.code for status in STATUSES}


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.setting)
def test_limits_are_those_of_the_settings(limit: Limit) -> None:
    assert getattr(Serving(), limit.setting) == limit.default
    if limit.setting != "max_grammar":  # which handlers hold by themselves
        assert set(limit.members) == {name for name, setting in LIMITED.items() if setting == limit.setting}


def test_no_limit_is_left_out() -> None:
    assert {field.name for field in fields(Limits)} <= {limit.setting for limit in LIMITS}
    assert DEPTH == MAX_DEPTH


def test_headers_are_those_of_the_server() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in SERVER.glob("*.py"))
    for header in (*REQUEST_HEADERS, *RESPONSE_HEADERS):
        assert re.search(rf'b?"{header.name}"', code), header.name
