"""Media in both directions inside JSON: files in a request's members, and files in answers."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from inference_tasks import Base64, Client, InputError
from inference_tasks.models import DocumentQuestionAnsweringInputData

ANSWERS = [{"answer": "42", "score": 0.9, "start": 0, "end": 1}]


def png() -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (2, 3), "red").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["path", "text path", "bytes", "file object", "data URL", "PIL image", "URL"])
def test_a_member_that_is_media_takes_what_media_inputs_take(
    flavour: Any, server: Any, other: Any, answer: Any, tmp_path: Path, kind: str
) -> None:
    data, file = png(), tmp_path / "page.png"
    file.write_bytes(data)
    other.answer(answer(data, headers={"content-type": "image/png"}))
    server.answer(answer(ANSWERS))
    source = {
        "path": file,
        "text path": str(file),
        "bytes": data,
        "file object": io.BytesIO(data),
        "data URL": f"data:image/png;base64,{base64.b64encode(data).decode()}",
        "PIL image": PIL.Image.open(io.BytesIO(data)),
        "URL": f"{other.url}/page.png",
    }[kind]
    inputs = {"image": source, "question": "What is the total?"}
    flavour.call(server.url, "document_question_answering", inputs, top_k=1)
    sent = server.last.json
    assert sent["inputs"]["question"] == "What is the total?"
    assert sent["parameters"] == {"top_k": 1}
    got = PIL.Image.open(io.BytesIO(base64.b64decode(sent["inputs"]["image"], validate=True)))
    assert (got.size, got.convert("RGB").getpixel((0, 0))) == ((2, 3), (255, 0, 0))
    assert inputs["image"] is source, "the caller's dict stays as it is"


def test_a_model_as_input_is_sent_as_it_is(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer(ANSWERS))
    text = base64.b64encode(png()).decode()
    made = DocumentQuestionAnsweringInputData(image=text, question="?")
    flavour.call(server.url, "document_question_answering", made)
    assert server.last.json == {"inputs": {"image": text, "question": "?"}}


def test_a_missing_file_in_a_member_names_the_member(flavour: Any, server: Any) -> None:
    with pytest.raises(InputError, match=r"inputs\.image: no such file: 'gone\.png'"):
        flavour.call(server.url, "visual_question_answering", {"image": "gone.png", "question": "?"})
    assert server.seen == []


def test_an_input_that_may_be_missing(flavour: Any, server: Any, answer: Any) -> None:
    server.answer(answer({"image": base64.b64encode(png()).decode()}))
    flavour.call(server.url, "image_text_to_image", prompt="a boat")
    assert server.last.json == {"parameters": {"prompt": "a boat"}}
    with pytest.raises(InputError, match=r'either "inputs" is a req.*, or parameters: "prompt" is a req[^;]*$'):
        flavour.call(server.url, "image_text_to_image", seed=1)


def test_media_in_an_answer_is_a_file(flavour: Any, server: Any, answer: Any, tmp_path: Path) -> None:
    data = png()
    server.answer(answer({"image": base64.b64encode(data).decode()}))
    image = flavour.call(server.url, "text_to_image", "a red square").image
    assert isinstance(image, Base64)
    assert image.data == data
    assert image.save(tmp_path / "square.png").read_bytes() == data
    assert image.image().size == (2, 3)
    assert image == base64.b64encode(data).decode(), "it is still the text"
    assert repr(image).startswith("Base64('") and len(repr(image)) < 60


def test_what_a_server_calls_media_need_not_be_any(tmp_path: Path, server: Any, answer: Any) -> None:
    server.answer(answer({"image": "not base64!"}))
    with Client(server.url) as client:
        made = client.text_to_image("x")
        assert made.model_dump() == {"image": "not base64!"}
        with pytest.raises(ValueError, match="the server sent no base64"):
            made.image.save(tmp_path / "x.png")
        assert not (tmp_path / "x.png").exists()
        server.answer(answer({"image": base64.b64encode(b"text").decode()}))
        with pytest.raises(ValueError, match="no picture"):
            client.text_to_image("x").image.image()


def test_a_handler_makes_media_from_bytes() -> None:
    assert Base64.of(b"\x00\xff").data == b"\x00\xff"
    assert Base64(f"data:image/png;base64,{Base64.of(b'x')}").data == b"x"
