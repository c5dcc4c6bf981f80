"""What an input may hold: media as bytes and by URL, texts, several of them; how large; and what is never fetched."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import PIL.Image
import pytest

from inference_tasks._runtime.server.clarifai import inputs as limits_of
from inference_tasks._runtime.server.decode import decode_image, image_size
from inference_tasks.models.video_classification import VideoClassificationOutputElement
from inference_tasks.models.visual_question_answering import VisualQuestionAnsweringOutputElement
from inference_tasks.server import (
    VideoClassificationHandler,
    VisualQuestionAnsweringHandler,
)
from tests.server.live import Live, Serve, b64, picture

from .asking import Alike, Boxes, Scores, Shown, codes, concepts, details, predict
from .test_frames import film

TEXT, IMAGE = "text-classification", "image-classification"
HOME = ("localhost", "127.0.0.1")


def image(data: bytes) -> dict[str, Any]:
    return {"data": {"image": {"base64": b64(data)}}}


class Look(VisualQuestionAnsweringHandler):
    """Answers the question, and how large the picture's file is."""

    def __call__(self, inputs: Any, parameters: Any) -> list[VisualQuestionAnsweringOutputElement]:
        answer = f"{inputs.question} {len(inputs.image)}"
        return [VisualQuestionAnsweringOutputElement.model_validate({"answer": answer, "score": 1.0})]


class Length(VideoClassificationHandler):
    """Answers how many bytes a video has, roughly."""

    def __call__(self, inputs: Any, parameters: Any) -> list[VideoClassificationOutputElement]:
        return [VideoClassificationOutputElement(label="film" if inputs[:4] == b"\x1a\x45\xdf\xa3" else "?", score=0.5)]


# ------------------------------------------------------------------------------------------------ what they hold


def test_bytes_and_texts_are_taken(live: Live) -> None:
    assert concepts(predict(live, IMAGE, [image(picture())])) == [("6x4 (255, 0, 0)", 0.5)]
    assert concepts(predict(live, TEXT, [{"data": {"text": {"raw": "cat=1"}}}])) == [("cat", 1.0)]


@pytest.mark.parametrize("parted", [False, True])
def test_several_media_make_one_input(serve: Serve, parted: bool) -> None:
    live = serve(Look())
    media = {"image": {"base64": b64(picture())}, "text": {"raw": "how many?"}}
    parts = {"parts": [{"id": name, "data": {name: medium}} for name, medium in media.items()]}
    answer = predict(live, "visual-question-answering", [{"data": parts if parted else media}])
    expected = f"how many? {len(b64(picture()))}"
    assert codes(answer) == (10000, [10000]), details(answer)
    assert expected in answer.text
    assert b64(picture()) not in answer.text
    echo = answer.json()["outputs"][0]["input"]["data"]
    if parted:
        assert echo == {
            "parts": [{"id": "image", "data": {"image": {}}}, {"id": "text", "data": {"text": {"raw": "how many?"}}}]
        }
    else:
        assert echo == {"image": {}, "text": {"raw": "how many?"}}


@pytest.mark.parametrize(
    ("item", "code", "message"),
    [
        ({}, 30104, "data: is required: this model takes data.image (url or base64)"),
        ({"data": None}, 30104, "data: is required"),
        ({"data": {"metadata": {"mine": 1}}}, 30104, "data: is required"),
        ({"data": {"image": {}}}, 30104, "data: is required"),
        ({"data": {"parts": []}}, 30104, "data: is required"),
        ({"data": 3}, 30104, "data: must be an object"),
        ({"data": {"parts": [{}, {"data": 7}]}}, 30104, "data.parts.1.data: must be an object"),
        ({"id": 7, "data": {"image": {}}}, 30104, "id: must be a text of 200 characters at most"),
        ({"id": "x" * 201, "data": {"image": {}}}, 30104, "id: must be a text of 200 characters at most"),
        ({"data": {"parts": [{"id": "x" * 201}]}}, 30104, "data.parts.0.id: must be a text of 200"),
        (
            {"data": {"image": {"base64": "HTTPS://example.org/"}}},
            30300,
            "data.image.base64: must be base64; a URL is to be in data.image.url",
        ),
        ({"data": {"parts": {"data": {}}}}, 30104, "data.parts: must be a list of objects"),
        ({"data": {"parts": [3]}}, 30104, "data.parts: must be a list of objects"),
        ({"data": {"image": {"base64": "AAAA"}, "parts": [{"data": {"image": {"base64": "AAAA"}}}]}}, 30104, "twice"),
        ({"data": {"image": "AAAA"}}, 30104, "data.image: must be an object"),
        ({"data": {"image": {"allow_duplicate_url": True}}}, 30104, "data.image: must have either url or base64"),
        ({"data": {"image": {"base64": "AAAA", "url": "https://x"}}}, 30104, "must have either url or base64"),
        ({"data": {"image": {"base64": 3}}}, 30104, "data.image.base64: must be a text"),
        ({"data": {"image": {"base64": "AAA"}}}, 30300, "data.image.base64: is not valid base64"),
        ({"data": {"image": {"base64": "AAAA"}}}, 30300, "data.image.base64: is not an image this server can read"),
        ({"data": {"image": {"base64": "http://x"}}}, 30300, "must be base64"),
        ({"data": {"image": {"url": 3}}}, 30106, "data.image.url: must be a text"),
        ({"data": {"image": {"url": "https://example.org/"}}}, 30002, "does not fetch URLs"),
        ({"data": {"text": {"raw": "x"}}}, 30101, "data.text: does not fit: this model takes data.image"),
        ({"data": {"audio": {"base64": "AAAA"}}}, 30101, "data.audio: does not fit"),
        ({"data": {"image": {"base64": "AAAA"}, "text": {"raw": "x"}}}, 30101, "data.text: does not fit"),
        ({"data": {"struct_value": {"a": 1}}}, 30101, "data.struct_value: does not fit"),
        ({"data": {"video": {"base64": "AAAA"}}}, 31300, "data.video.base64: is not a video"),
        ({"data": {"video": {"base64": "AAA"}}}, 31300, "data.video.base64: is not valid base64"),
        ({"data": {"video": {"url": "https://example.org/"}}}, 31002, "does not fetch URLs"),
    ],
)
def test_what_is_no_input_of_a_model_of_images(live: Live, item: Any, code: int, message: str) -> None:
    answer = predict(live, IMAGE, [image(picture()), item])
    assert answer.status_code == 200
    assert codes(answer) == (10010, [10000, code])
    assert message in answer.json()["outputs"][1]["status"]["details"]


def test_a_video_stands_for_an_image_and_not_beside_one(live: Live) -> None:
    both = {"image": {"base64": b64(picture())}, "video": FILM["data"]["video"]}
    answer = predict(live, IMAGE, [{"data": both}])
    assert codes(answer) == (10020, [31101])
    assert details(answer).startswith("data.video: does not fit")


def test_where_the_task_has_parts_they_stay_apart(serve: Serve, web: Web) -> None:
    live = serve(Alike(), fetch=HOME)
    parts = [{"id": "a", "data": {"text": {"raw": "one"}}}, {"data": {"text": {"url": f"{web.url}/text"}}}]
    answer = predict(live, "sentence-similarity", [{"data": {"text": {"raw": "none"}, "parts": parts}}])
    assert codes(answer) == (10000, [10000]), details(answer)
    assert answer.json()["outputs"][0]["data"]["embeddings"][0]["vector"] == [0.003, 0.014]
    for wrong, code, message in (
        ([{"data": {"parts": [{}]}}], 30104, "data.parts.0.data.parts: parts have none themselves"),
        ([{"data": {"text": "one"}}], 30104, "data.parts.0.data.text: must be an object"),
        ([{"data": {"text": {"url": "https://example.org/"}}}], 30002, "data.parts.0.data.text.url: is at a host"),
        ([{"data": {"image": {"base64": "AAAA"}}}], 30101, "data.parts.0.data.image: does not fit: the parts that"),
        ([{}], 30104, ""),
        ([3], 30104, "data.parts: must be a list of objects"),
    ):
        answer = predict(live, "sentence-similarity", [{"data": {"text": {"raw": "none"}, "parts": wrong}}])
        assert codes(answer) == (10020, [code]), answer.text
        assert message in details(answer)


def test_what_an_input_lacks_is_told(serve: Serve) -> None:
    answer = predict(serve(Look()), "visual-question-answering", [{"data": {"text": {"raw": "how many?"}}}])
    assert codes(answer) == (10020, [30104]), answer.text
    assert "data.image.base64: is required" in details(answer)


# ------------------------------------------------------------------------------------------------ how large


def test_media_have_the_published_limits(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {name: (medium.most, medium.most_fetched) for name, medium in limits_of.MEDIA.items()}
    megabyte = 1_000_000
    assert sizes == {
        "image": (20 * megabyte, 20 * megabyte),
        "audio": (20 * megabyte, 20 * megabyte),
        "text": (20 * megabyte, 20 * megabyte),
        "video": (10 * megabyte, 100 * megabyte),
    }
    small = {name: limits_of.Medium(medium.inline, 900, 900) for name, medium in limits_of.MEDIA.items()}
    monkeypatch.setattr(limits_of, "MEDIA", small)
    live = serve(Shown(), Scores())
    for item, name, code in (
        ({"image": {"base64": "A" * 1204}}, IMAGE, 30105),
        ({"image": {"base64": "A" * 1200}}, IMAGE, 30300),
        ({"video": {"base64": "A" * 1204}}, IMAGE, 31105),
        ({"text": {"raw": "é" * 451}}, TEXT, 30105),
        ({"text": {"raw": "é" * 450}}, TEXT, 10000),
    ):
        answer = predict(live, name, [{"data": item}])
        assert codes(answer)[1] == [code], details(answer)


def test_the_servers_own_limits_hold_too(serve: Serve) -> None:
    live = serve(Shown(), Scores(), max_pixels=1000, max_characters=10)
    answer = predict(live, IMAGE, [image(picture(size=(40, 40)))])
    assert codes(answer) == (10020, [30105])
    assert details(answer) == "data.image.base64: has more than 1000 pixels"
    answer = predict(live, TEXT, [{"data": {"text": {"raw": "x" * 11}}}])
    assert codes(answer) == (10020, [30105])


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_sizes_are_those_of_the_decoded_image(format: str, orientation: int) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    PIL.Image.new("RGB", (64, 32)).save(file, format, exif=exif)
    assert image_size(file.getvalue(), "inputs") == decode_image(file.getvalue(), "inputs").size


def test_boxes_are_parts_of_the_image_as_it_is_turned(serve: Serve) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    answer = predict(serve(Boxes()), "object-detection", [image(picture("JPEG", size=(80, 20), exif=exif))])
    (dog, cat) = answer.json()["outputs"][0]["data"]["regions"]
    assert cat["region_info"]["bounding_box"] == {"top_row": 0.0, "left_col": 0.0, "bottom_row": 1.0, "right_col": 0.5}
    assert dog["region_info"]["bounding_box"] == {"top_row": 0.5, "left_col": 0.5, "bottom_row": 1.0, "right_col": 1.0}


# ------------------------------------------------------------------------------------------------ videos


def frames(answer: Any) -> list[tuple[dict[str, int], str]]:
    data = answer.json()["outputs"][0]["data"]
    return [(frame["frame_info"], frame["data"]["concepts"][0]["name"]) for frame in data["frames"]]


FILM = {"data": {"video": {"base64": b64(film(range(0, 4000, 500)))}}}


def test_a_model_of_images_looks_at_the_frames_of_a_video(live: Live) -> None:
    answer = predict(live, IMAGE, [FILM])
    assert codes(answer) == (10000, [10000]), details(answer)
    assert frames(answer) == [
        ({"index": index, "time": 500 + 1000 * index, "number": index}, f"32x16 ({10 + 20 * index}, 0, 0)")
        for index in range(4)
    ]
    answer = predict(live, IMAGE, [FILM], {"sample_ms": 2000})
    assert [(info["time"], name) for info, name in frames(answer)] == [
        (1000, "32x16 (20, 0, 0)"),
        (3000, "32x16 (60, 0, 0)"),
    ]
    assert answer.json()["outputs"][0]["input"]["data"] == {"video": {}}


def test_boxes_in_frames_have_ids_of_their_own_and_options_hold_for_each(live: Live) -> None:
    answer = predict(live, "object-detection", [FILM], {"max_concepts": 1})
    found = [frame["data"]["regions"] for frame in answer.json()["outputs"][0]["data"]["frames"]]
    assert [len(regions) for regions in found] == [1] * 4
    assert len({regions[0]["id"] for regions in found}) == 4


def test_a_model_of_videos_sees_the_whole_or_its_pieces(serve: Serve) -> None:
    live = serve(Length())
    assert concepts(predict(live, "video-classification", [FILM])) == [("film", 0.5)]
    answer = predict(live, "video-classification", [FILM], {"sample_ms": 1000})
    assert [(info["time"], name) for info, name in frames(answer)] == [
        (time, "film") for time in (500, 1500, 2500, 3500)
    ]
    answer = predict(live, "video-classification", [FILM], {"sample_ms": 1000, "select_concepts": [{"id": "film"}]})
    assert codes(answer) == (10000, [10000])


def test_a_video_has_a_most_of_frames(serve: Serve) -> None:
    answer = predict(serve(Shown(), max_frames=3), IMAGE, [FILM])
    assert codes(answer) == (10020, [31105])


# ------------------------------------------------------------------------------------------------ by URL


class Web:
    """A web server with pages to fetch; what it was asked for is in `seen`."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        web = self

        class Pages(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.seen.append(self.path)
                status, body, headers = web.pages.get(self.path.partition("?")[0], (404, b"internal secret", {}))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.url = f"http://localhost:{self.server.server_port}"
        self.pages: dict[str, tuple[int, bytes, dict[str, str]]] = {
            "/red.png": (200, picture(), {}),
            "/text": (200, "\ufeffdog=0.5 é=0.25".encode(), {}),
            "/latin": (200, "é=0.25".encode("latin-1"), {}),
            "/large": (200, b"x" * 1001, {}),
            "/film": (200, film(range(0, 2000, 500)), {}),
            "/moved": (302, b"", {"location": "/red.png"}),
            "/inside": (302, b"", {"location": "http://169.254.169.254/latest/meta-data/"}),
        }
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.close()


def test_media_and_texts_by_url(serve: Serve, web: Web) -> None:
    live = serve(Shown(), Scores(), Length(), fetch=HOME)
    answer = predict(live, IMAGE, [{"data": {"image": {"url": f"{web.url}/{page}"}}} for page in ("red.png", "moved")])
    assert codes(answer) == (10000, [10000, 10000]), answer.text
    assert concepts(answer, 0) == concepts(answer, 1) == [("6x4 (255, 0, 0)", 0.5)]
    assert answer.json()["outputs"][1]["input"]["data"] == {"image": {"url": f"{web.url}/moved"}}
    answer = predict(live, TEXT, [{"data": {"text": {"url": f"{web.url}/text"}}}])
    assert concepts(answer) == [("dog", 0.5), ("é", 0.25)]
    answer = predict(live, "video-classification", [{"data": {"video": {"url": f"{web.url}/film"}}}])
    assert concepts(answer) == [("film", 0.5)]
    assert len(frames(predict(live, IMAGE, [{"data": {"video": {"url": f"{web.url}/film"}}}]))) == 2


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("/none", 30002, "the answer has status 404"),
        ("/inside", 30002, "leads on to another URL, which is at a host that this server does not fetch from"),
        ("http://127.0.0.2/", 30002, "is at a host that this server does not fetch from"),
        ("http://169.254.169.254/latest/meta-data/", 30002, "is at a host"),
        ("http://localhost:1/", 30002, "could not be fetched"),
        ("file:///etc/passwd", 30106, "is no URL"),
        ("ftp://localhost/", 30106, "is no URL"),
        ("localhost/red.png", 30106, "is no URL"),
        ("http://user:password@localhost/", 30106, "must not hold"),
    ],
)
def test_what_is_not_fetched(serve: Serve, web: Web, url: str, code: int, message: str) -> None:
    live = serve(Shown(), fetch=HOME)
    url = web.url + url if url.startswith("/") else url
    answer = predict(live, IMAGE, [{"data": {"image": {"url": url}}}, image(picture())])
    assert codes(answer) == (10010, [code, 10000])
    said = answer.json()["outputs"][0]["status"]["details"]
    assert said.startswith("data.image.url: ")
    assert message in said
    assert "secret" not in answer.text


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]", "2130706433", "[::ffff:127.0.0.1]", "localhost."])
def test_this_machine_is_not_fetched_from_unless_it_is_named(serve: Serve, web: Web, address: str) -> None:
    live = serve(Shown(), fetch=("*",))
    before = len(web.seen)
    for scheme in ("http", "https"):
        url = f"{scheme}://{address}:{web.server.server_port}/red.png"
        answer = predict(live, IMAGE, [{"data": {"image": {"url": url}}}])
        assert codes(answer)[1][0] in (30002, 30106)
    assert len(web.seen) == before


def test_what_is_fetched_has_a_most(serve: Serve, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {name: limits_of.Medium(medium.inline, 1000, 1000) for name, medium in limits_of.MEDIA.items()}
    monkeypatch.setattr(limits_of, "MEDIA", small)
    live = serve(Scores(), fetch=HOME, max_body=600)
    answer = predict(live, TEXT, [{"data": {"text": {"url": f"{web.url}/large"}}}])
    assert codes(answer) == (10020, [30105])
    assert "is a file of more than 1000 bytes" in answer.text
    answer = predict(live, TEXT, [{"data": {"text": {"url": f"{web.url}/latin"}}}])
    assert codes(answer) == (10020, [30300])


def test_what_is_fetched_counts_as_memory(serve: Serve, web: Web) -> None:
    live = serve(Shown(), fetch=HOME, max_pending=500)
    answer = predict(live, IMAGE, [{"data": {"video": {"url": f"{web.url}/film"}}}])
    assert answer.status_code == 429
    assert codes(answer) == (11005, [11005])
    assert "inference_pending_bytes 0.0" in live.client.get("/metrics").text


def test_what_was_fetched_is_one_input_of_many(serve: Serve, web: Web) -> None:
    live = serve(Shown(), fetch=HOME)
    items = [{"data": {"image": {"url": f"{web.url}/red.png?{number}"}}} for number in range(128)]
    assert codes(predict(live, IMAGE, items)) == (10000, [10000] * 128)
