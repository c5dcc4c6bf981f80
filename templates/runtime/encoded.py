"""Media in responses: base64 text in JSON, a file for whoever gets it."""

from __future__ import annotations

import binascii
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

if TYPE_CHECKING:
    from PIL.Image import Image

_SHOWN = 12


class Base64(str):
    """A media file in base64, as a response holds it: still that text, with the file at hand.

    Handlers make one with :meth:`of`.

    Example:
        with open("mask.png", "rb") as file:
            mask = Base64.of(file.read())
        mask.save("copy.png")
        print(mask.image().size)
    """

    __slots__ = ()

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The text of a file's bytes."""
        return cls(binascii.b2a_base64(data, newline=False).decode("ascii"))

    @property
    def data(self) -> bytes:
        """The file. Raises ValueError if the text is not base64; a schema does not look into it."""
        text = self.partition(",")[2] if self[:5].lower() == "data:" else self
        try:
            return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise ValueError(f"the server sent no base64: {error}") from None

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file to `path` and return it. Raises ValueError like :attr:`data`, OSError like any writing."""
        target = Path(path)
        target.write_bytes(self.data)
        return target

    def image(self) -> Image:
        """The picture, decoded by Pillow. Raises ValueError if it is none, ImportError where Pillow is missing."""
        from io import BytesIO

        import PIL.Image

        try:
            picture: Image = PIL.Image.open(BytesIO(self.data))
            picture.load()
        except OSError as error:
            raise ValueError(f"the server sent no picture that Pillow can read: {error}") from None
        return picture

    def __repr__(self) -> str:
        if len(self) <= 4 * _SHOWN:
            return f"Base64({super().__repr__()})"
        return f"Base64({self[:_SHOWN]!r}…, {len(self):,} characters)"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(strict=True, min_length=0)
        return core_schema.no_info_after_validator_function(cls, text, serialization=core_schema.to_string_ser_schema())
