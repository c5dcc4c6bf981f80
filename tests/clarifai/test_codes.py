"""The status codes are those of the published protocol."""

from __future__ import annotations

import pytest
from clarifai_grpc.grpc.api.status import status_code_pb2

from inference_tasks._runtime.clarifai.codes import DESCRIPTIONS, LATER, Code, http_status


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_a_code_has_the_number_and_name_of_the_protocol(code: Code) -> None:
    assert status_code_pb2.StatusCode.Value(code.name) == code
    assert DESCRIPTIONS[code]


def test_each_code_says_something_of_its_own() -> None:
    assert set(DESCRIPTIONS) == set(Code)
    assert len(set(DESCRIPTIONS.values())) == len(Code)


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        (200, [Code.SUCCESS, Code.MIXED_STATUS]),
        (202, [Code.ACCEPTED]),
        (307, [Code.MOVED]),
        (
            400,
            [Code.FAILURE, Code.CONN_BAD_REQUEST_FORMAT, Code.PREDICT_INVALID_REQUEST, Code.MODEL_INVALID_ARGUMENT],
        ),
        (401, [Code.CONN_KEY_NOT_FOUND, Code.CONN_KEY_INVALID, Code.CONN_TOKEN_INVALID]),
        (404, [Code.MODEL_DOES_NOT_EXIST, Code.CONN_DOES_NOT_EXIST]),
        (429, [Code.CONN_THROTTLED]),
        (503, sorted(LATER)),
    ],
)
def test_http_statuses(status: int, codes: list[Code]) -> None:
    assert {http_status(code) for code in codes} == {status}


def test_a_code_that_is_not_known_is_an_error() -> None:
    assert http_status(29999) == 400


def test_those_that_clients_wait_for_are_the_ones_of_clarifais_own_client() -> None:
    assert sorted(LATER) == [21351, 21354, 21355]
