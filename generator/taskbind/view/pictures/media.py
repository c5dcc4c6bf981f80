"""What the bytes of a media file give away cheaply: size of an image, length and loudness of a sound."""

from __future__ import annotations

import io
import sys
import wave
from array import array
from itertools import pairwise
from typing import Final

_LOOKS: Final = 64
"""How many samples are looked at for one loudness."""


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, GIF or JPEG in pixels; None for any other file."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        size = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    elif data.startswith(b"GIF8") and len(data) >= 10:
        size = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    elif data.startswith(b"\xff\xd8"):
        size = _jpeg_size(data)
    else:
        return None
    return size if min(size) > 0 else None


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """The size that the first frame header says; zero without one."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + length
    return 0, 0


def seconds(data: bytes) -> float | None:
    """How long a WAV or FLAC file plays; None for any other file."""
    if data.startswith(b"fLaC") and len(data) >= 26:
        packed = int.from_bytes(data[18:26])  # 20 bits rate, 3 channels, 5 depth, 36 samples
        rate, samples = packed >> 44, packed & ((1 << 36) - 1)
        return samples / rate if rate and samples else None
    opened = _wave(data)
    return opened.getnframes() / opened.getframerate() if opened else None


def loudness(data: bytes, count: int) -> list[float] | None:
    """The loudest of a few samples from each of `count` parts of a 16-bit WAV file, each from 0 to 1; or None."""
    opened = _wave(data)
    if opened is None or opened.getsampwidth() != 2:
        return None
    content = opened.readframes(opened.getnframes())
    samples = array("h", content[: len(content) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    if len(samples) < count:
        return None
    ends = [len(samples) * part // count for part in range(count + 1)]
    parts = (samples[a : b : max(1, (b - a) // _LOOKS)] for a, b in pairwise(ends))
    peaks = [max(max(part), -min(part)) for part in parts]
    return [peak / (max(peaks) or 1) for peak in peaks]


def _wave(data: bytes) -> wave.Wave_read | None:
    if data[8:12] != b"WAVE":
        return None
    try:
        opened = wave.open(io.BytesIO(data))  # noqa: SIM115  # it is bytes in memory, with nothing to close
    except (wave.Error, EOFError):
        return None
    return opened if opened.getframerate() else None
