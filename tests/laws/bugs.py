"""Seeded generator bugs: one definition of the IR, changed as a wrong `lower` would make it.

A bug is caught if the data of the laws has a payload on which the schema of the changed IR and that of the specs
disagree, or which reads another default. Bugs that change nothing are told apart by proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import jsonschema_rs

from inference_tasks._runtime.testing.bundle import Bundle
from inference_tasks._runtime.testing.shapes import Shapes
from taskbind import ir
from taskbind.schema import definition_schema
from tests.support import defaults
from tests.support.payloads import Case, cases

from .subjects import Project, Subject, read


@dataclass(frozen=True)
class Bug:
    """A definition, and the type that it has by mistake."""

    definition: str
    what: str
    type: ir.Type

    def __str__(self) -> str:
        return f"{self.definition}: {self.what}"


class Fate(Enum):
    """What became of a bug."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    NO_BUG = "equivalent"
    UNDECIDED = "undecided"


def bugs(api: ir.Api) -> Iterator[Bug]:
    """All bugs of one change in one definition."""
    for definition in api.definitions:
        for what, type in _changed(definition.type):
            if type != definition.type:
                yield Bug(definition.id, what, type)


def infected(api: ir.Api, bug: Bug) -> ir.Api:
    """The IR with a bug in it."""
    return replace(
        api,
        definitions=tuple(
            replace(definition, type=bug.type) if definition.id == bug.definition else definition
            for definition in api.definitions
        ),
    )


# ------------------------------------------------------------------------------------------------------ mistakes

_Changed = Iterator[tuple[str, ir.Type]]


def _changed(type: ir.Type) -> _Changed:
    match type:
        case ir.Object():
            yield from _object(type)
        case ir.Map(values=values):
            yield "the values of a map are not typed", ir.Map(ir.Any())
            for what, inner in _changed(values):
                yield f"in a map, {what}", ir.Map(inner)
        case ir.Array():
            yield from _array(type)
        case ir.Union():
            yield from _union(type)
        case ir.Scalar():
            yield from _scalar(type)
        case ir.Enum(values=values):
            for value in values:
                left = tuple(v for v in values if v != value)
                if left:
                    yield f"{value!r} is dropped from an enum", ir.Enum(left)
            yield "a value is added to an enum", ir.Enum((*values, values[0].upper()))
            yield "an enum is just a string", ir.Scalar("string")
        case ir.Checked(base=base):
            yield "a check is dropped", base
            for what, inner in _changed(base):
                yield f"under a check, {what}", replace(type, base=inner)
        case ir.Ref():
            yield "a reference is not typed", ir.Any()
        case ir.Media():
            yield "a medium is not typed", ir.Any()
        case ir.Any():
            yield "any value is a string", ir.Scalar("string")


def _object(type: ir.Object) -> _Changed:
    if not isinstance(type.additional, bool):
        yield "other members are not typed", replace(type, additional=True)
    yield "open and closed are mixed up", replace(type, additional=type.additional is False)
    for index, field in enumerate(type.fields):
        for what, other in _field(field):
            members = (*type.fields[:index], other, *type.fields[index + 1 :])
            yield f"{field.name!r} {what}", replace(type, fields=members)
        yield f"{field.name!r} is dropped", replace(type, fields=(*type.fields[:index], *type.fields[index + 1 :]))


def _field(field: ir.Field) -> Iterator[tuple[str, ir.Field]]:
    yield (
        "is required by mistake" if not field.required else "is not required",
        replace(field, required=not field.required),
    )
    yield "is renamed", replace(field, name=f"{field.name}_")
    yield "is not typed", replace(field, type=ir.Any())
    rest, nullable = ir.split_null(field.type)
    if not nullable:
        yield "may be null", replace(field, type=ir.Union((field.type, ir.NULL)))
    elif rest != ir.NULL:
        yield "may not be null", replace(field, type=rest)
    if field.default is not ir.ABSENT:
        yield "has another default", replace(field, default=_other(field.default))
    for what, inner in _changed(field.type):
        yield f": {what}", replace(field, type=inner)


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"{value}x"


def _array(type: ir.Array) -> _Changed:
    if type.items is not None:
        yield "items are not typed", replace(type, items=ir.Any())
        for what, inner in _changed(type.items):
            yield f"in an array, {what}", replace(type, items=inner)
    if type.prefix:
        yield "a tuple is a list", ir.Array(type.prefix[0], min_items=type.min_items, max_items=type.max_items)
        if type.items is None:
            yield "a tuple has no end", replace(type, items=ir.Any())
        for index, item in enumerate(type.prefix):
            for what, inner in _changed(item):
                yield (
                    f"in a tuple, {what}",
                    replace(type, prefix=(*type.prefix[:index], inner, *type.prefix[index + 1 :])),
                )
    if type.unique:
        yield "items may repeat", replace(type, unique=False)
    yield from _bounds(type, "min_items", "max_items")
    if type.min_items is None and not type.prefix:
        yield "an array may not be empty", replace(type, min_items=1)


def _union(type: ir.Union) -> _Changed:
    if type.exclusive:
        yield "oneOf is anyOf", replace(type, exclusive=False)
    for index, variant in enumerate(type.variants):
        left = (*type.variants[:index], *type.variants[index + 1 :])
        yield f"variant {index} is dropped", left[0] if len(left) == 1 else replace(type, variants=left)
        for what, inner in _changed(variant):
            variants = (*type.variants[:index], inner, *type.variants[index + 1 :])
            yield f"in variant {index}, {what}", replace(type, variants=variants)


def _scalar(type: ir.Scalar) -> _Changed:
    match type.type:
        case "integer":
            yield "an integer is a number", replace(type, type="number")
        case "number":
            yield "a number is an integer", replace(type, type="integer")
        case "string":
            yield "a text may not be empty", replace(type, min_length=(type.min_length or 0) + 1)
        case "boolean":
            yield "a boolean is a string", ir.Scalar("string")
    yield "a scalar is not typed", ir.Any()
    yield from _bounds(type, "minimum", "maximum", "exclusive_minimum", "exclusive_maximum", "min_length", "max_length")
    for closed, open in (("minimum", "exclusive_minimum"), ("maximum", "exclusive_maximum")):
        for old, new in ((closed, open), (open, closed)):
            if getattr(type, old) is not None and getattr(type, new) is None:
                yield f"{old} is {new}", replace(type, **{old: None, new: getattr(type, old)})
    if type.multiple_of is not None:
        yield "multiple_of is dropped", replace(type, multiple_of=None)
    if type.pattern is not None:
        yield "pattern is dropped", replace(type, pattern=None)


def _bounds(type: Any, *names: str) -> _Changed:
    for name in names:
        bound = getattr(type, name)
        if bound is not None:
            yield f"{name} is dropped", replace(type, **{name: None})
            yield f"{name} is one more", replace(type, **{name: bound + 1})
            if bound > 0 or ("m_" not in name and "length" not in name and "items" not in name):
                yield f"{name} is one less", replace(type, **{name: bound - 1})


# ------------------------------------------------------------------------------------------------------- catching


@dataclass
class _Data:
    """The data of one schema with the verdicts of the specs."""

    cases: list[Case]
    verdicts: list[bool]
    defaults: list[Any]


class Hunt:
    """Looks for bugs in a project's IR with the data that the laws use."""

    def __init__(self, project: Project, limit: int | None = None, draws: int = 2) -> None:
        self.project = project
        self.api, self.judge = read(project.specs).api, read(project.specs).judge
        self.limit, self.draws = limit, draws
        self.names = {definition.id: f"d{index}" for index, definition in enumerate(self.api.definitions)}
        self.schemas = {self.names[d.id]: self._schema(d) for d in self.api.definitions}
        roots = [subject.id for subject in project.subjects()]
        self.reach = {root: self.api.reachable([root]) for root in sorted(roots, key=self._size)}
        self.data: dict[str, _Data] = {}

    def _size(self, root: str) -> int:
        return len(self.api.reachable([root]))

    def _schema(self, definition: ir.Definition) -> dict[str, Any]:
        return definition_schema(definition, lambda target: {"$ref": f"#/$defs/{self.names[target]}"})

    def fate(self, bug: Bug) -> Fate:
        """Whether the data shows a bug."""
        wrong = self._schema(replace(self.api.definition(bug.definition), type=bug.type))
        roots = [root for root, reached in self.reach.items() if bug.definition in reached]
        if any(self._shown(bug, wrong, root) for root in roots):
            return Fate.CAUGHT
        if "default" in bug.what:
            return Fate.SURVIVED
        return self._proof(roots[0], bug, wrong)

    def _document(self, root: str, bug: Bug | None = None, wrong: dict[str, Any] | None = None) -> dict[str, Any]:
        reached = {self.names[id] for id in self.reach[root]}
        defs: dict[str, Any] = {name: self.schemas[name] for name in reached}
        if bug and wrong is not None:
            # What a wrong type refers to is what the right one did.
            defs[self.names[bug.definition]] = wrong
        return {"$ref": f"#/$defs/{self.names[root]}", "$defs": defs}

    def _shown(self, bug: Bug, wrong: dict[str, Any], root: str) -> bool:
        document = self._document(root, bug, wrong)
        accepts = _validator(document).is_valid
        data = self._of(root)
        if "default" in bug.what:
            shapes = Shapes(Bundle(document))
            return any(
                expected != defaults.declared(shapes, shapes.bundle.root(self.names[root]), case.payload)
                for case, expected in zip(data.cases, data.defaults, strict=False)
            )
        return any(
            accepts(case.payload) is not verdict for case, verdict in zip(data.cases, data.verdicts, strict=True)
        )

    def _of(self, root: str) -> _Data:
        if root not in self.data:
            shapes, schema = self.judge.shapes, self.judge.schema(root)
            found = list(cases(shapes, schema, draws=self.draws, limit=self.limit))
            # Valid ones come first.
            valid = [case for case in found if case.kind == "valid"]
            self.data[root] = _Data(
                found,
                [self.judge.accepts(root, case.payload) for case in found],
                [defaults.declared(shapes, schema, case.payload) for case in valid],
            )
        return self.data[root]

    def _proof(self, root: str, bug: Bug, wrong: dict[str, Any]) -> Fate:
        right = jsonschema_rs.canonicalize(self._document(root), offline=True)
        other = jsonschema_rs.canonicalize(self._document(root, bug, wrong), offline=True)
        there, back = str(right.covers(other)), str(other.covers(right))
        if there == back == "yes":
            return Fate.NO_BUG
        return Fate.UNDECIDED if "unknown" in (there, back) else Fate.SURVIVED


def _validator(document: dict[str, Any]) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(
        document, validate_formats=False, pattern_options=jsonschema_rs.RegexOptions(), offline=True
    )


def subjects_of(project: Project, bug: Bug) -> list[Subject]:
    """The schemas that a bug is in."""
    api = read(project.specs).api
    return [subject for subject in project.subjects() if bug.definition in api.reachable([subject.id])]
