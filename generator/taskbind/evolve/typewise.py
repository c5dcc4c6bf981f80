"""The comparison of two types, place by place, from the root of a request or an answer through all references."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from .. import ir
from .change import Change, Kind, Side, equal
from .meaning import Meanings
from .place import Difference, Place, Step
from .renames import renamed, same_but_for_name, similar, similarity

_MOST_OPENINGS: Final = 1000
"""How many pairs of types one side of a task may open before those that were opened elsewhere stay closed: types in
types in types can stand at more places than anyone can read."""

_BOUNDS: Final = (
    "minimum",
    "exclusive_minimum",
    "maximum",
    "exclusive_maximum",
    "multiple_of",
    "min_length",
    "max_length",
)
_FORMATS: Final = ("pattern", "format")
_LENGTHS: Final = ("min_items", "max_items", "unique")

Pairs = frozenset[tuple[int, int]]


class Types:
    """The comparison of one side of a task.

    No recursion: each step leaves the further ones on a stack, since definitions may be nested as deep as they like.
    `within` are the pairs of types around a place, by their identity: a pair in itself is the same recursion again.
    """

    def __init__(self, old: ir.Api, new: ir.Api, meanings: Meanings, task: str, side: Side) -> None:
        self._old, self._new, self._meanings = old, new, meanings
        self._task, self._side = task, side
        self._found: list[Difference] = []
        self._todo: list[Callable[[], None]] = []
        self._opened: set[tuple[int, int]] = set()
        self._openings = 0

    def compare(self, old: ir.Type, new: ir.Type) -> list[Difference]:
        """The differences of two types, and of everything inside them."""
        self._place("", self._at(old, new), frozenset())
        while self._todo:
            self._todo.pop()()
        return self._found

    def _add(
        self,
        path: str,
        at: Place,
        kind: Kind,
        before: Any = None,
        after: Any = None,
        name: str = "",
        member: str = "",
        **more: Any,
    ) -> None:
        field, nearest = (after, at.new_source) if isinstance(after, ir.Field) else (before, at.old_source)
        source = (field.source or nearest) if member and isinstance(field, ir.Field) else at.new_source
        change = Change(self._task, self._side, path, kind, before, after, name, source)
        self._found.append(Difference(change, at, member, **more))

    def _at(
        self,
        old: ir.Type,
        new: ir.Type,
        parent: Place | None = None,
        step: Step = "value",
        key: str | int = "",
        fields: tuple[ir.Field | None, ir.Field | None] = (None, None),
    ) -> Place:
        """A place in `parent`; `fields` are its members there, if it is one."""
        around = (parent.old_source, parent.new_source) if parent else (None, None)
        own = [(field and field.source) or near for field, near in zip(fields, around, strict=True)]
        sources = (
            _source(api, type) or near for api, type, near in zip((self._old, self._new), (old, new), own, strict=True)
        )
        return Place(old, new, parent, step, key, *sources)

    def _later(self, *steps: Callable[[], None]) -> None:
        self._todo += reversed(steps)

    def _attributes(self, path: str, at: Place, kind: Kind, names: tuple[str, ...], old: ir.Type, new: ir.Type) -> None:
        for name in names:
            before, after = getattr(old, name, None), getattr(new, name, None)
            if before != after:
                self._add(path, at, kind, before, after, name)

    # ------------------------------------------------------------------------------------------------------- places

    def _place(self, path: str, at: Place, within: Pairs, old_doc: str = "", new_doc: str = "") -> None:
        """One place in the data: what is said about it, and what may stand there."""
        before, after = old_doc or self._old.doc(at.old), new_doc or self._new.doc(at.new)
        if before != after:
            self._add(path, at, Kind.DESCRIPTION, before, after)
        self._types(path, at, within)

    def _member(self, path: str, parent: Place, old: ir.Field, new: ir.Field, within: Pairs) -> None:
        at = self._at(old.type, new.type, parent, "member", new.name, (old, new))
        if old.required != new.required:
            change = Change(
                self._task,
                self._side,
                path,
                Kind.REQUIRED if new.required else Kind.OPTIONAL,
                source=new.source or parent.new_source,
            )
            self._found.append(Difference(change, parent, new.name))
        if not equal(old.default, new.default):
            self._add(path, at, Kind.DEFAULT, old.default, new.default)
        if old.deprecated != new.deprecated:
            self._add(path, at, Kind.DEPRECATED, old.deprecated, new.deprecated)
        if not equal(old.examples, new.examples):
            self._add(path, at, Kind.DESCRIPTION, old.examples, new.examples, "examples")
        self._place(path, at, within, old.doc, new.doc)

    def _types(self, path: str, at: Place, within: Pairs) -> None:
        """Compare variant by variant; a type that is no union is its own only variant."""
        old, new = at.old, at.new
        if self._meanings.same(old, new):
            return
        before, after = self._unchecked(path, at)
        olds, news = variants(self._old, before), variants(self._new, after)
        if any(isinstance(self._old.resolve(v), ir.Any) for v in olds) or any(
            isinstance(self._new.resolve(v), ir.Any) for v in news
        ):
            if not (isinstance(before, ir.Any) and isinstance(after, ir.Any)):
                self._add(path, at, Kind.TYPE, old, new)
            return
        both = len(olds) > 1 and len(news) > 1
        if olds.count(ir.NULL) < 2 and news.count(ir.NULL) < 2:  # twice in a oneOf, it is no value at all
            if (ir.NULL in olds) != (ir.NULL in news):
                self._add(path, at, Kind.NULLABLE, ir.NULL in olds, ir.NULL in news)
            olds, news = ([v for v in each if v != ir.NULL] for each in (olds, news))
        pairs = self.matched(olds, news)
        if len(pairs) < max(len(olds), len(news)):
            gone = tuple(v for index, v in enumerate(olds) if index not in {one for one, _ in pairs})
            added = tuple(v for index, v in enumerate(news) if index not in {other for _, other in pairs})
            self._add(path, at, Kind.TYPE, old, new, gone=gone, added=added, matched=bool(pairs))
        elif both and pairs and _exclusive(before) != _exclusive(after):
            self._add(path, at, Kind.TYPE, old, new, "exclusive")
        nested = [index for index, v in enumerate(news) if not isinstance(self._new.resolve(v), _LEAVES)]
        for index, other in reversed(pairs):
            label = path
            if len(nested) > 1 and other in nested:  # members of alternatives must not read as if of one object
                label = f"{path} ({nested.index(other) + 1} of {len(nested)})".lstrip()
            self._later(partial(self._variant, label, self._at(olds[index], news[other], at), within))

    def _unchecked(self, path: str, at: Place) -> tuple[ir.Type, ir.Type]:
        """The types behind references and checks, once the checks themselves are compared."""
        old_checks, old = opened(self._old, at.old)
        new_checks, new = opened(self._new, at.new)
        gone = [c for c in old_checks if not any(self._meanings.same_check(c, other) for other in new_checks)]
        added = [c for c in new_checks if not any(self._meanings.same_check(other, c) for other in old_checks)]
        if gone or added:
            before, after = (tuple(check.data for check in checks) for checks in (old_checks, new_checks))
            self._add(path, at, Kind.CHECK, before, after, gone=tuple(gone), added=tuple(added))
        return old, new

    def matched(self, olds: list[ir.Type], news: list[ir.Type]) -> list[tuple[int, int]]:
        """Which variant became which, by their indexes, in the order of `news`: the most alike of one shape."""
        rest = dict(enumerate(news))
        pairs: list[tuple[int, int]] = []
        for closest in (True, False):
            for index, old in enumerate(olds):
                if any(index == one for one, _ in pairs):
                    continue
                if closest:
                    fitting = [other for other, new in rest.items() if self._meanings.same(old, new)]
                else:
                    fitting = [other for other, new in rest.items() if _shape(self._old, old) == _shape(self._new, new)]
                if fitting:
                    best = max(fitting, key=lambda other: self._likeness(old, news[other]))
                    pairs.append((index, best))
                    del rest[best]
        return sorted(pairs, key=lambda pair: pair[1])

    def _likeness(self, old: ir.Type, new: ir.Type) -> tuple[int, int]:
        """How many members two objects share: those of the same type, and those of the same name."""
        one, other = self._old.resolve(old), self._new.resolve(new)
        if not isinstance(one, ir.Object) or not isinstance(other, ir.Object):
            return 0, 0
        shared = [(field.type, same.type) for field in one.fields if (same := other.field(field.name))]
        return sum(self._meanings.same(*types) for types in shared), len(shared)

    # -------------------------------------------------------------------------------------------- one kind of type each

    def _variant(self, path: str, at: Place, within: Pairs) -> None:
        if self._meanings.same(at.old, at.new):
            return
        old, new = self._unchecked(path, at)
        pair = id(old), id(new)
        if pair in within or (pair in self._opened and self._openings > _MOST_OPENINGS):
            return
        self._opened.add(pair)
        self._openings += 1
        within |= {pair}
        match old, new:
            case ir.Scalar() | ir.Enum(), ir.Scalar() | ir.Enum():
                self._scalar(path, at, old, new)
            case ir.Media(), ir.Media():
                self._media(path, at, old, new)
            case ir.Array(), ir.Array():
                self._array(path, at, old, new, within)
            case ir.Object() | ir.Map(), ir.Object() | ir.Map():
                self._object(path, at, as_object(old), as_object(new), within)
            case _:  # a union in which exactly one variant may hold, inside another union
                self._types(path, self._at(old, new, at), within)

    def _scalar(self, path: str, at: Place, old: ir.Scalar | ir.Enum, new: ir.Scalar | ir.Enum) -> None:
        if isinstance(old, ir.Scalar) and isinstance(new, ir.Scalar) and old.type != new.type:
            self._add(path, at, Kind.TYPE, old, new)
        before, after = (type.values if isinstance(type, ir.Enum) else None for type in (old, new))
        if (before and frozenset(before)) != (after and frozenset(after)):
            self._add(path, at, Kind.VALUES, before, after)
        self._attributes(path, at, Kind.BOUNDS, _BOUNDS, old, new)
        self._attributes(path, at, Kind.FORMAT, _FORMATS, old, new)
        meant = [dict(zip(t.values, t.docs, strict=False)) if isinstance(t, ir.Enum) else {} for t in (old, new)]
        shared = set(before or ()) & set(after or ())
        if any(meant[0].get(value) != meant[1].get(value) for value in shared):
            self._add(path, at, Kind.DESCRIPTION, meant[0], meant[1], "values")

    def _media(self, path: str, at: Place, old: ir.Media, new: ir.Media) -> None:
        if old.media != new.media:
            self._add(path, at, Kind.TYPE, old, new)
        else:
            self._attributes(path, at, Kind.FORMAT, ("content_type",), old, new)

    def _array(self, path: str, at: Place, old: ir.Array, new: ir.Array, within: Pairs) -> None:
        self._attributes(path, at, Kind.BOUNDS, _LENGTHS, old, new)
        steps = []
        for index in range(max(len(old.prefix), len(new.prefix))):
            before, after = (a.prefix[index] if index < len(a.prefix) else a.items for a in (old, new))
            place = f"{path}[{index}]"
            if before is not None and after is not None:
                steps.append(partial(self._place, place, self._at(before, after, at, "item", index), within))
            elif before is not after:
                kind = Kind.ADDED if before is None else Kind.REMOVED
                self._add(place, at, kind, before, after)
        if old.items is not None and new.items is not None:
            key = max(len(old.prefix), len(new.prefix))
            steps.append(partial(self._place, f"{path}[]", self._at(old.items, new.items, at, "items", key), within))
        elif old.items is not new.items:
            kind = Kind.CLOSED if new.items is None else Kind.OPENED
            self._add(f"{path}[]", at, kind, old.items or False, new.items or False)
        self._later(*steps)

    def _object(self, path: str, at: Place, old: ir.Object, new: ir.Object, within: Pairs) -> None:
        gone = [field for field in old.fields if not new.field(field.name)]
        added = [field for field in new.fields if not old.field(field.name)]
        was = {after.name: before for before, after in renamed(gone, added, self._field_likeness)}
        steps: list[Callable[[], None]] = []
        for field in new.fields:
            place = f"{path}.{field.name}" if path else field.name
            if before := old.field(field.name):
                steps.append(partial(self._member, place, at, before, field, within))
            else:
                before = was.get(field.name)
                kind = Kind.RENAMED if before else Kind.ADDED
                steps.append(partial(self._add, place, at, kind, before, field, member=field.name))
        for field in gone:
            if field not in was.values():
                place = f"{path}.{field.name}" if path else field.name
                steps.append(partial(self._add, place, at, Kind.REMOVED, field, None, member=field.name))
        steps.append(partial(self._others, f"{path}.*" if path else "*", at, old.additional, new.additional, within))
        self._later(*steps)

    def _field_likeness(self, old: ir.Field, new: ir.Field) -> float:
        """How sure it is that one member became the other: of one type, and of a similar name or all else alike."""
        if not self._meanings.same(old.type, new.type):
            return 0
        twins = same_but_for_name(old, new)
        return similarity(old.name, new.name) + twins if twins or similar(old.name, new.name) else 0

    def _others(self, path: str, at: Place, old: bool | ir.Type, new: bool | ir.Type, within: Pairs) -> None:
        """Members that an object does not know by name."""
        if isinstance(old, bool) or isinstance(new, bool):
            if old is not new:
                opened = old is False or new is True
                self._add(path, at, Kind.OPENED if opened else Kind.CLOSED, old, new)
        else:
            self._place(path, self._at(old, new, at, "others"), within)


_LEAVES: Final = ir.Scalar | ir.Enum | ir.Media | ir.Any


def opened(api: ir.Api, type: ir.Type) -> tuple[list[ir.Checked], ir.Type]:
    """A type behind its references and checks, and these checks."""
    checks = []
    while isinstance(type, ir.Ref | ir.Checked):
        if isinstance(type, ir.Checked):
            checks.append(type)
            type = type.base
        else:
            type = api.definition(type.id).type
    return checks, type


def variants(api: ir.Api, type: ir.Type) -> list[ir.Type]:
    """The variants of a type; those of a union inside it count as its own where that means the same."""
    if not isinstance(type, ir.Union):
        return [type]
    out: list[ir.Type] = []
    todo, seen = [*reversed(type.variants)], {id(type)}
    while todo:
        variant = todo.pop()
        checks, inner = opened(api, variant)
        if type.exclusive or checks or not isinstance(inner, ir.Union) or inner.exclusive:
            out.append(ir.NULL if inner == ir.NULL and not checks else variant)
        elif id(inner) not in seen:
            seen.add(id(inner))
            todo += reversed(inner.variants)
    return out


def _exclusive(type: ir.Type) -> bool:
    return isinstance(type, ir.Union) and type.exclusive


def _shape(api: ir.Api, type: ir.Type) -> str:
    """What two variants must have in common for one to have become the other."""
    match api.resolve(type):
        case ir.Scalar(type="integer" | "number"):
            return "number"
        case ir.Scalar(type=name):
            return name
        case ir.Enum():
            return "string"
        case ir.Map():
            return ir.Object.kind
        case other:
            return other.kind


def as_object(type: ir.Object | ir.Map) -> ir.Object:
    """A map is an object of which no member is known."""
    if isinstance(type, ir.Map):
        type = ir.Object((), type.values)
    return type if not isinstance(type.additional, ir.Any) else ir.Object(type.fields)


def _source(api: ir.Api, type: ir.Type) -> ir.Source | None:
    """Where the definition stands that a type refers to; None if it refers to none."""
    source = None
    while isinstance(type, ir.Ref):
        definition = api.definition(type.id)
        source, type = definition.source or source, definition.type
    return source
