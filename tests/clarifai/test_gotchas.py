"""The twelve things that go wrong with Clarifai's API most easily, one by one; where more is to say, other files do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.server.live import Live, Serve, b64, picture

from .asking import Scores, Shown, codes, concepts, details, predict, texts

MODEL = "text-classification"
OUTPUTS = f"/v2/models/{MODEL}/outputs"
BODY = json.dumps({"inputs": texts("cat=1")}).encode()


@pytest.mark.parametrize(
    "kind", [None, "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "image/png", ""]
)
def test_1_any_or_no_content_type(live: Live, kind: str | None) -> None:
    request = live.client.build_request("POST", OUTPUTS, content=BODY)
    if kind is not None:
        request.headers["content-type"] = kind
    assert (kind is None) == ("content-type" not in request.headers)
    assert codes(live.client.send(request)) == (10000, [10000])


def test_2_the_word_before_the_key_in_any_case(serve: Serve) -> None:
    live = serve(Scores(), token="pat")
    for header in ("Authorization: Key pat", "authorization: key pat", "AUTHORIZATION: KEY  pat"):
        name, _, value = header.partition(": ")
        assert codes(live.post(OUTPUTS, content=BODY, headers={name: value})) == (10000, [10000])
    assert codes(live.post(OUTPUTS, content=BODY)) == (11009, [])


def test_3_no_more_than_128_inputs(live: Live) -> None:
    assert codes(predict(live, MODEL, texts(*["cat=1"] * 128))) == (10000, [10000] * 128)
    answer = predict(live, MODEL, texts(*["cat=1"] * 129))
    assert answer.status_code == 400
    assert codes(answer) == (40001, [])
    assert "there are 129; one call takes 128 at most" in details(answer)


def test_4_one_url_of_two_that_leads_nowhere(serve: Serve) -> None:
    live = serve(Shown(), fetch=("127.0.0.1",))
    good, bad = {"image": {"base64": b64(picture())}}, {"image": {"url": f"{live.url}/none.png"}}
    for data, expected in (((good, bad), [10000, 30002]), ((bad, good), [30002, 10000])):
        answer = predict(live, "image-classification", [{"id": str(place), "data": d} for place, d in enumerate(data)])
        assert answer.status_code == 200
        assert codes(answer) == (10010, expected)
        assert [output["input"]["id"] for output in answer.json()["outputs"]] == ["0", "1"]
    answer = predict(live, "image-classification", [{"data": bad}])
    assert answer.status_code == 400
    assert codes(answer) == (10020, [30002])
    assert details(answer) == "data.image.url: could not be fetched: the answer has status 404"


@pytest.mark.parametrize("empty", [{}, {"id": "mine"}, {"data": {}}, {"data": {"text": {}}}])
def test_5_an_input_without_data(live: Live, empty: dict[str, Any]) -> None:
    answer = predict(live, MODEL, [empty, *texts("cat=1")])
    assert codes(answer) == (10010, [30104, 10000])
    answer = predict(live, MODEL, [empty])
    assert codes(answer) == (10020, [30104])


def test_6_a_value_of_zero_is_told(live: Live) -> None:
    answer = predict(live, MODEL, texts("none=0"), {"min_value": 0})
    assert answer.json()["outputs"][0]["data"]["concepts"][0]["value"] == 0
    box = predict(live, "object-detection", [{"data": {"image": {"base64": b64(picture())}}}]).json()
    edges = box["outputs"][0]["data"]["regions"][1]["region_info"]["bounding_box"]
    assert edges == {"top_row": 0.0, "left_col": 0.0, "bottom_row": 1.0, "right_col": 0.5}


def test_7_bytes_are_never_repeated(live: Live) -> None:
    data = b64(picture())
    for item in ({"image": {"base64": data}}, {"parts": [{"data": {"image": {"base64": data, "url": None}}}]}):
        answer = predict(live, "image-classification", [{"data": item}, {"data": {"audio": {"base64": data}}}])
        assert codes(answer) == (10010, [10000, 30101])
        assert data not in answer.text
        assert "base64" not in json.dumps([output["input"] for output in answer.json()["outputs"]])
    answer = predict(live, "image-classification", [{"data": {"image": {"url": f"data:image/png;base64,{data}"}}}])
    assert codes(answer)[0] == 10020
    assert data not in answer.text


def test_8_nothing_is_fetched_unless_that_is_allowed(live: Live) -> None:
    """What is fetched, and what is not even then, is in test_inputs and in the server's test_fetch."""
    for url in (f"{live.url}/health", "http://169.254.169.254/", "https://example.org/cat.png"):
        answer = predict(live, "image-classification", [{"data": {"image": {"url": url}}}])
        assert codes(answer) == (10020, [30002])
        assert "setting fetch" in details(answer)


def test_9_what_is_published_and_is_no_json(live: Live) -> None:
    """Clarifai's own example of several inputs has a comment and a comma too many."""
    for body in (b'{"inputs": [{}, # ... and so on\n]}', b'{"inputs": [{"data": {"text": {"raw": "x"}}},]}'):
        answer = live.post(OUTPUTS, content=body)
        assert answer.status_code == 400
        assert codes(answer) == (11100, [])


def test_10_options_in_either_place(live: Live) -> None:
    said = texts("cat=0.9 dog=0.5")
    for place in ("output_config", "params"):
        info = {"output_info": {place: {"max_concepts": 1}}}
        for model in (info, {"model_version": info}):
            answer = live.post(OUTPUTS, json={"inputs": said, "model": model})
            assert concepts(answer) == [("cat", 0.9)]


def test_11_ids_in_the_body_where_the_address_has_none(live: Live) -> None:
    owner = {"user_id": "clarifai", "app_id": "main"}
    answer = live.post(OUTPUTS, json={"user_app_id": owner, "inputs": texts("cat=1")})
    model = answer.json()["outputs"][0]["model"]
    assert (model["user_id"], model["app_id"]) == ("clarifai", "main")


def test_12_times_are_numbers_and_codes_are_numbers(live: Live) -> None:
    answer = predict(live, MODEL, texts("cat=1")).json()
    model = answer["outputs"][0]["model"]
    assert isinstance(answer["status"]["code"], int)
    assert isinstance(model["visibility"]["gettable"], int)
    assert isinstance(model["model_version"]["status"]["code"], int)
