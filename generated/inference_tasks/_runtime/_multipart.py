"""Requests as forms: multipart/form-data, as in RFC 7578, of whose parts large files are read while they are sent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ._body import Body, Source
from .media import UNKNOWN, Media

_QUOTED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def multipart(members: Mapping[str, Any], files: Mapping[str, Media]) -> tuple[Body, str]:
    """The body of a form, and its content type.

    Each of `members` is a field: a text as it is, anything else as JSON, an item of a list as a field of its own. A
    text that is a key of `files` stands for that file. Raises ValueError or TypeError for what JSON cannot hold.
    """
    boundary = os.urandom(16).hex()
    parts: list[Source] = []
    for name, value in _fields(members):
        media = files.get(value) if isinstance(value, str) else None
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name.translate(_QUOTED)}"'
        if media is None:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
            parts.append(f"{head}\r\n\r\n{text}\r\n".encode())
        else:
            # Servers take a part for a file by its having a file name, and some the format from the end of that.
            kind = "bin" if media.content_type == UNKNOWN else media.content_type.rpartition("/")[2].removeprefix("x-")
            file = f"file.{kind}"
            head = f'{head}; filename="{file}"\r\nContent-Type: {media.content_type}'
            parts += [f"{head}\r\n\r\n".encode(), media.source, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return Body(parts), f"multipart/form-data; boundary={boundary}"


def _fields(members: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        for item in value if isinstance(value, list) else [value]:
            yield name, item
