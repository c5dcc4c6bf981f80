"""Every form that a media input comes in."""

from __future__ import annotations

import base64
import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from inference_tasks import InputError

FLAC = b"fLaC" + bytes(40)


def png(mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (3, 2)).save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()


class Unseekable(io.BytesIO):
    """Like a pipe."""

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = 0) -> int:
        raise io.UnsupportedOperation("seek")


def standing_at(position: int, data: bytes) -> io.BytesIO:
    file = io.BytesIO(data)
    file.seek(position)
    return file


@pytest.fixture
def image_file(tmp_path: Path) -> Path:
    path = tmp_path / "näme with space.wav"
    path.write_bytes(PNG)
    return path


@pytest.mark.parametrize(
    "form",
    [
        lambda path: path,
        str,
        lambda path: PNG,
        lambda path: bytearray(PNG),
        lambda path: memoryview(PNG),
        lambda path: memoryview(PNG + PNG)[: len(PNG)],
        lambda path: memoryview(bytes(byte for pair in zip(PNG, PNG, strict=True) for byte in pair))[::2],
        lambda path: io.BytesIO(PNG),
        lambda path: path.open("rb"),
        lambda path: path.open("rb", buffering=0),
        lambda path: Unseekable(PNG),
        lambda path: standing_at(len(FLAC), FLAC + PNG),
        lambda path: "data:image/x-lie;base64," + base64.b64encode(PNG).decode(),
        lambda path: "DATA:," + "".join(f"%{byte:02x}" for byte in PNG),
    ],
    ids="path str bytes bytearray memoryview slice strided BytesIO file raw pipe at data-url data-percent".split(),
)
def test_every_form_sends_the_same_bytes(flavour: Any, server: Any, image_file: Path, form: Any) -> None:
    flavour.call(server.url, "image_classification", form(image_file))
    assert server.last.body == PNG
    assert server.last.headers["content-type"] == "image/png"  # whatever the file's name says


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_a_pil_image_is_sent_without_loss(flavour: Any, server: Any, mode: str) -> None:
    image = Image.effect_noise((5, 4), 60).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = image.convert("I").point(lambda level: level * 200).convert("I;16")
    flavour.call(server.url, "image_classification", image)
    assert server.last.headers["content-type"] == "image/png"
    sent = Image.open(io.BytesIO(server.last.body))
    assert list(sent.convert("RGB").tobytes()) == list(image.convert("RGB").tobytes())


def test_a_pil_image_that_png_cannot_hold_is_refused(flavour: Any, server: Any) -> None:
    with pytest.raises(InputError, match=r"inputs: .*mode F"):
        flavour.call(server.url, "image_classification", Image.new("F", (2, 2)))
    assert server.seen == []


def test_a_url_is_downloaded_without_any_credential(flavour: Any, server: Any, other: Any, answer: Any) -> None:
    other.answer(answer(PNG, headers={"content-type": "text/plain", "set-cookie": "id=1"}))
    settings = {"token": "tok", "default_headers": {"x-secret": "1"}}
    for _ in range(2):
        flavour.call(server.url, "image_classification", f"{other.url}/a.png?sig=1", settings=settings)
        assert server.last.body == PNG
        assert server.last.headers["content-type"] == "image/png"
        assert "cookie" not in server.last.headers
        assert (other.last.method, other.last.path) == ("GET", "/a.png?sig=1")
        assert not {"authorization", "cookie", "x-secret"} & set(other.last.headers)


def test_a_download_follows_redirects_and_retries(flavour: Any, server: Any, other: Any, answer: Any) -> None:
    other.answer(answer(status=503), answer(PNG, headers={"content-type": "image/png"}))
    server.answer(
        answer(status=302, headers={"location": f"{other.url}/b"}),
        answer(status=302, headers={"location": f"{other.url}/b"}),
        answer(),
    )
    flavour.call(server.url, "image_classification", f"{server.url}/a", settings={"token": "tok"})
    assert server.last.body == PNG
    assert all("authorization" not in seen.headers for seen in other.seen)
    assert len(flavour.slept) == 1


@pytest.mark.parametrize("status", [404, 403, 206])
def test_a_download_that_fails_is_an_input_error(
    flavour: Any, server: Any, other: Any, answer: Any, status: int
) -> None:
    other.answer(answer(PNG, status=status))
    with pytest.raises(InputError, match=f"inputs: cannot download {other.url}/a: .*HTTP {status}") as caught:
        flavour.call(server.url, "image_classification", f"{other.url}/a?sig=secret")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is not None
    assert server.seen == []


def test_a_download_from_nowhere_is_an_input_error(flavour: Any, server: Any) -> None:
    with pytest.raises(InputError, match="cannot download"):
        flavour.call(server.url, "image_classification", "http://127.0.0.1:1/a.png", settings={"max_retries": 0})
    with pytest.raises(InputError, match="cannot download"):
        flavour.call(server.url, "image_classification", "http://")
    assert server.seen == []


def test_downloads_have_a_size_limit(flavour: Any, server: Any, other: Any, answer: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(sys.modules["inference_tasks._runtime._http"], "MAX_RESPONSE", 1000)
    other.answer(answer(PNG + bytes(2000)))
    with pytest.raises(InputError, match="more than 1000 bytes"):
        flavour.call(server.url, "image_classification", f"{other.url}/a")
    assert server.seen == []


def test_a_missing_file_is_found_before_anything_is_sent(flavour: Any, server: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    cases: list[tuple[Any, str]] = [
        ("no such.png", "no such file: 'no such.png'"),
        (tmp_path / "none", "no such file"),
        (tmp_path, "is a directory"),
        ("", "got an empty string"),
        (next(os.scandir(os.fsencode(tmp_path))), "got a path of bytes"),
        (tmp_path / "empty", "is empty"),
        (tmp_path / "empty" / "x.png", "cannot read .*: Not a directory"),
        ("a\0b", "cannot read 'a\\\\x00b': not a path"),
        ("/dev/zero", "not a regular file"),
        (base64.b64encode(PNG * 100).decode(), "characters; base64 text must be decoded"),
        (b"", "empty"),
        (io.BytesIO(), "nothing left to read"),
        (io.StringIO("text"), "text mode"),
        ("data:image/png;base64", "no comma"),
        ("data:image/png;base64,%%%", "not valid base64"),
        ("data:image/png;base64,", "empty"),
        (7, "got int"),
        (None, "got NoneType"),
        ([1, 2], "expected a path, URL, bytes"),
    ]
    for source, message in cases:
        with pytest.raises(InputError, match=f"inputs: .*{message}") as caught:
            flavour.call(server.url, "image_classification", source)
        assert len(str(caught.value)) < 400
    assert server.seen == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_an_input_error(flavour: Any, server: Any, image_file: Path) -> None:
    image_file.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        flavour.call(server.url, "image_classification", image_file)


@pytest.mark.parametrize(
    ("start", "kind", "content_type"),
    [
        (b"\xff\xd8\xff\xe0", None, "image/jpeg"),
        (b"GIF89a", None, "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", None, "image/webp"),
        (b"BM" + bytes(12) + b"\x28\0\0\0", None, "image/bmp"),
        (b"BMW is a car, and no image at all", None, None),
        (b"II*\0", None, "image/tiff"),
        (b"MM\0*", None, "image/tiff"),
        (b"RIFF\0\0\0\0WAVEfmt ", None, "audio/wav"),
        (FLAC, None, "audio/flac"),
        (b"OggS\0", "audio", "audio/ogg"),
        (b"OggS\0", "video", "video/ogg"),
        (b"ID3\x04", None, "audio/mpeg"),
        (b"\xff\xfb\x90\x64", None, "audio/mpeg"),
        (b"\xff\xf1\x50\x80", None, "audio/aac"),
        (b"\xff\xfe\x00\x00", None, None),
        (b"\0\0\0 ftypM4A \0", None, "audio/mp4"),
        (b"\0\0\0 ftypisom\0", None, "video/mp4"),
        (b"\0\0\0 ftypisom\0", "audio", "audio/mp4"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", None, "video/webm"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "audio", "audio/webm"),
        (b"FORM\0\0\0\0AIFF", None, "audio/aiff"),
        (b"hello", None, None),
        (b"", None, None),
        (b"\xff", None, None),
    ],
)
def test_the_type_is_read_from_the_content(start: bytes, kind: str | None, content_type: str | None) -> None:
    from inference_tasks._runtime._sniff import sniff

    assert sniff(start, kind) == content_type


def test_real_encoders_agree_with_the_table() -> None:
    import numpy as np
    import soundfile

    from inference_tasks._runtime._sniff import sniff

    for name, content_type in [
        ("WAV", "audio/wav"),
        ("FLAC", "audio/flac"),
        ("OGG", "audio/ogg"),
        ("MP3", "audio/mpeg"),
    ]:
        buffer = io.BytesIO()
        soundfile.write(buffer, np.zeros(4000), 8000, format=name)
        assert sniff(buffer.getvalue(), "audio") == content_type
    for name in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"):
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4)).save(buffer, name)
        assert sniff(buffer.getvalue()) == f"image/{name.lower()}"


def test_unknown_content_is_sent_as_such(flavour: Any, server: Any) -> None:
    flavour.call(server.url, "image_classification", b"no magic here")
    assert server.last.headers["content-type"] == "application/octet-stream"
