"""Types as rows of a documentation table: the members of a request or a response, each by its path from the root."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from .. import ir
from ..escape import html_code, markdown
from .words import said, ticked, type_name, values

_LONG: Final = 1000
_DEEP: Final = 2
"""Objects as many names away from the root have tables of their own."""


@dataclass(frozen=True)
class Row:
    """One member; every cell but `anchor`, the name to link to it by, is finished Markdown.

    `values` says which values the type's name does not rule out.
    """

    anchor: str
    path: str
    type: str
    required: str
    default: str
    values: str
    doc: str


@dataclass(frozen=True)
class Group:
    """The members of an object deep inside, whose paths go on from its own `path`."""

    path: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Fields:
    """The members of a definition: those near its root, and those further in by the object that they belong to."""

    rows: tuple[Row, ...]
    groups: tuple[Group, ...]


def fields(api: ir.Api, id: str, side: str) -> Fields:
    """The members of a definition, depth first: at least one. A recursive type is opened once.

    Once a table is very long, objects further in stay closed: a type in a type in a type may have more members than
    anyone can read. `side` is what anchors begin with: ``request`` or ``response``.
    """
    definition = api.definition(id)
    type = api.resolve(definition.type)
    table = _Table(api, side)
    if isinstance(type, ir.Object) and type.fields:
        table.members(type, _Place(), (id,))
    else:
        table.add(_Place("(root)"), definition.type, doc=definition.doc)
        table.inside(definition.type, _Place(), (id,))
    groups = {place.group: [row for at, row in table.rows if at.group == place.group] for place, _ in table.rows}
    return Fields(tuple(groups.pop("")), tuple(Group(html_code(path), tuple(rows)) for path, rows in groups.items()))


def anchor(side: str, path: str) -> str:
    """What to link to a member by, of letters that every engine leaves as they are: ``request-parameters-top_k``."""
    return re.sub(r"[^a-z0-9_]+", "-", f"{side} {path.replace('[]', ' items')}".lower()).strip("-")


@dataclass(frozen=True)
class _Place:
    """Where a member stands: its path, how many names that is, and the object deep inside that it belongs to."""

    path: str = ""
    depth: int = 0
    group: str = ""

    def member(self, name: str) -> _Place:
        group = self.group or (self.path if self.depth == _DEEP else "")
        return _Place(f"{self.path}.{name}" if self.path else name, self.depth + 1, group)

    def at(self, path: str) -> _Place:
        return replace(self, path=path)


class _Table:
    def __init__(self, api: ir.Api, side: str) -> None:
        self.api = api
        self.side = side
        self.anchors: set[str] = set()
        self.rows: list[tuple[_Place, Row]] = []

    def add(self, place: _Place, type: ir.Type, field: ir.Field | None = None, doc: str = "") -> None:
        path = place.path.removeprefix(place.group).removeprefix(".")
        self.rows.append((place, _row(self.api, self.anchor(place.path), path, type, field, doc)))

    def anchor(self, path: str) -> str:
        """A name for `path` that no other one has."""
        name = anchor(self.side, path)
        numbered = (name if number == 0 else f"{name}-{number}" for number in count())
        found = next(name for name in numbered if name not in self.anchors)
        self.anchors.add(found)
        return found

    def members(self, type: ir.Object, place: _Place, seen: tuple[str, ...]) -> None:
        for field in type.fields:
            inner = place.member(field.name)
            self.add(inner, field.type, field)
            self.inside(field.type, inner, seen)
        if not isinstance(type.additional, bool):
            inner = place.member("*")
            self.add(inner, type.additional, doc="Any other member.")
            self.inside(type.additional, inner, seen)

    def inside(self, type: ir.Type, place: _Place, seen: tuple[str, ...]) -> None:
        """Add the rows below the one of `place`."""
        match type:
            case ir.Ref(id=id) if id in seen or len(self.rows) > _LONG:
                return
            case ir.Ref(id=id):
                self.inside(self.api.definition(id).type, place, (*seen, id))
            case ir.Checked(base=base):
                self.inside(base, place, seen)
            case ir.Object():
                self.members(type, place, seen)
            case ir.Map(values=values):
                self.inside(values, place.member("*"), seen)
            case ir.Array(prefix=prefix, items=items):
                for index, item in enumerate(prefix):
                    doc = self.api.doc(item) or f"Item {index + 1} of {len(prefix)}."
                    inner = place.at(f"{place.path}[{index}]")
                    self.add(inner, item, doc=doc)
                    self.inside(item, inner, seen)
                if items is not None:
                    self.inside(items, place.at(f"{place.path}[]"), seen)
            case ir.Union(variants=variants):
                kinds = ir.Object | ir.Array | ir.Map | ir.Union
                nested = [v for v in variants if isinstance(self.api.resolve(v), kinds)]
                for number, variant in enumerate(nested, 1):
                    # Members of alternatives must not read as if they belonged together.
                    label = f"{place.path} ({number} of {len(nested)})" if len(nested) > 1 else place.path
                    self.inside(variant, place.at(label), seen)


def _row(api: ir.Api, anchor: str, path: str, type: ir.Type, field: ir.Field | None, doc: str) -> Row:
    meanings = [f"– {line}" for line in api.value_docs(type)]
    return Row(
        anchor=anchor,
        path=html_code(path),
        type=markdown(type_name(api, type)),
        required="yes" if field and field.required else "no" if field else "–",
        default=markdown(ticked(field.default)) if field and field.default is not ir.ABSENT else "–",
        values=", ".join(map(markdown, values(api, type))) or "any",
        doc="<br>".join(markdown(text) for text in (said(api, field) if field else doc, *meanings) if text) or "–",
    )
