"""Which types of media are among others."""

from __future__ import annotations

from typing import Final

_ANYTHING: Final = ("application/octet-stream", "*/*")


def covers(range: str, content_type: str) -> bool:
    """Whether media of one type are among those of another: ``image/*`` covers ``image/png`` and itself."""
    if range == content_type or range in _ANYTHING:
        return True
    main, _, sub = range.partition("/")
    return sub == "*" and content_type.partition("/")[0] == main


def narrower(content_type: str, range: str) -> bool:
    """Whether a type of media is a part of another one."""
    return covers(range, content_type) and not covers(content_type, range)
