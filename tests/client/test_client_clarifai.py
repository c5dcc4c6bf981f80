"""Calls to servers that speak as Clarifai's does: where they go, what they hold, and what is made of the outputs."""

from __future__ import annotations

import base64
import io
import json
import re
import string
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from PIL import Image

from inference_tasks import AuthenticationError, Client, ConfigurationError, InputError, ResponseValidationError
from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime import _measured
from inference_tasks._runtime.clarifai.address import Address, address
from inference_tasks._runtime.clarifai.protocol import Predict
from inference_tasks._runtime.media import read
from tests.support.predictions import concepts, output, response

CLARIFAI: dict[str, Any] = {"dialect": "clarifai", "token": "pat"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))


def picture(width: int, height: int, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def cat(server: Any, answer: Any) -> Any:
    """A server that sees a cat."""
    server.answer(answer(response(output(concepts(cat=0.9)))))
    return server


# -------------------------------------------------------------------------------------------------------- the address


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("clarifai/main/general", Address("general", None, "clarifai", "main")),
        ("clarifai/main/models/general", Address("general", None, "clarifai", "main")),
        ("clarifai/main/models/general/versions/aa7f", Address("general", "aa7f", "clarifai", "main")),
        ("clarifai/main/general/versions/aa7f", Address("general", "aa7f", "clarifai", "main")),
        ("https://clarifai.com/clarifai/main/models/general", Address("general", None, "clarifai", "main")),
        ("https://clarifai.com/clarifai/main/models/general/", Address("general", None, "clarifai", "main")),
        ("http://www.clarifai.com/a-1/b_2/models/c.3?tab=api#x", Address("c.3", None, "a-1", "b_2")),
        ("clarifai.com/a/b/models/c/versions/d", Address("c", "d", "a", "b")),
        ("general", Address("general")),
        ("general/versions/aa7f", Address("general", "aa7f")),
        ("owner--name", Address("owner--name")),
        ("users/u/apps/a/models/m", Address("m", None, "u", "a")),
        ("/v2/users/u/apps/a/models/m/versions/v", Address("m", "v", "u", "a")),
    ],
)
def test_the_names_that_a_model_goes_by(name: str, found: Address) -> None:
    assert address(name) == found


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a/b",
        "a/b/c/d",
        "a/b/models",
        "a/b/c/versions",
        "a/b/c/versions//",
        "a//c",
        "../b/c",
        "a/b/..",
        "a b",
        "a/b/c\n/versions/d/e",
        "https://example.com/a/b/models/c",
        "https://clarifai.com/",
        "é/b/c",
        "a/b/c%2Fd",
        "a/b/c?x=1",
    ],
)
def test_what_is_no_name_is_told_what_is(server: Any, name: str) -> None:
    with pytest.raises(InputError, match=r"^model: .* give user/app/model, the path of"):
        Client(server.url, **CLARIFAI).image_classification(PNG, model=name)
    assert server.seen == []


def test_models_of_an_owner_are_told_their_names() -> None:
    with pytest.raises(InputError, match=r"owner--name"):
        address("owner/name")


NAMES = st.lists(st.sampled_from(["a", "models", "versions", "..", ".", "", "%2e", "é", " ", "?x", "#", "https:"]))


@given(st.text() | NAMES.map("/".join))
def test_no_name_leads_elsewhere(name: str) -> None:
    try:
        route = address(name).route
    except InputError:
        return
    assert re.fullmatch(r"/v2(/users/[^/]+/apps/[^/]+)?/models/[^/]+(/versions/[^/]+)?/outputs", route)
    assert set(route) <= set(string.ascii_letters + string.digits + "/-_.~@:+")
    assert not {".", ".."} & set(route.split("/"))


@pytest.mark.parametrize(
    ("base", "model", "url"),
    [
        (None, "u/a/m", "https://api.clarifai.com/v2/users/u/apps/a/models/m/outputs"),
        (None, "u/a/m/versions/v", "https://api.clarifai.com/v2/users/u/apps/a/models/m/versions/v/outputs"),
        (None, "m/versions/v", "https://api.clarifai.com/v2/models/m/versions/v/outputs"),
        ("http://127.0.0.1:8000", None, "http://127.0.0.1:8000/v2/models/text-classification/outputs"),
        ("http://127.0.0.1:8000/clarifai/", "m", "http://127.0.0.1:8000/clarifai/v2/models/m/outputs"),
        ("http://127.0.0.1:8000/clarifai/v2", "m", "http://127.0.0.1:8000/clarifai/v2/models/m/outputs"),
    ],
)
def test_where_a_call_goes(base: str | None, model: str | None, url: str) -> None:
    from inference_tasks._tasks import TASKS

    assert Client.clarifai(base, model=model)._prepare(TASKS["text-classification"], "x").url == url


def test_the_hosted_service_has_many_models() -> None:
    with pytest.raises(InputError, match=r"model: Clarifai has many; say which"):
        Client.clarifai(token="pat").text_classification("x")


def test_the_key_of_the_hosted_service(flavour: Any, cat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from inference_tasks._tasks import TASKS

    monkeypatch.setenv("CLARIFAI_PAT", "secret")
    hosted = Client.clarifai(model="u/a/m")._prepare(TASKS["text-classification"], "x")
    assert hosted.headers["authorization"] == "Key secret"
    flavour.call(cat.url, "text_classification", "x", settings={**CLARIFAI, "token": None})
    assert "authorization" not in cat.last.headers
    flavour.call(cat.url, "text_classification", "x", settings=CLARIFAI)
    assert cat.last.headers["authorization"] == "Key pat"
    with pytest.raises(ConfigurationError, match="unencrypted"):
        Client.clarifai("http://example.com", token="pat")


# ----------------------------------------------------------------------------------------------------------- requests


def test_one_input_with_its_options(flavour: Any, cat: Any) -> None:
    flavour.call(cat.url, "image_classification", PNG, top_k=3, function_to_apply="softmax", settings=CLARIFAI)
    assert (cat.last.method, cat.last.headers["content-type"]) == ("POST", "application/json")
    params = {"max_concepts": 3, "function_to_apply": "softmax"}
    info = {"params": params, "output_config": {"max_concepts": 3}}
    assert cat.last.json == {
        "inputs": [{"data": {"image": {"base64": base64.b64encode(PNG).decode()}}}],
        "model": {"model_version": {"output_info": info}},
    }


def test_options_that_never_had_a_place_of_their_own_are_params_alone(flavour: Any, cat: Any) -> None:
    flavour.call(cat.url, "text_classification", "x", function_to_apply="none", settings=CLARIFAI)
    assert cat.last.json["model"] == {"model_version": {"output_info": {"params": {"function_to_apply": "none"}}}}
    flavour.call(cat.url, "text_classification", "x", settings=CLARIFAI)
    assert cat.last.json == {"inputs": [{"data": {"text": {"raw": "x"}}}]}


def test_labels_to_choose_from_are_selected_concepts(flavour: Any, cat: Any) -> None:
    labels = ["cat", "dog"]
    flavour.call(cat.url, "zero_shot_image_classification", PNG, candidate_labels=labels, settings=CLARIFAI)
    info = cat.last.json["model"]["model_version"]["output_info"]
    assert info["output_config"]["select_concepts"] == [{"name": "cat"}, {"name": "dog"}]
    assert info["params"]["select_concepts"] == info["output_config"]["select_concepts"]


def test_a_url_is_passed_on(flavour: Any, cat: Any, other: Any) -> None:
    flavour.call(cat.url, "image_classification", f"{other.url}/a.png?sig=1", settings=CLARIFAI)
    assert cat.last.json["inputs"] == [{"data": {"image": {"url": f"{other.url}/a.png?sig=1"}}}]
    flavour.call(
        cat.url, "visual_question_answering", {"image": other.url, "question": "what?"}, top_k=1, settings=CLARIFAI
    )
    assert cat.last.json["inputs"] == [{"data": {"image": {"url": other.url}, "text": {"raw": "what?"}}}]
    assert other.seen == []


def test_what_is_no_url_is_not_passed_on(cat: Any) -> None:
    with pytest.raises(InputError, match="inputs: not an http"):
        Client(cat.url, **CLARIFAI).image_classification("https://")
    assert cat.seen == []


def test_sound_and_films_have_members_of_their_own(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(response(output({"text": {"raw": "hey", "text_info": {"encoding": "UnknownTextEnc"}}}))))
    heard = flavour.call(server.url, "automatic_speech_recognition", "https://h.example/a.wav", settings=CLARIFAI)
    assert (heard.text, server.last.json["inputs"][0]) == (
        "hey",
        {"data": {"audio": {"url": "https://h.example/a.wav"}}},
    )
    server.answer(answer(response(output(concepts(run=0.5)))))
    film = b"\0\0\0\x18ftypmp42" + bytes(16)
    assert flavour.call(server.url, "video_classification", film, settings=CLARIFAI)[0].label == "run"
    assert server.last.json["inputs"] == [{"data": {"video": {"base64": base64.b64encode(film).decode()}}}]


def test_a_large_file_is_read_while_it_is_sent(flavour: Any, cat: Any, tmp_path: Path) -> None:
    file = tmp_path / "large.png"
    file.write_bytes(PNG * 40_000)
    request = Client(cat.url, **CLARIFAI)
    flavour.call(cat.url, "image_classification", file, top_k=2, settings=CLARIFAI)
    assert base64.b64decode(cat.last.json["inputs"][0]["data"]["image"]["base64"]) == file.read_bytes()
    file.write_bytes(PNG)
    request.image_classification(file)
    assert cat.last.json["inputs"] == [{"data": {"image": {"base64": base64.b64encode(PNG).decode()}}}]


@pytest.mark.parametrize(("use_cache", "said"), [(None, {}), (True, True), (False, False)])
def test_whether_an_earlier_prediction_will_do(flavour: Any, cat: Any, use_cache: bool | None, said: Any) -> None:
    flavour.call(cat.url, "text_classification", "x", use_cache=use_cache, settings=CLARIFAI)
    assert cat.last.json.get("use_predict_cache", {}) == said


def test_what_is_asked_besides(flavour: Any, cat: Any) -> None:
    extra = {"user_app_id": {"user_id": "me"}, "use_predict_cache": True}
    flavour.call(
        cat.url, "text_classification", "x", use_cache=False, extra_body=extra, extra_query={"a": 1}, settings=CLARIFAI
    )
    assert cat.last.json == {"inputs": [{"data": {"text": {"raw": "x"}}}], **extra}
    assert cat.last.path == "/v2/models/text-classification/outputs?a=1"


def test_what_is_asked_besides_joins_the_options(flavour: Any, cat: Any) -> None:
    extra = {"model": {"model_version": {"output_info": {"params": {"max_concepts": 5, "min_value": 0.5}}}}}
    flavour.call(cat.url, "text_classification", "x", top_k=3, extra_body=extra, settings=CLARIFAI)
    info = cat.last.json["model"]["model_version"]["output_info"]
    assert info == {"output_config": {"max_concepts": 3}, "params": {"max_concepts": 5, "min_value": 0.5}}


@pytest.mark.parametrize("settings", [CLARIFAI, {}])
@pytest.mark.parametrize("extra", [[1], "x", 7])
def test_what_is_asked_besides_has_members(flavour: Any, server: Any, settings: Any, extra: Any) -> None:
    with pytest.raises(InputError, match=r"^extra_body: expected a mapping"):
        flavour.call(server.url, "text_classification", "x", extra_body=extra, settings=settings)
    assert server.seen == []


@pytest.mark.parametrize(
    ("method", "primary", "keywords", "told"),
    [
        ("fill_mask", "a [MASK]", {}, r"fill-mask: Clarifai does not answer with what .* needs: sequence, token$"),
        (
            "chat_completion",
            [{"role": "user", "content": "x"}],
            {},
            "chat-completion: Clarifai does not speak this task",
        ),
        ("text_generation", "x", {"stream": True}, "text-generation: stream: answers cannot be streamed"),
        ("image_to_text", PNG, {"generation_parameters": {"max_new_tokens": "x"}}, "max_new_tokens"),
    ],
)
def test_what_cannot_be_asked_is_not_sent(
    flavour: Any, server: Any, method: str, primary: Any, keywords: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        flavour.call(server.url, method, primary, **keywords, settings=CLARIFAI)
    assert server.seen == []


def test_what_has_no_place_is_not_sent(server: Any) -> None:
    with Client(server.url, **CLARIFAI) as client:
        known = DIALECTS["clarifai"]
        only_text = replace(known.wire("text-generation"), requests=(((("inputs",), ("data", "text", "raw")),),))
        client._dialect = replace(known, wires={"text-generation": only_text})
        with pytest.raises(InputError, match=r"^parameters: there is no place for it"):
            client.text_generation("x", top_k=3)
    assert server.seen == []


def test_an_answer_that_is_not_streamed_is_what_there_is(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(response(output({"text": {"raw": "upon a time"}}))))
    told = flavour.call(server.url, "text_generation", "once", stream=False, max_new_tokens=5, settings=CLARIFAI)
    assert told.generated_text == "upon a time"
    assert server.last.json["model"] == {"model_version": {"output_info": {"params": {"max_tokens": 5}}}}


# ------------------------------------------------------------------------------------------------------------ answers


def test_concepts_are_labels(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(response(output(concepts(cat=0.9, dog=0)))))
    labels = flavour.call(server.url, "image_classification", PNG, settings=CLARIFAI | {"strict_responses": True})
    assert [(label.label, label.score) for label in labels] == [("cat", 0.9), ("dog", 0)]


@pytest.mark.parametrize(
    "bare", [output({}), output(None), {"status": {"code": 10000}, "data": {}}, {"data": None}, {"status": None}, {}]
)
def test_nothing_found_is_an_empty_list(flavour: Any, server: Any, answer: Any, bare: Any) -> None:
    server.answer(answer(response(bare)))
    assert flavour.call(server.url, "image_classification", PNG, settings=CLARIFAI) == []


def region(top: float, left: float, bottom: float, right: float) -> dict[str, Any]:
    box = {"top_row": top, "left_col": left, "bottom_row": bottom, "right_col": right}
    return {"id": "r", "value": 0.8, "region_info": {"bounding_box": box}, "data": concepts(cat=0.8)}


def late_exif(png: bytes, exif: bytes) -> bytes:
    """A PNG file with its EXIF data behind the picture, where it may stand too."""
    exif = exif.removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(">I", zlib.crc32(b"eXIf" + exif))
    return png[:-12] + chunk + png[-12:]


TURNED = Image.Exif()
TURNED[0x0112] = 6


@pytest.mark.parametrize(
    ("source", "size"),
    [
        (picture(200, 100), (200, 100)),
        (picture(200, 100, "JPEG"), (200, 100)),
        (picture(200, 100, "JPEG", exif=TURNED), (100, 200)),
        (picture(200, 100, "PNG", exif=TURNED), (100, 200)),
        (picture(200, 100, "WEBP", exif=TURNED), (100, 200)),
        (picture(200, 100, "TIFF", exif=TURNED), (100, 200)),
        (late_exif(picture(200, 100), TURNED.tobytes()), (100, 200)),
        (io.BytesIO(b"before" + picture(300, 100, "PNG", exif=TURNED) + bytes(2 << 20)), (100, 300)),
        (picture(200, 100, "GIF"), (200, 100)),
        (picture(200, 100, "BMP"), (200, 100)),
        (picture(200, 100, "WEBP"), (200, 100)),
        (picture(200, 100, "TIFF"), (200, 100)),
        (picture(3, 5), (3, 5)),
        (Image.new("RGB", (64, 32)), (64, 32)),
    ],
)
def test_boxes_are_pixels_of_the_image(
    flavour: Any, server: Any, answer: Any, source: Any, size: tuple[int, int]
) -> None:
    server.answer(answer(response(output({"regions": [region(0, 0.25, 0.5, 1)]}))))
    if isinstance(source, io.BytesIO):
        source.seek(len(b"before"))
    (found,) = flavour.call(server.url, "object_detection", source, settings=CLARIFAI)
    box, (width, height) = found.box, size
    assert (box.xmin, box.ymin, box.xmax, box.ymax) == (round(width / 4), 0, width, round(height / 2))
    assert (found.label, found.score) == ("cat", 0.8)


@pytest.mark.parametrize("place", [10**400, -(10**400), True, "0.5", [], None])
def test_a_place_that_is_no_number_is_no_answer(flavour: Any, server: Any, answer: Any, place: Any) -> None:
    text = json.dumps(response(output({"regions": [region(0, 12345, 1, 1)]}))).replace("12345", json.dumps(place))
    server.answer(answer(text.encode()))
    with pytest.raises(ResponseValidationError, match="xmin"):
        flavour.call(server.url, "object_detection", picture(20, 10), settings=CLARIFAI)


@pytest.mark.parametrize(
    "data",
    [
        b"P5 20 10 255\n" + bytes(200),
        b"<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'/>",
        b"GIF89a\0\0\0\0",
        b"\x89PNG\r\n\x1a\n",
        b"\0" * 5_000_000,
    ],
)
def test_what_no_size_can_be_read_of_is_not_sent(server: Any, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "image").write_bytes(data)
    with Client(server.url, **CLARIFAI) as client, pytest.raises(InputError, match=r"^inputs: .* size in pixels"):
        client.object_detection(tmp_path / "image")
    assert server.seen == []


def test_no_more_of_a_file_is_read_than_headers_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_measured, "_MOST_READ", 100_000)
    chunks = b"".join(b"\xff\xe1\xff\xff" + bytes(0xFFFF - 2) for _ in range(4))
    jpeg = picture(20, 10, "JPEG")
    for data, known in ((jpeg, True), (jpeg[:2] + chunks + jpeg[2:], True), (b"\x89PNG\r\n\x1a\n" * 100_000, False)):
        media = read(data, "inputs", "image")
        if known:
            assert _measured.pixels(media, "inputs", turned=False) == {"{width}": 20, "{height}": 10}
        else:
            with pytest.raises(InputError):
                _measured.pixels(media, "inputs", turned=False)


def test_the_hosted_service_takes_images_as_they_are_stored(server: Any, answer: Any) -> None:
    server.answer(answer(response(output({"regions": [region(0, 0, 1, 1)]}))))
    with Client(server.url, **CLARIFAI) as client:
        client._dialect = replace(DIALECTS["clarifai"], url=server.url)
        client._protocol = Predict(client._dialect)
        (found,) = client.object_detection(picture(200, 100, "JPEG", exif=TURNED), model="u/a/m")
    assert (found.box.xmax, found.box.ymax) == (200, 100)


def test_an_image_that_is_measured_is_downloaded(flavour: Any, server: Any, other: Any, answer: Any) -> None:
    image = picture(40, 20)
    other.answer(answer(image, headers={"content-type": "image/png"}))
    server.answer(answer(response(output({"regions": [region(0.5, 0, 1, 0.5)]}))))
    (found,) = flavour.call(server.url, "object_detection", f"{other.url}/a", settings=CLARIFAI)
    assert (found.box.xmax, found.box.ymin) == (20, 10)
    assert server.last.json["inputs"] == [{"data": {"image": {"base64": base64.b64encode(image).decode()}}}]
    assert "authorization" not in other.last.headers


def test_a_large_image_is_measured_by_its_beginning_or_else_as_a_whole(
    flavour: Any, server: Any, answer: Any, tmp_path: Path
) -> None:
    server.answer(answer(response(output({"regions": [region(0, 0, 1, 1)]}))))
    directory_last = picture(700, 600, "TIFF")
    assert len(directory_last) > 1 << 20
    (tmp_path / "a.tiff").write_bytes(directory_last)
    (tmp_path / "b.png").write_bytes(picture(30, 20) + bytes(1 << 20))
    for name, size in {"a.tiff": (700, 600), "b.png": (30, 20)}.items():
        (found,) = flavour.call(server.url, "object_detection", tmp_path / name, settings=CLARIFAI)
        assert (found.box.xmax, found.box.ymax) == size


@pytest.mark.parametrize(
    "data", [PNG[:8], b"RIFF\0\0\0\0WEBP", b"GIF89a\0\0\0\0", b"\xff\xd8\xff\xe0", b"nothing", b"<svg width=''"]
)
def test_an_image_that_cannot_be_measured_is_not_sent(flavour: Any, server: Any, data: bytes) -> None:
    with pytest.raises(InputError, match=r"^inputs: .* the image's size in pixels, which cannot be read"):
        flavour.call(server.url, "object_detection", data, settings=CLARIFAI)
    assert server.seen == []


def test_generated_media_are_files(flavour: Any, server: Any, answer: Any) -> None:
    image = picture(4, 4)
    server.answer(answer(response(output({"image": {"base64": base64.b64encode(image).decode()}}))))
    assert flavour.call(server.url, "text_to_image", "a cat", settings=CLARIFAI).image.data == image
    assert server.last.json["inputs"] == [{"data": {"text": {"raw": "a cat"}}}]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (response(output(concepts(cat=0.9)), output({})), "2 outputs for 1 inputs"),
        ({"status": {"code": 10000}}, "0 outputs for 1 inputs"),
        ([], "0 outputs for 1 inputs"),
        (b"<html>", "no JSON"),
        (response(output([])), "output 0 of the answer is no object with data"),
        (response("cat"), "output 0 of the answer is no object with data"),
        (response(output({"concepts": [{"name": "cat"}]})), "not what the task's spec says"),
    ],
)
def test_what_is_no_answer_is_told(flavour: Any, server: Any, answer: Any, body: Any, told: str) -> None:
    server.answer(answer(body))
    with pytest.raises(ResponseValidationError, match=told):
        flavour.call(server.url, "image_classification", PNG, settings=CLARIFAI)


def test_the_response_as_it_came(cat: Any, answer: Any) -> None:
    with Client(cat.url, **CLARIFAI) as client:
        raw = client.with_raw_response.image_classification(PNG)
        assert (raw.status_code, raw.request_id) == (200, "20ab5bcf")
        assert json.loads(raw.content)["outputs"][0]["data"]["concepts"][0]["name"] == "cat"
        assert raw.parse() == raw.parse() == client.image_classification(PNG)
        cat.answer(answer(response(code=11008, description="Invalid key")))
        with pytest.raises(AuthenticationError):
            client.with_raw_response.image_classification(PNG)
