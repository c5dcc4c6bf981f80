"""What comes of predict calls that fail: typed errors by the status that Clarifai gives, and what is tried again."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from inference_tasks import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    Client,
    ModelLoadingError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    ResponseValidationError,
    ServerError,
)
from tests.support.predictions import concepts, output, response, status

CLARIFAI: dict[str, Any] = {"dialect": "clarifai", "token": "pat-secret"}
ONCE = {**CLARIFAI, "max_retries": 0}
GOOD = response(output(concepts(cat=0.9)))


def failure(flavour: Any, url: str, settings: Any = None, **keywords: Any) -> APIStatusError:
    """The error of a call."""
    with pytest.raises(APIStatusError) as found:
        flavour.call(url, "text_classification", "x", settings=settings or ONCE, **keywords)
    return found.value


ERRORS = {
    11001: AuthenticationError,
    11008: AuthenticationError,
    11009: AuthenticationError,
    11005: RateLimitError,
    11100: BadRequestError,
    21200: NotFoundError,
    21201: PermissionDeniedError,
    21202: BadRequestError,
    21313: ServerError,
    21351: ModelLoadingError,
    21354: ModelLoadingError,
    21355: ModelLoadingError,
    30002: BadRequestError,
    30104: BadRequestError,
    40001: BadRequestError,
    40033: PayloadTooLargeError,
    99999: BadRequestError,
}


@pytest.mark.parametrize("http", [200, 400, 404, 500])
@pytest.mark.parametrize("code", [code for code in ERRORS if code != 99999])
def test_the_code_tells_the_class_whatever_http_says(server: Any, answer: Any, code: int, http: int) -> None:
    server.answer(answer(response(code=code, description="Failed", details="because"), status=http))
    with Client(server.url, **ONCE) as client, pytest.raises(APIStatusError) as found:
        client.text_classification("x")
    error = found.value
    assert type(error) is ERRORS[code]
    assert (error.code, error.message, error.request_id) == (code, "Failed: because", "20ab5bcf")
    assert str(error) == f"Failed: because (code {code}, request 20ab5bcf)"
    assert error.body == {"status": {**status(code, "Failed", "because"), "req_id": "20ab5bcf"}}


@pytest.mark.parametrize(("http", "kind"), [(200, BadRequestError), (404, NotFoundError), (500, ServerError)])
def test_of_a_code_that_nobody_knows_http_tells_the_class(
    flavour: Any, server: Any, answer: Any, http: int, kind: Any
) -> None:
    server.answer(answer(response(code=99999, description="Odd"), status=http))
    error = failure(flavour, server.url)
    assert (type(error), error.code) == (kind, 99999)


@pytest.mark.parametrize("code", [10020, 10010, 21200])
def test_the_status_of_the_output_comes_before_that_of_the_call(
    flavour: Any, server: Any, answer: Any, code: int
) -> None:
    failed = output(None, 30002, "Download failed", "404 Client Error: Not Found for url: https://h.example/x.png")
    server.answer(answer(response(failed, code=code, description="Failure")))
    error = failure(flavour, server.url)
    assert (type(error), error.code) == (BadRequestError, 30002)
    assert "Download failed: 404 Client Error: Not Found for url: https://h.example/x.png" in str(error)


def test_a_call_that_failed_without_an_output_that_did(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(response(output(None), code=10020, description="Failure")))
    assert failure(flavour, server.url).code == 10020
    server.answer(answer(response(output(None), output(None, 30002), code=21202, description="Invalid")))
    assert failure(flavour, server.url).code == 21202


def test_an_output_with_fewer_concepts_than_were_selected_is_an_answer(flavour: Any, server: Any, answer: Any) -> None:
    mixed = output(concepts(cat=0.9), 10010, "Mixed Success", "no such concept: dog")
    server.answer(answer(response(mixed, code=10010, description="Mixed Success")))
    assert flavour.call(server.url, "text_classification", "x", settings=ONCE)[0].label == "cat"


def test_names_of_codes_are_understood(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer({"status": {"code": "CONN_KEY_NOT_FOUND"}}))
    error = failure(flavour, server.url)
    assert (type(error), error.code) == (AuthenticationError, 11009)
    assert error.message == "The request has no key that is known"
    server.answer(answer({"status": {"code": "SUCCESS"}, "outputs": [output(concepts(cat=1))]}))
    assert flavour.call(server.url, "text_classification", "x", settings=ONCE)[0].label == "cat"


@pytest.mark.parametrize(
    ("body", "http", "kind"),
    [
        (b"<html>bad gateway", 502, ServerError),
        ({"message": "slow down"}, 429, RateLimitError),
        ({"status": {"code": None}}, 404, NotFoundError),
        ({"status": "down"}, 503, ServerError),
        ([1], 413, PayloadTooLargeError),
    ],
)
def test_who_stands_before_the_service_may_answer_too(
    flavour: Any, server: Any, answer: Any, body: Any, http: int, kind: Any
) -> None:
    server.answer(answer(body, status=http))
    error = failure(flavour, server.url)
    assert (type(error), error.code, error.status_code) == (kind, None, http)


def test_no_key_is_shown(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(response(code=11008, description="Invalid", details="the key pat-secret is not known")))
    error = failure(flavour, server.url)
    for shown in (str(error), repr(error), repr(error.body)):
        assert "pat-secret" not in shown
    assert "the key *** is not known" in str(error)


def test_errors_can_be_copied(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(response(code=21355, description="Loading")))
    error = failure(flavour, server.url)
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert (type(twin), str(twin), twin.code, twin.estimated_time) == (ModelLoadingError, str(error), 21355, 0)


# ------------------------------------------------------------------------------------------------------- trying again

LOADING = response(code=21355, description="Model is loading")


@pytest.mark.parametrize(
    "first",
    [
        LOADING,
        response(code=11005, description="Throttled"),
        response(code=21354, description="Busy"),
        response(output(None, 21351, "Deploying"), code=10020, description="Failure"),
        response(output(None, 40030, "Queue full"), code=10020),
    ],
)
@pytest.mark.parametrize("http", [200, 404])
def test_what_may_end_better_is_tried_again(flavour: Any, server: Any, answer: Any, first: Any, http: int) -> None:
    server.answer(answer(first, status=http), answer(GOOD))
    assert flavour.call(server.url, "text_classification", "x", settings=CLARIFAI)[0].label == "cat"
    assert (len(server.seen), len(flavour.slept)) == (2, 1)
    assert server.seen[0].headers["idempotency-key"] == server.seen[1].headers["idempotency-key"]


@pytest.mark.parametrize("code", [11009, 21200, 21202, 30002, 30104, 40001, 10020])
@pytest.mark.parametrize("http", [200, 500])
def test_what_cannot_end_better_is_not(flavour: Any, server: Any, answer: Any, code: int, http: int) -> None:
    server.answer(answer(response(code=code, description="No"), status=http), answer(GOOD))
    assert failure(flavour, server.url, CLARIFAI).code == code
    assert (len(server.seen), flavour.slept) == (1, [])


def test_a_loading_model_is_waited_for(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(*[answer(LOADING)] * 6, answer(GOOD))
    found = flavour.call(server.url, "text_classification", "x", wait_for_model=True, settings=CLARIFAI)
    assert found[0].label == "cat"
    assert (len(server.seen), len(flavour.slept)) == (7, 6)


def test_what_the_server_asks_for_comes_first(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(LOADING, headers={"retry-after": "3"}), answer(GOOD))
    flavour.call(server.url, "text_classification", "x", wait_for_model=True, settings=CLARIFAI)
    assert flavour.slept == [3.0]


def test_a_loading_model_is_not_waited_for(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(LOADING))
    error = failure(flavour, server.url, CLARIFAI, wait_for_model=False)
    assert (type(error), len(server.seen), flavour.slept) == (ModelLoadingError, 1, [])


@pytest.mark.parametrize("code", ["SOMETHING_NEW", 30002.5, None, True, -1, [], 10**30])
@pytest.mark.parametrize("whole", [True, False])
def test_a_code_that_cannot_be_read_is_no_good_one(
    flavour: Any, server: Any, answer: Any, code: Any, whole: bool
) -> None:
    odd = {"code": code, "description": "Odd"}
    good = output(concepts(cat=1))
    server.answer(
        answer(
            {"status": odd, "outputs": [good]}
            if whole
            else {"status": status(10000), "outputs": [good | {"status": odd}]}
        )
    )
    error = failure(flavour, server.url)
    assert (type(error), error.code, error.message, error.status_code) == (APIStatusError, None, "Odd", 200)


@pytest.mark.parametrize("odd", [{}, [], "down"])
def test_a_status_without_a_code_is_no_good_one(flavour: Any, server: Any, answer: Any, odd: Any) -> None:
    server.answer(answer({"status": status(10000), "outputs": [{"status": odd, "data": concepts(cat=1)}]}))
    assert "a status whose code cannot be read" in str(failure(flavour, server.url))


def test_outputs_may_fail_where_the_whole_says_nothing(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer({"outputs": [output(None, 30002, "Download failed")]}))
    assert failure(flavour, server.url).code == 30002


@pytest.mark.parametrize("code", ["30002", 30002.0])
def test_numbers_may_be_written_otherwise(flavour: Any, server: Any, answer: Any, code: Any) -> None:
    server.answer(answer({"status": {"code": "10010"}, "outputs": [{"status": {"code": code}}]}))
    assert failure(flavour, server.url).code == 30002
    server.answer(answer({"status": {"code": 10000.0}, "outputs": [output(concepts(cat=1))]}))
    assert flavour.call(server.url, "text_classification", "x", settings=ONCE)[0].label == "cat"


@pytest.mark.parametrize("token", ["0", "code", "status", 'a"b', "a\\b"])
def test_keys_are_blotted_out_of_texts_alone(flavour: Any, server: Any, answer: Any, token: str) -> None:
    server.answer(
        answer(response(code=11008, description="Bad", details=f"the key <{token}> is not known"), status=401)
    )
    error = failure(flavour, server.url, {**ONCE, "token": token})
    assert (type(error), error.code, error.body["status"]["code"]) == (AuthenticationError, 11008, 11008)
    assert error.body["status"]["details"] == "the key <***> is not known"


@pytest.mark.parametrize("settings", [ONCE, {"token": "pat-secret", "max_retries": 0}])
def test_names_of_requests_show_no_key(flavour: Any, server: Any, answer: Any, settings: Any) -> None:
    bare = {"status": status(11008, "Bad")}
    server.answer(answer(bare, status=401, headers={"x-request-id": "is-pat-secret"}))
    error = failure(flavour, server.url, settings)
    assert (error.request_id, error.headers["x-request-id"]) == ("is-***", "is-***")
    server.answer(answer({"status": {**bare["status"], "req_id": "is-pat-secret"}}))
    if settings is ONCE:
        assert failure(flavour, server.url).request_id == "is-***"


def test_the_name_of_the_request_is_kept_where_its_answer_is_wrong(
    flavour: Any, server: Any, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer(answer(response(output({"concepts": [{"name": 1}]}))))
    with caplog.at_level("DEBUG"), pytest.raises(ResponseValidationError) as found:
        flavour.call(server.url, "text_classification", "x", settings=ONCE)
    assert found.value.request_id == "20ab5bcf"
    assert "request 20ab5bcf" in caplog.text


@pytest.mark.parametrize("whole", [10000, 10010, 10020])
@pytest.mark.parametrize("code", [11005, 21351, 21354, 21355, 40030])
def test_what_may_end_better_of_an_output_is_tried_again(
    flavour: Any, server: Any, answer: Any, whole: int, code: int
) -> None:
    server.answer(answer(response(output(None, code, "Later"), code=whole)), answer(GOOD))
    assert flavour.call(server.url, "text_classification", "x", settings=CLARIFAI)[0].label == "cat"
    assert (len(server.seen), len(flavour.slept)) == (2, 1)
    assert server.seen[1].headers["x-retry-count"] == "1"
    assert server.seen[0].headers["idempotency-key"] == server.seen[1].headers["idempotency-key"]


def test_tries_of_the_whole_and_of_outputs_are_counted_together(flavour: Any, server: Any, answer: Any) -> None:
    throttled = response(output(None, 11005, "Throttled"), code=10010)
    server.answer(answer(response(code=11005, description="Throttled")), answer(throttled))
    assert failure(flavour, server.url, CLARIFAI).code == 11005
    assert (len(server.seen), len(flavour.slept)) == (3, 2)


def test_a_loading_model_of_an_output_is_waited_for(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(*[answer(response(output(None, 21355, "Loading"), code=10010))] * 5, answer(GOOD))
    found = flavour.call(server.url, "text_classification", "x", wait_for_model=True, settings=CLARIFAI)
    assert (found[0].label, len(server.seen)) == ("cat", 6)
