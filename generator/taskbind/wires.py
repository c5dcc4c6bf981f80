"""Dialects: how tasks are spoken by servers that are not ours, out of dialects.toml and wire.toml into the IR.

What can be told from these files alone, `load` has checked; here each place and member is held against the spec.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Final

from . import ir
from .diagnostics import Code, Diagnostic, Report, Severity
from .documents import SpecTree, TaskSource
from .jsonpath import EACH, Length, Path, expression, overlap, parse, written
from .load.toml import key_line, meant
from .load.wire import DIALECTS, FORM_KEYS, PLACED_KEYS, SIZES
from .names import snake
from .places import NoSuchPlaceError, find, lacking
from .plan import RESERVED, primary_field

_HOLDING: Final = {True: (ir.Object, ir.Map, ir.Any, ir.Checked), False: (ir.Array, ir.Any, ir.Checked)}
"""Types that can hold members, and those that can hold items."""

CODES: Final = (
    Code(
        "TB302",
        Severity.ERROR,
        "place that the spec does not have",
        "The left side of a pair in wire.toml is a place in the task's request (input.json) or answer (output.json). "
        "So are both sides of a pair in its `defaults`, and the places in `scales`. Each of their steps must be "
        "declared there: a member by its name, `[0]` and `[*]` where there is a list. A place that an open object "
        "would merely tolerate is taken for a misspelt one.",
    ),
    Code(
        "TB303",
        Severity.ERROR,
        "no such member",
        "`file` names a member of the answer that is media in base64 (contentEncoding: base64), `rate` one that is an "
        "integer, and the answer is an object with both. `scales` are of integers in the answer, and of an image whose "
        "size they go by: the input of the task, or a member of it.",
    ),
    Code(
        "TB304",
        Severity.ERROR,
        "name of a dialect is taken",
        "Generated clients get a class method of each dialect's name, Client.my_service(), beside a method for each "
        "task and those that every client has. Choose a name that is none of them.",
    ),
    Code(
        "TB306",
        Severity.ERROR,
        "never spoken in the dialect",
        "In a dialect that is `named_only`, requests and answers hold nothing but what a form names. So there is a "
        "form of either, each form of requests names all that every request has, and a member that has a default or "
        "a scale is one that a form of answers names.",
    ),
)


def dialects(tree: SpecTree) -> tuple[ir.Dialect, ...]:
    """The dialects that are declared, by name."""
    return tuple(ir.Dialect(name, **tree.dialects[name]) for name in sorted(tree.dialects))


def wires(source: TaskSource) -> tuple[ir.Wire, ...]:
    """How a task is spoken, by dialect."""
    return tuple(_wire(name, source.wires[name]) for name in sorted(source.wires))


def _wire(dialect: str, data: dict[str, Any]) -> ir.Wire:
    forms = {key: tuple(_form(form) for form in data.get(key, ())) for key in FORM_KEYS}
    others = {"ignored": tuple(data.get("ignored", ())), "neutral": tuple(data.get("neutral", {}).items())}
    others |= {key: _form(data.get(key, {})) for key in ("scales", *PLACED_KEYS)}
    return ir.Wire(**{**data, **forms, **others, "dialect": dialect})


def _form(data: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((written(parse(place)), _value(value)) for place, value in data.items())


def _value(value: Any) -> Any:
    found = expression(value)
    return value if found is None else written(found)


def missing(api: ir.Api, task: ir.Task, wire: ir.Wire) -> tuple[str, ...]:
    """The members that an answer must have and does not have in a dialect where it holds what a form names alone.

    Of several forms it is that which lacks the fewest. The rate of a file is known from the file.
    """
    known: list[Path] = [(wire.rate,)] if wire.file and wire.rate else []
    forms = [[*known, *_named(form)] for form in wire.answers] or [known]
    return min((lacking(api, ir.Ref(task.output), form) for form in forms), key=len)


def _named(form: ir.Form) -> list[Path]:
    return [parse(spec) for spec, _ in form]


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
                where = f"{wire.dialect}.{key}[{index}]"
                for place in form:
                    if id is None:
                        message, fix = "the task has no stream, so there are no events", "leave them out"
                        self.tell("TB302", where, key, message, fix)
                        break
                    self.place(parse(place), id, f'{where}."{place[:60]}"', place)
                else:
                    self.nested(form, id or "", where)
        for place, default in self.source.wires[wire.dialect].get("defaults", {}).items():
            found = expression(default)
            told = (parse(place), (*found.of, EACH) if isinstance(found, Length) else found)
            for one in (one for one in told if one is not None):
                self.place(one, self.task.output, f'{wire.dialect}.defaults."{place[:60]}"', place)
        if wire.added_events and self.task.stream is None:
            message, fix = "the task has no stream, so there are no events", "leave them out"
            self.tell("TB302", f"{wire.dialect}.added_events", "added_events", message, fix)
        self.scales(wire)
        self.member("file", wire.file, wire.dialect, ir.Media, "a media file")
        self.member("rate", wire.rate, wire.dialect, ir.Scalar, "an integer")
        if any(dialect.name == wire.dialect and dialect.named_only for dialect in self.api.dialects):
            self.spoken(wire)

    def nested(self, form: Mapping[str, str], id: str, where: str) -> None:
        """Where a place on the wire is around another one, the value that stands there must be able to hold that."""
        pairs = [(place, parse(place), parse(wire)) for place, wire in form.items()]
        for (place, spec, outer), (inside, _, inner) in permutations(pairs, 2):
            step = inner[len(outer) :][:1]
            if not step or inner[: len(outer)] != outer:
                continue
            try:
                types = find(self.api, ir.Ref(id), spec)
            except NoSuchPlaceError:  # which is told already
                continue
            if not any(isinstance(type, _HOLDING[isinstance(step[0], str)]) for type in types):
                message = f"is inside the place of {place[:60]!r} on the wire, which cannot hold it"
                fix = "let each value have its own place"
                self.tell("TB146", f'{where}."{inside[:60]}"', inside, message, fix)

    def scales(self, wire: ir.Wire) -> None:
        for place in self.source.wires[wire.dialect].get("scales", {}):
            where = f'{wire.dialect}.scales."{place[:60]}"'
            types = self.place(parse(place), self.task.output, where, place)
            if types and not all(_is(type, ir.Scalar) or type == ir.NULL for type in types):
                message, fix = "is no integer", "write the place of one, or leave it out"
                self.tell("TB303", where, place, message, fix)
        if wire.scales and not _has_image(self.api, self.task):
            message = f"the input of the task has no image, so there is no {' and no '.join(SIZES)}"
            self.tell("TB303", f"{wire.dialect}.scales", "scales", message, "leave them out")

    def spoken(self, wire: ir.Wire) -> None:
        """What is never said where only what a form names is."""
        for key, id in (("requests", self.task.input), ("answers", self.task.output)):
            forms: tuple[ir.Form, ...] = getattr(wire, key)
            if not forms:
                where, fix = f"{wire.dialect}.{key}", f"write [[{wire.dialect}.{key}]]"
                self.tell("TB306", where, key, "there is no form of them, and what no form names is left out", fix)
            for index, form in enumerate(forms):
                where = f"{wire.dialect}.{key}[{index}]"
                needed = lacking(self.api, ir.Ref(id), _named(form)) if key == "requests" else ()
                if not form:
                    message, fix = "names nothing, and what no form names is left out", 'name the whole: "$" = "$"'
                    self.tell("TB306", where, "", message, fix)
                elif needed:
                    message = f"does not name what every request has: {', '.join(needed)}"
                    self.tell("TB306", where, "", message, "give it a place on the wire, or leave the form out")
        known = [place for form in wire.answers for place in _named(form)]
        for key in ("scales", "defaults"):
            for place in self.source.wires[wire.dialect].get(key, {}):
                if wire.answers and not any(overlap(parse(place), one) for one in known):
                    where = f'{wire.dialect}.{key}."{place[:60]}"'
                    self.tell("TB306", where, place, "no form of answers names it", "name it in one, or leave it out")

    def place(self, path: Path, id: str, where: str, key: str) -> tuple[ir.Type, ...]:
        """The types that a place may have; none once it is reported that it is not there."""
        try:
            return find(self.api, ir.Ref(id), path)
        except NoSuchPlaceError as error:
            self.tell("TB302", where, key, str(error), error.fix)
            return ()

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


def _has_image(api: ir.Api, task: ir.Task) -> bool:
    """Whether the input of a task is an image, or has a member that is one."""
    request = api.resolve(ir.Ref(task.input))
    if not isinstance(request, ir.Object) or not request.fields:
        return False
    main = api.resolve(ir.split_null(primary_field(request).type)[0])
    members = main.fields if isinstance(main, ir.Object) else ()
    types = (main, *(api.resolve(ir.split_null(member.type)[0]) for member in members))
    return any(isinstance(type, ir.Media) and type.media == "image" for type in types)


def _is(type: ir.Type, kind: type) -> bool:
    return isinstance(type, kind) and getattr(type, "type", "integer") == "integer"


def _lines(tree: SpecTree, path: str) -> list[str]:
    """A file that was read before, once more: only a finding needs its lines."""
    try:
        return (tree.root / path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
