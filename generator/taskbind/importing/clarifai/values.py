"""What signatures say of values besides their type: options, ranges, and defaults, which are texts."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from struct import pack, unpack
from typing import Any, Final

from ...load.files import strict_json
from ...load.positions import too_deep
from ...normalize.oracle import Oracle
from .codes import Unsayable
from .fields import own_types
from .messages import File, Message, short

_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_EXACT: Final = 1 << 24
"""From here on not every whole number is a 32-bit float, which is what bounds are sent as."""
_LEAST, _MOST = 2.0**-149, (2 - 2.0**-23) * 2.0**127
"""The 32-bit floats above 0 that are nearest to it, and farthest from it."""
_MOST_OPTIONS: Final = 1_000
_DEEPEST: Final = 32
_LARGEST: Final = 10**300
_NUMBERS: Final = ("integer", "number")


class NoValueError(ValueError):
    """A text is no value of a type."""


def value_of(schema: dict[str, Any], text: str) -> Any:
    """The value of a type that a text stands for: text itself, or what it spells. Raises NoValueError."""
    kind = schema.get("type")
    if kind == "string" and "contentEncoding" not in schema:
        return text
    if kind in _NUMBERS:
        if len(text) > 300 or not _NUMBER.fullmatch(text):
            raise NoValueError("is no number")
        number = Fraction(text)
        if abs(number) >= _LARGEST:
            raise NoValueError("is beyond the range of a number")
        if number.denominator == 1 and (kind == "integer" or abs(number) <= 2**53):
            return int(number)
        if kind == "integer":
            raise NoValueError("is no whole number")
        return float(number)
    if kind == "boolean":
        if text.lower() not in ("true", "false"):
            raise NoValueError("is neither true nor false")
        return text.lower() == "true"
    if too_deep(text, _DEEPEST):
        raise NoValueError(f"is nested deeper than {_DEEPEST} levels")
    try:
        value = strict_json(text)
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:  # no JSON, a number out of range, a key that stands twice, half a character
        raise NoValueError("is no JSON") from None
    return value


# -------------------------------------------------------------------------------------------------------------- options


def options(file: File, field: Message, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field with its options, if it has some."""
    found = field.messages("model_type_enum_options")
    if not found:
        return schema
    if schema.get("type") not in ("string", *_NUMBERS) or "contentEncoding" in schema:
        raise Unsayable("has options, and is no text or number", field.at("model_type_enum_options"))
    if len(found) > _MOST_OPTIONS:
        raise Unsayable(f"has more than {_MOST_OPTIONS:,} options", field.at("model_type_enum_options"))
    values: dict[Any, str] = {}
    for option in found:
        _left(file, option, "aliases", "aliases of an option are left out")
        _left(file, option, "model_type_fields", "fields of an option are left out")
        for key, pointer in option.others(
            "id", "description", "aliases", "model_type_fields", "internal_only", "recommended"
        ):
            file.tell("TB434", pointer, f"{key[:60]!r} of an option is not known, and left out")
        if option.flag("internal_only"):
            file.tell("TB434", option.pointer, f"option {short(option.text('id'))} is internal, and left out")
            continue
        try:
            values.setdefault(value_of(schema, option.text("id")), option.text("description").strip())
        except NoValueError as problem:
            raise Unsayable(f"option {short(option.text('id'))} {problem}", option.at("id")) from None
    if not values:
        raise Unsayable("has no option that a request may use", field.at("model_type_enum_options"))
    if schema["type"] == "string" and any(values.values()):
        return {"oneOf": [{"const": value} | ({"description": said} if said else {}) for value, said in values.items()]}
    return schema | {"enum": list(values)}


def _left(file: File, message: Message, name: str, said: str) -> None:
    if message.items(name):
        file.tell("TB434", message.at(name), said)


# --------------------------------------------------------------------------------------------------------------- ranges


def ranged(file: File, field: Message, schema: dict[str, Any], default: Any) -> dict[str, Any]:
    """The schema of a number with its range, as far as it is exact. `default` is the number's own, or None."""
    info = field.message("model_type_range_info")
    if info is None or not any(info.number(name) for name in ("min", "max", "step")):
        return schema
    if schema.get("type") not in _NUMBERS or "enum" in schema:
        file.tell("TB433", info.pointer, "has a range, and is no number, or one of its options")
        return schema
    low, high, step = (_written(info.number(name)) for name in ("min", "max", "step"))
    if low is not None and high == 0 < low:
        high = None  # how none is written by those who write out zeros
    bounds: dict[str, Any] = {}
    for name, key, bound in (("min", "minimum", low), ("max", "maximum", high)):
        if bound is None:
            file.tell("TB433", info.pointer, f"{name} is not written, which is 0 or none", f"write {key} if it has one")
        elif abs(bound) >= _EXACT:
            message = f"{name} {_shown(bound)} is rounded, and left out"
            file.tell("TB433", info.at(name), message, f"write {key} if it matters")
        else:
            bounds[key] = bound
    if low is not None and high is not None and low > high:
        file.tell("TB433", info.pointer, f"no number is from {_shown(low)} to {_shown(high)}", "correct the range")
        return schema
    if step is not None and not (schema["type"] == "integer" and step == 1):
        if problem := _no_multiple(schema, step, low, default):
            message = f"step {_shown(step)} is left out: {problem}"
            file.tell("TB433", info.at("step"), message, "write multipleOf if it holds")
        else:
            bounds["multipleOf"] = step
    return schema | bounds


def _written(number: float | None) -> float | None:
    """A 32-bit float as it was written; None for a missing one. Some write all digits of its 64-bit twin."""
    if number is None:
        return None
    if isinstance(number, float) and abs(number) < 3e38 and unpack("f", pack("f", number))[0] == number:
        number = next(
            near
            for digits in range(1, 10)
            if unpack("f", pack("f", near := float(f"{number:.{digits}g}")))[0] == number
        )
    return int(number) if number == int(number) else number


def _no_multiple(schema: dict[str, Any], step: float, low: float | None, default: Any) -> str:
    """Why not every number of a range is a multiple of its step; empty if each is."""
    if step <= 0:
        return "it is not above 0"
    if not _LEAST <= step <= _MOST:
        return "it is no 32-bit float"
    if schema["type"] == "integer" and not isinstance(step, int):
        return "the numbers are whole"
    for said, number in (("the range starts at", low or 0), ("the default is", default)):
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if is_number and (Fraction(str(number)) / Fraction(str(step))).denominator != 1:
            return f"{said} {_shown(number)}"
    return ""


def _shown(number: float) -> str:
    """A number for a message, without hundreds of digits."""
    return str(number) if abs(number) < 10**16 else repr(float(number))


# ------------------------------------------------------------------------------------------------------------- defaults


def default(file: File, field: Message, name: str, schema: dict[str, Any]) -> Any:
    """The default in a member of a field, by its type alone; None for none, which is how a text `null` is read."""
    given = field.get(name)
    if given is None or given in ("", "null"):
        return None
    try:
        if isinstance(given, str):
            return value_of(schema, given)
        return value_of({}, json.dumps(given))  # a value, which may be as wrong as any text
    except NoValueError as problem:
        _drop(file, field, name, str(problem))
        return None


def with_default(file: File, field: Message, name: str, schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """A schema with its default, if that is valid and counts: a field that is required has none."""
    if value is None:
        return schema
    if field.flag("required"):
        _drop(file, field, name, "never counts, since the field is required")
    elif Oracle({**own_types(), "#": schema}).accepts("#", value) is not True:
        _drop(file, field, name, "is not one that the field admits")
    else:
        return schema | {"default": value}
    return schema


def _drop(file: File, field: Message, name: str, why: str) -> None:
    file.tell("TB432", field.at(name), f"default {short(field.get(name))} {why}, and left out", "correct it")
