"""Errors, retries and redirects against real servers."""

from __future__ import annotations

import copy
import gzip
import pickle
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import inference_tasks
from inference_tasks import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    ConfigurationError,
    InferenceError,
    InputError,
    ModelLoadingError,
    ResponseValidationError,
    ServerError,
    UnprocessableEntityError,
)

NO_RETRY = {"max_retries": 0}


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (405, "APIStatusError"),
        (413, "PayloadTooLargeError"),
        (415, "UnsupportedMediaTypeError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
        (500, "ServerError"),
        (503, "ServerError"),
        (599, "ServerError"),
    ],
)
def test_every_status_has_its_class(flavour: Any, server: Any, answer: Any, status: int, name: str) -> None:
    server.answer(answer({"error": "why"}, status, {"x-request-id": "r-1"}))
    with pytest.raises(APIStatusError) as caught:
        flavour.call(server.url, "text_classification", "x", settings=NO_RETRY)
    error = caught.value
    assert type(error) is getattr(inference_tasks, name)
    assert (error.status_code, error.message, error.body, error.request_id) == (status, "why", {"error": "why"}, "r-1")
    assert error.headers["content-type"] == "application/json"
    assert str(error) == f"why (HTTP {status}, request r-1)"


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        ({"error": ["one", "two"]}, {}, "one; two"),
        ({"error": {"message": "nested", "type": "x"}}, {}, "nested"),
        ({"errors": [{"message": "a"}, {"message": "b"}]}, {}, "a; b"),
        ({"detail": "detail"}, {}, "detail"),
        ({"detail": [{"loc": ["body", "inputs"], "msg": "missing", "type": "t"}]}, {}, "body.inputs: missing"),
        ({"message": "m"}, {}, "m"),
        (b"", {"x-error-message": "from the header"}, "from the header"),
        (b"<html>\n  <b>oops</b>", {}, "<html> <b>oops</b>"),
        (b"x" * 5000, {}, "x" * 300 + "…"),
        (b"", {}, "Bad Request"),
        (b"[" * 100_000, {}, "[" * 300 + "…"),
        ({"error": 7}, {}, '{"error": 7}'),
        ([1], {}, "[1]"),
    ],
)
def test_the_servers_message_is_found(
    flavour: Any, server: Any, answer: Any, body: Any, headers: dict[str, str], message: str
) -> None:
    server.answer(answer(body, 400, headers))
    with pytest.raises(APIStatusError) as caught:
        flavour.call(server.url, "text_classification", "x")
    assert caught.value.message == message


def test_fields_that_the_server_blames_are_kept(flavour: Any, server: Any, answer: Any) -> None:
    fields = [{"field": "parameters.top_k", "message": "is too large"}, {"field": 1}, "x"]
    server.answer(answer({"error": "no", "fields": fields}, 422))
    with pytest.raises(UnprocessableEntityError) as caught:
        flavour.call(server.url, "text_classification", "x")
    assert [str(problem) for problem in caught.value.fields] == ["parameters.top_k: is too large"]


def test_a_token_that_the_server_echoes_is_blotted_out(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer({"error": "no such token: s3cret"}, 401, {"x-error-message": "s3cret"}))
    with pytest.raises(APIStatusError) as caught:
        flavour.call(server.url, "text_classification", "my private text", settings={"token": "s3cret"})
    shown = f"{caught.value} {caught.value!r} {caught.value.body}"
    assert "s3cret" not in shown
    assert "private" not in shown


def test_a_loading_model_says_for_how_long(flavour: Any, server: Any, answer: Any) -> None:
    loading = answer({"error": "loading", "estimated_time": 7.5}, 503, {"retry-after": "7"})
    server.answer(loading)
    with pytest.raises(ModelLoadingError) as caught:
        flavour.call(server.url, "text_classification", "x")
    assert caught.value.estimated_time == 7.5
    assert isinstance(caught.value, ServerError)
    assert flavour.slept == [7, 7]
    assert [seen.headers.get("x-retry-count") for seen in server.seen] == [None, "1", "2"]
    assert len({seen.body for seen in server.seen}) == 1
    server.answer(loading, answer())
    assert flavour.call(server.url, "text_classification", "x")[0].label == "cat"


def test_retries_back_off_and_stop(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(status=500))
    with pytest.raises(ServerError):
        flavour.call(server.url, "text_classification", "x", settings={"max_retries": 3})
    assert len(server.seen) == 4
    for pause, full in zip(flavour.slept, (0.5, 1, 2), strict=True):
        assert 0.75 * full <= pause <= full


@pytest.mark.parametrize(
    ("status", "headers", "tries"),
    [
        (400, {}, 1),
        (400, {"x-should-retry": "true"}, 3),
        (500, {"x-should-retry": "false"}, 1),
        (200, {"x-should-retry": "true"}, 1),
        (429, {"retry-after": "121"}, 1),
        (408, {}, 3),
        (409, {}, 3),
        (422, {}, 1),
    ],
)
def test_what_is_retried(
    flavour: Any, server: Any, answer: Any, status: int, headers: dict[str, str], tries: int
) -> None:
    server.answer(answer(status=status, headers=headers))
    if status == 200:
        flavour.call(server.url, "text_classification", "x")
    else:
        with pytest.raises(APIStatusError):
            flavour.call(server.url, "text_classification", "x")
    assert len(server.seen) == tries


def test_a_dropped_connection_is_retried(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(status=0), answer(status=0), answer())
    assert flavour.call(server.url, "text_classification", "x")[0].score == 0.9
    assert len(flavour.slept) == 2


def test_no_server_at_all(flavour: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but never listening
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(APIConnectionError, match=r"cannot reach 127\.0\.0\.1") as caught:
            flavour.call(url, "text_classification", "private", settings={"token": "s3cret"})
    assert caught.value.__cause__ is not None
    assert len(flavour.slept) == 2
    assert "private" not in f"{caught.value!r}{caught.value.__cause__!r}"
    assert "s3cret" not in f"{caught.value!r}{caught.value.__cause__!r}"


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        kept = []
        threading.Thread(target=lambda: kept.append(listening.accept()), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_model_at_work_is_not_asked_twice(flavour: Any, silent: str) -> None:
    with pytest.raises(APITimeoutError, match=r"no answer from 127\.0\.0\.1:"):
        flavour.call(silent, "text_classification", "x", timeout=0.1)
    assert flavour.slept == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_origin_sees_nothing(flavour: Any, server: Any, other: Any, answer: Any, status: int) -> None:
    location = f"{other.url}/tasks/text-classification"
    server.answer(answer(status=status, headers={"location": location, "set-cookie": "id=1"}))
    with pytest.raises(APIStatusError, match=f"another origin, {location}") as caught:
        flavour.call(server.url, "text_classification", "x", settings={"token": "tok"})
    assert caught.value.status_code == status
    assert other.seen == []
    assert len(server.seen) == 1


def test_another_scheme_or_host_name_is_another_origin(flavour: Any, server: Any, answer: Any) -> None:
    port = server.url.rpartition(":")[2]
    for location in (
        f"https://127.0.0.1:{port}/",
        f"http://localhost:{port}/",
        f"//localhost:{port}/",
        "ftp://x/",
        "http://[",
    ):
        server.answer(answer(status=307, headers={"location": location}))
        with pytest.raises(APIStatusError, match="redirect refused"):
            flavour.call(server.url, "text_classification", "x", settings={"token": "tok"})
    assert len(server.seen) == 5


@pytest.mark.parametrize("status", [307, 308])
def test_the_same_origin_is_followed_with_everything(flavour: Any, server: Any, answer: Any, status: int) -> None:
    server.answer(answer(status=status, headers={"location": "/elsewhere?a=1"}), answer())
    flavour.call(server.url, "text_classification", "x", settings={"token": "tok"})
    first, second = server.seen
    assert (second.method, second.path, second.body) == ("POST", "/elsewhere?a=1", first.body)
    assert second.headers["authorization"] == "Bearer tok"


def test_redirects_that_lose_the_body_or_never_end_are_errors(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(status=302, headers={"location": "/elsewhere"}))
    with pytest.raises(APIStatusError, match="lose the request's body"):
        flavour.call(server.url, "text_classification", "x")
    server.seen.clear()
    server.answer(answer(status=307, headers={"location": "/round"}))
    with pytest.raises(APIConnectionError, match="more than 5 redirects"):
        flavour.call(server.url, "text_classification", "x")
    assert len(server.seen) == 6
    server.answer(answer(status=304))
    with pytest.raises(APIStatusError, match="304"):
        flavour.call(server.url, "text_classification", "x")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "not JSON"),
        (b"", "not JSON"),
        (b"[NaN]", "not JSON"),
        (b'[{"label": "\\ud800", "score": 1}]', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        ({"label": "cat"}, "not what the task's spec says"),
        ([{"label": "cat"}], "0.score: is required"),
        ([{"label": "secret", "score": "1"}], "0.score: "),
    ],
)
def test_a_wrong_answer_names_the_member(flavour: Any, server: Any, answer: Any, body: Any, message: str) -> None:
    server.answer(answer(body, headers={"x-request-id": "r-2"}))
    with pytest.raises(ResponseValidationError, match=message) as caught:
        flavour.call(server.url, "text_classification", "x")
    assert (caught.value.request_id, caught.value.status_code) == ("r-2", 200)
    assert "secret" not in str(caught.value)
    assert len(server.seen) == 1


def test_unknown_members_of_an_answer_are_kept(flavour: Any, server: Any, answer: Any) -> None:
    label = {"label": "cat", "score": 1, "new": {"a": [1]}}
    server.answer(answer([label]))
    (result,) = flavour.call(server.url, "text_classification", "x", settings={"strict_responses": True})
    assert result.model_dump() == label


def test_answers_have_a_size_limit_after_decoding(
    flavour: Any, server: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    zipped = {"content-encoding": "gzip"}
    server.answer(answer(gzip.compress(b'[{"label": "cat", "score": 1}]'), headers=zipped))
    assert flavour.call(server.url, "text_classification", "x")[0].label == "cat"
    assert server.last.headers["accept-encoding"] == "identity"
    monkeypatch.setattr(sys.modules["inference_tasks._runtime._http"], "MAX_RESPONSE", 100_000)
    server.answer(answer(gzip.compress(bytes(1_000_000)), headers=zipped))
    with pytest.raises(ResponseValidationError, match="more than 100000 bytes"):
        flavour.call(server.url, "text_classification", "x")
    server.answer(answer(b"", headers={"content-encoding": "br"}))
    with pytest.raises(ResponseValidationError, match="encoding that was not asked for"):
        flavour.call(server.url, "text_classification", "x")


def test_every_error_can_be_pickled_and_copied() -> None:
    from inference_tasks._runtime.validation import Problem

    problem = Problem("inputs", "is required")
    status = {
        "status_code": 418,
        "body": {"estimated_time": 3},
        "request_id": "r",
        "headers": {"a": "b"},
        "fields": [problem],
    }
    extra: dict[str, dict[str, Any]] = {
        "InputError": {"problems": [problem]},
        "APIConnectionError": {"retryable": False},
    }
    extra["APITimeoutError"] = extra["APIConnectionError"]
    extra["StreamError"] = {"body": {"error": "why"}, "request_id": "r"}
    extra["ResponseValidationError"] = {"status_code": 200, "request_id": "r", "problems": [problem]}
    classes = [
        value
        for name in inference_tasks.__all__
        if isinstance(value := getattr(inference_tasks, name), type) and issubclass(value, InferenceError)
    ]
    assert len(classes) == 19
    for cls in classes:
        error = cls("why", **(status if issubclass(cls, APIStatusError) else extra.get(cls.__name__, {})))
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
            assert type(twin) is cls
            assert vars(twin) == vars(error)
            assert (str(twin), repr(twin), twin.args) == (str(error), repr(error), ("why",))


def test_the_tree_of_errors() -> None:
    assert issubclass(APITimeoutError, APIConnectionError)
    assert issubclass(APIConnectionError, APIError)
    assert issubclass(ResponseValidationError, APIError)
    assert issubclass(APIStatusError, APIError)
    assert not issubclass(InputError, APIError)
    assert issubclass(InputError, ValueError)
    assert issubclass(ConfigurationError, InferenceError)
