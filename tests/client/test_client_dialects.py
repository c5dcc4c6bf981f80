"""Calls to servers that speak as Hugging Face's do: where they go, what they send, and what is made of the answers."""

from __future__ import annotations

import base64
import email
import email.policy
import io
import wave
from typing import Any

import pytest

from inference_tasks import APIStatusError, Client, ConfigurationError, InputError, ResponseValidationError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
LABELS = [{"label": "cat", "score": 0.9}, {"label": "dog", "score": 0.1}]
CHAT = [{"role": "user", "content": "hey"}]
HF: dict[str, Any] = {"dialect": "huggingface", "token": ""}


def wav(rate: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(8))
    return buffer.getvalue()


# -------------------------------------------------------------------------------------------------------- the address


def binding(task: str) -> Any:
    from inference_tasks._tasks import TASKS

    return TASKS[task]


@pytest.mark.parametrize(
    ("base", "task", "model", "url"),
    [
        (None, "text-classification", "a/b", "https://router.huggingface.co/hf-inference/models/a/b"),
        (
            None,
            "feature-extraction",
            "a/b",
            "https://router.huggingface.co/hf-inference/models/a/b/pipeline/feature-extraction",
        ),
        (None, "chat-completion", "a/b", "https://router.huggingface.co/v1/chat/completions"),
        ("http://127.0.0.1:8080", "text-classification", None, "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080", "text-classification", "a/b", "http://127.0.0.1:8080/models/a/b"),
        ("http://127.0.0.1:8080/predict/", "text-classification", None, "http://127.0.0.1:8080/predict"),
        ("http://127.0.0.1:8080", "chat-completion", "a/b", "http://127.0.0.1:8080/v1/chat/completions"),
        ("http://127.0.0.1:8080/v1", "chat-completion", None, "http://127.0.0.1:8080/v1/chat/completions"),
        ("http://h/v1/chat/completions", "chat-completion", None, "http://h/v1/chat/completions"),
        ("http://h/v11", "chat-completion", None, "http://h/v11/v1/chat/completions"),
    ],
)
def test_where_a_call_goes(base: str | None, task: str, model: str | None, url: str) -> None:
    primary = CHAT if task == "chat-completion" else "x"
    request = Client.huggingface(base, model=model)._prepare(binding(task), primary)
    assert request.url == url


def test_the_hosted_service_has_many_models() -> None:
    with pytest.raises(InputError, match=r"model: .* has many; say which"):
        Client.huggingface()._prepare(binding("text-classification"), "x")


def test_the_token_of_the_hosted_service_stays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("INFERENCE_TASKS_TOKEN", "ours")
    monkeypatch.setenv("INFERENCE_TASKS_URL", "http://127.0.0.1:1")
    text = binding("text-classification")
    hosted = Client.huggingface(model="a/b")
    assert hosted._prepare(text, "x").headers["authorization"] == "Bearer hf_secret"
    assert "hf_secret" not in repr(hosted)
    assert "authorization" not in Client.huggingface("http://127.0.0.1:8080")._prepare(text, "x").headers
    assert "authorization" not in Client.huggingface(model="a/b", token="")._prepare(text, "x").headers
    given = Client.huggingface("http://127.0.0.1:8080", token="mine")
    assert given._prepare(text, "x").headers["authorization"] == "Bearer mine"
    with pytest.raises(ConfigurationError, match="unencrypted"):
        Client.huggingface("http://example.com", token="mine")


def test_an_unknown_dialect_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"'klingon' is not known; use one of .*huggingface"):
        Client("http://127.0.0.1:1", dialect="klingon")


# ----------------------------------------------------------------------------------------------------------- requests


def test_media_alone_is_the_body(flavour: Any, server: Any) -> None:
    flavour.call(server.url, "image_classification", PNG, settings=HF)
    assert (server.last.path, server.last.body) == ("/", PNG)
    assert server.last.headers["content-type"] == "image/png"


def test_a_table_is_asked_with_a_query(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer({"answer": "1", "coordinates": [[0, 0]], "cells": ["1"], "aggregator": "NONE"}))
    asked = {"question": "how many?", "table": {"n": ["1"]}}
    found = flavour.call(server.url, "table_question_answering", asked, settings=HF)
    assert server.last.json == {"inputs": {"query": "how many?", "table": {"n": ["1"]}}}
    assert [(one.answer, one.cells) for one in found] == [("1", ["1"])]


def test_a_request_is_checked_against_the_spec(flavour: Any, server: Any) -> None:
    with pytest.raises(InputError, match="question"):
        flavour.call(server.url, "table_question_answering", {"query": "?", "table": {"n": ["1"]}}, settings=HF)
    assert server.seen == []


# ------------------------------------------------------------------------------------------------------------ answers

LIST = {
    "summarization": ({"summary_text": "s"}, "summary_text"),
    "translation": ({"translation_text": "t"}, "translation_text"),
    "text_generation": ({"generated_text": "g"}, "generated_text"),
}


@pytest.mark.parametrize("method", LIST)
@pytest.mark.parametrize("wrapped", [True, False])
def test_an_answer_may_stand_in_a_list(flavour: Any, server: Any, answer: Any, method: str, wrapped: bool) -> None:
    body, member = LIST[method]
    server.answer(answer([body] if wrapped else body))
    assert getattr(flavour.call(server.url, method, "x", settings=HF), member) == body[member]


@pytest.mark.parametrize("body", [LABELS, [LABELS]])
def test_labels_may_stand_in_a_list(flavour: Any, server: Any, answer: Any, body: Any) -> None:
    server.answer(answer(body))
    labels = flavour.call(server.url, "text_classification", "x", settings=HF)
    assert [(label.label, label.score) for label in labels] == [("cat", 0.9), ("dog", 0.1)]


@pytest.mark.parametrize("body", [LABELS, {"sequence": "x", "labels": ["cat", "dog"], "scores": [0.9, 0.1]}])
def test_labels_may_come_in_columns(flavour: Any, server: Any, answer: Any, body: Any) -> None:
    server.answer(answer(body))
    found = flavour.call(server.url, "zero_shot_classification", "x", candidate_labels=["cat", "dog"], settings=HF)
    assert [(label.label, label.score) for label in found] == [("cat", 0.9), ("dog", 0.1)]


@pytest.mark.parametrize("several", [True, False])
def test_one_answer_may_come_alone(flavour: Any, server: Any, answer: Any, several: bool) -> None:
    body = {"answer": "x", "score": 0.5, "start": 0, "end": 1}
    server.answer(answer([body] if several else body))
    asked = {"question": "?", "context": "x"}
    assert [one.answer for one in flavour.call(server.url, "question_answering", asked, settings=HF)] == ["x"]


@pytest.mark.parametrize("headers", [{"content-type": "image/png"}, {"content-type": "application/octet-stream"}])
def test_the_body_may_be_the_image(flavour: Any, server: Any, answer: Any, headers: dict[str, str]) -> None:
    server.answer(answer(PNG, headers=headers), answer({"image": base64.b64encode(PNG).decode()}))
    for _ in range(2):
        assert flavour.call(server.url, "text_to_image", "a cat", settings=HF).image.data == PNG
    assert server.last.headers["accept"].startswith("image/png")


def test_the_body_may_be_the_sound(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(wav(16_000), headers={"content-type": "audio/wav"}))
    made = flavour.call(server.url, "text_to_speech", "hello", settings=HF)
    assert (made.audio.data, made.sampling_rate) == (wav(16_000), 16_000)


@pytest.mark.parametrize("samples", [[0.0, 0.5, -0.5], [[0.0, 0.5, -0.5]]])
def test_a_sound_may_be_numbers(flavour: Any, server: Any, answer: Any, samples: Any) -> None:
    import soundfile

    server.answer(answer({"audio": samples, "sampling_rate": 8_000}))
    made = flavour.call(server.url, "text_to_speech", "hello", settings=HF)
    data, rate = soundfile.read(io.BytesIO(made.audio.data))
    assert (data.tolist(), rate, made.sampling_rate) == ([0.0, 0.5, -0.5], 8_000, 8_000)


def test_an_answer_in_no_known_shape_is_refused_with_its_members(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer([{"summary": "s"}]))
    with pytest.raises(ResponseValidationError, match="summary_text: is required"):
        flavour.call(server.url, "summarization", "x", settings=HF)


def test_nulls_mean_nothing(flavour: Any, server: Any, answer: Any) -> None:
    details = {"finish_reason": "length", "generated_tokens": 1, "prefill": [], "tokens": [], "seed": None}
    server.answer(answer([{"generated_text": "g", "details": {**details, "best_of_sequences": None}}]))
    found = flavour.call(server.url, "text_generation", "x", settings=HF)
    assert found.generated_text == "g"
    assert found.details.generated_tokens == 1


def test_a_chat_names_its_model(flavour: Any, server: Any, answer: Any) -> None:
    message = {"role": "assistant", "content": "ho", "tool_calls": None}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    server.answer(answer({"id": "1", "created": 1, "model": "m", "choices": [choice], "usage": usage}))
    found = flavour.call(server.url, "chat_completion", CHAT, model="a/b", max_tokens=3, settings=HF)
    assert found.choices[0].message.content == "ho"
    assert server.last.path == "/v1/chat/completions"
    assert server.last.json == {"messages": CHAT, "model": "a/b", "max_tokens": 3}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": "Model a/b is currently loading", "estimated_time": 20.0}, "currently loading"),
        ({"error": ["Error in `parameters.top_k`", "and more"]}, "and more"),
        ({"error": {"message": "no such model", "type": "not_found"}}, "no such model"),
        ({"errors": [{"message": "bad"}]}, "bad"),
        ({"detail": "Unexpected fields"}, "Unexpected fields"),
    ],
)
def test_errors_in_all_their_shapes(flavour: Any, server: Any, answer: Any, body: Any, message: str) -> None:
    server.answer(answer(body, 503))
    with pytest.raises(APIStatusError, match=message):
        flavour.call(server.url, "text_classification", "x", settings={**HF, "max_retries": 0})


# -------------------------------------------------------------------------------------------------------------- forms

OPENAI: dict[str, Any] = {"dialect": "openai", "token": "", "model": "whisper"}


def fields(seen: Any) -> list[tuple[str, str | None, str, bytes]]:
    """The fields of a form: name, file name, content type, content; read by the standard library's parser of mail."""
    head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
    form = email.message_from_bytes(head + seen.body, policy=email.policy.HTTP)
    assert form.get_content_type() == "multipart/form-data"
    assert not form.defects
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in form.iter_parts()
    ]


@pytest.mark.parametrize("size", [100, 2_000_000])
def test_a_form_has_its_media_as_a_file(flavour: Any, server: Any, answer: Any, tmp_path: Any, size: int) -> None:
    recording = wav(16_000) + bytes(range(250)) * (size // 250)
    path = tmp_path / "a.bin"
    path.write_bytes(recording)
    server.answer(answer({"error": "busy"}, 500), answer({"text": "hi"}))
    given = {
        "generation_parameters": {"temperature": 0.5, "num_beams": 2},
        "extra_body": {"prompt": "é\r\n", "t": ["a", 1]},
    }
    assert flavour.call(server.url, "automatic_speech_recognition", path, settings=OPENAI, **given).text == "hi"
    assert server.last.path == "/v1/audio/transcriptions"
    assert int(server.last.headers["content-length"]) == len(server.last.body)
    assert server.seen[0].body == server.last.body
    assert fields(server.last) == [
        ("file", "file.wav", "audio/wav", recording),
        ("temperature", None, "text/plain", b"0.5"),
        ("parameters", None, "text/plain", b'{"generation_parameters": {"num_beams": 2}}'),
        ("model", None, "text/plain", b"whisper"),
        ("prompt", None, "text/plain", "é\r\n".encode()),
        ("t", None, "text/plain", b"a"),
        ("t", None, "text/plain", b"1"),
    ]


def test_a_file_of_no_known_kind_is_called_bin(server: Any, answer: Any) -> None:
    server.answer(answer({"text": "hi"}))
    with Client.openai(server.url, token="") as client:
        client.automatic_speech_recognition(b"\x00\x01 no sound")
    assert fields(server.last)[0] == ("file", "file.bin", "application/octet-stream", b"\x00\x01 no sound")


def test_the_name_of_a_field_cannot_end_it(server: Any, answer: Any) -> None:
    server.answer(answer({"text": "hi"}))
    with Client.openai(server.url, token="") as client:
        client.automatic_speech_recognition(wav(8_000), extra_body={'a"\r\nContent-Type: x': "1"})
        assert 'name="a%22%0D%0AContent-Type: x"' in server.last.body.decode("latin-1")
        with pytest.raises(InputError, match="cannot be written as a form"):
            client.automatic_speech_recognition(wav(8_000), extra_body={"x": float("nan")})


def test_a_closed_dialect_has_no_other_tasks(flavour: Any, server: Any) -> None:
    with pytest.raises(InputError, match=r"text-classification: OpenAI does not speak this task, but automatic-speech"):
        flavour.call(server.url, "text_classification", "x", settings=OPENAI)
    assert server.seen == []
