"""Media inputs: whatever a caller has at hand becomes bytes with a content type.

The type is read from the content, never from a file's name: names lie, and servers go by what they are told.
"""

from __future__ import annotations

import binascii
import os
import stat
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from .errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = "application/octet-stream"

_EXPECTED = "a path, URL, bytes, binary file object or PIL image"


class PILImage(Protocol):
    """What is used of a `PIL.Image.Image`; Pillow itself is never imported here.

    `mode` names the pixel format, `convert` gives the image in another one, `save` writes it into a file object.
    """

    @property
    def mode(self) -> str: ...

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None: ...

    def convert(self, mode: str | None = None) -> Any: ...


MediaInput = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | PILImage
"""An input in any of its forms. A string is an ``http(s)://`` URL, a ``data:`` URL, or else a path."""


@dataclass(frozen=True)
class Media:
    """Bytes to send, never empty, and their content type (:data:`UNKNOWN` where the content does not tell)."""

    data: bytes = field(repr=False)
    content_type: str


def remote_url(source: object) -> str | None:
    """The URL, if `source` is one to be downloaded."""
    return source if isinstance(source, str) and source[:8].lower().startswith(("http://", "https://")) else None


def read(source: MediaInput, name: str, kind: str | None = None) -> Media:
    """The media in `source`, anything but a URL to be downloaded. Reads files, so it may block.

    `name` is the input's name for messages; `kind` (``"audio"``, ``"video"``) settles the type of containers that may
    hold either. Raises InputError for whatever cannot be read.
    """
    declared = UNKNOWN
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str) and source[:5].lower() == "data:":
        data, declared = _data_url(source, name)
    elif isinstance(source, str | os.PathLike):
        data = _file(source, name)
    elif _is_pil(source):
        data = _encode(source, name)
    elif callable(getattr(source, "read", None)):
        data = _stream(source, name)
    else:
        raise InputError(f"{name}: expected {_EXPECTED}, got {_type_name(source)}")
    return from_bytes(data, name, kind, declared=declared)


def from_bytes(data: bytes, name: str, kind: str | None = None, *, declared: str = UNKNOWN) -> Media:
    """`data` with the type that its content shows, or else the `declared` one. Raises InputError if it is empty."""
    if not data:
        raise InputError(f"{name}: the input is empty (0 bytes)")
    return Media(data, sniff(data, kind) or declared)


def _type_name(value: object) -> str:
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _file(source: str | os.PathLike[str], name: str) -> bytes:
    path = os.fspath(source)
    if not isinstance(path, str) or not path:
        raise InputError(f"{name}: expected {_EXPECTED}, got {'an empty string' if path == '' else 'a path of bytes'}")
    shown = (
        repr(path)
        if len(path) <= 200
        else f"{path[:40]!r}… ({len(path)} characters; base64 text must be decoded to bytes)"
    )
    try:
        mode = Path(path).stat().st_mode  # before opening, which waits for ever on a named pipe
        data = b""
        if stat.S_ISREG(mode):
            data = Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{name}: no such file: {shown}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        raise InputError(f"{name}: cannot read {shown}: {reason}") from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{name}: {shown} is a directory")
    if not stat.S_ISREG(mode):
        raise InputError(f"{name}: {shown} is not a regular file; open it and pass the file object")
    if not data:
        raise InputError(f"{name}: the file {shown} is empty")
    return data


def _stream(source: Any, name: str) -> bytes:
    try:
        data = source.read()
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot read the file object: {error}") from error
    if isinstance(data, str):
        raise InputError(f"{name}: the file object is open in text mode; open it with 'rb'")
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"{name}: the file object's read() gave {_type_name(data)} instead of bytes")
    if not data:
        raise InputError(f"{name}: the file object has nothing left to read; is it empty or at its end?")
    return bytes(data)


def _data_url(url: str, name: str) -> tuple[bytes, str]:
    from urllib.parse import unquote_to_bytes

    head, comma, payload = url[5:].partition(",")
    if not comma:
        raise InputError(f"{name}: the data: URL has no comma")
    content_type, *flags = head.split(";")
    data = unquote_to_bytes(payload)
    if flags and flags[-1].strip().lower() == "base64":
        try:
            data = binascii.a2b_base64(data, strict_mode=True)
        except ValueError as error:
            raise InputError(f"{name}: the data: URL is not valid base64: {error}") from None
    plain = content_type.strip().lower()
    return data, plain if "/" in plain and plain.isascii() and plain.isprintable() and " " not in plain else UNKNOWN


def _is_pil(source: object) -> bool:
    return any(cls.__module__ == "PIL.Image" and cls.__name__ == "Image" for cls in type(source).__mro__)


def _encode(image: Any, name: str) -> bytes:
    """`image` as PNG: lossless, whatever file it once came from."""
    buffer = BytesIO()
    try:
        if image.mode in _AS_RGB:
            image = image.convert(_AS_RGB[image.mode])
        image.save(buffer, "PNG")
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{name}: the PIL image (mode {image.mode}) cannot be written as PNG: {error}") from error
    return buffer.getvalue()


_AS_RGB = {"CMYK": "RGB", "YCbCr": "RGB", "HSV": "RGB", "LAB": "RGB", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA"}

# ------------------------------------------------------------------------------------------------- type from content

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
