"""JSON for people and for version control: what `json.dumps(value, indent=…, ensure_ascii=False)` writes, but fast."""

from __future__ import annotations

from json.encoder import encode_basestring
from math import isfinite
from typing import Any


def indented(value: Any) -> str:
    """The text of a file that holds a JSON value. Raises as :func:`laid_out`."""
    return f"{laid_out(value, 1)}\n"


def laid_out(value: Any, step: int) -> str:
    """A JSON value as text with a line for each of its members, each level of them `step` blanks further in.

    Raises ValueError for NaN and infinities, TypeError for anything else that is no JSON value.
    """
    return _text(value, "\n", " " * step)


def _text(value: Any, line: str, step: str) -> str:
    match value:
        case str():
            return encode_basestring(value)
        case True | False | None:
            return "null" if value is None else "true" if value else "false"
        case dict() if value:
            inner = f"{line}{step}"
            members = [f"{encode_basestring(key)}: {_text(item, inner, step)}" for key, item in value.items()]
            return f"{{{inner}{f',{inner}'.join(members)}{line}}}"
        case list() | tuple() if value:
            inner = f"{line}{step}"
            return f"[{inner}{f',{inner}'.join([_text(item, inner, step) for item in value])}{line}]"
        case dict():
            return "{}"
        case list() | tuple():
            return "[]"
        case int():
            return int.__repr__(value)
        case float():
            if not isfinite(value):
                raise ValueError(f"{value} is not a JSON value")
            return float.__repr__(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")
