"""Python type expressions of IR types, for signatures and aliases. Class names come from the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from . import ir
from .escape import py_literal
from .exact import sayable

HINTS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None", "any": "Any"}
"""What a caller writes in a signature."""

EXACT: Final = {
    "string": "StrictStr",
    "integer": "Integer",
    "number": "Number",
    "boolean": "StrictBool",
    "null": "None",
    "any": "Json",
}
"""What pydantic validates exactly as JSON Schema does."""

_LIMITS: Final = {
    "minimum": "ge",
    "maximum": "le",
    "exclusive_minimum": "gt",
    "exclusive_maximum": "lt",
    "multiple_of": "multiple_of",
    "min_length": "min_length",
    "max_length": "max_length",
    "min_items": "min_length",
    "max_items": "max_length",
    "pattern": "pattern",
}

_OR_DICT: Final = " | dict[str, Any]"
_NUMBERS: Final = {"Integer": "int, IntegerType", "Number": "float, NumberType"}
"""Numbers take bounds themselves: as pydantic's `Field` they would cost a Python call per value."""

ClassName = Callable[[str], str | None]


def limit(type: str, limits: Mapping[str, object]) -> str:
    """An exact type with bounds, by pydantic's names of them."""
    said = ", ".join(f"{key}={py_literal(value)}" for key, value in limits.items())
    if not limits:
        return type
    return f"Annotated[{_NUMBERS[type]}({said})]" if type in _NUMBERS else f"Annotated[{type}, Field({said})]"


def annotation(
    api: ir.Api, type: ir.Type, class_name: ClassName, scalars: dict[str, str] = HINTS, *, loose: bool = False
) -> str:
    """The type expression of `type`. `class_name` gives a definition's class, or None if it has none: then its type
    is written out in place. `loose` is for what a caller may pass: a dict for each class, and any sequence of them."""

    def write(type: ir.Type) -> str:
        match type:
            case ir.Any():
                return scalars["any"]
            case ir.Ref(id=id):
                if (name := class_name(id)) is None:
                    return limited(sayable(api.definition(id).type))
                is_object = isinstance(api.resolve(type), ir.Object)
                return f"{name}{_OR_DICT}" if loose and is_object else name
            case ir.Scalar(type=name):
                return scalars[name]
            case ir.Media():
                return scalars["string"]
            case ir.Enum(values=values):
                return f"Literal[{', '.join(py_literal(value) for value in values)}]"
            case ir.Map(values=values):
                return f"dict[str, {limited(values)}]"
            case ir.Union(variants=variants):
                told = [limited(variant) for variant in variants]
                dicts = _OR_DICT if any(text.endswith(_OR_DICT) for text in told) else ""
                return " | ".join(dict.fromkeys(text.removesuffix(_OR_DICT) for text in told)) + dicts
            case ir.Array(prefix=prefix, items=None) if prefix:
                return f"tuple[{', '.join(limited(item) for item in prefix)}]"
            case ir.Array(items=items):
                inner = limited(items or ir.Any())
                return f"Sequence[{inner}]" if _OR_DICT in inner else f"list[{inner}]"
            case ir.Object():
                return "dict[str, Any]"
            case ir.Checked(base=base):
                return write(base)

    def limited(type: ir.Type) -> str:
        """A type with its bounds, where exact types are asked for; a tuple's length is in its type."""
        limits = {key: value for name, key in _LIMITS.items() if (value := getattr(type, name, None)) is not None}
        fixed = isinstance(type, ir.Array) and type.prefix
        return limit(write(type), limits if scalars is EXACT and not fixed else {})

    return limited(sayable(type))
