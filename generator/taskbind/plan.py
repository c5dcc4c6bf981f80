"""The plan: every name, module and signature of the generated package, settled in one pass before anything is rendered.

Renderers and templates only look names up here; none of them makes one.
"""

from __future__ import annotations

import builtins
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from . import exact, hints, ir
from .config import Config
from .names import constant, pascal, snake, unique

OPTIONS: Final = (
    "model",
    "timeout",
    "extra_headers",
    "extra_query",
    "extra_body",
    "use_cache",
    "wait_for_model",
)
"""Keywords that every client method has beside those of its spec."""

RESERVED: Final = frozenset({"base_url", "close", "map", "with_options", "with_raw_response", "list", "dict"})
"""What a client has beside its tasks, and what its annotations use: no method may be called so."""


_IMPORTED: Final = frozenset(
    "Annotated Answer Any Base64 Check CheckedAnswer CheckedModel ConfigDict Field Integer IntegerType Json Literal "
    "Model Number NumberType StrictBool StrictStr TypeAlias".split()
)
"""Names that the generated model modules import, so that no class may have them."""


TYPES: Final = "_types"
"""The module under ``models`` that holds types which are no classes: tuples with a name, and types with bounds or of
several items where they stand inside lists, tuples, maps and unions."""


@dataclass(frozen=True)
class ClassName:
    """One generated class: module under ``models``, and name."""

    module: str
    name: str


@dataclass(frozen=True)
class Parameter:
    """One keyword of a client method.

    `field` is what the spec says of it, `python` its name in the signature. `in_parameters`: it stands inside the
    request's ``parameters`` object, else at the request's root.
    """

    field: ir.Field
    python: str
    in_parameters: bool

    @property
    def wire(self) -> str:
        """Its name in JSON."""
        return self.field.name

    @property
    def type(self) -> ir.Type:
        """Its type in the spec."""
        return self.field.type

    @property
    def required(self) -> bool:
        """Whether every call needs it."""
        return self.field.required

    @property
    def nullable(self) -> bool:
        """Whether null is one of its values."""
        return ir.split_null(self.field.type)[1]


@dataclass(frozen=True)
class TaskPlan:
    """One task's names. `input_class` is the class of requests, or another name for it where other schemas have it too.

    `parameters_class` is None where the request has no ``parameters`` object.

    `takes_file`: a media file alone is a whole request. `media_members` are the members of the primary input, by wire
    name and kind, that are media. `output_name` and `stream_name` name the types of an answer and
    of one event of a streamed one; `stream_annotation` is that event's type in signatures, where a member `stream` of
    the request asks for it. `names_model`: a text `model` stands at the request's root, which is what a method's own
    `model` sets. `output_annotation` is the response type in signatures. Where a response is a list
    of objects, `element` is their class, which several tasks may share, and `element_name` this task's name for it.
    """

    task: ir.Task
    method: str
    constant: str
    prefix: str
    module: str
    input_class: str
    output_name: str
    output_annotation: str
    stream_name: str | None
    stream_annotation: str | None
    element: ClassName | None
    element_name: str | None
    primary: ir.Field
    primary_python: str
    primary_annotation: str
    media: ir.Media | None
    takes_file: bool
    media_members: tuple[tuple[str, str], ...]
    parameters_class: ClassName | None
    parameters: tuple[Parameter, ...]
    names_model: bool

    @property
    def keywords(self) -> tuple[Parameter, ...]:
        """The parameters that a client method has beside :data:`OPTIONS`."""
        return tuple(p for p in self.parameters if not (self.names_model and p.python == "model"))

    @property
    def whole_request(self) -> bool:
        """Whether a handler gets the whole request: there is more in it than its input and `parameters`."""
        return not self.primary.required or any(not parameter.in_parameters for parameter in self.parameters)

    @property
    def handler_arguments(self) -> tuple[str, ...]:
        """The names of what a handler is called with."""
        if self.whole_request:
            return ("request",)
        return (self.primary_python, "parameters") if self.parameters_class else (self.primary_python,)


@dataclass(frozen=True)
class Plan:
    """All names; nobody can change them, since all renderers see the same.

    `classes` maps a definition's id to its class and `aliases` to the name of a tuple; definitions with neither are
    written out in place. `answers` are the
    ids of all that a response may hold, `checked` those of classes and responses of which Python types cannot say all.
    `schemas` are the names of all definitions that the package's JSON Schemas refer to; others stand in place.
    Each of `dialects` becomes a class method of the clients by its name, which no other method has.
    """

    package: str
    distribution: str
    tasks: tuple[TaskPlan, ...]
    classes: Mapping[str, ClassName]
    aliases: Mapping[str, str]
    answers: frozenset[str]
    checked: frozenset[str]
    schemas: Mapping[str, str]
    modules: tuple[str, ...]
    dialects: tuple[ir.Dialect, ...]

    def in_module(self, module: str) -> tuple[str, ...]:
        """The ids of the definitions whose classes stand in `module`."""
        return tuple(id for id, name in self.classes.items() if name.module == module)

    def imports(self, annotations: Iterable[str]) -> list[str]:
        """The imports of all names in some annotations. (The formatter drops what is not used, but takes long to.)"""
        used = set(re.findall(r"\w+", " ".join(annotations)))
        names = {(name.module, name.name) for name in self.classes.values()}
        names |= {(TYPES, name) for name in self.aliases.values()}
        names |= {(task.module, task.element_name) for task in self.tasks if task.element_name}
        names |= {(task.module, task.input_class) for task in self.tasks}
        models = [f"from .models.{module} import {name}" for module, name in sorted(names) if name in used]
        return ["from typing import Any, Literal", *models]

    def class_name(self, id: str) -> str | None:
        """The class of a definition, for :func:`taskbind.hints.annotation`."""
        found = self.classes.get(id)
        return found.name if found else self.aliases.get(id)


def plan(api: ir.Api, config: Config) -> Plan:
    """Settle all names. Deterministic: depends on the IR and the configuration alone."""
    classes, names = _classes(api)
    taken = {*dir(builtins), *_IMPORTED, *(name.name for name in classes.values()), *names.values()}
    tuples = (d for d in api.definitions if d.id not in names and _is_tuple(api, d))
    aliases = {d.id: unique(d.name, taken) for d in tuples}
    tasks = tuple(_task(api, task, classes, names) for task in api.tasks)
    modules = sorted({name.module for name in classes.values()} | {task.module for task in tasks})
    answers = api.reachable(id for task in api.tasks for id in (task.output, task.stream) if id)
    checked = frozenset(id for id in {*classes, *names} if exact.inexact(api, api.definition(id).type))
    schemas = _schemas(api, classes, names)
    return Plan(
        package=config.package,
        distribution=config.distribution,
        tasks=tasks,
        classes=MappingProxyType(classes),
        aliases=MappingProxyType(aliases),
        answers=answers,
        checked=checked,
        schemas=MappingProxyType(schemas),
        modules=tuple(modules),
        dialects=api.dialects,
    )


def _schemas(api: ir.Api, classes: dict[str, ClassName], names: dict[str, str]) -> dict[str, str]:
    """Classes, requests and responses keep their names; what only checks refer to, which may be recursive, gets one."""
    out = {**names, **{id: name.name for id, name in classes.items()}}
    taken = set(out.values())
    for id in sorted({id for definition in api.definitions for id in ir.checked_refs(definition.type)}):
        if id not in out:
            out[id] = unique(api.definition(id).name, taken)
    return out


def _classes(api: ir.Api) -> tuple[dict[str, ClassName], dict[str, str]]:
    """The class of each object definition, and the name of each root (of a response that is a list, say).

    Roots choose first. A name that two definitions want gets the task's name in front.
    """
    owners = {id.partition("#")[0]: task.id for task in api.tasks for id in _roots(task)}
    roots = [id for task in api.tasks for id in _roots(task)]
    named = [*map(api.definition, roots), *(d for d in api.definitions if d.id not in roots)]
    named = [d for d in named if d.id in roots or api.has_class(d.id)]
    wanted = Counter(definition.name for definition in named)
    taken = {*dir(builtins), *_IMPORTED}
    classes: dict[str, ClassName] = {}
    names: dict[str, str] = {}
    for definition in named:
        path = definition.id.partition("#")[0]
        owner = owners.get(path, path.removesuffix(".json"))
        name = definition.name
        if wanted[name] > 1 or name in taken:
            name = _prefixed(name, pascal(owner), definition)
        name = unique(name, taken)
        if definition.id in roots:
            names[definition.id] = name
        if api.has_class(definition.id):
            classes[definition.id] = ClassName(snake(owner), name)
    return dict(sorted(classes.items())), names


def _is_tuple(api: ir.Api, definition: ir.Definition) -> bool:
    """Whether a definition is a tuple without any class in it."""
    type = exact.sayable(definition.type)
    return (
        isinstance(type, ir.Array) and bool(type.prefix) and not any(map(api.has_class, api.reachable(ir.refs(type))))
    )


def _roots(task: ir.Task) -> tuple[str, ...]:
    return tuple(id for id in (task.input, task.output, task.stream) if id)


def _prefixed(name: str, prefix: str, definition: ir.Definition) -> str:
    kind = definition.id.partition("#")[0].rsplit("/", 1)[-1].removesuffix(".json")
    if not name.startswith(prefix):
        return prefix + name
    # Input and output of one task both define it: say which.
    return f"{prefix}{pascal(kind)}{name.removeprefix(prefix)}"


def primary_field(root: ir.Object) -> ir.Field:
    """The member of a request that is the task's input: ``inputs``, or else the first that must be there."""
    return root.field("inputs") or next((f for f in root.fields if f.required), root.fields[0])


def _task(api: ir.Api, task: ir.Task, classes: dict[str, ClassName], names: dict[str, str]) -> TaskPlan:
    def class_name(id: str) -> str | None:
        return classes[id].name if id in classes else None

    root = api.resolve(ir.Ref(task.input))
    assert isinstance(root, ir.Object), "lower refuses all others"
    primary = primary_field(root)
    media = api.resolve(ir.split_null(primary.type)[0])
    output = api.resolve(ir.Ref(task.output))
    box = root.field("parameters")
    box_id = ir.split_null(box.type)[0] if box else None
    inner = api.resolve(box_id) if box_id else None
    flat = inner.fields if isinstance(inner, ir.Object) and isinstance(box_id, ir.Ref) else ()
    parameters_class = classes.get(box_id.id) if flat and isinstance(box_id, ir.Ref) else None
    rest = [f for f in root.fields if f is not primary and not (f is box and parameters_class)]
    model = next((f for f in rest if f.name == "model"), None)
    names_model = model is not None and _is_text(api, model)
    taken = {"self", snake(primary.name), *OPTIONS}
    parameters = [_parameter(f, taken, True) for f in (flat if parameters_class else ())]
    parameters += [_parameter(f, taken - {"model"} if names_model and f is model else taken, False) for f in rest]
    element = _element(api, output, classes)
    streams = any(parameter.wire == "stream" and not parameter.required for parameter in parameters)
    alias = f"{pascal(task.id)}OutputElement"
    method = f"{snake(task.id)}_" if snake(task.id) in RESERVED else snake(task.id)
    return TaskPlan(
        task=task,
        method=method,
        constant=constant(task.id),
        prefix=pascal(task.id),
        module=snake(task.id),
        input_class=names[task.input],
        output_name=names[task.output],
        output_annotation=f"list[{alias}]" if element else hints.annotation(api, ir.Ref(task.output), class_name),
        stream_name=names[task.stream] if task.stream else None,
        stream_annotation=hints.annotation(api, ir.Ref(task.stream), class_name) if streams and task.stream else None,
        element=element,
        element_name=alias if element else None,
        primary=primary,
        primary_python=snake(primary.name),
        primary_annotation=hints.annotation(api, primary.type, class_name),
        media=media if isinstance(media, ir.Media) else None,
        takes_file=isinstance(media, ir.Media) and not any(f.required for f in root.fields if f is not primary),
        media_members=_media_members(api, primary),
        parameters_class=parameters_class,
        parameters=tuple(sorted(parameters, key=lambda p: not p.required)),
        names_model=names_model,
    )


def _media_members(api: ir.Api, primary: ir.Field) -> tuple[tuple[str, str], ...]:
    type = api.resolve(ir.split_null(primary.type)[0])
    fields = type.fields if isinstance(type, ir.Object) else ()
    kinds = ((field.name, api.resolve(ir.split_null(field.type)[0])) for field in fields)
    return tuple((name, kind.media) for name, kind in kinds if isinstance(kind, ir.Media))


def _is_text(api: ir.Api, field: ir.Field) -> bool:
    type = api.resolve(ir.split_null(field.type)[0])
    return isinstance(type, ir.Scalar) and type.type == "string"


def _element(api: ir.Api, output: ir.Type, classes: dict[str, ClassName]) -> ClassName | None:
    if isinstance(output, ir.Array) and isinstance(output.items, ir.Ref) and not output.prefix:
        return classes.get(_end(api, output.items.id))
    return None


def _end(api: ir.Api, id: str) -> str:
    while isinstance(type := ir.bare(api.definition(id).type), ir.Ref):
        id = type.id
    return id


def _parameter(field: ir.Field, taken: set[str], in_parameters: bool) -> Parameter:
    name = snake(field.name)
    python = unique(f"{name}_" if name in taken else name, taken)
    return Parameter(field, python, in_parameters)
