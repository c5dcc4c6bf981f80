"""JSON and TOML files as people write specs: what importers and `taskbind new` write."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

_WIDTH: Final = 120
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


# ---------------------------------------------------------------------------------------------------------------- JSON


def json_text(value: Any) -> str:
    """A JSON file as people write schemas: two spaces, and in one line what fits into 120 columns.

    Members of `properties` and `$defs` always have lines of their own. Raises ValueError for what is not JSON.
    """
    return _json(value, 0, 0, "") + "\n"


def _json(value: Any, indent: int, used: int, key: str) -> str:
    """A value whose first line has `used` columns before it; the others are indented by `indent`."""
    flat = json.dumps(value, ensure_ascii=False, allow_nan=False)
    in_line = used + len(flat) < _WIDTH and key not in ("properties", "$defs")  # one column is for a comma
    if not isinstance(value, dict | list) or not value or in_line:
        return flat
    inner = indent + 2
    if isinstance(value, list):
        left, right, rows = "[", "]", [_json(item, inner, inner, "") for item in value]
    else:
        left, right, rows = "{", "}", []
        for name, item in value.items():
            start = f"{json.dumps(name, ensure_ascii=False)}: "
            rows.append(start + _json(item, inner, inner + len(start), name))
    pad = " " * inner
    return f"{left}\n{pad}" + f",\n{pad}".join(rows) + f"\n{' ' * indent}{right}"


# ---------------------------------------------------------------------------------------------------------------- TOML


def toml_text(table: Mapping[str, Any]) -> str:
    """A TOML file of JSON values: plain keys first, then tables and lists of tables under headers of their own.

    Raises ValueError for null and for numbers that are not finite: TOML has none, or JSON has none.
    """
    return _table(table, ()).lstrip("\n")


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> str:
    plain = {key: value for key, value in table.items() if not _has_header(value, path)}
    out = "".join(f"{_key(key)} = {_value(value, len(_key(key)) + 3)}\n" for key, value in plain.items())
    for key, value in table.items():
        if key in plain:
            continue
        inner = (*path, key)
        name = ".".join(map(_key, inner))
        if isinstance(value, Mapping):
            out += f"\n[{name}]\n{_table(value, inner)}"
        else:
            out += "".join(f"\n[[{name}]]\n{_table(item, inner)}" for item in value)
    return out


def _has_header(value: Any, path: tuple[str, ...]) -> bool:
    """Whether a value is written as a table with a header: not deep inside, where it would be hard to follow."""
    if isinstance(value, list):
        tables = len(path) < 2 and bool(value) and all(isinstance(item, Mapping) for item in value)
        return tables and (not path or len(_inline(value)) > _WIDTH)
    return len(path) < 2 and isinstance(value, Mapping)


def _value(value: Any, used: int) -> str:
    """A value after `used` columns, in several lines where one is too short."""
    if isinstance(value, str):
        return _text(value)
    flat = _inline(value)
    if isinstance(value, list) and used + len(flat) > _WIDTH:
        return "[\n" + "".join(f"  {_inline(item)},\n" for item in value) + "]"
    return flat


def _inline(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case float() if not math.isfinite(value):
            raise ValueError("a number that is not finite is no JSON value")
        case int() | float():
            return repr(value)
        case list():
            return f"[{', '.join(map(_inline, value))}]"
        case Mapping():
            members = ", ".join(f"{_key(key)} = {_inline(item)}" for key, item in value.items())
            return f"{{{members}}}"
        case _:
            raise ValueError(f"TOML has no {'null' if value is None else type(value).__name__}")


def _text(text: str) -> str:
    """A text; one of several lines is written in several lines."""
    if "\n" not in text.rstrip("\n"):
        return _quoted(text)
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    escaped = _CONTROL.sub(lambda match: f"\\u{ord(match.group()):04x}", escaped)
    return f'"""\n{escaped[:-1]}\\""""' if escaped.endswith('"') else f'"""\n{escaped}"""'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _quoted(key)
