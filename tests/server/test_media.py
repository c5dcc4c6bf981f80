"""Images and sound: every way they may arrive, and everything that may be wrong with them."""

from __future__ import annotations

import io
import json
import struct
import zlib
from typing import Any

import av
import numpy as np
import PIL.Image
import pytest
import soundfile

from inference_tasks._runtime.server.decode import decode_audio, decode_image
from inference_tasks.models.audio_classification import AudioClassificationOutputElement, AudioClassificationParameters
from inference_tasks.server import Audio, AudioClassificationHandler, RequestProblem

from .live import Serve, Size, b64, blamed, picture

IMAGE = "/tasks/image-classification"
AUDIO = "/tasks/audio-classification"
RATE = 16_000
RED = [{"label": "RGB 6x4 (255, 0, 0)", "score": 0.0}]


class Listen(AudioClassificationHandler):
    """Answers how long the sound is, and how loud."""

    def __call__(
        self, inputs: Audio, parameters: AudioClassificationParameters
    ) -> list[AudioClassificationOutputElement]:
        return [
            AudioClassificationOutputElement(label=f"{inputs.seconds:.1f} s", score=float(abs(inputs.samples).max()))
        ]


def tone(seconds: float = 1.0, rate: int = RATE, channels: int = 1) -> Any:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def sound(format: str = "WAV", samples: Any = None, rate: int = RATE, subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, tone() if samples is None else samples, rate, format=format, subtype=subtype)
    return buffer.getvalue()


def aac(container: str = "mp4", codec: str = "aac", rate: int = 48_000) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(1.0, rate).T.copy(), format="fltp", layout="mono")
        frame.sample_rate = rate
        fifo = av.AudioFifo()
        fifo.write(frame)
        while block := fifo.read(stream.codec_context.frame_size or 960, partial=True):
            out.mux(stream.encode(block))
        out.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "image/png",
        "IMAGE/PNG; x=y",
        "image/jpeg",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "text/plain",
        "audio/wav",
    ],
)
def test_image_bytes_are_taken_under_any_content_type(serve: Serve, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = serve(Size()).post(IMAGE, content=picture(), headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json() == RED


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "DATA:;base64,", "data:image/png;name=x;base64,"])
@pytest.mark.parametrize("kind", ["application/json", "application/octet-stream", None])
def test_base64_and_data_urls(serve: Serve, prefix: str, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    body = json.dumps({"inputs": prefix + b64(picture())})
    answer = serve(Size()).post(IMAGE, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json() == RED


def test_bytes_and_base64_of_one_image_share_their_answer(serve: Serve) -> None:
    live = serve(Size())
    assert live.post(IMAGE, content=picture()).headers["x-cache"] == "miss"
    assert live.post(IMAGE, json={"inputs": b64(picture())}).headers["x-cache"] == "hit"


@pytest.mark.parametrize(
    "inputs",
    [
        "",
        "not base64!",
        b64(picture())[:-1],
        b64(picture())[:40] + "\n" + b64(picture())[40:],
        b64(picture()) + "====",
        "data:image/png," + b64(picture()),
        "data:image/png;base64,",
        "http://127.0.0.1:9/x.png",
        "https://example.org/cat.png",
        "file:///etc/passwd",
        "/etc/passwd",
        "cat.png",
        "é",
        b64(b"plain text"),
        b64(picture()[:50]),
    ],
)
def test_what_is_no_image_is_422_at_inputs(serve: Serve, inputs: str) -> None:
    answer = serve(Size()).post(IMAGE, json={"inputs": inputs})
    assert answer.status_code == 422, answer.text
    assert blamed(answer) == ["inputs"]


@pytest.mark.parametrize("kind", [None, "image/png", "application/octet-stream"])
@pytest.mark.parametrize("body", [b"plain text", b"\0" * 1000, picture()[:50], b"inputs=@cat.png", b"%PDF-1.4"])
def test_bytes_that_are_no_image_are_422_at_inputs(serve: Serve, kind: str | None, body: bytes) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = serve(Size()).post(IMAGE, content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert blamed(answer) == ["inputs"]


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/xml"])
def test_other_content_types_with_other_bytes_are_415(serve: Serve, kind: str) -> None:
    answer = serve(Size()).post(IMAGE, content=b"--x\r\n", headers={"content-type": kind})
    assert answer.status_code == 415
    assert kind.split(";")[0] in answer.json()["error"]


def test_an_image_sent_as_json_is_told_what_it_is(serve: Serve) -> None:
    answer = serve(Size()).post(IMAGE, content=picture(), headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "image/png" in answer.json()["error"]


def test_a_sound_is_no_image(serve: Serve) -> None:
    assert serve(Size()).post(IMAGE, content=sound()).status_code == 422


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_image_formats(format: str) -> None:
    image = decode_image(picture(format), "inputs")
    assert (image.mode, image.size) == ("RGB", (6, 4))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_image_modes_become_rgb(mode: str) -> None:
    assert decode_image(picture("TIFF" if mode == "CMYK" else "PNG", mode=mode), "inputs").mode == "RGB"


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.full((2, 2), 0x8000, np.uint16)).save(buffer, "PNG")
    assert decode_image(buffer.getvalue(), "inputs").getpixel((0, 0)) == (128, 128, 128)


def test_photographs_are_turned_upright() -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    assert decode_image(picture("JPEG", exif=exif.tobytes()), "inputs").size == (4, 6)


def bomb(width: int, height: int) -> bytes:
    """A small PNG of many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"\0" * ((width // 8 + 1) * min(height, 1000)))
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [5_001, 12_000, 20_000, 2_000_000])
def test_image_bombs_are_refused_by_their_size(side: int) -> None:
    with pytest.raises(RequestProblem, match=r"pixels|not an image"):
        decode_image(bomb(side, side), "inputs")


@pytest.mark.parametrize(
    "text", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"P6 1 1 255 abc"]
)
def test_image_formats_outside_the_list_are_refused(text: bytes) -> None:
    with pytest.raises(RequestProblem, match="not an image"):
        decode_image(text, "inputs")


# ------------------------------------------------------------------------------------------------ sound


@pytest.mark.parametrize(
    "data",
    [
        sound(),
        sound("WAV", subtype="FLOAT"),
        sound("FLAC"),
        sound("OGG", subtype="VORBIS"),
        sound("OGG", rate=48_000, samples=tone(1, 48_000), subtype="OPUS"),
        sound("MP3"),
        sound("AIFF"),
        sound("CAF"),
        sound("WAV", tone(1, 44_100, 2), 44_100),
        aac(),
        aac("adts"),
        aac("webm", "libopus"),
    ],
)
@pytest.mark.parametrize("kind", [None, "audio/x-whatever"])
def test_sound_bytes(serve: Serve, data: bytes, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = serve(Listen()).post(AUDIO, content=data, headers=headers)
    assert answer.status_code == 200, answer.text
    (label,) = answer.json()
    assert label["label"] in ("1.0 s", "1.1 s")
    assert 0.3 < label["score"] < 0.9, "lossy codecs may overshoot"


def test_base64_sound(serve: Serve) -> None:
    answer = serve(Listen()).post(AUDIO, json={"inputs": b64(sound()), "parameters": {"top_k": 1}})
    assert answer.json()[0]["label"] == "1.0 s"


@pytest.mark.parametrize(
    "body",
    [
        b"plain text",
        picture(),
        sound()[:30],
        sound(samples=np.zeros((0, 1), np.float32)),
        sound(samples=np.full((100, 1), np.nan, np.float32), subtype="FLOAT"),
        b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.wav\n#EXT-X-ENDLIST\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n",
    ],
)
def test_what_is_no_sound_is_422_at_inputs(serve: Serve, body: bytes) -> None:
    answer = serve(Listen()).post(AUDIO, content=body, headers={"content-type": "audio/wav"})
    assert answer.status_code == 422, answer.text
    assert blamed(answer) == ["inputs"]


def test_long_sound_is_refused() -> None:
    data = sound("FLAC", np.zeros((601 * 1000, 1), np.float32), 1000)
    assert len(data) < 100_000
    with pytest.raises(RequestProblem, match="longer than 600 seconds"):
        decode_audio(data, "inputs")


def test_a_lying_header_allocates_nothing() -> None:
    data = bytearray(sound())
    data[4:8] = data[40:44] = b"\xff\xff\xff\x7f"
    try:
        assert decode_audio(bytes(data), "inputs").seconds < 1.1
    except RequestProblem as problem:
        assert problem.status == 422


@pytest.mark.parametrize("rate", [1, 999, 2_000_000])
def test_absurd_rates_are_refused(rate: int) -> None:
    data = bytearray(sound())
    data[24:28] = struct.pack("<I", rate)
    with pytest.raises(RequestProblem):
        decode_audio(bytes(data), "inputs")


def test_channels_are_mixed_and_loudness_is_bounded() -> None:
    samples = np.stack([np.full(1000, 3.0), np.full(1000, 0.0)], axis=1).astype(np.float32)
    audio = decode_audio(sound("WAV", samples, subtype="FLOAT"), "inputs")
    assert audio.samples.dtype == np.float32
    assert audio.samples.shape == (1000,)
    assert audio.samples.max() == 1.0


def test_resampling_keeps_the_duration() -> None:
    audio = Audio(tone()[:, 0], RATE)
    assert audio.resampled(RATE) is audio
    assert abs(audio.resampled(8_000).seconds - 1.0) < 0.01
