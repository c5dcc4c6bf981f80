"""Which types of two IRs mean the same: whatever their definitions are called, and wherever these stand.

Recursive types are no tree that could be compared branch by branch. So all definitions of both IRs are sorted into
classes: first by what each says itself, then, as long as that tells more of them apart, by the classes of what they
refer to (partition refinement, which ends with exactly those of the same unfolding in one class).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any as Json

from .. import ir
from ..load.walk import walk

Key = tuple[int, str]
"""A definition: 0 or 1 for the first or the second of two IRs, and its id there."""

Outline = tuple[str, tuple[str, ...]]
"""A type as text without the ids of definitions, and these ids in the order in which they stand in it."""


class Meanings:
    """What the types of two IRs mean, descriptions included, so that they can be compared."""

    def __init__(self, old: ir.Api, new: ir.Api) -> None:
        self._apis = (old, new)
        self._classes = _classes(
            {
                (which, definition.id): _outline(api, definition.type)
                for which, api in enumerate(self._apis)
                for definition in api.definitions
            }
        )

    def same(self, old: ir.Type, new: ir.Type) -> bool:
        """Whether a type of the first and one of the second IR are written alike, names of definitions aside.

        Types that are may still be of one meaning where this says no: variants in another order, for example.
        """
        return self._meaning(0, old) == self._meaning(1, new)

    def same_check(self, old: ir.Checked, new: ir.Checked) -> bool:
        """Whether two checks say the same, whatever the types are that they are around."""
        return self.same(ir.Checked(ir.Any(), old.schema), ir.Checked(ir.Any(), new.schema))

    def _meaning(self, which: int, type: ir.Type) -> tuple[str, tuple[int, ...]]:
        text, refs = _outline(self._apis[which], type)
        return text, tuple(self._classes[which, id] for id in refs)


def _classes(said: Mapping[Key, Outline]) -> dict[Key, int]:
    """The class of each definition.

    What a definition refers to tells it from another one of its class as soon as that is in another class itself. Then
    it moves out, and only those that refer to it are looked at again: n definitions in a row take n steps, not n².
    """
    users: dict[Key, list[Key]] = {key: [] for key in said}
    for key, (_, refs) in said.items():
        for id in refs:
            users[key[0], id].append(key)
    classes = dict.fromkeys(said, 0)
    sizes = [len(said)]
    affected = set(said)
    while affected:
        parts: dict[int, dict[tuple[str, tuple[int, ...]], list[Key]]] = {}
        for key in affected:
            text, refs = said[key]
            meaning = text, tuple(classes[key[0], id] for id in refs)
            parts.setdefault(classes[key], {}).setdefault(meaning, []).append(key)
        moved: list[Key] = []
        for number, split in parts.items():
            leaving = sorted(split.values(), key=len)
            if sum(map(len, leaving)) == sizes[number]:
                leaving.pop()  # the largest part stays; elsewhere those stay that are not affected
            for part in leaving:
                classes |= dict.fromkeys(part, len(sizes))
                sizes[number] -= len(part)
                sizes.append(len(part))
                moved += part
        affected = {user for key in moved for user in users[key]}
    return classes


def _outline(api: ir.Api, type: ir.Type) -> Outline:
    ids: list[str] = []

    def of(type: ir.Type) -> Json:
        match type:
            case ir.Ref(id=id):
                ids.append(_end(api, id))
                return "ref", api.doc(type)
            case ir.Checked(base=base):
                schema = type.data
                for _, inner in walk(schema):
                    if "$ref" in inner:
                        ids.append(_end(api, inner["$ref"]))
                        inner["$ref"] = ""
                return "checked", of(base), json.dumps(schema, sort_keys=True)
            case ir.Object(fields=fields, additional=additional):
                members = [member(field) for field in sorted(fields, key=lambda field: field.name)]
                return "object", members, additional if isinstance(additional, bool) else of(additional)
            case ir.Array(items=items, prefix=prefix, min_items=low, max_items=high, unique=unique):
                return "array", [*map(of, prefix)], of(items) if items else None, low, high, unique
            case ir.Map(values=values):
                return "map", of(values)
            case ir.Union(variants=variants, exclusive=exclusive):
                return "union", [*map(of, variants)], exclusive
        return repr(type)

    def member(field: ir.Field) -> Json:
        own = (field.name, field.required, field.doc, field.default, field.examples, field.deprecated)
        return *own, of(field.type)

    return repr(of(type)), tuple(ids)


def _end(api: ir.Api, id: str) -> str:
    """The definition that a chain of references ends at."""
    while isinstance(type := api.definition(id).type, ir.Ref):
        id = type.id
    return id
