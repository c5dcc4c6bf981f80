"""How large an image is, read from the headers in its file."""

from __future__ import annotations

import io
import struct
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO

from ._body import Source
from ._sniff import ENOUGH, sniff
from .errors import InputError
from .media import Media

_KINDS = frozenset({f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "bmp", "tiff", "avif", "heic", "heif")})
"""Formats of pictures. What else `imagesize` reads is drawings, and files that no server here takes."""

_MOST_READ = 16 << 20
"""Bytes that are read of a file, at most: headers are short."""

_MOST_CHUNKS = 10_000
_ORIENTATION = 0x0112


def pixels(media: Media, name: str, *, turned: bool) -> dict[str, Any]:
    """The facts ``{width}`` and ``{height}`` of an image, in pixels: as they are stored, or `turned` as EXIF data says.

    `name` is the input's name for messages. Reads files, so it may block. Raises InputError.
    """
    import imagesize

    with _opened(media.source) as (file, start, size):
        image = io.BufferedReader(_Window(file, start, size))
        kind = sniff(image.read(ENOUGH))
        width = height = -1
        if kind in _KINDS:
            image.seek(0)
            width, height = imagesize.get(image, exif_rotation=turned)
            if turned and kind in ("image/png", "image/webp") and _lies(image, kind):
                width, height = height, width
    if width < 1 or height < 1:
        raise InputError(
            f"{name}: the answer's coordinates need the image's size in pixels, which cannot be read from it"
        )
    return {"{width}": int(width), "{height}": int(height)}


def _opened(source: Source) -> AbstractContextManager[tuple[BinaryIO, int, int]]:
    """A file with the bytes of `source`: where they start in it, and how many there are."""
    if isinstance(source, bytes):
        return nullcontext((io.BytesIO(source), 0, len(source)))
    return source.opened()


class _Window(io.RawIOBase):
    """`size` bytes of a file from `start` on, of which no more than :data:`_MOST_READ` are read."""

    def __init__(self, file: Any, start: int, size: int) -> None:
        self._file, self._start, self._size = file, start, size
        self._at = 0
        self._left = _MOST_READ

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._at, self._left)
        if wanted <= 0:
            return 0
        self._file.seek(self._start + self._at)
        data = self._file.read(wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        self._left -= len(data)
        return len(data)


def _lies(image: BinaryIO, kind: str) -> bool:
    """Whether the EXIF data of a PNG or WebP file says that width and height change places, which `imagesize` ignores.

    It may stand behind the picture.
    """
    png = kind == "image/png"
    image.seek(8 if png else 12)
    for _ in range(_MOST_CHUNKS):
        head = image.read(8)
        if len(head) < 8:
            return False
        if png:
            length, tag = struct.unpack(">I4s", head)
        else:
            tag, length = struct.unpack("<4sI", head)
        if tag in (b"eXIf", b"EXIF"):
            return _orientation(image.read(min(length, 1 << 16))) in (5, 6, 7, 8)
        image.seek(length + 4 if png else length + length % 2, io.SEEK_CUR)
    return False


def _orientation(exif: bytes) -> int:
    """How EXIF data says that an image lies, 1 to 8; 0 if it does not say."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 0
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        for number in range(count):
            tag, form, _, value = struct.unpack_from(f"{order}HHIH", exif, at + 2 + 12 * number)
            if tag == _ORIENTATION:
                return int(value) if form == 3 else 0
    except struct.error:
        pass  # cut off
    return 0
