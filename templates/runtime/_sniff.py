"""The type of a media file, read from its first bytes and never from its name: names lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ENOUGH = 4096
"""So many first bytes show all there is to see."""

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"%PDF-", "application/pdf"),
)

_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}


def sniff(data: bytes, kind: str | None = None) -> str | None:
    """The content type that the first bytes of `data` show, or None.

    `kind` is believed for Ogg, MP4 and WebM, which hold audio and video alike.
    """
    for offset, magic, content_type in _MAGIC:
        if data.startswith(magic, offset):
            return content_type
    return next(filter(None, (look(data, kind) for look in _LOOKS)), None)


def _riff(data: bytes, kind: str | None) -> str | None:
    return _RIFF.get(data[8:12]) if data[:4] in (b"RIFF", b"RF64") else None


def _aiff(data: bytes, kind: str | None) -> str | None:
    return "audio/aiff" if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC") else None


def _bmp(data: bytes, kind: str | None) -> str | None:
    # "BM" alone starts too many other things: the length of the header that follows is one of a few.
    return "image/bmp" if data[:2] == b"BM" and data[14:18] in _BMP_HEADERS else None


_BMP_HEADERS = {size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124)}


def _container(data: bytes, kind: str | None) -> str | None:
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12]) or ("audio/mp4" if kind == "audio" else "video/mp4")
    if data[:4] == b"OggS":
        return "video/ogg" if kind == "video" else "audio/ogg"
    if data[:4] == b"\x1a\x45\xdf\xa3":
        form = "webm" if b"webm" in data[:64] else "x-matroska"
        return f"audio/{form}" if kind == "audio" else f"video/{form}"
    return None


def _mpeg(data: bytes, kind: str | None) -> str | None:
    """MPEG audio without a tag: eleven set bits, then a layer (III or II), a bit rate and a sample rate that exist.

    ADTS, which wraps AAC, has layer 0 there. Layer I is left out: it is unheard of, and a UTF-16 mark looks like it.
    """
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    layer = data[1] >> 1 & 3
    if layer == 0:
        return "audio/aac" if data[1] & 0xF0 == 0xF0 and data[2] >> 2 & 0xF < 13 else None
    exists = data[1] >> 3 & 3 != 1 and data[2] >> 4 != 15 and data[2] >> 2 & 3 != 3
    return "audio/mpeg" if layer < 3 and exists else None


_LOOKS: tuple[Callable[[bytes, str | None], str | None], ...] = (_riff, _aiff, _bmp, _container, _mpeg)
