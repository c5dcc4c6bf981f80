"""What changed between two IRs: the difference that an API changelog and verdicts on compatibility are made of.

Types are compared as data is: member by member from the root of a request or an answer, through all references. So a
definition that only moved, or has another name, is no change; and what one shared definition changes is said at every
place of every task that uses it. Nothing here judges a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from .. import ir
from ..load.wire import FORM_KEYS
from .change import Change, Kind, Side, equal
from .meaning import Meanings
from .place import Difference
from .renames import renamed, similarity
from .typewise import Types

Spoken = ir.Wire | ir.Dialect

_PROSE: Final = ("summary", "description", "applications")
"""What a task's docs say about it; its place in the index, its models and further reading are no part of the API."""


def changes(old: ir.Api, new: ir.Api) -> tuple[Change, ...]:
    """All differences, in the order of the tasks and of the members of `new`; what `new` no longer has comes last.

    Examples of tasks are no part of the API, nor is where its docs list it and what they recommend.
    """
    return tuple(found.change if isinstance(found, Difference) else found for found in differences(old, new))


def differences(old: ir.Api, new: ir.Api) -> tuple[Change | Difference, ...]:
    """The same, those of the data of a task with their places."""
    meanings = Meanings(old, new)
    before, after = ({task.id: task for task in api.tasks} for api in (old, new))
    gone = [task for id, task in before.items() if id not in after]
    added = [task for id, task in after.items() if id not in before]
    was = {now.id: then for then, now in renamed(gone, added, _TaskLikeness(old, new, meanings))}
    found: list[Change | Difference] = []
    for id in sorted({*before, *after} - {task.id for task in was.values()}):
        if id in was:
            found.append(Change(id, "task", "", Kind.RENAMED, was[id], after[id], "", _task_source(new, after[id])))
        if id in after and (then := was.get(id) or before.get(id)):
            found += _task(old, new, meanings, then, after[id])
        elif id in after:
            found.append(Change(id, "task", "", Kind.ADDED, None, after[id], "", _task_source(new, after[id])))
        else:
            found.append(Change(id, "task", "", Kind.REMOVED, before[id], None, "", _task_source(old, before[id])))
    return (*found, *_dialects(old, new))


_ALIKE: Final = 0.6
"""How much of each side two tasks share at least, if one of them became the other."""
_DEEPEST: Final = 4
"""How deep members are compared for that."""


class _TaskLikeness:
    """How sure it is that one task became another: of the same request and answers, or of most of it."""

    def __init__(self, old: ir.Api, new: ir.Api, meanings: Meanings) -> None:
        self._old, self._new, self._meanings = old, new, meanings

    def __call__(self, old: ir.Task, new: ir.Task) -> float:
        sides = ((old.input, new.input), (old.output, new.output), (old.stream, new.stream))
        if any((before is None) != (after is None) for before, after in sides):
            return 0
        shared = min(self._shared(ir.Ref(before), ir.Ref(after)) for before, after in sides if before and after)
        # whatever the names and the docs, tasks that mean the same go first
        sure = shared + similarity(old.id, new.id) + (old.docs == new.docs)
        return 0 if shared < _ALIKE else sure + 4 * (shared == 1)

    def _shared(self, old: ir.Type, new: ir.Type, depth: int = 0) -> float:
        """How much of two types is the same, from 0 to 1."""
        if self._meanings.same(old, new):
            return 1
        before, after = self._old.resolve(old), self._new.resolve(new)
        if depth > _DEEPEST or before.kind != after.kind:
            return 0
        match before, after:
            case ir.Object(fields=fields), ir.Object():
                pairs = [(field, twin) for field in fields if (twin := after.field(field.name))]
                found = sum(self._shared(field.type, twin.type, depth + 1) for field, twin in pairs)
                return found / max(1, len({field.name for field in (*fields, *after.fields)}))
            case ir.Array(items=one), ir.Array(items=other) if one is not None and other is not None:
                return self._shared(one, other, depth + 1)
        return 0.5


def _task_source(api: ir.Api, task: ir.Task) -> ir.Source | None:
    return api.definition(task.input).source


def _beside(source: ir.Source | None, name: str) -> ir.Source | None:
    """Another file of the folder that a task's schemas are in."""
    return source and ir.Source("/".join([*source.path.split("/")[:-1], name]), "")


def _task(
    old: ir.Api, new: ir.Api, meanings: Meanings, before: ir.Task, after: ir.Task
) -> Iterator[Change | Difference]:
    id = after.id
    here = _task_source(new, after)
    said = [("title", before.title, after.title)]
    said += [(name, getattr(before.docs, name), getattr(after.docs, name)) for name in _PROSE]
    for name, one, other in said:
        if one != other:
            yield Change(id, "task", "", Kind.DESCRIPTION, one, other, name, _beside(here, "task.toml"))
    sides: tuple[tuple[Side, str | None, str | None], ...] = (
        ("request", before.input, after.input),
        ("response", before.output, after.output),
        ("stream", before.stream, after.stream),
    )
    for side, one_id, other_id in sides:
        if one_id and other_id:
            yield from Types(old, new, meanings, id, side).compare(ir.Ref(one_id), ir.Ref(other_id))
        elif other_id:
            source = new.definition(other_id).source
            yield Change(id, side, "", Kind.ADDED, None, ir.Ref(other_id), "", source)
        elif one_id:
            source = old.definition(one_id).source
            yield Change(id, side, "", Kind.REMOVED, ir.Ref(one_id), None, "", source)
    wires = [{wire.dialect: wire for wire in task.wires} for task in (before, after)]
    yield from _spoken(id, *wires, source=_beside(here, "wire.toml"))


def _dialects(old: ir.Api, new: ir.Api) -> Iterator[Change]:
    named = ({dialect.name: dialect for dialect in api.dialects} for api in (old, new))
    yield from _spoken("", *named, source=ir.Source("dialects.toml", ""))


def _meant(name: str, value: Any) -> Any:
    """What an attribute says: in a form, and in scales, pairs have no order."""
    if name in FORM_KEYS:
        return tuple(tuple(sorted(form)) for form in value)
    return tuple(sorted(value)) if name == "scales" else value


def _spoken(
    task: str, old: Mapping[str, Spoken], new: Mapping[str, Spoken], *, source: ir.Source | None
) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        if name not in old or name not in new:
            kind = Kind.ADDED if name in new else Kind.REMOVED
            yield Change(task, "dialect", name, kind, old.get(name), new.get(name), "", source)
            continue
        for f in fields(new[name]):
            before, after = getattr(old[name], f.name), getattr(new[name], f.name)
            if not equal(_meant(f.name, before), _meant(f.name, after)):
                kind = Kind.DESCRIPTION if f.name in ("title", "summary") else Kind.WIRE
                yield Change(task, "dialect", name, kind, before, after, f.name, source)
