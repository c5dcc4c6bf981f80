"""What goes over the wire for a call: body, headers, route."""

from __future__ import annotations

import base64
import json
import platform
from typing import Any

import pytest

from inference_tasks import ConfigurationError, InputError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
WAV = b"RIFF\x24\0\0\0WAVEfmt " + bytes(32)


def test_media_without_parameters_travels_as_it_is(flavour: Any, server: Any) -> None:
    labels = flavour.call(server.url, "image_classification", PNG)
    assert [(label.label, label.score) for label in labels] == [("cat", 0.9), ("dog", 0.1)]
    assert (server.last.method, server.last.path) == ("POST", "/tasks/image-classification")
    assert server.last.body == PNG
    assert server.last.headers["content-type"] == "image/png"


def test_media_with_parameters_travels_as_json(flavour: Any, server: Any) -> None:
    flavour.call(server.url, "audio_classification", WAV, top_k=2)
    assert server.last.json == {"inputs": base64.b64encode(WAV).decode(), "parameters": {"top_k": 2}}
    assert server.last.headers["content-type"] == "application/json"


def test_text_travels_as_json_with_parameters_only_where_there_are_some(flavour: Any, server: Any) -> None:
    flavour.call(server.url, "text_classification", "schön 😀")
    assert server.last.json == {"inputs": "schön 😀"}
    flavour.call(server.url, "text_classification", "good", top_k=1, function_to_apply=None)
    assert server.last.json == {"inputs": "good", "parameters": {"top_k": 1}}


def test_nested_parameters_may_be_a_dict_or_a_model(flavour: Any, server: Any, answer: Any) -> None:
    from inference_tasks.models.automatic_speech_recognition import GenerationParameters

    server.answer(answer({"text": "one"}))
    for given in ({"num_beams": 2}, GenerationParameters(num_beams=2)):
        result = flavour.call(server.url, "automatic_speech_recognition", WAV, generation_parameters=given)
        assert result.text == "one"
        assert server.last.json["parameters"] == {"generation_parameters": {"num_beams": 2}}


@pytest.mark.parametrize(
    ("parameters", "field", "hint"),
    [
        ({"top_k": 0}, "parameters.top_k", "greater than or equal to 1"),
        ({"top_k": "3"}, "parameters.top_k", "integer"),
        ({"function_to_apply": "softmx"}, "parameters.function_to_apply", "softmax"),
        ({"top_k": object()}, "parameters.top_k", "integer"),
    ],
)
def test_bad_parameters_never_leave(
    flavour: Any, server: Any, parameters: dict[str, Any], field: str, hint: str
) -> None:
    with pytest.raises(InputError, match=hint) as caught:
        flavour.call(server.url, "image_classification", PNG, **parameters)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert server.seen == []


def test_a_misspelt_name_is_answered_with_the_right_one(flavour: Any, server: Any) -> None:
    with pytest.raises(InputError, match="did you mean 'num_beams'"):
        flavour.call(server.url, "automatic_speech_recognition", WAV, generation_parameters={"num_beam": 2})
    with pytest.raises(TypeError, match="topk"):
        flavour.call(server.url, "image_classification", PNG, topk=2)
    assert server.seen == []


@pytest.mark.parametrize("text", [b"bytes", 7, None, "\ud800"])
def test_a_text_task_takes_text_only(flavour: Any, server: Any, text: Any) -> None:
    with pytest.raises(InputError):
        flavour.call(server.url, "text_classification", text)
    assert server.seen == []


def test_headers_are_sent_only_when_asked_for(flavour: Any, server: Any) -> None:
    flavour.call(server.url, "text_classification", "x")
    plain = server.last.headers
    assert not {"authorization", "x-use-cache", "x-wait-for-model", "x-retry-count", "cookie"} & set(plain)
    assert plain["accept"] == "application/json"
    assert plain["user-agent"].startswith("inference-tasks/")
    assert plain["user-agent"].endswith(f"python/{platform.python_version()}")
    settings = {"token": "tok", "default_headers": {"X-Team": "a", "X-Both": "default"}}
    flavour.call(
        server.url,
        "text_classification",
        "x",
        settings=settings,
        use_cache=False,
        wait_for_model=True,
        extra_headers={"x-both": "extra", "User-Agent": "mine"},
    )
    sent = server.last.headers
    assert sent["authorization"] == "Bearer tok"
    assert (sent["x-use-cache"], sent["x-wait-for-model"]) == ("false", "true")
    assert (sent["x-team"], sent["x-both"], sent["user-agent"]) == ("a", "extra", "mine")


def test_a_content_type_of_the_caller_holds_for_raw_media_only(flavour: Any, server: Any) -> None:
    mine = {"Content-Type": "image/x-mine"}
    flavour.call(server.url, "image_classification", PNG, extra_headers=mine)
    assert server.last.headers["content-type"] == "image/x-mine"
    flavour.call(server.url, "image_classification", PNG, top_k=1, extra_headers=mine)
    assert server.last.headers["content-type"] == "application/json"


def test_a_header_that_cannot_be_sent_is_refused_without_quoting_it(flavour: Any, server: Any) -> None:
    for headers in ({"x-a": "secret\r\nx-b: 1"}, {"x-a": "sécret"}, {"x a": "1"}, {"x-a": 1}):
        with pytest.raises(InputError) as caught:
            flavour.call(server.url, "text_classification", "x", extra_headers=headers)
        assert "cret" not in str(caught.value)
    assert server.seen == []


@pytest.mark.parametrize(
    ("base", "model", "path"),
    [
        ("", "org/name", "/models/org/name"),
        ("/api/v1/", "org/näme x?#%", "/api/v1/models/org/n%C3%A4me%20x%3F%23%25"),
        ("/", None, "/tasks/text-classification"),
    ],
)
def test_a_model_goes_to_its_own_route(flavour: Any, server: Any, base: str, model: str | None, path: str) -> None:
    flavour.call(server.url + base, "text_classification", "x", model=model)
    assert server.last.path == path
    flavour.call(server.url + base, "text_classification", "x", settings={"model": model})
    assert server.last.path == path


@pytest.mark.parametrize("model", ["..", "a/../../tasks/x", "a//b", "", "/a"])
def test_a_model_cannot_leave_its_route(flavour: Any, server: Any, model: str) -> None:
    with pytest.raises(InputError, match="not the name of a model"):
        flavour.call(server.url, "text_classification", "x", model=model)
    assert server.seen == []


def test_settings_come_from_the_environment_where_they_are_not_given(
    flavour: Any, server: Any, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFERENCE_TASKS_URL", server.url)
    monkeypatch.setenv("INFERENCE_TASKS_TOKEN", "from-env")
    flavour.call(None, "text_classification", "x")
    assert server.last.headers["authorization"] == "Bearer from-env"
    flavour.call(other.url, "text_classification", "x", settings={"token": "given"})
    assert other.last.headers["authorization"] == "Bearer given"
    flavour.call(None, "text_classification", "x", settings={"token": ""})
    assert "authorization" not in server.last.headers


def test_without_a_server_the_error_names_argument_and_variable(flavour: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"base_url=.* INFERENCE_TASKS_URL"):
        flavour.client(None)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://host",
        "http://",
        "http://user:pw@host",
        "http://host/?key=1",
        "http://host:x",
        "http://[::1",
    ],
)
def test_a_base_url_must_be_one(flavour: Any, url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        flavour.client(url)
    assert "pw" not in str(caught.value)
    assert "key=1" not in str(caught.value)


def test_a_token_does_not_travel_in_the_clear(flavour: Any) -> None:
    for settings in ({"token": "tok"}, {"default_headers": {"Authorization": "Bearer tok"}}):
        with pytest.raises(ConfigurationError, match=r"unencrypted to example\.org"):
            flavour.client("http://example.org", **settings)
        flavour.client("http://example.org", allow_insecure=True, **settings)
        flavour.client("https://example.org", **settings)
        for host in ("localhost:1", "127.8.9.1", "[::1]:80", "a.localhost"):
            flavour.client(f"http://{host}", **settings)
    with pytest.raises(ConfigurationError, match="unencrypted"):
        flavour.call("http://example.org", "text_classification", "x", extra_headers={"authorization": "Bearer tok"})


@pytest.mark.parametrize("token", ["tok\n", "to ken", "tök"])
def test_a_broken_token_is_refused_and_not_shown(flavour: Any, token: str) -> None:
    with pytest.raises(ConfigurationError, match="token") as caught:
        flavour.client("https://example.org", token=token)
    assert token not in str(caught.value)


def test_the_repr_hides_the_token(flavour: Any) -> None:
    name = flavour.cls.__name__
    assert (
        repr(flavour.client("http://localhost:1/", token="s3cret"))
        == f"{name}(base_url='http://localhost:1', token=***)"
    )
    assert repr(flavour.client("http://localhost:1")) == f"{name}(base_url='http://localhost:1', token=None)"


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5"])
def test_a_timeout_is_a_positive_number(flavour: Any, server: Any, timeout: Any) -> None:
    with pytest.raises(InputError, match="timeout"):
        flavour.call(server.url, "text_classification", "x", timeout=timeout)
    assert server.seen == []


def test_a_closed_client_says_so(flavour: Any, server: Any) -> None:
    import asyncio

    client = flavour.client(server.url)
    if flavour.is_async:
        asyncio.run(client.close())
    else:
        client.close()
    with pytest.raises(ConfigurationError, match="closed"):
        asyncio.run(client.text_classification("x")) if flavour.is_async else client.text_classification("x")


def test_nullable_parameters_tell_null_from_absent() -> None:
    import copy
    import pickle

    from inference_tasks import OMIT, Client
    from inference_tasks._runtime.arguments import given

    assert given({"a": None, "b": None, "c": OMIT, "d": 0}, ("b", "c")) == {"b": None, "d": 0}
    assert pickle.loads(pickle.dumps(OMIT)) is OMIT is copy.deepcopy(OMIT)
    assert not OMIT
    assert Client("http://localhost:1").base_url == "http://localhost:1"


def test_object_inputs_travel_as_json_as_they_are(server: Any) -> None:
    from inference_tasks import Client
    from inference_tasks._runtime.binding import TaskBinding
    from inference_tasks.models.common import ClassificationOutput

    binding = TaskBinding(
        "pair", "inference_tasks.models.common", "ClassificationOutput", "ClassificationOutput", "label"
    )
    with Client(server.url) as client:
        request = client._prepare(binding, "x", root={"score": 1})
        assert json.loads(request.content) == {"label": "x", "score": 1}
        nested = TaskBinding("nested", __name__, "Nested", "Nested", "inputs")
        for value in (ClassificationOutput(label="a", score=0.5), {"label": "a", "score": 0.5}):
            body = json.loads(client._prepare(nested, value).content)
            assert body == {"inputs": {"label": "a", "score": 0.5}}


def test_media_with_a_member_beside_them_travel_as_json() -> None:
    from inference_tasks import Client
    from inference_tasks._runtime.binding import TaskBinding
    from inference_tasks._runtime.media import Media

    binding = TaskBinding("pair", "inference_tasks.models.common", "ClassificationOutput", "", "label", media="image")
    request = Client("http://localhost:1")._prepare(binding, Media(PNG, "image/png"), root={"score": 1})
    assert json.loads(request.content) == {"label": base64.b64encode(PNG).decode(), "score": 1}


def __getattr__(name: str) -> Any:
    if name != "Nested":
        raise AttributeError(name)
    from pydantic import create_model

    from inference_tasks._runtime.types import Model
    from inference_tasks.models.common import ClassificationOutput

    return create_model("Nested", __base__=Model, inputs=(ClassificationOutput, ...))
