"""What changed between two IRs: the difference that an API changelog and verdicts on compatibility are made of.

Types are compared as data is: member by member from the root of a request or an answer, through all references. So a
definition that only moved, or has another name, is no change; and what one shared definition changes is said at every
place of every task that uses it. Nothing here judges a change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, Final

from .. import ir
from .change import Change, Kind, Side
from .meaning import Meanings

Spoken = ir.Wire | ir.Dialect

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
_PROSE: Final = ("summary", "description", "applications")
"""What a task's docs say about it; its place in the index, its models and further reading are no part of the API."""


def changes(old: ir.Api, new: ir.Api) -> tuple[Change, ...]:
    """All differences, in the order of the tasks and of the members of `new`; what `new` no longer has comes last.

    Examples of tasks are no part of the API, nor is where its docs list it and what they recommend.
    """
    meanings = Meanings(old, new)
    before, after = ({task.id: task for task in api.tasks} for api in (old, new))
    found: list[Change] = []
    for id in sorted({*before, *after}):
        if id in before and id in after:
            found += _task(old, new, meanings, before[id], after[id])
        else:
            found.append(_one_sided(id, "task", "", before.get(id), after.get(id)))
    return (*found, *_dialects(old, new))


def _one_sided(task: str, side: Side, path: str, before: Any, after: Any) -> Change:
    return Change(task, side, path, Kind.ADDED if before is None else Kind.REMOVED, before, after)


def _task(old: ir.Api, new: ir.Api, meanings: Meanings, before: ir.Task, after: ir.Task) -> Iterator[Change]:
    id = after.id
    said = [("title", before.title, after.title)]
    said += [(name, getattr(before.docs, name), getattr(after.docs, name)) for name in _PROSE]
    for name, one, other in said:
        if one != other:
            yield Change(id, "task", "", Kind.DESCRIPTION, one, other, name)
    sides: tuple[tuple[Side, str | None, str | None], ...] = (
        ("request", before.input, after.input),
        ("response", before.output, after.output),
        ("stream", before.stream, after.stream),
    )
    for side, one_id, other_id in sides:
        if one_id and other_id:
            yield from _Types(old, new, meanings, id, side).compare(ir.Ref(one_id), ir.Ref(other_id))
        elif one_id or other_id:
            yield _one_sided(id, side, "", one_id and ir.Ref(one_id), other_id and ir.Ref(other_id))
    wires = [{wire.dialect: wire for wire in task.wires} for task in (before, after)]
    yield from _spoken(id, *wires)


def _dialects(old: ir.Api, new: ir.Api) -> Iterator[Change]:
    yield from _spoken("", *({dialect.name: dialect for dialect in api.dialects} for api in (old, new)))


def _spoken(task: str, old: Mapping[str, Spoken], new: Mapping[str, Spoken]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        if name not in old or name not in new:
            yield _one_sided(task, "dialect", name, old.get(name), new.get(name))
            continue
        for f in fields(new[name]):
            before, after = getattr(old[name], f.name), getattr(new[name], f.name)
            if not _equal(before, after):
                kind = Kind.DESCRIPTION if f.name in ("title", "summary") else Kind.WIRE
                yield Change(task, "dialect", name, kind, before, after, f.name)


def _equal(one: Any, other: Any) -> bool:
    """Equality of JSON values; ``1`` and ``1.0`` are equal, ``1`` and ``true`` are not."""
    match one, other:
        case bool(), _:
            return one is other
        case ((list() | tuple()), (list() | tuple())):
            return len(one) == len(other) and all(map(_equal, one, other))
        case dict(), dict():
            return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    return not isinstance(other, bool) and bool(one == other)


Pairs = frozenset[tuple[int, int]]


class _Types:
    """The comparison of one side of a task.

    No recursion: each step leaves the further ones on a stack, since definitions may be nested as deep as they like.
    `within` are the pairs of types around a place, by their identity: a pair in itself is the same recursion again.
    """

    def __init__(self, old: ir.Api, new: ir.Api, meanings: Meanings, task: str, side: Side) -> None:
        self._old, self._new, self._meanings = old, new, meanings
        self._task, self._side = task, side
        self._found: list[Change] = []
        self._todo: list[Callable[[], None]] = []
        self._opened: set[tuple[int, int]] = set()
        self._openings = 0

    def compare(self, old: ir.Type, new: ir.Type) -> list[Change]:
        """The differences of two types, and of everything inside them."""
        self._place("", old, new, frozenset())
        while self._todo:
            self._todo.pop()()
        return self._found

    def _add(self, path: str, kind: Kind, before: Any = None, after: Any = None, name: str = "") -> None:
        self._found.append(Change(self._task, self._side, path, kind, before, after, name))

    def _later(self, *steps: Callable[[], None]) -> None:
        self._todo += reversed(steps)

    def _attributes(self, path: str, kind: Kind, names: tuple[str, ...], old: ir.Type, new: ir.Type) -> None:
        for name in names:
            before, after = getattr(old, name, None), getattr(new, name, None)
            if before != after:
                self._add(path, kind, before, after, name)

    # ------------------------------------------------------------------------------------------------------- places

    def _place(
        self, path: str, old: ir.Type, new: ir.Type, within: Pairs, old_doc: str = "", new_doc: str = ""
    ) -> None:
        """One place in the data: what is said about it, and what may stand there."""
        before, after = old_doc or self._old.doc(old), new_doc or self._new.doc(new)
        if before != after:
            self._add(path, Kind.DESCRIPTION, before, after)
        self._types(path, old, new, within)

    def _member(self, path: str, old: ir.Field, new: ir.Field, within: Pairs) -> None:
        if old.required != new.required:
            self._add(path, Kind.REQUIRED if new.required else Kind.OPTIONAL)
        if not _equal(old.default, new.default):
            self._add(path, Kind.DEFAULT, old.default, new.default)
        if old.deprecated != new.deprecated:
            self._add(path, Kind.DEPRECATED, old.deprecated, new.deprecated)
        if not _equal(old.examples, new.examples):
            self._add(path, Kind.DESCRIPTION, old.examples, new.examples, "examples")
        self._place(path, old.type, new.type, within, old.doc, new.doc)

    def _types(self, path: str, old: ir.Type, new: ir.Type, within: Pairs) -> None:
        """Compare variant by variant; a type that is no union is its own only variant."""
        if self._meanings.same(old, new):
            return
        before, after = self._unchecked(path, old, new)
        olds, news = _variants(self._old, before), _variants(self._new, after)
        if any(isinstance(self._old.resolve(v), ir.Any) for v in olds) or any(
            isinstance(self._new.resolve(v), ir.Any) for v in news
        ):
            if not (isinstance(before, ir.Any) and isinstance(after, ir.Any)):
                self._add(path, Kind.TYPE, old, new)
            return
        if (ir.NULL in olds) != (ir.NULL in news):
            self._add(path, Kind.NULLABLE, ir.NULL in olds, ir.NULL in news)
        olds, news = ([v for v in variants if v != ir.NULL] for variants in (olds, news))
        pairs = self._matched(olds, news)
        if len(pairs) < max(len(olds), len(news)):
            self._add(path, Kind.TYPE, old, new)
        elif len(pairs) > 1 and _exclusive(before) != _exclusive(after):
            self._add(path, Kind.TYPE, old, new, "exclusive")
        nested = [index for index, v in enumerate(news) if not isinstance(self._new.resolve(v), _LEAVES)]
        for index, other in reversed(pairs):
            label = path
            if len(nested) > 1 and other in nested:  # members of alternatives must not read as if of one object
                label = f"{path} ({nested.index(other) + 1} of {len(nested)})".lstrip()
            self._later(partial(self._variant, label, olds[index], news[other], within))

    def _unchecked(self, path: str, old: ir.Type, new: ir.Type) -> tuple[ir.Type, ir.Type]:
        """The types behind references and checks, once the checks themselves are compared."""
        old_checks, old = _open(self._old, old)
        new_checks, new = _open(self._new, new)
        kept = [c for c in old_checks if any(self._meanings.same_check(c, other) for other in new_checks)]
        same = [c for c in new_checks if any(self._meanings.same_check(other, c) for other in old_checks)]
        if len(kept) < len(old_checks) or len(same) < len(new_checks):
            before, after = (tuple(check.data for check in checks) for checks in (old_checks, new_checks))
            self._add(path, Kind.CHECK, before, after)
        return old, new

    def _matched(self, olds: list[ir.Type], news: list[ir.Type]) -> list[tuple[int, int]]:
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

    def _variant(self, path: str, old: ir.Type, new: ir.Type, within: Pairs) -> None:
        if self._meanings.same(old, new):
            return
        old, new = self._unchecked(path, old, new)
        pair = id(old), id(new)
        if pair in within or (pair in self._opened and self._openings > _MOST_OPENINGS):
            return
        self._opened.add(pair)
        self._openings += 1
        within |= {pair}
        match old, new:
            case ir.Scalar() | ir.Enum(), ir.Scalar() | ir.Enum():
                self._scalar(path, old, new)
            case ir.Media(), ir.Media():
                self._media(path, old, new)
            case ir.Array(), ir.Array():
                self._array(path, old, new, within)
            case ir.Object() | ir.Map(), ir.Object() | ir.Map():
                self._object(path, _as_object(old), _as_object(new), within)
            case _:  # a union in which exactly one variant may hold, inside another union
                self._types(path, old, new, within)

    def _scalar(self, path: str, old: ir.Scalar | ir.Enum, new: ir.Scalar | ir.Enum) -> None:
        if isinstance(old, ir.Scalar) and isinstance(new, ir.Scalar) and old.type != new.type:
            self._add(path, Kind.TYPE, old, new)
        before, after = (type.values if isinstance(type, ir.Enum) else None for type in (old, new))
        if (before and frozenset(before)) != (after and frozenset(after)):
            self._add(path, Kind.VALUES, before, after)
        self._attributes(path, Kind.BOUNDS, _BOUNDS, old, new)
        self._attributes(path, Kind.FORMAT, _FORMATS, old, new)
        meant = [dict(zip(t.values, t.docs, strict=False)) if isinstance(t, ir.Enum) else {} for t in (old, new)]
        shared = set(before or ()) & set(after or ())
        if any(meant[0].get(value) != meant[1].get(value) for value in shared):
            self._add(path, Kind.DESCRIPTION, meant[0], meant[1], "values")

    def _media(self, path: str, old: ir.Media, new: ir.Media) -> None:
        if old.media != new.media:
            self._add(path, Kind.TYPE, old, new)
        else:
            self._attributes(path, Kind.FORMAT, ("content_type",), old, new)

    def _array(self, path: str, old: ir.Array, new: ir.Array, within: Pairs) -> None:
        self._attributes(path, Kind.BOUNDS, _LENGTHS, old, new)
        steps = []
        for index in range(max(len(old.prefix), len(new.prefix))):
            before, after = (a.prefix[index] if index < len(a.prefix) else a.items for a in (old, new))
            place = f"{path}[{index}]"
            if before is not None and after is not None:
                steps.append(partial(self._place, place, before, after, within))
            elif before is not after:
                self._found.append(_one_sided(self._task, self._side, place, before, after))
        if old.items is not None and new.items is not None:
            steps.append(partial(self._place, f"{path}[]", old.items, new.items, within))
        elif old.items is not new.items:
            kind = Kind.CLOSED if new.items is None else Kind.OPENED
            self._add(f"{path}[]", kind, old.items or False, new.items or False)
        self._later(*steps)

    def _object(self, path: str, old: ir.Object, new: ir.Object, within: Pairs) -> None:
        steps: list[Callable[[], None]] = []
        for field in new.fields:
            place = f"{path}.{field.name}" if path else field.name
            if before := old.field(field.name):
                steps.append(partial(self._member, place, before, field, within))
            else:
                steps.append(partial(self._add, place, Kind.ADDED, None, field))
        for field in old.fields:
            if not new.field(field.name):
                place = f"{path}.{field.name}" if path else field.name
                steps.append(partial(self._add, place, Kind.REMOVED, field, None))
        steps.append(partial(self._others, f"{path}.*" if path else "*", old.additional, new.additional, within))
        self._later(*steps)

    def _others(self, path: str, old: bool | ir.Type, new: bool | ir.Type, within: Pairs) -> None:
        """Members that an object does not know by name."""
        if isinstance(old, bool) or isinstance(new, bool):
            if old is not new:
                opened = old is False or new is True
                self._add(path, Kind.OPENED if opened else Kind.CLOSED, old, new)
        else:
            self._place(path, old, new, within)


_LEAVES: Final = ir.Scalar | ir.Enum | ir.Media | ir.Any


def _open(api: ir.Api, type: ir.Type) -> tuple[list[ir.Checked], ir.Type]:
    """A type behind its references and checks, and these checks."""
    checks = []
    while isinstance(type, ir.Ref | ir.Checked):
        if isinstance(type, ir.Checked):
            checks.append(type)
            type = type.base
        else:
            type = api.definition(type.id).type
    return checks, type


def _variants(api: ir.Api, type: ir.Type) -> list[ir.Type]:
    """The variants of a type; those of a union inside it count as its own where that means the same."""
    if not isinstance(type, ir.Union):
        return [type]
    out: list[ir.Type] = []
    todo, seen = [*reversed(type.variants)], {id(type)}
    while todo:
        variant = todo.pop()
        checks, inner = _open(api, variant)
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


def _as_object(type: ir.Object | ir.Map) -> ir.Object:
    """A map is an object of which no member is known."""
    if isinstance(type, ir.Map):
        type = ir.Object((), type.values)
    return type if not isinstance(type.additional, ir.Any) else ir.Object(type.fields)
