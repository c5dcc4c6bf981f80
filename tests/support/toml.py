"""A writer of TOML, for documents that tests make: every value in one line."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any


def toml(document: dict[str, Any]) -> str:
    """A document as TOML: a line for each key."""
    return "".join(f"{_text(key)} = {_value(value)}\n" for key, value in document.items())


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case float() if not math.isfinite(value):
            return str(value)
        case int() | float():
            return repr(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return "{{{}}}".format(", ".join(f"{_text(key)} = {_value(item)}" for key, item in value.items()))
    raise TypeError(type(value))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
