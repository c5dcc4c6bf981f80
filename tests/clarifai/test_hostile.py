"""Whatever a call holds, it is answered with a status that says what is wrong, and never by a failure of the server."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from tests.server.live import Live, b64, picture

from .asking import texts

NAMES = (
    "inputs", "id", "data", "parts", "image", "text", "video", "audio", "raw", "url", "base64", "metadata", "concepts",
    "model", "model_version", "output_info", "output_config", "params", "max_concepts", "min_value", "select_concepts",
    "language", "sample_ms", "name", "top_k", "user_app_id", "user_id", "app_id", "model_id", "version_id",
    "runner_selector", "deployment", "use_predict_cache", "struct_value", "pagination", "page", "per_page",
)  # fmt: skip
TEXTS = (
    "",
    "cat=1",
    "AAAA",
    "data:image/png;base64,AAAA",
    "https://example.org/",
    "de",
    "cat",
    "\0",
    "🐈",
    b64(picture()),
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(TEXTS)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


def mangled(value: Any, draw: Any) -> Any:
    """`value` with something else in one or a few places of it."""
    if draw(st.integers(0, 9)) == 0:
        return draw(values)
    if isinstance(value, dict):
        told = {name: mangled(inner, draw) for name, inner in value.items() if draw(st.integers(0, 19))}
        return told | (draw(st.dictionaries(st.sampled_from(NAMES), values, max_size=1)) if draw(st.booleans()) else {})
    if isinstance(value, list):
        return [mangled(inner, draw) for inner in value]
    return value


@st.composite
def calls(draw: Any) -> Any:
    """Bodies that are almost calls."""
    info = {
        "output_config": {"max_concepts": 3, "min_value": 0.5, "select_concepts": [{"id": "cat"}], "language": "de"},
        "params": {"max_concepts": 2, "sample_ms": 1000},
    }
    image = {"id": "a", "data": {"image": {"base64": b64(picture())}}}
    parted = {"data": {"parts": [{"id": "b", "data": {"text": {"raw": "cat=1"}}}]}}
    whole = {
        "user_app_id": {"user_id": "me", "app_id": "main"},
        "inputs": [*texts("cat=1"), image, parted],
        "model": {"output_info": info, "model_version": {"output_info": info}},
        "use_predict_cache": False,
        "pagination": {"page": 1, "per_page": 2},
    }
    return mangled(whole, draw)


@settings(suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(
        [
            "text-classification/outputs",
            "image-classification/outputs",
            "object-detection/outputs",
            "sentence-similarity/outputs",
            "searches",
        ]
    ),
    body=calls(),
)
def test_no_call_makes_the_server_fail(live: Live, path: str, body: Any) -> None:
    answer = live.post(f"/v2/models/{path}", json=body)
    said = answer.json()
    assert answer.status_code < 500, answer.text
    for status in (said["status"], *(output["status"] for output in said.get("outputs", []))):
        assert status["code"] not in (98004, 21313), status
        assert (status["code"] in (10000, 10010)) or len(status["description"]) > 3
    if "outputs" in said:
        assert len(said["outputs"]) == len(body["inputs"])
    assert b64(picture()) not in str([output.get("input") for output in said.get("outputs", [])]) or "raw" in str(body)
