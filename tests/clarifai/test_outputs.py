"""PostModelOutputs over HTTP: where it is, what a call of many inputs is answered, and what counts as what."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.server.live import Gate, Live, Serve, b64, depth, picture, until

from .asking import Boxes, Scores, codes, concepts, details, predict, texts

MODEL = "text-classification"
OUTPUTS = f"/v2/models/{MODEL}/outputs"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


def requests_counted(live: Live) -> dict[str, float]:
    """How many requests of the model the metrics have, by status."""
    found = re.findall(
        r'inference_requests_total\{model="([^"]*)",status="(\d+)"\} (\S+)', live.client.get("/metrics").text
    )
    return {f"{model} {status}": float(count) for model, status, count in found}


# ------------------------------------------------------------------------------------------------ what is answered


def test_an_output_says_of_what_model_and_input_it_is(live: Live) -> None:
    answer = predict(live, MODEL, [{"id": "mine", "data": {"text": {"raw": "dog=0.5 cat=0.9"}}}])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["status"] == {"code": 10000, "description": "Ok", "req_id": answer.headers["x-request-id"]}
    (output,) = body["outputs"]
    assert re.fullmatch(r"[0-9a-f]{32}", output["id"])
    assert RFC3339.fullmatch(output["created_at"])
    assert output["status"] == {"code": 10000, "description": "Ok"}
    assert output["input"] == {"id": "mine", "data": {"text": {"raw": "dog=0.5 cat=0.9"}}}
    assert output["model"]["id"] == MODEL
    assert output["model"]["model_version"]["status"]["code"] == 21100
    assert output["data"] == {
        "concepts": [
            {"id": "cat", "name": "cat", "value": 0.9, "app_id": "main"},
            {"id": "dog", "name": "dog", "value": 0.5, "app_id": "main"},
        ]
    }


def test_inputs_without_an_id_get_one_each(live: Live) -> None:
    outputs = predict(live, MODEL, texts("cat=1", "cat=1")).json()["outputs"]
    made = {output[key]["id"] if key else output["id"] for output in outputs for key in ("", "input")}
    assert len(made) == 4
    assert all(re.fullmatch(r"[0-9a-f]{32}", id) for id in made)


def test_inputs_are_answered_together_and_in_their_order(serve: Serve) -> None:
    gate = Gate()
    scores = Scores(gate, max_batch=64)
    live = serve(scores)
    first = threading.Thread(target=predict, args=(live, MODEL, texts("hold")))
    first.start()
    assert gate.entered.wait(10)
    said = [f"cat=0.{number:03}" for number in range(50)]
    answers: list[Any] = []
    call = threading.Thread(target=lambda: answers.append(predict(live, MODEL, texts(*said))))
    call.start()
    until(lambda: depth(live) == 50)
    gate.opened.set()
    call.join(10)
    first.join(10)
    assert scores.batches == [["hold"], said]
    found = [output["data"]["concepts"][0]["value"] for output in answers[0].json()["outputs"]]
    assert found == [number / 1000 for number in range(50)]


def test_a_call_takes_turns_where_it_alone_would_fill_the_queue(live: Live) -> None:
    """This server's queue has room for 16."""
    answer = predict(live, MODEL, texts(*(f"cat=0.{number:03}" for number in range(128))))
    assert codes(answer) == (10000, [10000] * 128)


def test_one_of_several_may_fail(live: Live) -> None:
    answer = predict(live, MODEL, texts("cat=0.25", "crash", "refuse", "dog=0.5"))
    assert answer.status_code == 200
    assert codes(answer) == (10010, [10000, 21313, 30104, 10000])
    outputs = answer.json()["outputs"]
    assert "data" not in outputs[1]
    assert outputs[2]["status"]["details"] == "data.text.raw: is refused"
    assert concepts(answer, 3) == [("dog", 0.5)]
    assert "secret" not in answer.text


def test_all_may_fail(live: Live) -> None:
    answer = predict(live, MODEL, texts("crash", "refuse", "fail"))
    assert answer.status_code == 400
    assert codes(answer) == (10020, [21313, 30104, 21313])
    assert answer.json()["outputs"][2]["status"]["details"] == "the disk is full"


# ------------------------------------------------------------------------------------------------ where it is


@pytest.mark.parametrize("prefix", ["", "/clarifai"])
@pytest.mark.parametrize("owner", ["", "/users/me/apps/mine"])
@pytest.mark.parametrize("version", [False, True])
def test_every_form_of_the_address(live: Live, prefix: str, owner: str, version: bool) -> None:
    own = live.client.get(f"/v2/models/{MODEL}/versions").json()["model_versions"][0]["id"]
    path = f"{prefix}/v2{owner}/models/{MODEL}{f'/versions/{own}' if version else ''}/outputs"
    answer = live.post(path, json={"inputs": texts("cat=1")})
    assert codes(answer) == (10000, [10000]), answer.text
    model = answer.json()["outputs"][0]["model"]
    assert (model["user_id"], model["app_id"]) == (("local", "mine") if owner else ("local", "main"))


def test_a_deployment_is_a_model(live: Live) -> None:
    answer = live.post(f"/v2/users/somebody/deployments/{MODEL}/outputs", json={"inputs": texts("cat=1")})
    assert codes(answer) == (10000, [10000])
    answer = live.post("/v2/users/somebody/deployments/d/outputs", json={"model_id": MODEL, "inputs": texts("cat=1")})
    assert codes(answer) == (10000, [10000])


def test_the_body_says_whose_model_it_is_and_the_address_wins(live: Live) -> None:
    body = {"inputs": texts("cat=1"), "user_app_id": {"user_id": "her", "app_id": "one"}, "model_id": "none"}
    model = live.post(OUTPUTS, json=body).json()["outputs"][0]["model"]
    assert (model["id"], model["user_id"], model["app_id"]) == (MODEL, "her", "one")
    model = live.post(f"/v2/users/his/apps/two/models/{MODEL}/outputs", json=body).json()["outputs"][0]["model"]
    assert (model["id"], model["user_id"], model["app_id"]) == (MODEL, "his", "two")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/v2/models/none/outputs", 404, 21200),
        ("POST", f"/v2/models/{MODEL}/versions/{'0' * 32}/outputs", 404, 21200),
        ("POST", "/v2/models", 405, 11103),
        ("GET", OUTPUTS, 405, 11103),
        ("DELETE", f"/v2/models/{MODEL}", 405, 11103),
        ("GET", "/v2/inputs", 404, 11101),
        ("POST", f"{OUTPUTS}/generate", 404, 11101),
        ("GET", "/v2/", 404, 11101),
        ("GET", "/clarifai/v2/concepts/x", 404, 11101),
    ],
)
def test_what_is_not_there(live: Live, method: str, path: str, status: int, code: int) -> None:
    answer = live.client.request(method, path, json={"inputs": texts("cat=1")} if method == "POST" else None)
    assert answer.status_code == status
    assert answer.json()["status"]["code"] == code
    assert answer.json()["status"]["req_id"] == answer.headers["x-request-id"]
    assert (answer.headers.get("allow") is None) == (code != 11103)


# ------------------------------------------------------------------------------------------------ what is no call


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"", 11100, "not valid JSON"),
        (b"{", 11100, "not valid JSON"),
        (b"[]", 11100, "must be a JSON object"),
        (b'{"inputs": [], "inputs": []}', 11100, "duplicate key"),
        (b'{"inputs": [{"data": {"text": {"raw": NaN}}}]}', 11100, "not valid JSON"),
        (b'{"inputs": ' + b"[" * 70 + b"]" * 70 + b"}", 11100, "nested deeper"),
        (b"{}", 40001, "inputs: 1 to 128 are required"),
        (b'{"inputs": []}', 40001, "inputs: 1 to 128 are required"),
        (b'{"inputs": null}', 40001, "inputs: 1 to 128 are required"),
        (b'{"inputs": {"data": {}}}', 11100, "inputs: must be a list"),
        (b'{"inputs": ["text"]}', 11100, "inputs: must be a list"),
        (b'{"inputs": [{"data": {}}], "model": 3}', 11100, "model: must be an object"),
        (b'{"inputs": [{}], "model": {"output_info": []}}', 11100, "model.output_info: must be an object"),
        (b'{"inputs": [{}], "use_predict_cache": "no"}', 11100, "use_predict_cache"),
        (b'{"inputs": [{}], "user_app_id": "me"}', 11100, "user_app_id: must be an object"),
    ],
)
def test_what_is_no_call(live: Live, body: bytes, code: int, message: str) -> None:
    answer = live.post(OUTPUTS, content=body)
    assert answer.status_code == 400
    assert codes(answer) == (code, [])
    assert message in details(answer)


def test_a_body_has_a_most_of_bytes_and_of_values(serve: Serve) -> None:
    live = serve(Scores(), max_body=2000, max_values=100)
    answer = predict(live, MODEL, texts("x" * 2000))
    assert answer.status_code == 413
    assert codes(answer) == (40033, [])
    answer = predict(live, MODEL, [{}] * 128)
    assert codes(answer) == (40001, [])
    assert "more than 100 values" in details(answer)
    answer = live.post(OUTPUTS, content=b"{}", headers={"content-encoding": "gzip"})
    assert codes(answer) == (11102, [])


# ------------------------------------------------------------------------------------------------ who may ask, and when


def test_keys(serve: Serve) -> None:
    live = serve(Scores(), token="s3cret")
    for header, code in ((None, 11009), ("Key wrong", 11009), ("Key", 11009), ("Bearer s3cret", 11008), ("x", 11008)):
        answer = live.post(
            OUTPUTS, json={"inputs": texts("cat=1")}, headers={"authorization": header} if header else {}
        )
        assert answer.status_code == 401
        assert codes(answer) == (code, [])
        assert answer.headers["www-authenticate"] == "Key"
        assert "s3cret" not in answer.text
    answer = live.client.get("/v2/models")
    assert answer.json()["status"]["code"] == 11009
    for word in ("Key", "key", "KEY"):
        answer = live.post(OUTPUTS, json={"inputs": texts("cat=1")}, headers={"authorization": f"{word} s3cret"})
        assert codes(answer) == (10000, [10000])
    assert live.text("cat=1", authorization="Key s3cret").status_code == 401, "our own tasks take Bearer"
    assert live.text("cat=1", authorization="Bearer s3cret").status_code == 200


def test_a_model_that_is_loading_is_asked_for_again_later(serve: Serve) -> None:
    gate = Gate()

    class Slow(Scores):
        load_seconds = 30.0

        def load(self) -> None:
            gate()

    live = serve(Slow(), wait=False)
    assert gate.entered.wait(10)
    answer = predict(live, MODEL, texts("cat=1", "cat=1"))
    assert answer.status_code == 503
    assert 1 <= int(answer.headers["retry-after"]) <= 30
    assert codes(answer) == (21355, [21355, 21355])
    assert "is loading" in answer.json()["status"]["details"]
    answer = predict(live, MODEL, [*texts("cat=1"), {}])
    assert codes(answer) == (10020, [21355, 30104])
    assert 1 <= int(answer.headers["retry-after"]) <= 30, "some of it is a matter of time"
    gate.opened.set()
    until(lambda: live.client.get("/ready").status_code == 200)
    assert codes(predict(live, MODEL, texts("cat=1"))) == (10000, [10000])


def test_a_model_that_does_not_load(serve: Serve) -> None:
    class Broken(Scores):
        def load(self) -> None:
            raise OSError("secret path")

    live = serve(Broken(), wait=False)
    until(lambda: "failed" in live.client.get("/ready").text)
    answer = predict(live, MODEL, texts("cat=1"))
    assert answer.status_code == 500
    assert codes(answer) == (21350, [21350])
    assert "secret" not in answer.text


def test_who_finds_the_queue_full_comes_back(serve: Serve) -> None:
    gate = Gate()
    live = serve(Scores(gate), max_queue=4)
    answers: list[httpx.Response] = []
    call = threading.Thread(target=lambda: answers.append(predict(live, MODEL, texts("hold", *["cat=1"] * 7))))
    call.start()
    assert gate.entered.wait(10)
    for inputs in (1, 8):
        answer = predict(live, MODEL, texts(*["dog=1"] * inputs))
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        assert codes(answer) == (11005, [])
        assert "8 inputs are waiting" in details(answer)
    gate.opened.set()
    call.join(10)
    assert codes(answers[0]) == (10000, [10000] * 8), "what is admitted is answered"
    assert codes(predict(live, MODEL, texts("dog=1"))) == (10000, [10000])


def test_calls_leave_room_in_the_queue_and_wait_where_there_is_none(serve: Serve) -> None:
    gate = Gate()
    live = serve(Scores(gate), max_queue=2)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(predict, live, MODEL, texts("hold"))
        assert gate.entered.wait(10)
        owns = [threads.submit(live.text, text) for text in ("cat=0.1", "cat=0.2")]
        until(lambda: depth(live) == 2)
        second = threads.submit(predict, live, MODEL, texts("cat=0.5"))
        until(lambda: live.app.state.server.engine.budget.used > 0)
        assert live.text("cat=0.3").status_code == 429, "the queue is full"
        gate.opened.set()
        assert [own.result(10).status_code for own in owns] == [200, 200]
        assert [codes(call.result(10)) for call in (first, second)] == [(10000, [10000])] * 2


def test_all_of_a_call_has_one_deadline(serve: Serve) -> None:
    gate = Gate()
    live = serve(Scores(gate), deadline=0.5, max_queue=2)
    live.client.timeout = httpx.Timeout(10)  # one turn after another would take longer
    answer = predict(live, MODEL, texts(*["hold"] * 40), use_predict_cache=False)
    gate.opened.set()
    assert answer.status_code == 504
    assert codes(answer) == (40032, [40032] * 40)


def test_an_answer_that_takes_too_long(serve: Serve) -> None:
    gate = Gate()
    live = serve(Scores(gate), deadline=0.2)
    answer = predict(live, MODEL, texts("hold"))
    gate.opened.set()
    assert answer.status_code == 504
    assert codes(answer) == (40032, [40032])


def test_a_client_that_leaves_is_waited_for_no_more(serve: Serve) -> None:
    gate = Gate()
    live = serve(Scores(gate))
    body = json.dumps({"inputs": texts("hold", "cat=1", "dog=1")}).encode()
    with socket.create_connection(("127.0.0.1", live.port)) as raw:
        raw.sendall(f"POST {OUTPUTS} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        assert gate.entered.wait(10)
    until(lambda: requests_counted(live) == {f"{MODEL} 499": 3})
    assert "inference_pending_bytes 0.0" in live.client.get("/metrics").text
    gate.opened.set()
    assert codes(predict(live, MODEL, texts("cat=1"))) == (10000, [10000])


# ------------------------------------------------------------------------------------------------ what is kept and told


def test_answers_are_kept_unless_the_call_wants_none_of_them(serve: Serve) -> None:
    scores = Scores()
    live = serve(scores)
    for _ in range(2):
        predict(live, MODEL, texts("cat=1"))
    predict(live, MODEL, texts("cat=1"), use_predict_cache=True)
    assert scores.batches == [["cat=1"]]
    predict(live, MODEL, texts("cat=1"), use_predict_cache=False)
    assert len(scores.batches) == 2


def test_what_a_model_said_is_kept_for_whoever_asks_in_other_words(serve: Serve) -> None:
    boxes = Boxes()
    live = serve(boxes)
    data = {"image": {"base64": b64(picture())}}
    assert predict(live, "object-detection", [{"data": data}]).json()["status"]["code"] == 10000
    native = live.post("/tasks/object-detection", json={"inputs": b64(picture())})
    assert native.headers["x-cache"] == "hit"
    assert native.json()[0]["box"] == {"xmin": 3, "ymin": 2, "xmax": 6, "ymax": 4}, "in pixels there"


def test_each_input_counts_and_the_call_has_one_line_in_the_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    live = serve(Scores())
    with caplog.at_level(logging.INFO):
        predict(live, MODEL, texts("cat=1", "cat=1", "refuse"))
        predict(live, MODEL, texts("dog=1"))
        predict(live, "none", texts("dog=1"))
    assert requests_counted(live) == {f"{MODEL} 200": 3, f"{MODEL} 400": 1, " 404": 1}
    lines = [record.fields for record in caplog.records if record.getMessage() == "request"]  # type: ignore[attr-defined] # what our own records have
    lines = [line for line in lines if line["method"] == "POST"]
    assert [(line["route"], line.get("model"), line["status"]) for line in lines] == [
        ("/v2/models/{model_id}/outputs", MODEL, 200),
        ("/v2/models/{model_id}/outputs", MODEL, 200),
        ("/v2/models/{model_id}/outputs", None, 404),
    ]
    assert {"read_ms", "queue_ms", "inference_ms", "encode_ms"} <= lines[1].keys(), "one input is the whole call"
    assert lines[1]["cache"] == "miss"


def test_pages_of_other_origins_may_ask(serve: Serve) -> None:
    live = serve(Scores(), cors=("https://example.org",))
    asked = {
        "origin": "https://example.org",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    answer = live.client.options(OUTPUTS, headers=asked)
    assert answer.status_code == 200
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    assert answer.headers["access-control-allow-origin"] == "https://example.org"


def test_our_own_routes_are_not_spoken_that_way(live: Live) -> None:
    for path in ("/clarifai/tasks/text-classification", "/clarifai/models/text-classification", "/clarifai"):
        assert live.post(path, json={"inputs": "x"}).status_code == 404
