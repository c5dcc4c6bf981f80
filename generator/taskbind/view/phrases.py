"""The smallest pieces of what is said about values: a value as code, a length, the bounds of a number or a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..escape import json_text

_SIGNS: Final = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}

_LONG: Final = 1e15

BOUNDS: Final = frozenset((*_SIGNS, "multipleOf", "minLength", "maxLength", "pattern"))
"""The keywords of JSON Schema that :func:`bounds` says."""


def ticked(value: object) -> str:
    """A JSON value as inline code."""
    return coded(json_text(value))


def coded(text: str) -> str:
    """A text as inline code, whatever backticks are in it."""
    ticks = "`" * (longest_run(text) + 1)
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def longest_run(text: str) -> int:
    """How many backticks stand together in a text, at most: a fence around it needs more."""
    return max((len(run) for run in re.findall("`+", text)), default=0)


def length(unit: str, low: int | None, high: int | None) -> list[str]:
    """A length in words, if it has bounds; `unit` is a plural."""
    if low is None and high is None:
        return []
    if low == high or high is None:
        said = f"{low}" if low == high else f"at least {low}"
    else:
        said = f"at most {high}" if low is None else f"{low} to {high}"
    return [f"{said} {unit.removesuffix('s') if said.split()[-1] == '1' else unit}"]


def bounds(schema: Mapping[str, Any]) -> list[str]:
    """What the :data:`BOUNDS` of a schema say of a number or a text."""
    signs = [(sign, schema[key]) for key, sign in _SIGNS.items() if key in schema]
    out = [f"{sign} {json_text(_short(bound))}" for sign, bound in signs]
    out += [f"multiple of {schema['multipleOf']}"] if "multipleOf" in schema else []
    out += length("characters", schema.get("minLength"), schema.get("maxLength"))
    return [*out, *([f"matches {ticked(schema['pattern'])}"] if "pattern" in schema else [])]


def _short(bound: float) -> float:
    """``1.0`` as 1, but ``1e300`` as it was written."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() and abs(bound) < _LONG else bound
