"""What callers pass by keyword: which of it is sent, and what of it can be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Generic, TypedDict, TypeVar, final

from .errors import InputError

HTTPClient = TypeVar("HTTPClient")


class Settings(TypedDict, Generic[HTTPClient], total=False):
    """What a client is set up with, beside its `base_url`; see there."""

    token: str | None
    model: str | None
    timeout: float | None
    max_retries: int
    default_headers: Mapping[str, str] | None
    http_client: HTTPClient | None
    strict_responses: bool
    allow_insecure: bool


@final
class Omit:
    """The type of :data:`OMIT`."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "OMIT"

    def __reduce__(self) -> str:
        return "OMIT"


OMIT: Final = Omit()
"""A parameter that is not sent. Needed only where ``None`` is a value that the spec knows."""


def given(values: Mapping[str, Any], nullable: tuple[str, ...]) -> dict[str, Any]:
    """The values to send: all but OMIT, and None only where it is a value of the spec."""
    return {
        name: value for name, value in values.items() if value is not OMIT and (value is not None or name in nullable)
    }


def checked_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """`headers` by lower-case name. Raises InputError, which does not quote the value, for one that cannot be sent."""
    checked: dict[str, str] = {}
    for name, value in (headers or {}).items():
        if not (isinstance(name, str) and name and name.isascii() and name.isprintable()) or set(name) & set(
            ' :"(),/;<=>?@[\\]{}'
        ):
            raise InputError(f"not the name of a header: {str(name)[:80]!r}")
        if not (isinstance(value, str) and value.isascii() and value.replace("\t", " ").isprintable()):
            raise InputError(f"the header {name!r} must be a str of printable ASCII characters")
        checked[name.lower()] = value.strip()
    return checked


def checked_timeout(seconds: float | None) -> float | None:
    """`seconds`. Raises InputError unless it is None or positive and finite."""
    if seconds is not None and not (isinstance(seconds, int | float) and 0 < seconds < float("inf")):
        raise InputError(f"timeout: {seconds!r} is not a positive number of seconds")
    return seconds
