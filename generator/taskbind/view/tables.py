"""Types as rows of a documentation table: the members of a request or a response, each by its path from the root."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from .. import ir
from ..escape import html_code, markdown
from .phrases import ticked
from .words import NESTED, said, type_name, values

_LONG: Final = 1000
_ODD: Final = re.compile("[^A-Za-z0-9_-]")
_ANY: Final = ":any"
"""What stands in anchors for a member of any name: no name is spelled so there."""
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
    """The members of a definition: those near its root, and those further in by the object that they belong to.

    `rules` is what the whole object must fulfil besides, as finished Markdown; it may be empty.
    """

    rows: tuple[Row, ...]
    groups: tuple[Group, ...]
    rules: str


def fields(api: ir.Api, id: str, side: str) -> Fields:
    """The members of a definition, depth first: at least one. A recursive type is opened once.

    Once a table is very long, objects further in stay closed: a type in a type in a type may have more members than
    anyone can read. `side` is what anchors begin with: ``request`` or ``response``.
    """
    definition = api.definition(id)
    type = api.resolve(definition.type)
    table, root = _Table(api), _Place(side)
    rules = ""
    if isinstance(type, ir.Object) and type.fields:
        rules = ", ".join(map(markdown, values(api, definition.type)))
        table.members(type, root, (id,))
    else:
        table.add(root.at("(root)", ":root"), definition.type, doc=definition.doc)
        table.inside(definition.type, root, (id,))
    groups = {place.group: [row for at, row in table.rows if at.group == place.group] for place, _ in table.rows}
    rest = tuple(Group(html_code(path, block=True), tuple(rows)) for path, rows in groups.items() if path)
    return Fields(tuple(groups[""]), rest, rules)


def anchor(side: str, *names: str) -> str:
    """What to link to a member by: ``request.parameters.top_k``.

    No other member has it, whatever its name, and no heading: engines make the anchors of headings without dots.
    ``a|b`` is ``a:7C:b``; items of arrays are called ``items``, or by their numbers, and alternatives ``or1``, ``or2``…
    """
    return ".".join([side, *map(_step, names)])


def _step(name: str) -> str:
    return _ODD.sub(lambda match: f":{ord(match[0]):X}:", name) or ":"


@dataclass(frozen=True)
class _Place:
    """Where a member stands: its anchor and path, how many names that is, and the object that it belongs to."""

    anchor: str
    path: str = ""
    depth: int = 0
    group: str = ""

    def member(self, name: str, step: str = "") -> _Place:
        """The place of a member, whose part of the anchor is `step` if it is not called by a name of its own."""
        group = self.group or (self.path if self.depth == _DEEP else "")
        path = f"{self.path}.{name}" if self.path else name
        return _Place(f"{self.anchor}.{step or _step(name)}", path, self.depth + 1, group)

    def at(self, path: str, step: str) -> _Place:
        return replace(self, path=path, anchor=f"{self.anchor}.{step}")


class _Table:
    def __init__(self, api: ir.Api) -> None:
        self.api = api
        self.rows: list[tuple[_Place, Row]] = []

    def add(self, place: _Place, type: ir.Type, field: ir.Field | None = None, doc: str = "") -> None:
        path = place.path.removeprefix(place.group).removeprefix(".")
        self.rows.append((place, _row(self.api, place.anchor, path, type, field, doc)))

    def members(self, type: ir.Object, place: _Place, seen: tuple[str, ...]) -> None:
        for field in type.fields:
            inner = place.member(field.name)
            self.add(inner, field.type, field)
            self.inside(field.type, inner, seen)
        if not isinstance(type.additional, bool):
            inner = place.member("*", _ANY)
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
                self.inside(values, place.member("*", _ANY), seen)
            case ir.Array(prefix=prefix, items=items):
                for index, item in enumerate(prefix):
                    doc = self.api.doc(item) or f"Item {index + 1} of {len(prefix)}."
                    inner = place.at(f"{place.path}[{index}]", str(index))
                    self.add(inner, item, doc=doc)
                    self.inside(item, inner, seen)
                if items is not None:
                    self.inside(items, place.at(f"{place.path}[]", "items"), seen)
            case ir.Union(variants=variants):
                nested = [v for v in variants if isinstance(self.api.resolve(v), NESTED)]
                for number, variant in enumerate(nested, 1):
                    # Members of alternatives must not read as if they belonged together.
                    label = f"{place.path} ({number} of {len(nested)})"
                    self.inside(variant, place.at(label, f"or{number}") if len(nested) > 1 else place, seen)


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
