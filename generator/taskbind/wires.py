"""Dialects: how tasks are spoken by servers that are not ours, out of dialects.toml and wire.toml into the IR.

What can be told from these files alone, `load` has checked; here each place and member is held against the spec.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from . import ir
from .diagnostics import Code, Diagnostic, Report, Severity
from .documents import SpecTree, TaskSource
from .jsonpath import EACH, Path, Step, is_place, parse, written
from .load.toml import key_line, meant
from .load.wire import DIALECTS, FORM_KEYS, PLACED_KEYS
from .names import snake
from .plan import RESERVED

CODES: Final = (
    Code(
        "TB302",
        Severity.ERROR,
        "place that the spec does not have",
        "The left side of a pair in wire.toml is a place in the task's request (input.json) or answer (output.json). "
        "So are both sides of a pair in its `defaults`. Each of their steps must be declared there: a member by its "
        "name, `[0]` and `[*]` where there is a list. A place that an open object would merely tolerate is taken for a "
        "misspelt one.",
    ),
    Code(
        "TB303",
        Severity.ERROR,
        "no such member in the answer",
        "`file` names a member of the answer that is media in base64 (contentEncoding: base64), `rate` one that is an "
        "integer, and the answer is an object with both.",
    ),
    Code(
        "TB304",
        Severity.ERROR,
        "name of a dialect is taken",
        "Generated clients get a class method of each dialect's name, Client.my_service(), beside a method for each "
        "task and those that every client has. Choose a name that is none of them.",
    ),
)

_FREE: Final = ir.Any()


def dialects(tree: SpecTree) -> tuple[ir.Dialect, ...]:
    """The dialects that are declared, by name."""
    return tuple(ir.Dialect(name, **tree.dialects[name]) for name in sorted(tree.dialects))


def wires(source: TaskSource) -> tuple[ir.Wire, ...]:
    """How a task is spoken, by dialect."""
    return tuple(_wire(name, source.wires[name]) for name in sorted(source.wires))


def _wire(dialect: str, data: dict[str, Any]) -> ir.Wire:
    forms = {key: tuple(_form(form) for form in data.get(key, ())) for key in FORM_KEYS}
    others = {"ignored": tuple(data.get("ignored", ())), "neutral": tuple(data.get("neutral", {}).items())}
    others |= {key: _form(data.get(key, {})) for key in PLACED_KEYS}
    return ir.Wire(**{**data, **forms, **others, "dialect": dialect})


def _form(data: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (written(parse(spec)), written(parse(other)) if is_place(other) else other) for spec, other in data.items()
    )


def check(tree: SpecTree, api: ir.Api, report: Report) -> None:
    """Report the names, places and members that do not go with the tasks."""
    methods = {snake(task.id): task.id for task in api.tasks}
    for dialect in api.dialects:
        name = dialect.name
        if name in methods or name in RESERVED:
            what = f"the method of {methods[name]}" if name in methods else "something that every client has"
            line = key_line(_lines(tree, DIALECTS), name, name)
            message = f"{name}: is also the name of {what}"
            report.add(Diagnostic(DIALECTS, line, "", "TB304", Severity.ERROR, message, "choose another name"))
    for source, task in zip(tree.tasks, api.tasks, strict=True):
        for wire in task.wires:
            _Checker(tree, api, source, task, report).check(wire)


@dataclass(frozen=True)
class _Checker:
    tree: SpecTree
    api: ir.Api
    source: TaskSource
    task: ir.Task
    report: Report

    def check(self, wire: ir.Wire) -> None:
        ids = self.task.input, self.task.output, self.task.stream
        for key, id in zip(FORM_KEYS, ids, strict=True):
            # The places as they are written are what a reader looks for.
            for index, form in enumerate(self.source.wires[wire.dialect].get(key, ())):
                for place in form:
                    where = f"{wire.dialect}.{key}[{index}]"
                    if id is None:
                        message, fix = "the task has no stream, so there are no events", "leave them out"
                        self.tell("TB302", where, key, message, fix)
                        break
                    self.place(place, id, f'{where}."{place[:60]}"', place)
        for place, default in self.source.wires[wire.dialect].get("defaults", {}).items():
            for one in filter(is_place, (place, default)):
                self.place(one, self.task.output, f'{wire.dialect}.defaults."{place[:60]}"', place)
        if wire.added_events and self.task.stream is None:
            message, fix = "the task has no stream, so there are no events", "leave them out"
            self.tell("TB302", f"{wire.dialect}.added_events", "added_events", message, fix)
        self.member("file", wire.file, wire.dialect, ir.Media, "a media file")
        self.member("rate", wire.rate, wire.dialect, ir.Scalar, "an integer")

    def place(self, text: str, id: str, where: str, key: str) -> None:
        if problem := _missing(self.api, ir.Ref(id), parse(text)):
            self.tell("TB302", where, key, *problem)

    def member(self, key: str, name: str, dialect: str, kind: type, wanted: str) -> None:
        if not name:
            return
        answer = self.api.resolve(ir.Ref(self.task.output))
        members = answer.fields if isinstance(answer, ir.Object) else ()
        types = {member.name: self.api.resolve(ir.split_null(member.type)[0]) for member in members}
        fitting = [name for name, type in types.items() if _is(type, kind)]
        if name not in fitting:
            message = f"{name[:60]!r} is no member of the answer that is {wanted}"
            self.tell("TB303", f"{dialect}.{key}", key, message, meant(name, fitting, "such members"))

    def tell(self, code: str, where: str, key: str, message: str, fix: str) -> None:
        path = f"{self.source.id}/wire.toml"
        line = key_line(_lines(self.tree, path), where, key)
        self.report.add(Diagnostic(path, line, "", code, Severity.ERROR, f"{where}: {message}", fix))


def _is(type: ir.Type, kind: type) -> bool:
    return isinstance(type, kind) and getattr(type, "type", "integer") == "integer"


def _lines(tree: SpecTree, path: str) -> list[str]:
    """A file that was read before, once more: only a finding needs its lines."""
    try:
        return (tree.root / path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []


def _missing(api: ir.Api, type: ir.Type, path: Path) -> tuple[str, str] | None:
    """What is wrong about a place in a type, and how to mend it; None where it is there."""
    here: list[ir.Type] = [type]
    for count, step in enumerate(path):
        outer = list(_variants(api, here))
        # Types that refer to themselves come back as the same objects: each is looked into once.
        here = list({id(inner): inner for type in outer for inner in _inside(type, step)}.values())
        if here:
            continue
        place = written(path[:count])
        if not isinstance(step, str):
            what = " or ".join(dict.fromkeys(_called(type) for type in outer))
            return f"{place} is {what}, no list with a place {written((step,))[1:]}", "write a place of the spec"
        known = list(dict.fromkeys(f.name for type in outer if isinstance(type, ir.Object) for f in type.fields))
        return f"{place} has no member {step[:60]!r}", meant(step, known, "its members")
    return None


def _variants(api: ir.Api, types: Iterable[ir.Type]) -> Iterator[ir.Type]:
    """The types that a value may have, without references and unions."""
    for type in types:
        type = api.resolve(type)
        if isinstance(type, ir.Union):
            yield from _variants(api, type.variants)
        else:
            yield type


def _inside(type: ir.Type, step: Step) -> Iterator[ir.Type]:
    """The types that may stand one step inside a type."""
    match type, step:
        case ir.Any(), _:
            yield type
        case ir.Object(fields=fields, additional=additional), str():
            declared = [field.type for field in fields if field.name == step]
            yield from declared
            if not declared and not isinstance(additional, bool):
                yield additional
            elif not fields and additional is True:
                yield _FREE
        case ir.Map(values=values), str():
            yield values
        case ir.Array(prefix=prefix, items=items), int() if step < len(prefix):
            yield prefix[step]
        case ir.Array(prefix=prefix, items=items), int():
            yield from (items,) if items else ()
        case ir.Array(prefix=prefix, items=items), _ if step is EACH:
            yield from (*prefix, *((items,) if items else ()))
        case _:
            return


def _called(type: ir.Type) -> str:
    return {"object": "an object", "map": "an object", "array": "a shorter list"}.get(type.kind, "a single value")
