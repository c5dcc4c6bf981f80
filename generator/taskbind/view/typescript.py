"""The IR as TypeScript: what a type's text is, and which module it stands in.

A type has a name here where it has one in Python or among the package's JSON Schemas, and the same; all others are
written out in place. What TypeScript cannot say, such as the range of a number, is said in the comment.

What callers send takes what its schema takes: an object that is not closed has any other members, too, and lists may be
`readonly`. In what they only get, a member that nobody declared is nothing to be read, so a misspelt one is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from .. import ir
from ..escape import js, js_key, jsdoc, json_text, markdown, markdown_block
from ..names import snake, unique
from ..plan import Plan, TaskPlan
from .words import listed_values, values

VALUES: Final = "_types"
"""The module of what is not made from specs; no module of a spec begins so."""
_BASE64, _JSON = "Base64", "Json"
_SCALARS: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_LONGEST_TUPLE: Final = 16
"""Arrays of one length are tuples up to this length."""
_WIDTH: Final = 100
_INHERITED: Final = frozenset(
    "constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf".split()
)
"""What every object has in JavaScript: without a member of that name, that is what its value is."""


@dataclass(frozen=True)
class Member:
    """A member of an interface: `name` has a question mark if it may be missing; `doc` is a comment, or empty.

    `text` is its type, with what stands between the colon and it.
    """

    name: str
    text: str
    doc: str


@dataclass(frozen=True)
class Type:
    """An interface with `members`, or an alias of `text`, in which a blank or a line break comes first."""

    name: str
    doc: str
    text: str = ""
    members: tuple[Member, ...] | None = None


@dataclass(frozen=True)
class Module:
    """A module's name, the files of the specs it is from, what it imports (file and names), and its types."""

    name: str
    sources: tuple[str, ...]
    imports: tuple[tuple[str, tuple[str, ...]], ...]
    types: tuple[Type, ...]


@dataclass(frozen=True)
class TaskTypes:
    """A task's id as a key, its comment, and the names of its types."""

    id: str
    doc: str
    input: str
    output: str
    stream: str


@dataclass(frozen=True)
class Index:
    """All modules, and the tasks with what their types must be imported from; `name` is that of their interface."""

    name: str
    modules: tuple[Module, ...]
    imports: tuple[tuple[str, tuple[str, ...]], ...]
    tasks: tuple[TaskTypes, ...]


def typescript_view(api: ir.Api, plan: Plan) -> Index:
    """All that there is to be written."""
    types = _Types(api, plan)
    modules = types.modules()
    tasks = tuple(map(types.task, plan.tasks))
    used = {name for task in tasks for name in (task.input, task.output, task.stream)}
    return Index(unique("Tasks", set(types.places)), modules, types.imports(used, ""), tasks)


class _Types:
    """Names and places are settled at first; `used` and `wanted` grow while types are written."""

    def __init__(self, api: ir.Api, plan: Plan) -> None:
        self.api, self.plan = api, plan
        roots = [
            (id, name)
            for task in plan.tasks
            for id, name in ((task.task.output, task.output_name), (task.task.stream, task.stream_name))
            if id and name
        ]
        self.names = {id: name.name for id, name in plan.classes.items()} | dict(plan.aliases)
        for id, name in roots:
            self.names.setdefault(id, name)
        self.wanted = set(self.names)
        self.sent = api.reachable(task.input for task in api.tasks)
        taken = {_BASE64, _JSON, *self.names.values()}
        for id, name in plan.schemas.items():
            if id not in self.names:  # what only checks refer to
                self.names[id] = unique(name, taken)
        named = (task for task in plan.tasks if task.element_name not in taken)
        self.elements = {task.element_name: task for task in named if task.element_name}
        self.owners = {root.partition("#")[0]: task.module for task in plan.tasks for root in _roots(task)}
        files = {"index"}
        self.files = {module: unique(module, files) for module in sorted({*map(self.module, self.names)})}
        self.places = {name: self.files[self.module(id)] for id, name in self.names.items()}
        self.places |= {name: self.files[task.module] for name, task in self.elements.items()}
        self.places |= dict.fromkeys((_BASE64, _JSON), VALUES)
        self.used: set[str] = set()
        self.is_sent = False
        """Whether the type that is being written is one that callers send."""

    def module(self, id: str) -> str:
        """The plan's module of a definition."""
        if id in self.plan.classes:
            return self.plan.classes[id].module
        path = id.partition("#")[0]
        return self.owners.get(path, snake(path.removesuffix(".json")))

    # ---------------------------------------------------------------------------------------------- modules

    def modules(self) -> tuple[Module, ...]:
        written: dict[str, tuple[Type, set[str]]] = {}
        while todo := sorted(self.wanted - written.keys()):  # writing one type may ask for others
            for id in todo:
                self.used, self.is_sent = set(), id in self.sent
                written[id] = (self.definition(id), self.used)
        out = []
        for module, file in self.files.items():
            ids = [id for id in sorted(written) if self.module(id) == module]
            types, used = [written[id][0] for id in ids], {name for id in ids for name in written[id][1]}
            for name, task in self.elements.items():
                if task.module == module and task.element:
                    doc = jsdoc(f"One item of {{@link {task.output_name}}}.")
                    types.append(Type(name, doc, f" {task.element.name}"))
                    used.add(task.element.name)
            sources = tuple(sorted({id.partition("#")[0] for id in ids}))
            if types:
                out.append(Module(file, sources, self.imports(used, file), tuple(types)))
        return tuple(out)

    def imports(self, used: Iterable[str], file: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What a file must import of the names that it uses, by the file that each is in."""
        names = [name for name in sorted(used) if self.places.get(name, file) != file]
        files = sorted({self.places[name] for name in names})
        return tuple((other, tuple(name for name in names if self.places[name] == other)) for other in files)

    def task(self, task: TaskPlan) -> TaskTypes:
        told = (task.task.title, task.task.docs.summary)
        doc = jsdoc(": ".join(map(markdown, filter(None, told))), indent=2)
        return TaskTypes(js_key(task.task.id), doc, task.input_class, task.output_name, task.stream_name or "never")

    # --------------------------------------------------------------------------------------------- one type

    def definition(self, id: str) -> Type:
        definition = self.api.definition(id)
        type = ir.bare(definition.type)
        name, doc = self.names[id], self.doc(definition.doc, definition.type)
        if isinstance(type, ir.Object):
            return Type(name, jsdoc(doc), members=tuple(self.members(type)))
        return Type(name, jsdoc(doc), _laid(self.parts(definition.type), 0))

    def members(self, type: ir.Object) -> Iterator[Member]:
        parts = {field.name: self.parts(field.type) for field in type.fields}
        for field in type.fields:
            if not field.required and field.name in _INHERITED:
                parts[field.name].append(f'globalThis.Object["{field.name}"]')
            tags = [] if field.default is ir.ABSENT else [("default", json_text(field.default))]
            tags += [("deprecated", "")] if field.deprecated else []
            doc = jsdoc(self.doc(field.doc or self.api.doc(field.type), field.type), tags, 2)
            yield Member(js_key(field.name) + "?" * (not field.required), _laid(parts[field.name], 2), doc)
        if type.additional is False or (type.additional is True and not self.is_sent):
            return
        others = ["unknown"] if type.additional is True else self.parts(type.additional)
        if others != ["unknown"]:  # TypeScript holds what is said of any member against those with a name, too
            others = [*others, *(part for inner in parts.values() for part in inner)]
            others += [] if all(field.required for field in type.fields) else ["undefined"]
        yield Member("[member: string]", _laid(others, 2), "")

    def doc(self, text: str, type: ir.Type) -> str:
        """What is said of a value: the text, what the values of an enum mean, and what its type does not say."""
        meanings = "\n".join(f"- {markdown(line)}" for line in self.api.value_docs(type))
        # Values and media types are part of the type.
        limits = [line for line in values(self.api, type) if not line.startswith(("`", "any "))]
        blocks = [markdown_block(text), meanings, f"Limits: {', '.join(limits)}." if limits else ""]
        return "\n\n".join(filter(None, blocks))

    # -------------------------------------------------------------------------------------------- its text

    def parts(self, type: ir.Type) -> list[str]:
        """The text of a type as that of the alternatives in it, each once."""
        return list(dict.fromkeys(self._parts(type)))

    def _parts(self, type: ir.Type) -> list[str]:
        match type:
            case ir.Ref(id=id):
                return [self.name(id)] if id in self.names else self.parts(self.api.definition(id).type)
            case ir.Scalar(type=name):
                return [_SCALARS[name]]
            case ir.Enum(values=known):
                return [json_text(value) for value in known]
            case ir.Media(content_type=content_type):
                return [self.base64(content_type)]
            case ir.Union(variants=variants):
                return [part for variant in variants for part in self.parts(variant)]
            case ir.Map(values=each):
                return [f"{{ [member: string]: {' | '.join(self.parts(each))} }}"]
            case ir.Array():
                return [self.array(type)]
            case ir.Checked():
                return self.checked(type)
        self.used.add(_JSON)
        return [_JSON]

    def name(self, id: str) -> str:
        self.wanted.add(id)
        self.used.add(self.names[id])
        return self.names[id]

    def base64(self, content_type: str) -> str:
        self.used.add(_BASE64)
        kind = re.fullmatch(r"([\w.+-]+)/(\*|[\w.+-]+)", content_type, re.ASCII)
        if kind is None:
            return _BASE64
        return f"{_BASE64}<`{kind[1]}/${{string}}`>" if kind[2] == "*" else f'{_BASE64}<"{kind[0]}">'

    def checked(self, type: ir.Checked) -> list[str]:
        if type.data is False:
            return ["never"]
        known = listed_values(self.api, type)
        if known is not None:
            return [js(value) for value in known] or ["never"]
        other = _meant(type)
        return [self.name(other)] if other in self.names else self.parts(type.base)

    def array(self, type: ir.Array) -> str:
        low, high = type.min_items or 0, type.max_items
        items = [self.parts(item) for item in type.prefix]
        rest = None if type.items is None else self.parts(type.items)
        if rest is not None and (items or low == high) and len(items) < low <= _LONGEST_TUPLE:
            items += [rest] * (low - len(items))
        if high is not None and len(items) >= high:
            items, rest = items[:high], None
        readonly = "readonly " * self.is_sent
        if rest is not None and not items:
            return f"{readonly}{_item(rest)}[]"
        told = [" | ".join(item) if index < low else f"{_item(item)}?" for index, item in enumerate(items)]
        return f"{readonly}[{', '.join([*told, *([f'...{_item(rest)}[]'] if rest is not None else [])])}]"


def _meant(type: ir.Checked) -> str | None:
    """The definition that a type is, where a check alone says so."""
    check = type.data
    return check["$ref"] if isinstance(check, dict) and check.keys() == {"$ref"} and type.base == ir.Any() else None


def _roots(task: TaskPlan) -> Iterator[str]:
    return (id for id in (task.task.input, task.task.output, task.task.stream) if id)


def _item(parts: list[str]) -> str:
    """Alternatives as the items of a list."""
    alone = len(parts) == 1 and not parts[0].startswith("readonly ")
    return parts[0] if alone else f"({' | '.join(parts)})"


def _laid(parts: list[str], indent: int) -> str:
    """Alternatives behind a colon or an equals sign: in its line, or in one each where that would be a long one."""
    parts = list(dict.fromkeys(parts))
    text = " | ".join(parts)
    if len(parts) == 1 or len(text) <= _WIDTH:
        return f" {text}"
    return "".join(f"\n{' ' * (indent + 2)}| {part}" for part in parts)
