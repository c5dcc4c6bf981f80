"""What lists are asked for: one page of them, and what is to be in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from ...clarifai.codes import Code
from ..inference import NAME
from .inputs import MAX_ID, member
from .problems import Problem

PER_PAGE: Final = 128
MAX_PER_PAGE: Final = 1000

T = TypeVar("T")


def page(items: Sequence[T], request: Mapping[str, Any]) -> Sequence[T]:
    """The page of `items` that `request` asks for: beyond the last one, none. Raises Problem."""
    within = {**request, **member(request, "pagination")}
    number, size = _number(within, "page", 1, None), _number(within, "per_page", PER_PAGE, MAX_PER_PAGE)
    return items[(number - 1) * size : number * size]


def _number(request: Mapping[str, Any], name: str, default: int, most: int | None) -> int:
    """A number of a body, or of an address, where it is a text; 0 is none, as everywhere in the protocol."""
    value = request.get(name) or default
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        value = int(value) or default
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= (most or value):
        raise Problem(Code.MODEL_INVALID_REQUEST, f"{name}: must be a number from 1 {f'to {most}' if most else 'on'}")
    return value


def texts(request: Mapping[str, Any], name: str) -> list[str]:
    """The texts that `request` has at `name`, where an address has a single one as it is. Raises Problem."""
    value = request.get(name) or []
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise Problem(Code.MODEL_INVALID_REQUEST, f"{name}: must be a list of texts")
    return found


def text(request: Mapping[str, Any], name: str) -> str:
    """The text that `request` has at `name`, empty if there is none. Raises Problem."""
    value = request.get(name) or ""
    if not isinstance(value, str):
        raise Problem(Code.MODEL_INVALID_REQUEST, f"{name}: must be a text")
    return value


def name_of(request: Mapping[str, Any], member: str) -> str:
    """The name or id that `request` has at `member`, empty if there is none. Raises Problem if it can be none."""
    asked = text(request, member)
    # Before any of that is matched or told: what is long or has other characters is in no message.
    if asked and (len(asked) > MAX_ID or not NAME.fullmatch(asked)):
        message = f"must be of letters, digits, '-', '_', '.' and '/', and of {MAX_ID} characters at most"
        raise Problem(Code.MODEL_INVALID_REQUEST, f"{member}: {message}")
    return asked


def matches(pattern: str, name: str) -> bool:
    """Whether `name` is like `pattern`, in which ``*`` stands for anything; upper and lower case are the same."""
    first, *others = pattern.casefold().split("*")
    rest = name.casefold()
    if not others or not rest.startswith(first):
        return rest == first
    rest = rest[len(first) :]
    *middle, last = others
    for part in middle:
        found = rest.find(part)
        if found < 0:
            return False
        rest = rest[found + len(part) :]
    return rest.endswith(last)
