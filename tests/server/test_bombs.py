"""Small requests that become huge, against a server in a process of its own whose memory is measured."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import av
import httpx
import numpy as np
import PIL.Image
import pytest
import soundfile

IMAGE = "/tasks/image-classification"
AUDIO = "/tasks/audio-classification"
TEXT = "/tasks/text-classification"
SPARE = 48 << 20
"""What answering may take: more than a picture of a million pixels and ten seconds of sound, less than any bomb."""

SERVER = """
import uvicorn
from inference_tasks._runtime.server.ports import listen
from inference_tasks._runtime.server.run import config_of
from inference_tasks._runtime.server.settings import Serving
from inference_tasks.server import *

class Look(ImageClassificationHandler):
    def __call__(self, inputs, parameters):
        return [{"label": f"{inputs.width}", "score": 1.0}]

class Listen(AudioClassificationHandler):
    def __call__(self, inputs, parameters):
        return [{"label": f"{inputs.seconds:.0f}", "score": 1.0}]

class Write(AutomaticSpeechRecognitionHandler):
    def __call__(self, inputs, parameters):
        return {"text": f"{inputs.seconds:.0f}"}

class Read(TextClassificationHandler):
    def __call__(self, inputs, parameters):
        return [{"label": inputs[:10], "score": 1.0}]

settings = Serving(max_pixels=1_000_000, max_seconds=10, cache_size=0)
socket = listen("127.0.0.1", 0)
print(socket.getsockname()[1], flush=True)
app = create_app([Look(), Listen(), Write(), Read()], settings=settings)
uvicorn.Server(config_of(app, settings)).run(sockets=[socket])
"""


class Process:
    """The server and its memory."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{int(self.process.stdout.readline())}",
            headers={"x-wait-for-model": "true"}, timeout=60, trust_env=False,
        )  # fmt: skip
        self.proc = Path(f"/proc/{self.process.pid}")

    def close(self) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(20)

    def bytes(self, name: str) -> int:
        lines = (self.proc / "status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

    def growth(self, send: Callable[[], httpx.Response]) -> tuple[int, httpx.Response]:
        """By how much the most that was ever resident passes what was before, while a request is answered."""
        (self.proc / "clear_refs").write_text("5")
        before = self.bytes("VmRSS")
        answer = send()
        return self.bytes("VmHWM") - before, answer


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("needs Linux to measure memory")
    started = Process()
    # What is imported with the first file of each kind is no bomb's.
    for path, body in ((IMAGE, picture()), (AUDIO, sound(1)), (AUDIO, mp4(1)), (TEXT, b'{"inputs": "x"}')):
        assert started.client.post(path, content=body).status_code == 200
    yield started
    started.close()


def picture() -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, extra: bytes = b"", *, depth: int = 8, color: int = 6, claimed: bool = True) -> bytes:
    """A PNG of nothing; it says that it is of one pixel unless it is `claimed`."""
    deflate, row = zlib.compressobj(9), b"\0" * (1 + width * 4 * depth // 8)
    data = b"".join(deflate.compress(row) for _ in range(height)) + deflate.flush()
    size = (width, height) if claimed else (1, 1)
    head = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def frames(format: str, size: tuple[int, int], count: int, **options: object) -> bytes:
    """An animation."""
    buffer = io.BytesIO()
    first, *others = (PIL.Image.new("RGB", size, (number, 0, 0)) for number in range(count))
    first.save(buffer, format, save_all=True, append_images=others, **options)
    return buffer.getvalue()


def gif(screen: tuple[int, int], frame: tuple[int, int]) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\0" * 6
    return head + b"\x2c" + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x4c\x01\x00\x3b"


def tiff(*tags: tuple[int, int, int, int]) -> bytes:
    """A grey TIFF of 100 x 100 pixels that the `tags` (number, type, count, value) describe further."""
    known = {256: (4, 1, 100), 257: (4, 1, 100), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 277: (3, 1, 1)}
    known |= {number: (kind, count, value) for number, kind, count, value in tags}
    table = b"".join(struct.pack("<HHII", number, *rest) for number, rest in sorted(known.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(known)) + table + b"\0" * 2000


def exif(entries: int) -> bytes:
    """A JPEG whose EXIF claims many values."""
    buffer = io.BytesIO()
    body = b"Exif\0\0II*\0" + struct.pack("<IHHHII", 8, 1, 0x0112, 3, entries, 26) + b"\0" * 4
    PIL.Image.new("RGB", (8, 8)).save(buffer, "JPEG", exif=body)
    return buffer.getvalue()


ZEROS = zlib.compress(b"\0" * 300_000_000, 9)

PICTURES: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: png(9000, 9000),
    "PNG of 16 bits": lambda: png(5000, 5000, depth=16),
    "PNG that says it is small": lambda: png(9000, 9000, claimed=False),
    "PNG with a compressed text": lambda: png(8, 8, chunk(b"zTXt", b"a\0\0" + ZEROS)),
    "PNG with a compressed profile": lambda: png(8, 8, chunk(b"iCCP", b"a\0\0" + ZEROS)),
    "PNG with many compressed texts": lambda: png(8, 8, chunk(b"iTXt", b"a\0\1\0\0\0" + ZEROS) * 20),
    "GIF with a large screen": lambda: gif((65535, 65535), (1, 1)),
    "GIF with a large frame": lambda: gif((1, 1), (65535, 65535)),
    "GIF of frames": lambda: frames("GIF", (5000, 5000), 2),
    "GIF of a million small frames": lambda: (one := frames("GIF", (900, 900), 1))[:-1] + one[13 + 768 : -1] * 20_000,
    "WebP of frames": lambda: frames("WEBP", (5000, 5000), 2, quality=1, method=0),
    "TIFF of frames": lambda: frames("TIFF", (5000, 5000), 3, compression="tiff_deflate"),
    "AVIF of frames": lambda: frames("AVIF", (4900, 4900), 2, quality=1, speed=10),
    "TIFF with a long strip": lambda: tiff((273, 4, 1, 200), (278, 4, 1, 100), (279, 4, 1, 0xFFFFFFF0)),
    "TIFF with a large tile": lambda: tiff((322, 4, 1, 60000), (323, 4, 1, 60000), (324, 4, 1, 200), (325, 4, 1, 999)),
    "TIFF with a large packed tile": lambda: tiff(
        (259, 3, 1, 8), (322, 4, 1, 60000), (323, 4, 1, 60000), (324, 4, 1, 200), (325, 4, 1, 999)
    ),
    "TIFF with many samples": lambda: tiff((277, 3, 1, 65535), (273, 4, 1, 200), (278, 4, 1, 100), (279, 4, 1, 999)),
    "TIFF with many strips": lambda: tiff((273, 4, 1 << 29, 200), (278, 4, 1, 100), (279, 4, 1 << 29, 999)),
    "JPEG": lambda: b"\xff\xd8\xff\xc0\0\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\0\x02\x11\1\x03\x11\1\xff\xd9",
    "JPEG with much EXIF": lambda: exif(0x7FFFFFFF),
    "BMP": lambda: (
        b"BM" + struct.pack("<IIIIiiHHIIIIII", 99, 0, 54, 40, 1 << 30, 1 << 30, 1, 24, *[0] * 6) + b"\0" * 99
    ),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_pictures(process: Process, name: str) -> None:
    body = PICTURES[name]()
    assert len(body) < 20_000_000
    growth, answer = process.growth(lambda: process.client.post(IMAGE, content=body))
    assert answer.status_code == 422 or answer.json()[0]["label"] in ("1", "8", "900"), answer.text
    assert growth < SPARE


def sound(seconds: int, format: str = "FLAC", rate: int = 8000) -> bytes:
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate, 1, format=format) as file:
        for _ in range(seconds):
            file.write(np.zeros(rate, np.float32))
    return buffer.getvalue()


def flac(seconds: int, claimed: int) -> bytes:
    """Its header says how many frames there are in 36 bits."""
    data = bytearray(sound(seconds))
    data[21] &= 0xF0
    data[22:26] = struct.pack(">I", claimed)
    return bytes(data)


def wav(channels: int, rate: int, size: int, body: bytes) -> bytes:
    form = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2 & 0xFFFFFFFF, channels * 2 & 0xFFFF, 16)
    return b"RIFF\xff\xff\xff\xffWAVEfmt " + form + b"data" + struct.pack("<I", size) + body


def mp4(seconds: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        for number in range(seconds * 8000 // 1024):
            frame.pts = number * 1024
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return buffer.getvalue()


def patched(data: bytes, *changes: tuple[bytes, int, int]) -> bytes:
    """An MP4 with other numbers in its boxes: box, offset, number."""
    out = bytearray(data)
    for box, offset, number in changes:
        at = out.index(box) + offset
        out[at : at + 4] = struct.pack(">I", number)
    return bytes(out)


SECOND = ((b"mvhd", 20, 1000), (b"mdhd", 20, 8000), (b"tkhd", 24, 1000))
RECORDINGS: dict[str, Callable[[], bytes]] = {
    "FLAC": lambda: sound(20_000),
    "FLAC that says it is short": lambda: flac(20_000, 8000),
    "FLAC that does not say": lambda: flac(20_000, 0),
    "FLAC that says it is longer": lambda: flac(1, 0xFFFFFFFF),
    "OGG": lambda: sound(2000, "OGG"),
    "MP3": lambda: sound(2000, "MP3"),
    "WAV that says it is longer": lambda: wav(1, 8000, 0xFFFFFFFE, b"\0" * 16_000),
    "WAV of many channels": lambda: wav(1000, 8000, 0xFFFFFFFE, b"\0" * 4_000_000),
    "WAV of too many channels": lambda: wav(65535, 8000, 0xFFFFFFFE, b"\0" * 4_000_000),
    "WAV of a high rate": lambda: wav(1, 4_000_000_000, 0xFFFFFFFE, b"\0" * 4_000_000),
    "MP4": lambda: mp4(2000),
    "MP4 that says it is short": lambda: patched(mp4(2000), *SECOND),
    "MP4 of many samples": lambda: patched(mp4(1), (b"stsz", 12, 0xFFFFFFFF)),
    "MP4 of long samples": lambda: patched(mp4(1), (b"stsz", 16, 0x7FFFFFFF)),
    "MP4 of many times": lambda: patched(mp4(1), (b"stts", 12, 0x7FFFFFFF)),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings(process: Process, name: str) -> None:
    body = RECORDINGS[name]()
    assert len(body) < 20_000_000
    growth, answer = process.growth(lambda: process.client.post(AUDIO, content=body))
    assert answer.status_code == 422 or answer.json()[0]["label"] in ("1", "2"), answer.text
    assert growth < SPARE


def test_what_is_at_the_limits_takes_less_than_is_spared(process: Process) -> None:
    body = io.BytesIO()
    PIL.Image.new("RGB", (1000, 1000)).save(body, "PNG")
    for path, content in ((IMAGE, body.getvalue()), (AUDIO, sound(10))):
        growth, answer = process.growth(partial(process.client.post, path, content=content))
        assert answer.status_code == 200
        assert growth < SPARE


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "x-gzip"])
def test_compressed_bodies(process: Process, encoding: str) -> None:
    headers = {"content-encoding": encoding}
    growth, answer = process.growth(lambda: process.client.post(TEXT, content=ZEROS, headers=headers))
    assert answer.status_code == 415
    assert growth < SPARE


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, b'{"inputs": [' + b"0," * 9_000_000 + b"0]}"),
        (422, b'{"inputs": "x", "parameters": {' + b",".join(b'"%x": 0' % n for n in range(900_000)) + b"}}"),
        (422, b'{"inputs": "x", "parameters": {' + b",".join(b'"%x": 0' % n for n in range(30_000)) + b"}}"),
        (400, b"[" * 19_000_000),
        (400, b'{"a":' * 3_000_000),
        (400, b'{"inputs": ' + b"9" * 19_000_000 + b"}"),
        (422, b'{"inputs": "' + b"[" * 19_000_000 + b'"}'),
    ],
    ids=["many numbers", "many names", "not so many names", "lists", "objects", "digits", "brackets in a text"],
)
def test_json(process: Process, status: int, body: bytes) -> None:
    growth, answer = process.growth(lambda: process.client.post(TEXT, content=body))
    assert answer.status_code == status, answer.text[:300]
    assert len(answer.content) < 10_000
    assert growth < 4 * len(body) + SPARE, "the body itself, more than once"


def test_forms_of_many_parts(process: Process) -> None:
    part = b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n'
    headers = {"content-type": "multipart/form-data; boundary=x"}
    path = "/v1/audio/transcriptions"
    body = part * 300_000 + b"--x--\r\n"
    growth, answer = process.growth(lambda: process.client.post(path, content=body, headers=headers))
    assert answer.status_code == 422
    assert "100 parts" in answer.text
    assert growth < 4 * len(body) + SPARE
