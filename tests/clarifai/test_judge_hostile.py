"""Whatever is sent to an address of Clarifai's, the answer is one that its protos know, and says whose fault it was."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from clarifai_grpc.grpc.api.service_pb2 import MultiModelResponse, MultiOutputResponse
from hypothesis import given, settings, strategies as st

from inference_tasks._runtime.clarifai.codes import Code, http_status
from tests.server.live import picture

from . import judge as judging
from .judge import Judge

MODEL = "/v2/models/text-classification/outputs"
VALID: dict[str, Any] = {
    "user_app_id": {"user_id": "me", "app_id": "main"},
    "inputs": [
        {"id": "a", "data": {"text": {"raw": "A fine film."}}},
        {"id": "b", "data": {"parts": [{"id": "c", "data": {"text": {"raw": "A dull one."}}}]}},
    ],
    "model": {
        "output_info": {
            "output_config": {"max_concepts": 1, "min_value": 0.1, "select_concepts": [{"id": "POSITIVE"}]}
        },
        "model_version": {"output_info": {"params": {"function_to_apply": "softmax"}}},
    },
    "use_predict_cache": True,
}
PICTURE: dict[str, Any] = {
    "inputs": [{"data": {"image": {"base64": base64.b64encode(picture()).decode()}}}],
    "model": {
        "output_info": {"params": {"max_concepts": 5, "sample_ms": 500}},
        "model_version": {"output_info": {"output_config": {"min_value": 0.1}, "params": {"max_concepts": 4}}},
    },
}
PARTS: dict[str, Any] = {
    "inputs": [{"data": {"parts": [{"data": {"text": {"raw": text}}} for text in ("One.", "Two.")]}}],
    "model": {"model_version": {"output_info": {"params": {"normalize": True}}}},
}
REQUESTS = {"text-classification": VALID, "object-detection": PICTURE, "feature-extraction": PARTS}
OURS = {Code.INTERNAL_SERVER_ISSUE, Code.MODEL_PREDICTION_FAILED}


@pytest.fixture(scope="module")
def http(judge: Judge) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Key {judge.key}"}
    with httpx.Client(base_url=judge.url, headers=headers, timeout=30, trust_env=False) as client:
        yield client


def told(answer: httpx.Response, message: Any = MultiOutputResponse) -> Any:
    """The response as its protos have it; its HTTP status is that of its code."""
    assert answer.headers["content-type"] == "application/json"
    response = judging.parsed(judging.strict_json(answer.content), message)
    assert answer.status_code == http_status(response.status.code)
    return response


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """All places in a JSON value but the whole."""
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield *here, step
        yield from places(inner, (*here, step))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "name", "data", "text", "image", "raw", "url", "base64", "x"]), inner)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("task", REQUESTS)
def test_the_request_that_is_spoilt_here_is_good(http: httpx.Client, task: str) -> None:
    assert told(http.post(f"/v2/models/{task}/outputs", json=REQUESTS[task])).status.code == Code.SUCCESS


@pytest.mark.parametrize("task", REQUESTS)
@settings(max_examples=200)
@given(data=st.data(), value=ANYTHING)
def test_a_request_that_is_spoilt_anywhere(http: httpx.Client, task: str, data: st.DataObject, value: Any) -> None:
    body = copy.deepcopy(REQUESTS[task])
    *way, last = data.draw(st.sampled_from(list(places(body))))
    holder: Any = body
    for step in way:
        holder = holder[step]
    holder[last] = value
    response = told(http.post(f"/v2/models/{task}/outputs", content=json.dumps(body)))
    assert OURS.isdisjoint({response.status.code, *(output.status.code for output in response.outputs)})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", Code.CONN_BAD_REQUEST_FORMAT),
        (b"{", Code.CONN_BAD_REQUEST_FORMAT),
        (b"[]", Code.CONN_BAD_REQUEST_FORMAT),
        (b'{"inputs": NaN}', Code.CONN_BAD_REQUEST_FORMAT),
        (b'{"inputs": [1]}', Code.CONN_BAD_REQUEST_FORMAT),
        (b'{"inputs": [], "inputs": []}', Code.CONN_BAD_REQUEST_FORMAT),
        (b'{"inputs": "\\ud800"}', Code.CONN_BAD_REQUEST_FORMAT),
        (b"[" * 100_000, Code.CONN_BAD_REQUEST_FORMAT),
        (b'{"inputs": []}', Code.PREDICT_INVALID_REQUEST),
        (b'{"inputs": [{}], "model": 7}', Code.CONN_BAD_REQUEST_FORMAT),
    ],
    ids=lambda value: value.decode()[:20] if isinstance(value, bytes) else value.name,
)
def test_a_body_that_is_no_request(http: httpx.Client, body: bytes, code: Code) -> None:
    assert told(http.post(MODEL, content=body)).status.code == code


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v2/", Code.CONN_DOES_NOT_EXIST),
        ("GET", "/v2", Code.CONN_DOES_NOT_EXIST),
        ("GET", "/v2/nothing", Code.CONN_DOES_NOT_EXIST),
        ("POST", "/v2/models/x/y/outputs", Code.CONN_DOES_NOT_EXIST),
        ("DELETE", "/v2/models", Code.CONN_METHOD_NOT_ALLOWED),
        ("GET", MODEL, Code.CONN_METHOD_NOT_ALLOWED),
        ("GET", "/v2/models?page=-1", Code.MODEL_INVALID_REQUEST),
        ("GET", "/v2/models?per_page=1001", Code.MODEL_INVALID_REQUEST),
        ("GET", "/v2/models?name=a&name=b", Code.MODEL_INVALID_REQUEST),
        ("GET", "/v2/models?" + "&".join(["input_fields=text"] * 101), Code.CONN_INVALID_REQUEST),
        ("GET", f"/v2/models?user_app_id.user_id={'u' * 201}", Code.MODEL_INVALID_REQUEST),
    ],
)
def test_an_address_that_is_none(http: httpx.Client, method: str, path: str, code: Code) -> None:
    assert told(http.request(method, path)).status.code == code


def test_a_query_of_many_fields(http: httpx.Client) -> None:
    text = "&".join(["input_fields=text"] * 99)
    for field, texts_alone in (("text", True), ("image", False)):
        found = told(http.get(f"/v2/models?{text}&input_fields={field}"), MultiModelResponse)
        ids = {model.id for model in found.models}
        assert "visual-question-answering" in ids
        assert ("text-classification" in ids) is texts_alone


@pytest.mark.parametrize("content_type", [None, "text/plain;charset=UTF-8", "application/x-www-form-urlencoded"])
def test_any_content_type(http: httpx.Client, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    assert told(http.post(MODEL, content=json.dumps(VALID), headers=headers)).status.code == Code.SUCCESS


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(["page", "per_page", "name", "search", "pagination.page", "x.y"]), st.text()))
def test_any_query(http: httpx.Client, query: dict[str, str]) -> None:
    assert told(http.get("/v2/models", params=query), MultiModelResponse).status.code not in OURS
