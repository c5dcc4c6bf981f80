"""Media inputs: whatever a caller has at hand becomes bytes with a content type.

The type is read from the content, never from a file's name: names lie, and servers go by what they are told.
"""

from __future__ import annotations

import binascii
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ._body import LARGE, Body, DiskFile, OpenFile, Source, chunks_of, filled, size_of, stamp
from ._sniff import ENOUGH, sniff
from ._waveform import Array, encode, is_array, parts
from .errors import InputError

UNKNOWN = "application/octet-stream"


class PILImage(Protocol):
    """What is used of a `PIL.Image.Image`; Pillow itself is never imported here.

    `mode` names the pixel format, `convert` gives the image in another one, `save` writes it into a file object.
    """

    @property
    def mode(self) -> str: ...

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None: ...

    def convert(self, mode: str | None = None) -> Any: ...


MediaInput = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryIO
    | PILImage
    | tuple[Array, int]
    | Mapping[str, Any]
)
"""An input in any of its forms. A string is an ``http(s)://`` URL, a ``data:`` URL, or else a path.

Sound may also be an array with its sampling rate in hertz: ``(array, 16000)``, or the mapping
``{"array": array, "sampling_rate": 16000}`` that datasets hold.
"""


@dataclass(frozen=True)
class Media:
    """A file to send, never empty, and its content type (:data:`UNKNOWN` where the content does not tell).

    A large file stays where it is until it is sent, and `source` only says where that is.
    """

    source: Source = field(repr=False)
    content_type: str

    @property
    def size(self) -> int:
        """Bytes."""
        return size_of(self.source)

    @property
    def data(self) -> bytes:
        """All bytes, read now. Raises InputError if they have changed."""
        return self.source if isinstance(self.source, bytes) else b"".join(chunks_of(self.source))

    @property
    def content(self) -> bytes | Body:
        """The content of a request that is this file and nothing else."""
        return self.data if self.size < LARGE else Body([self.source])


@dataclass(frozen=True)
class Link:
    """A file that the server fetches itself, from `url`."""

    url: str = field(repr=False)


def remote_url(source: object) -> str | None:
    """The URL, if `source` is one to be downloaded."""
    return source if isinstance(source, str) and source[:8].lower().startswith(("http://", "https://")) else None


def read(source: MediaInput, name: str, kind: str | None = None) -> Media:
    """The media in `source`, anything but a URL to be downloaded. Reads files, so it may block.

    `name` is the input's name for messages; `kind` (``"audio"``, ``"video"``) settles the type of containers that may
    hold either. Raises InputError for whatever cannot be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return from_bytes(bytes(source), name, kind)
    if isinstance(source, str) and source[:5].lower() == "data:":
        data, declared = _data_url(source, name)
        return from_bytes(data, name, kind, declared=declared)
    if isinstance(source, str | os.PathLike):
        return _file(source, name, kind)
    if _is_pil(source):
        return from_bytes(_encode(source, name), name, kind)
    if callable(getattr(source, "read", None)):
        return _file_object(source, name, kind)
    return from_bytes(_sound(source, name, kind), name, kind)


def from_bytes(data: bytes, name: str, kind: str | None = None, *, declared: str = UNKNOWN) -> Media:
    """`data` with the type that its content shows, or else the `declared` one. Raises InputError if it is empty."""
    if not data:
        raise InputError(f"{name}: the input is empty (0 bytes)")
    return Media(data, sniff(data, kind) or declared)


def _expected(kind: str | None) -> str:
    forms = "a path, URL, bytes, binary file object"
    return f"{forms} or (array, sampling_rate)" if kind == "audio" else f"{forms} or PIL image"


def _type_name(value: object) -> str:
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _file(source: str | os.PathLike[str], name: str, kind: str | None) -> Media:
    path = os.fspath(source)
    if not isinstance(path, str) or not path:
        got = "an empty string" if path == "" else "a path of bytes"
        raise InputError(f"{name}: expected {_expected(kind)}, got {got}")
    shown = (
        repr(path)
        if len(path) <= 200
        else f"{path[:40]!r}… ({len(path)} characters; base64 text must be decoded to bytes)"
    )
    try:
        mode = Path(path).stat().st_mode  # before opening, which waits for ever on a named pipe
        if stat.S_ISDIR(mode):
            raise InputError(f"{name}: {shown} is a directory")
        if not stat.S_ISREG(mode):
            raise InputError(f"{name}: {shown} is not a regular file; open it and pass the file object")
        with open(path, "rb", buffering=0) as file:
            status = stamp(file)
            large = status[0] >= LARGE
            data = filled(file.read, ENOUGH) if large else file.read()
    except FileNotFoundError:
        raise InputError(f"{name}: no such file: {shown}") from None
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        raise InputError(f"{name}: cannot read {shown}: {reason}") from None
    if not data:
        raise InputError(f"{name}: the file {shown} is empty")
    # The working directory may be another one by the time it is opened again.
    content = DiskFile(os.path.abspath(path), f"{name}: the file {shown}", status) if large else data
    return Media(content, sniff(data, kind) or UNKNOWN)


def _file_object(source: Any, name: str, kind: str | None) -> Media:
    shown = f"{name}: the file object"
    try:
        start, size = _extent(source)
        large = size >= LARGE
        data = source.read(ENOUGH) if large else source.read()
        if large:
            source.seek(start)
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot read the file object: {error}") from error
    if isinstance(data, str):
        raise InputError(f"{shown} is open in text mode; open it with 'rb'")
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"{shown}'s read() gave {_type_name(data)} instead of bytes")
    if not data:
        raise InputError(f"{shown} has nothing left to read; is it empty or at its end?")
    data = bytes(data)
    return Media(OpenFile(source, shown, start, size) if large else data, sniff(data, kind) or UNKNOWN)


def _extent(file: Any) -> tuple[int, int]:
    """Where a file object stands, and how many bytes follow; of one that cannot seek, 0 of each."""
    if not (callable(getattr(file, "seekable", None)) and file.seekable()):
        return 0, 0
    start = file.tell()
    file.seek(0, os.SEEK_END)
    end = file.tell()
    file.seek(start)
    return start, end - start


def _sound(source: Any, name: str, kind: str | None) -> bytes:
    pair = parts(source)
    if pair is None and not is_array(source):
        raise InputError(f"{name}: expected {_expected(kind)}, got {_type_name(source)}")
    if kind != "audio":
        hint = "; pass PIL.Image.fromarray(array)" if kind == "image" else ""
        raise InputError(f"{name}: expected {_expected(kind)}, got an array{hint}")
    if pair is None:
        raise InputError(f"{name}: an array does not say its sampling rate; pass (array, sampling_rate)")
    return encode(*pair, name)


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
