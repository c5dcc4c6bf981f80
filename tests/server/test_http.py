"""What the server answers to whatever may arrive: limits, tokens, bad JSON, wrong types, wrong routes."""

from __future__ import annotations

import json
import re
import socket
import threading
from typing import Any

import httpx
import pytest

from .live import Echo, Gate, Serve, Size, b64, blamed, depth, picture, until

TEXT = "/tasks/text-classification"
IMAGE = "/tasks/image-classification"
JSON = {"content-type": "application/json"}


def test_answers_by_task_and_by_model_with_an_id_and_a_time(serve: Serve) -> None:
    live = serve(Echo(name="org/tiny-1.0"))
    for path in (TEXT, TEXT + "/", "/models/org/tiny-1.0", "/models/org/tiny-1.0/"):
        answer = live.post(path, json={"inputs": "hello"})
        assert answer.status_code == 200, answer.text
        assert answer.json() == [{"label": "hello", "score": 0.0}]
        assert answer.headers["content-type"] == "application/json"
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
        assert 0 <= float(answer.headers["x-compute-time"]) < 5


@pytest.mark.parametrize(("given", "kept"), [("abc-123_X", True), ("a" * 64, True), ("a" * 65, False), ("a b", False)])
def test_request_id_is_kept_if_sane(serve: Serve, echo: Echo, given: str, kept: bool) -> None:
    answer = serve(echo).client.get("/nowhere", headers={"x-request-id": given})
    assert answer.status_code == 404
    assert (answer.headers["x-request-id"] == given) is kept


def test_unknown_names_are_404_and_list_what_is_served(serve: Serve, echo: Echo) -> None:
    live = serve(echo, Size())
    for path in ("/tasks/nothing", "/models/a/b", "/models/../../etc/passwd", "/models/%0d%0aset-cookie:x", "/models/"):
        answer = live.post(path, json={"inputs": "x"})
        assert answer.status_code == 404, path
        if path.startswith("/tasks"):
            assert "image-classification, text-classification" in answer.json()["error"]


def test_wrong_method_is_405_with_allow(serve: Serve, echo: Echo) -> None:
    answer = serve(echo).client.get(TEXT)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert "error" in answer.json()


def test_first_handler_of_a_task_gets_its_route(serve: Serve) -> None:
    live = serve(Echo(name="one"), Echo(name="two", batch=lambda inputs, parameters: [[]] * len(inputs)))
    assert live.text("x").json()[0]["label"] == "x"
    assert live.post("/models/two", json={"inputs": "x"}).json() == []


def test_names_that_clash_or_break_routes_are_refused(serve: Serve) -> None:
    for handlers in ((Echo(), Echo()), (Echo(name="../x y"),), ()):
        with pytest.raises(ValueError, match=r"named|name for a model|at least one"):
            serve(*handlers)


# ------------------------------------------------------------------------------------------------ tokens


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic s3cret", "s3cret", "Bearer s3cret x"])
def test_without_the_token_nothing_is_answered(serve: Serve, echo: Echo, header: str | None) -> None:
    live = serve(echo, token="s3cret")
    headers = {} if header is None else {"authorization": header}
    for path in (TEXT, "/tasks/unknown"):
        answer = live.post(path, json={"inputs": "x"}, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "s3cret" not in answer.text
    assert echo.batches == []


def test_with_the_token_everything_is(serve: Serve, echo: Echo) -> None:
    live = serve(echo, token="s3cret")
    for scheme in ("Bearer", "bearer"):
        assert live.text("x", authorization=f"{scheme} s3cret").status_code == 200
    for path in ("/health", "/ready", "/metrics", "/openapi.json"):
        assert live.client.get(path).status_code == 200


# ------------------------------------------------------------------------------------------------ limits


def test_declared_size_beyond_the_limit_is_413(serve: Serve, echo: Echo) -> None:
    live = serve(echo, max_body=1000)
    answer = live.post(TEXT, json={"inputs": "x" * 2000})
    assert answer.status_code == 413
    assert "1000 bytes" in answer.json()["error"]


def test_streamed_size_beyond_the_limit_is_413(serve: Serve, echo: Echo) -> None:
    live = serve(echo, max_body=1000)
    answer = live.post(TEXT, content=(b"x" * 100 for _ in range(30)))
    assert answer.status_code == 413
    assert live.text("still here").status_code == 200


def test_default_limit_is_twenty_megabytes(serve: Serve) -> None:
    live = serve(Size())
    assert live.post(IMAGE, content=b"\0" * 20_000_001).status_code == 413
    assert live.post(IMAGE, content=b"\0" * 20_000_000).status_code == 422


def test_expecting_100_continue_is_answered_before_the_body_is_sent(serve: Serve, echo: Echo) -> None:
    live = serve(echo, max_body=1000)
    with socket.create_connection(("127.0.0.1", live.port), timeout=5) as raw:
        raw.sendall(f"POST {TEXT} HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\nexpect: 100-continue\r\n\r\n".encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")


def test_slow_body_is_408(serve: Serve, echo: Echo) -> None:
    live = serve(echo, receive_timeout=0.3)
    with socket.create_connection(("127.0.0.1", live.port), timeout=5) as raw:
        raw.sendall(f"POST {TEXT} HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{{".encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 408")


def test_compressed_body_is_415(serve: Serve, echo: Echo) -> None:
    answer = serve(echo).post(TEXT, content=b"\x1f\x8b", headers={"content-encoding": "gzip"})
    assert answer.status_code == 415


def test_all_bodies_together_are_bounded(serve: Serve) -> None:
    live = serve(Size(), max_pending=1000)
    answer = live.post(IMAGE, content=picture(size=(40, 40)))
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert live.post(IMAGE, content=picture()).status_code == 200


# ------------------------------------------------------------------------------------------------ JSON


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"inputs": "x",}',
        b'{"inputs": NaN}',
        b'{"inputs": 1e999}',
        b'{"inputs": "\\ud800"}',
        b'{"inputs": "a", "inputs": "b"}',
        b'\xef\xbb\xbf{"inputs": "x"}',
        '{"inputs": "x"}'.encode("utf-16"),
        b'{"inputs": "\xff"}',
        b"[" * 100_000,
        b'{"inputs": ' + b"[" * 70 + b"]" * 70 + b"}",
        picture(),
    ],
)
def test_broken_json_is_400(serve: Serve, echo: Echo, body: bytes) -> None:
    answer = serve(echo).post(TEXT, content=body, headers=JSON)
    assert answer.status_code == 400, answer.text
    assert "JSON" in answer.json()["error"]
    assert echo.batches == []


@pytest.mark.parametrize(("depth", "status"), [(64, 422), (65, 400)])
def test_json_is_nested_64_deep_at_most(serve: Serve, echo: Echo, depth: int, status: int) -> None:
    for opens, closes in ((b"[", b"]"), (b'{"a":', b"}")):
        inner = opens * (depth - 1) + b"0" + closes * (depth - 1)
        answer = serve(echo).post(TEXT, content=b'{"inputs": ' + inner + b"}", headers=JSON)
        assert answer.status_code == status, answer.text


def test_broken_json_says_where(serve: Serve, echo: Echo) -> None:
    error = serve(echo).post(TEXT, content=b'{"inputs": "x",\n  oops}', headers=JSON).json()["error"]
    assert "line 2" in error


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ([], ""),
        ("text", ""),
        (None, ""),
        ({}, "inputs"),
        ({"inputs": None}, "inputs"),
        ({"inputs": 1}, "inputs"),
        ({"inputs": ["x"]}, "inputs"),
        ({"inputs": "x", "paramters": {}}, "paramters"),
        ({"inputs": "x", "parameters": []}, "parameters"),
        ({"inputs": "x", "parameters": None}, "parameters"),
        ({"inputs": "x", "parameters": {"top_k": "3"}}, "parameters.top_k"),
        ({"inputs": "x", "parameters": {"top_k": True}}, "parameters.top_k"),
        ({"inputs": "x", "parameters": {"top_k": 1.5}}, "parameters.top_k"),
        ({"inputs": "x", "parameters": {"top_k": 0}}, "parameters.top_k"),
        ({"inputs": "x", "parameters": {"top_k": None}}, "parameters.top_k"),
        ({"inputs": "x", "parameters": {"topk": 1}}, "parameters.topk"),
        ({"inputs": "x", "parameters": {"function_to_apply": "Softmax"}}, "parameters.function_to_apply"),
    ],
)
def test_wrong_members_are_422_by_name(serve: Serve, echo: Echo, payload: Any, field: str) -> None:
    answer = serve(echo).post(TEXT, content=json.dumps(payload), headers=JSON)
    assert answer.status_code == 422, answer.text
    assert any(name.startswith(field) for name in blamed(answer)), answer.text
    assert echo.batches == []


def test_misspelt_parameter_is_told_its_name(serve: Serve, echo: Echo) -> None:
    assert "top_k" in serve(echo).text("x", {"topk": 1}).json()["error"]


def test_whole_numbers_written_with_a_point_are_integers(serve: Serve, echo: Echo) -> None:
    answer = serve(echo).post(TEXT, content=b'{"inputs": "x", "parameters": {"top_k": 3.0}}', headers=JSON)
    assert answer.json() == [{"label": "x", "score": 3.0}]


def test_errors_do_not_echo_the_input(serve: Serve, echo: Echo) -> None:
    answer = serve(echo).text("x", {"top_k": "private" * 1000})
    assert answer.status_code == 422
    assert "private" not in answer.text


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "APPLICATION/JSON; charset=utf-8",
        "application/vnd.x+json",
        None,
        "",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "text/plain",
    ],
)
def test_json_is_read_under_any_content_type(serve: Serve, echo: Echo, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = serve(echo).post(TEXT, content=b' {"inputs": "x"}', headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("body", [b"I love it", picture()])
def test_bare_text_is_refused_with_the_right_form(serve: Serve, echo: Echo, kind: str | None, body: bytes) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = serve(echo).post(TEXT, content=body, headers=headers)
    assert answer.status_code == 415
    assert blamed(answer) == ["inputs"]
    assert '{"inputs"' in answer.json()["error"]


def test_nothing_at_all_is_422(serve: Serve, echo: Echo) -> None:
    answer = serve(echo).post(TEXT)
    assert answer.status_code == 422
    assert blamed(answer) == ["inputs"]


@pytest.mark.parametrize("name", ["x-use-cache", "x-wait-for-model"])
def test_boolean_headers_must_be_boolean(serve: Serve, echo: Echo, name: str) -> None:
    live = serve(echo)
    answer = live.post(TEXT, json={"inputs": "x"}, headers={name: "yes"})
    assert answer.status_code == 400
    assert blamed(answer) == [name]
    for value in ("true", "FALSE", "0", "1"):
        assert live.post(TEXT, json={"inputs": "x"}, headers={name: value}).status_code == 200


# ------------------------------------------------------------------------------------------------ handlers


def test_a_crash_is_500_and_tells_only_the_log(serve: Serve, echo: Echo, caplog: pytest.LogCaptureFixture) -> None:
    answer = serve(echo).text("crash")
    assert answer.status_code == 500
    assert answer.json() == {"error": "internal error"}
    assert answer.headers["x-request-id"] in caplog.text
    assert "secret detail" in caplog.text


def test_a_handler_may_refuse(serve: Serve, echo: Echo) -> None:
    answer = serve(echo).text("refuse")
    assert answer.status_code == 422
    assert answer.json() == {"error": "inputs: is refused", "fields": [{"field": "inputs", "message": "is refused"}]}


def test_an_answer_off_the_schema_is_500(serve: Serve, echo: Echo, caplog: pytest.LogCaptureFixture) -> None:
    answer = serve(echo).text("nan")
    assert answer.status_code == 500
    assert "broke its response schema" in caplog.text


@pytest.mark.parametrize("result", [[], [1, 2, 3], "no", None, SystemExit("bye")])
def test_a_batch_of_the_wrong_length_is_500(serve: Serve, result: Any) -> None:
    def batch(inputs: Any, parameters: Any) -> Any:
        if isinstance(result, BaseException):
            raise result
        return result

    live = serve(Echo(batch=batch))
    assert live.text("x").status_code == 500
    assert live.text("y").status_code == 500


def test_one_bad_item_does_not_fail_its_neighbours(serve: Serve) -> None:
    class Fragile(Echo):
        def batch(self, inputs: Any, parameters: Any) -> Any:
            super().batch(inputs, parameters)
            if "crash" in inputs:
                raise MemoryError
            return [self(item, parameters) for item in inputs]

    handler = Fragile()
    live = serve(handler)
    answers = together(live, handler.gate, ["a", "crash", "b"])
    assert sorted(answers) == [("a", 200), ("b", 200), ("crash", 500)]


def together(live: Any, gate: Gate, texts: list[str], **headers: str) -> list[tuple[str, int]]:
    """Send `texts` while the model is held by another request, so that they wait together; their statuses."""
    answers: list[tuple[str, int]] = []
    threads = [threading.Thread(target=lambda: live.text("hold", x_use_cache="false"))]
    threads[0].start()
    assert gate.entered.wait(10)
    for text in texts:
        threads.append(threading.Thread(target=lambda t=text: answers.append((t, live.text(t, **headers).status_code))))
        threads[-1].start()
    until(lambda: depth(live) == len(texts))
    gate.opened.set()
    for thread in threads:
        thread.join(20)
    return answers


# ------------------------------------------------------------------------------------------------ batching


def test_what_waits_is_taken_together_by_equal_parameters(serve: Serve, echo: Echo) -> None:
    echo.max_batch = 4
    live = serve(echo)
    texts = [f"t{i}" for i in range(6)]
    assert all(status == 200 for _, status in together(live, echo.gate, texts))
    sizes = [len(inputs) for inputs, _ in echo.batches]
    assert sizes == [1, 4, 2]

    echo.batches.clear()
    echo.gate = Gate()
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: live.text("hold", x_use_cache="false"))]
    threads[0].start()
    assert echo.gate.entered.wait(10)
    for number, top_k in enumerate((1, 2, 1, 2, 1)):
        threads.append(
            threading.Thread(target=lambda n=number, k=top_k: answers.append((k, live.text(f"u{n}", {"top_k": k}))))
        )
        threads[-1].start()
        until(lambda n=number: depth(live) == n + 1)
    echo.gate.opened.set()
    for thread in threads:
        thread.join(20)
    assert [inputs for inputs, _ in echo.batches] == [["hold"], ["u0", "u2", "u4"], ["u1", "u3"]]
    assert all(answer.json()[0]["score"] == k for k, answer in answers)


def test_a_full_queue_is_429(serve: Serve, echo: Echo) -> None:
    live = serve(echo, max_queue=3)
    answers = []
    threads = [threading.Thread(target=lambda: live.text("hold"))]
    threads[0].start()
    assert echo.gate.entered.wait(10)
    for i in range(3):
        threads.append(threading.Thread(target=lambda i=i: answers.append(live.text(f"t{i}").status_code)))
        threads[-1].start()
    until(lambda: depth(live) == 3)
    refused = live.text("one more")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    echo.gate.opened.set()
    for thread in threads:
        thread.join(20)
    assert answers == [200, 200, 200]


def test_a_client_that_leaves_is_not_computed(serve: Serve, echo: Echo) -> None:
    live = serve(echo)
    holder = threading.Thread(target=lambda: live.text("hold"))
    holder.start()
    assert echo.gate.entered.wait(10)
    with socket.create_connection(("127.0.0.1", live.port)) as raw:
        body = b'{"inputs": "gone"}'
        raw.sendall(f"POST {TEXT} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        until(lambda: depth(live) == 1)
    until(lambda: 'status="499"' in live.client.get("/metrics").text)
    echo.gate.opened.set()
    holder.join(20)
    assert live.text("next").status_code == 200
    assert [inputs for inputs, _ in echo.batches] == [["hold"], ["next"]]


def test_a_request_that_takes_too_long_is_504(serve: Serve, echo: Echo) -> None:
    live = serve(echo, deadline=0.3)
    assert live.text("hold").status_code == 504
    assert live.text("behind it").status_code == 504
    echo.gate.opened.set()
    until(lambda: live.text("later").status_code == 200)
    assert ["behind it"] not in [inputs for inputs, _ in echo.batches]


def test_many_at_once_each_get_their_own_answer(serve: Serve, echo: Echo) -> None:
    live = serve(echo)
    wrong: list[Any] = []

    def client(number: int) -> None:
        with httpx.Client(base_url=live.url, trust_env=False, timeout=30) as http:
            for i in range(20):
                text = f"{number}/{i}"
                answer = http.post(TEXT, json={"inputs": text, "parameters": {"top_k": 1 + i % 3}})
                if answer.status_code != 200 or answer.json() != [{"label": text, "score": 1.0 + i % 3}]:
                    wrong.append(answer.text)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert sum(len(inputs) for inputs, _ in echo.batches) == 320


# ------------------------------------------------------------------------------------------------ pages


def test_pages(serve: Serve, echo: Echo) -> None:
    live = serve(echo)
    live.text("x")
    live.text("x")
    metrics = live.client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    for line in (
        'inference_requests_total{model="text-classification",status="200"} 2.0',
        'inference_cache_total{model="text-classification",outcome="hit"} 1.0',
        'inference_model_ready{model="text-classification"} 1.0',
    ):
        assert line in metrics.text
    assert live.client.get("/openapi.json").json()["openapi"].startswith("3.")
    assert live.client.get("/ready").json() == {"status": "ready", "models": {"text-classification": "ready"}}


def test_base64_image_with_parameters(serve: Serve) -> None:
    answer = serve(Size()).post(IMAGE, json={"inputs": b64(picture()), "parameters": {"top_k": 2}})
    assert answer.json() == [{"label": "RGB 6x4 (255, 0, 0)", "score": 2.0}]
