"""What only users of the generated Python see of a change: names, and how methods and handlers are called.

Names follow from titles, files and neighbours, none of which is on the wire. Here is only what the wire's own changes
do not tell already: that a member is gone breaks Python too, and is said there. So everything is compared where both
versions have it: classes at the places in the data where they stand, methods and handlers by their task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from .. import ir
from ..plan import TYPES, ClassName, Plan, TaskPlan
from ..wires import missing
from .change import Change, Kind
from .judge import judge
from .rules import RULES
from .verdict import Verdict

_MOST_PAIRS: Final = 100_000
"""How many pairs of types are looked into. Cycles of p and of q types make p·q pairs; real ones make a few hundred."""
_MOST_MATCHES: Final = 10_000
"""How many pairs of variants without a name in common a union may have, before they are left alone."""
_WHOLE: Final = "one keyword `parameters`"
_APART: Final = "a keyword for each of `parameters`"


@dataclass(frozen=True)
class Planned:
    """One IR and the names that it gives to Python."""

    api: ir.Api
    plan: Plan


def judge_all(old: Planned, new: Planned) -> tuple[Verdict, ...]:
    """All verdicts, on the wire and on names, in the order of the tasks; what is about none comes last."""
    found = [*judge(old.api, new.api), *judge_surface(old, new)]
    return tuple(sorted(found, key=lambda verdict: (not verdict.change.task, verdict.change.task)))


def judge_surface(old: Planned, new: Planned) -> tuple[Verdict, ...]:
    """The verdicts on names and signatures: those of classes first, then method by method."""
    found = [*_package(old.plan, new.plan), *_Classes(old, new).verdicts()]
    before = {task.task.id: task for task in old.plan.tasks}
    for task in new.plan.tasks:
        if mine := before.get(task.task.id):
            found += _method(new.api, mine, task)
            found += _handler(new.api, mine, task)
            found += _answered(old.api, new.api, mine, task)
    return tuple(found)


def _verdict(
    rule: str, task: str, path: str, kind: Kind, before: str, after: str, what: str, source: ir.Source | None
) -> Verdict:
    change = Change(task, "python", path, kind, before, after, source=source)
    return Verdict(change, rule, RULES[rule].wire, RULES[rule].python, what)


def _package(old: Plan, new: Plan) -> Iterator[Verdict]:
    if old.package != new.package:
        what = f"The package is imported as {new.package} instead of {old.package}"
        yield _verdict("python-package-renamed", "", "", Kind.RENAMED, old.package, new.package, what, None)


# ------------------------------------------------------------------------------------------------------------- classes


@dataclass(frozen=True)
class _Named:
    """What a type is to Python: the class or alias, None for a dict without one; `source` is where the specs say so."""

    name: ClassName | None
    source: ir.Source | None


class _Classes:
    """The classes and aliases that stand at the same places of both versions.

    No recursion, since definitions may be nested as deep as they like; a pair of types is looked at once.
    """

    def __init__(self, old: Planned, new: Planned) -> None:
        self._old, self._new = old, new
        self._roots = [_root_names(version) for version in (old, new)]
        self._pairs: dict[tuple[ClassName | None, ClassName | None], tuple[str, ir.Source | None]] = {}
        self._seen: set[tuple[int, int]] = set()
        self._todo: list[tuple[str, ir.Type, ir.Type]] = []

    def verdicts(self) -> Iterator[Verdict]:
        """One verdict for each class or alias of OLD and what stands in its place, in the order of their names."""
        before = {task.id: task for task in self._old.api.tasks}
        for task in reversed(self._new.api.tasks):
            if mine := before.get(task.id):
                roots = ((mine.stream, task.stream), (mine.output, task.output), (mine.input, task.input))
                self._todo += [(task.id, ir.Ref(one), ir.Ref(other)) for one, other in roots if one and other]
        while self._todo:
            self._compare(*self._todo.pop())
        names = [_names(version, roots) for version, roots in zip((self._old, self._new), self._roots, strict=True)]
        became = Counter(one for one, _ in self._pairs)
        came_from = Counter(other for _, other in self._pairs)
        for (one, other), (owner, source) in sorted(self._pairs.items(), key=_order):
            if one == other:
                continue
            alone = became[one] == came_from[other] == 1
            if one and other:
                alone = alone and one.name not in names[1] and other.name not in names[0]
            yield self._verdict(one, other, owner, source, alone=alone)

    def _verdict(
        self, one: ClassName | None, other: ClassName | None, task: str, source: ir.Source | None, *, alone: bool
    ) -> Verdict:
        before, after = _path(one), _path(other)
        task = task if {name.module for name in (one, other) if name} <= self._modules(task) else ""
        if other is None:
            rule, kind, what = "python-class-removed", Kind.REMOVED, f"Where {before} stood is a plain dict now"
        elif one is None:
            rule, kind, what = "python-class-added", Kind.ADDED, f"Where a plain dict stood is {after} now"
        elif one.name == other.name:
            rule, kind = "python-class-moved", Kind.RENAMED
            what = f"{one.name} moved from the module {one.module} to {other.module}; models.{one.name} is the same"
        elif alone:
            rule, kind, what = "python-class-renamed", Kind.RENAMED, f"{before} is called {after} now"
        else:
            rule, kind, what = "python-class-replaced", Kind.TYPE, f"{after} stands where {before} did"
        return _verdict(rule, task, before or after, kind, before, after, what, source)

    def _modules(self, task: str) -> set[str]:
        return {TYPES} | {
            t.module for version in (self._old, self._new) for t in version.plan.tasks if t.task.id == task
        }

    def _compare(self, task: str, old: ir.Type, new: ir.Type) -> None:
        one, before = self._named(0, old)
        other, after = self._named(1, new)
        if _became(one.name, before, other.name, after):
            self._pairs.setdefault((one.name, other.name), (task, other.source or one.source))
        if (id(before), id(after)) in self._seen or len(self._seen) > _MOST_PAIRS:
            return
        self._seen.add((id(before), id(after)))
        if isinstance(before, ir.Union) or isinstance(after, ir.Union):
            variants = (
                list(type.variants) if isinstance(type, ir.Union) else [written]
                for type, written in ((before, old), (after, new))
            )
            inside = self._matched(*variants)
        else:
            inside = _inside(before, after)
        self._todo += [(task, *pair) for pair in reversed([*inside])]

    def _named(self, which: int, type: ir.Type) -> tuple[_Named, ir.Type]:
        """The class or alias of a type, and the type itself behind references and checks."""
        version = (self._old, self._new)[which]
        found = _Named(None, None)
        while isinstance(type, ir.Ref | ir.Checked):
            if isinstance(type, ir.Checked):
                type = type.base
                continue
            definition = version.api.definition(type.id)
            name = self._name(which, type.id)
            if name and not found.name:
                found = _Named(name, definition.source)
            elif not found.source:
                found = _Named(found.name, definition.source)
            type = definition.type
        return found, type

    def _name(self, which: int, id: str) -> ClassName | None:
        plan = (self._old, self._new)[which].plan
        alias = plan.aliases.get(id)
        return plan.classes.get(id) or (ClassName(TYPES, alias) if alias else self._roots[which].get(id))

    def _matched(self, olds: list[ir.Type], news: list[ir.Type]) -> Iterator[tuple[ir.Type, ir.Type]]:
        """Which variant is which: of one name first, then those that share most members, each once."""
        rest: dict[ClassName | int, ir.Type] = {
            self._named(1, new)[0].name or index: new for index, new in enumerate(news)
        }
        left = []
        for old in olds:
            name = self._named(0, old)[0].name
            if name and name in rest:
                yield old, rest.pop(name)
            else:
                left.append(old)
        if len(left) * len(rest) > _MOST_MATCHES:
            return
        types = {key: self._named(1, new)[1] for key, new in rest.items()}
        for old in left:
            mine = self._named(0, old)[1]
            fitting = [key for key in rest if _alike(mine, types[key])]
            if fitting:
                yield old, rest.pop(max(fitting, key=lambda key: _shared(mine, types[key])))


def _root_names(version: Planned) -> dict[str, ClassName]:
    """The names of requests, answers and events that are no classes, by the ids of their definitions."""
    out = {}
    for task in version.plan.tasks:
        for id, name in ((task.task.output, task.output_name), (task.task.stream, task.stream_name)):
            if id and name:
                out[id] = ClassName(task.module, name)
    return out


def _names(version: Planned, roots: Mapping[str, ClassName]) -> set[str]:
    """The names of all classes and aliases."""
    classes = (name.name for name in (*version.plan.classes.values(), *roots.values()))
    return {*classes, *version.plan.aliases.values()}


def _inside(old: ir.Type, new: ir.Type) -> Iterator[tuple[ir.Type, ir.Type]]:
    """The types that stand at the same places inside two types, neither of which is a union."""
    match old, new:
        case ir.Object(), ir.Object():
            for field in new.fields:
                if mine := old.field(field.name):
                    yield mine.type, field.type
            if not isinstance(old.additional, bool) and not isinstance(new.additional, bool):
                yield old.additional, new.additional
        case ir.Map(), ir.Map():
            yield old.values, new.values
        case ir.Array(), ir.Array():
            yield from zip(old.prefix, new.prefix, strict=False)
            if old.items is not None and new.items is not None:
                yield old.items, new.items


def _members(type: ir.Type) -> frozenset[str] | None:
    """The names of the members that an object has; None for what is no object."""
    if isinstance(type, ir.Map):
        return frozenset()
    return frozenset(field.name for field in type.fields) if isinstance(type, ir.Object) else None


def _alike(old: ir.Type, new: ir.Type) -> bool:
    """Whether one type can have become the other."""
    return (_members(old) is None) == (_members(new) is None) and (_members(old) is not None or type(old) is type(new))


def _became(one: ClassName | None, old: ir.Type, other: ClassName | None, new: ir.Type) -> bool:
    """Whether one class became another, or a plain dict (which has no name) became one, or the other way round."""
    if one and other:
        return _alike(old, new)
    return _members(old) is not None and _members(old) == _members(new)


def _shared(old: ir.Type, new: ir.Type) -> int:
    """How many members two objects have in common."""
    return len((_members(old) or frozenset()) & (_members(new) or frozenset()))


def _path(name: ClassName | None) -> str:
    return f"models.{name.name}" if name else ""


def _order(item: tuple[tuple[ClassName | None, ClassName | None], object]) -> tuple[str, ...]:
    return tuple(part for name in item[0] for part in ((name.name, name.module) if name else ("", "")))


# ------------------------------------------------------------------------------------------------ methods and handlers


def _method(api: ir.Api, old: TaskPlan, new: TaskPlan) -> Iterator[Verdict]:
    """What is different about calling a task's method with the same request."""
    method, id = f"Client.{new.method}", new.task.id
    root = api.resolve(ir.Ref(new.task.input))
    assert isinstance(root, ir.Object), "lower refuses all others"
    here = api.definition(new.task.input).source
    if old.primary.name != new.primary.name and root.field(old.primary.name):
        was, now = old.primary_python, new.primary_python
        what = f"The first argument of {method} is `{now}` instead of `{was}`, which is a keyword now"
        source = new.primary.source or here
        yield _verdict("python-input-changed", id, f"{method}()", Kind.TYPE, was, now, what, source)
    if new.names_model and not old.names_model:
        path, what = f"{method}(model=)", f"`model` of {method} sets the request's new member `model`, too"
        yield _verdict("python-model-sent", id, path, Kind.TYPE, "", "model", what, here)
    box = root.field("parameters")
    was, now = (_APART if task.parameters_class else _WHOLE for task in (old, new))
    if was != now and box and (old.parameters_class or _takes(old, "parameters")):
        what = f"{method} takes {now} instead of {was}"
        source = box.source or here
        yield _verdict("python-keywords-regrouped", id, f"{method}()", Kind.TYPE, was, now, what, source)
    else:
        yield from _keywords(method, old, new, here)


def _keywords(method: str, old: TaskPlan, new: TaskPlan, here: ir.Source | None) -> Iterator[Verdict]:
    """The keywords that have another name, although what they send has not."""
    names = {(parameter.in_parameters, parameter.wire): parameter.python for parameter in old.keywords}
    for parameter in new.keywords:
        now = parameter.python
        was = names.get((parameter.in_parameters, parameter.wire), now)
        if was != now:
            what = f"The keyword `{was}` of {method} is called `{now}` now"
            source = parameter.field.source or here
            path = f"{method}({was}=)"
            yield _verdict("python-keyword-renamed", new.task.id, path, Kind.RENAMED, was, now, what, source)


def _takes(task: TaskPlan, wire: str) -> bool:
    """Whether a member of the request's root is a parameter."""
    return any(parameter.wire == wire and not parameter.in_parameters for parameter in task.parameters)


def _handler(api: ir.Api, old: TaskPlan, new: TaskPlan) -> Iterator[Verdict]:
    """Whether code that serves a task is called with other arguments, although requests are what they were."""
    if (old.whole_request, len(old.handler_arguments)) != (new.whole_request, len(new.handler_arguments)):
        before, after = (", ".join(task.handler_arguments) for task in (old, new))
        path = f"server.{new.prefix}Handler.__call__()"
        what = f"Handlers of {new.task.id} are called with ({after}) instead of ({before})"
        source = api.definition(new.task.input).source
        yield _verdict("python-handler-arguments", new.task.id, path, Kind.TYPE, before, after, what, source)


def _answered(old: ir.Api, new: ir.Api, before: TaskPlan, after: TaskPlan) -> Iterator[Verdict]:
    """The dialects whose answers no longer have all that an answer must have, so that their clients refuse to ask."""
    had, lack = _lacking(old, before.task), _lacking(new, after.task)
    for dialect, members in lack.items():
        if members and had.get(dialect) == ():
            path = f"Client.{after.method}()"
            listed = ", ".join(f"`{member}`" for member in members)
            what = f"Clients of {dialect} can no longer call {path}, since no form of its answers names {listed}"
            source = new.definition(after.task.output).source
            yield _verdict("python-answer-lacking", after.task.id, path, Kind.TYPE, "", dialect, what, source)


def _lacking(api: ir.Api, task: ir.Task) -> dict[str, tuple[str, ...]]:
    """What the answers of a task lack, by the dialect that it is spoken in."""
    named = {dialect.name: dialect.named_only for dialect in api.dialects}
    return {wire.dialect: missing(api, task, wire) if named.get(wire.dialect) else () for wire in task.wires}
