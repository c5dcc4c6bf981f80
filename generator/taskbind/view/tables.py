"""Types as rows of a documentation table: the members of a request or a response, each by its path from the root."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .. import ir
from ..escape import code, json_text, markdown

_LONG: Final = 1000
_PLURALS: Final = {"null": "null", "any JSON value": "any JSON values"}


@dataclass(frozen=True)
class Row:
    """One member; every cell is finished Markdown. `values` says which values the type's name does not rule out."""

    path: str
    type: str
    required: str
    values: str
    doc: str


def rows(api: ir.Api, id: str) -> tuple[Row, ...]:
    """The rows of a definition, depth first: at least one. A recursive type is opened once.

    Once a table is very long, objects further in stay closed: a type in a type in a type may have more members than
    anyone can read.
    """
    definition = api.definition(id)
    type = api.resolve(definition.type)
    table = _Table(api)
    if isinstance(type, ir.Object) and type.fields:
        table.members(type, "", (id,))
    else:
        table.add("(root)", definition.type, None, definition.doc)
        table.inside(definition.type, "", (id,))
    return tuple(table.rows)


class _Table:
    def __init__(self, api: ir.Api) -> None:
        self.api = api
        self.rows: list[Row] = []

    def add(self, path: str, type: ir.Type, field: ir.Field | None, doc: str) -> None:
        self.rows.append(_row(self.api, path, type, field, doc))

    def members(self, type: ir.Object, prefix: str, seen: tuple[str, ...]) -> None:
        for field in type.fields:
            path = f"{prefix}.{field.name}" if prefix else field.name
            self.add(path, field.type, field, field.doc or _doc(self.api, field.type))
            self.inside(field.type, path, seen)
        if not isinstance(type.additional, bool):
            path = f"{prefix}.*" if prefix else "*"
            self.add(path, type.additional, None, "Any other member.")
            self.inside(type.additional, path, seen)

    def inside(self, type: ir.Type, path: str, seen: tuple[str, ...]) -> None:
        """Add the rows below the one of `path`."""
        match type:
            case ir.Ref(id=id) if id in seen or len(self.rows) > _LONG:
                return
            case ir.Ref(id=id):
                self.inside(self.api.definition(id).type, path, (*seen, id))
            case ir.Checked(base=base):
                self.inside(base, path, seen)
            case ir.Object():
                self.members(type, path, seen)
            case ir.Map(values=values):
                self.inside(values, f"{path}.*", seen)
            case ir.Array(prefix=prefix, items=items):
                for index, item in enumerate(prefix):
                    doc = _doc(self.api, item) or f"Item {index + 1} of {len(prefix)}."
                    self.add(f"{path}[{index}]", item, None, doc)
                    self.inside(item, f"{path}[{index}]", seen)
                if items is not None:
                    self.inside(items, f"{path}[]", seen)
            case ir.Union(variants=variants):
                kinds = ir.Object | ir.Array | ir.Map | ir.Union
                nested = [v for v in variants if isinstance(self.api.resolve(v), kinds)]
                for number, variant in enumerate(nested, 1):
                    # Members of alternatives must not read as if they belonged together.
                    label = f"{path} ({number} of {len(nested)})" if len(nested) > 1 else path
                    self.inside(variant, label, seen)


def _row(api: ir.Api, path: str, type: ir.Type, field: ir.Field | None, doc: str) -> Row:
    values = _values(api, type)
    if field and field.default is not ir.ABSENT:
        values = [*values, f"default {code(json_text(field.default))}"]
    notes = [*(["Deprecated."] if field and field.deprecated else []), doc, *map(_sentence, api.value_docs(type))]
    return Row(
        path=code(path),
        type=markdown(type_name(api, type)),
        required="yes" if field and field.required else "no" if field else "–",
        values=", ".join(values) or "any",
        doc=markdown(" ".join(filter(None, notes))) or "–",
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def is_closed(api: ir.Api, id: str) -> bool:
    """Whether every object in a definition refuses names that it does not know."""
    todo: list[ir.Type] = [ir.Ref(id)]
    seen: set[str] = set()
    while todo:
        type = todo.pop()
        if isinstance(type, ir.Map) or (isinstance(type, ir.Object) and type.additional is not False):
            return False
        if isinstance(type, ir.Ref) and type.id not in seen:
            seen.add(type.id)
            todo.append(api.definition(type.id).type)
        todo += ir.children(type)
    return True


def _doc(api: ir.Api, type: ir.Type) -> str:
    """What the definition behind a type says about it, where its use says nothing."""
    while isinstance(type, ir.Ref):
        definition = api.definition(type.id)
        if definition.doc:
            return definition.doc
        type = definition.type
    return ""


def type_name(api: ir.Api, type: ir.Type) -> str:
    """A type in words: ``array of objects``, ``number or null``, ``boolean or string``."""
    match type:
        case ir.Ref() | ir.Checked():
            return type_name(api, api.resolve(type))
        case ir.Scalar(type=name):
            return name
        case ir.Enum(values=values):
            return _either(_json_type(value) for value in values)
        case ir.Media(media=media):
            return f"{media} file in base64" if media != "binary" else "file in base64"
        case ir.Array(prefix=prefix, items=None):
            return f"array of {len(prefix)}: {', '.join(type_name(api, item) for item in prefix)}"
        case ir.Array(items=items):
            return f"array of {_plural(api, items or ir.Any())}"
        case ir.Map(values=values):
            return "object" if values == ir.Any() else f"object of {_plural(api, values)}"
        case ir.Object():
            return "object"
        case ir.Union(variants=variants):
            return _either(type_name(api, variant) for variant in variants)
        case ir.Any():
            return "any JSON value"


def _plural(api: ir.Api, type: ir.Type) -> str:
    name = type_name(api, type)
    if name.startswith("array of"):
        return f"arrays{name.removeprefix('array')}"
    if " or " in name:
        return f"({name})"
    return _PLURALS.get(name, f"{name}s")


def _either(names: Iterator[str]) -> str:
    return " or ".join(dict.fromkeys(names))


def _json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int():
            return "integer"
    return "number"


def _values(api: ir.Api, type: ir.Type) -> list[str]:
    """Which values of its JSON type a type admits, as Markdown; strings are in quotes, so that they read as strings."""
    match type:
        case ir.Ref() | ir.Checked():
            return _values(api, api.resolve(type))
        case ir.Scalar():
            return _bounds(type)
        case ir.Enum(values=values):
            return [code(json_text(value)) for value in values]
        case ir.Media(content_type=content_type):
            return [code(content_type)]
        case ir.Array(min_items=low, max_items=high, unique=unique, prefix=prefix, items=items):
            size = [] if prefix and items is None else _range("items", low, high)
            return [*size, *(["no two alike"] if unique else [])]
        case ir.Union(variants=variants):
            limits = [_values(api, variant) for variant in variants]
            if not any(limits):
                return []
            pairs = zip(variants, limits, strict=True)
            return [text for v, limit in pairs for text in limit or ([] if v == ir.NULL else _all(api, v))]
    return []


def _all(api: ir.Api, type: ir.Type) -> list[str]:
    """A variant without limits of its own must be listed beside those that have some."""
    resolved = api.resolve(type)
    if isinstance(resolved, ir.Scalar) and resolved.type == "boolean":
        return ["`true`", "`false`"]
    return [f"any {type_name(api, type)}"]


def _bounds(type: ir.Scalar) -> list[str]:
    out = []
    for sign, bound in (
        ("≥", type.minimum),
        (">", type.exclusive_minimum),
        ("≤", type.maximum),
        ("<", type.exclusive_maximum),
    ):
        if bound is not None:
            out.append(markdown(f"{sign} {json_text(int(bound) if bound == int(bound) else bound)}"))
    if type.multiple_of is not None:
        out.append(f"multiple of {type.multiple_of}")
    out += _range("characters", type.min_length, type.max_length)
    if type.pattern is not None:
        out.append(f"matches {code(type.pattern)}")
    return [*out, *([f"format {code(type.format)}"] if type.format else [])]


def _range(unit: str, low: int | None, high: int | None) -> list[str]:
    """A length in words; `unit` is a plural."""
    if low is None and high is None:
        return []
    if low == high or high is None:
        said = f"{low}" if low == high else f"at least {low}"
    else:
        said = f"at most {high}" if low is None else f"{low} to {high}"
    return [f"{said} {unit.removesuffix('s') if said.split()[-1] == '1' else unit}"]
