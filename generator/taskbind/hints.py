"""Python type expressions of IR types, for signatures and aliases. Class names come from the plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from . import ir
from .escape import py_literal

HINTS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
"""What a caller writes in a signature."""

EXACT: Final = {
    "string": "StrictStr",
    "integer": "Integer",
    "number": "Number",
    "boolean": "StrictBool",
    "null": "None",
}
"""What pydantic validates exactly as JSON Schema does."""

ClassName = Callable[[str], str | None]


def annotation(api: ir.Api, type: ir.Type, class_name: ClassName, scalars: dict[str, str] = HINTS) -> str:
    """The type expression of `type`. `class_name` gives a definition's class, or None if it has none: then its type
    is written out in place."""

    def write(type: ir.Type) -> str:
        match type:
            case ir.Any():
                return "Any"
            case ir.Ref(id=id):
                return class_name(id) or write(api.definition(id).type)
            case ir.Scalar(type=name):
                return scalars[name]
            case ir.Media():
                return scalars["string"]
            case ir.Enum(values=values):
                return f"Literal[{', '.join(py_literal(value) for value in values)}]"
            case ir.Map(values=values):
                return f"dict[str, {write(values)}]"
            case ir.Union(variants=variants):
                return " | ".join(dict.fromkeys(write(variant) for variant in variants))
            case ir.Array(prefix=prefix, items=None) if prefix:
                return f"tuple[{', '.join(write(item) for item in prefix)}]"
            case ir.Array(items=items):
                return f"list[{write(items) if items is not None else 'Any'}]"
            case ir.Object():
                return "dict[str, Any]"

    return write(type)
