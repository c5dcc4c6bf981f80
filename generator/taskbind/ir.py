"""The intermediate representation: all that anything below `lower` ever sees of a spec.

Frozen dataclasses without a line of Python source in them, which :mod:`taskbind.ir_json` writes as JSON and reads back.
Order is part of the value where the spec's order means something (fields, enum values, union variants); tasks,
definitions and dialects are sorted, so directory order never shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any as Json, ClassVar, Final, Literal

from .load.walk import walk


@dataclass(frozen=True, repr=False)
class Absent:
    """The type of :data:`ABSENT`, which tells "no default" from a default of ``null``."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


@dataclass(frozen=True)
class Source:
    """Where a thing stands: file relative to the spec root, and RFC 6901 JSON Pointer."""

    path: str
    pointer: str


@dataclass(frozen=True)
class Scalar:
    """One JSON scalar with its bounds. Lengths count Unicode code points, as JSON Schema does."""

    kind: ClassVar[str] = "scalar"
    type: Literal["string", "integer", "number", "boolean", "null"]
    minimum: int | float | None = None
    maximum: int | float | None = None
    exclusive_minimum: int | float | None = None
    exclusive_maximum: int | float | None = None
    multiple_of: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None


@dataclass(frozen=True)
class Enum:
    """A closed set of texts; `docs` says what each means, and is as long as `values`, or empty."""

    kind: ClassVar[str] = "enum"
    values: tuple[str, ...]
    docs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Media:
    """Binary media, base64 in JSON; `content_type` may have a wildcard subtype (``image/*``)."""

    kind: ClassVar[str] = "media"
    media: Literal["audio", "image", "video", "binary"]
    content_type: str


@dataclass(frozen=True)
class Array:
    """A list: `prefix` types its first items one by one, `items` the rest (``None``: no further items)."""

    kind: ClassVar[str] = "array"
    items: Type | None
    prefix: tuple[Type, ...] = ()
    min_items: int | None = None
    max_items: int | None = None
    unique: bool = False


@dataclass(frozen=True)
class Map:
    """An object with free keys."""

    kind: ClassVar[str] = "map"
    values: Type


@dataclass(frozen=True)
class Union:
    """A value of one of the variants, or of exactly one: `exclusive` is a oneOf whose variants may overlap.

    A nullable type is a union with null.
    """

    kind: ClassVar[str] = "union"
    variants: tuple[Type, ...]
    exclusive: bool = False


@dataclass(frozen=True)
class Ref:
    """A reference to a :class:`Definition` by its id."""

    kind: ClassVar[str] = "ref"
    id: str


@dataclass(frozen=True)
class Any:
    """Any JSON value."""

    kind: ClassVar[str] = "any"


@dataclass(frozen=True)
class Field:
    """One member of an object, by its name on the wire."""

    name: str
    type: Type
    required: bool
    doc: str = ""
    default: Json = ABSENT
    examples: tuple[Json, ...] = ()
    deprecated: bool = False
    source: Source | None = None


@dataclass(frozen=True)
class Object:
    """An object with known members. `additional` types the others: true (any), false (none) or a type."""

    kind: ClassVar[str] = "object"
    fields: tuple[Field, ...]
    additional: bool | Type = True

    def field(self, name: str) -> Field | None:
        """The member of this wire name, if there is one."""
        return next((f for f in self.fields if f.name == name), None)


@dataclass(frozen=True)
class Checked:
    """A value of `base` that a schema accepts too, which says what none of the other types can (``not``, ``if``, …).

    `schema` is JSON text, so that ``1`` and ``true`` stay apart in comparisons: a JSON Schema 2020-12 of assertions
    only, whose references are ids of definitions.
    """

    kind: ClassVar[str] = "checked"
    base: Type
    schema: str

    @property
    def data(self) -> Json:
        """The schema as JSON values."""
        return json.loads(self.schema)


Type = Scalar | Enum | Media | Array | Map | Object | Union | Ref | Any | Checked


@dataclass(frozen=True)
class Definition:
    """A named type. `name` is the author's title or a hint from its place; the plan makes it unique."""

    id: str
    name: str
    type: Type
    doc: str = ""
    source: Source | None = None


@dataclass(frozen=True)
class Recommended:
    """A model that the docs recommend for a task, with the reason."""

    id: str
    doc: str


@dataclass(frozen=True)
class TaskDocs:
    """Prose of a task, from its `task.toml`; plain Markdown text in our users' own words.

    `category` is the heading that the task stands under in an index, `also` are other names that people know it by.
    `pipeline_tag` is the tag of its models on the model hub, where that is another than the task's id.
    """

    summary: str = ""
    category: str = ""
    also: tuple[str, ...] = ()
    description: str = ""
    applications: tuple[str, ...] = ()
    models: tuple[Recommended, ...] = ()
    learn_more: str = ""
    pipeline_tag: str = ""


@dataclass(frozen=True)
class Example:
    """A request that works, and the response to it: `recorded` from a server, or written by hand.

    `media` names the sample file for the primary input, relative to the spec root; `inputs` is that input otherwise,
    and `files` names the sample files of its members that are media. `raw` is a whole HTTP response to the request,
    as a server of demo models sent it: status line, headers and body, in which long strings are shortened. `text` is
    `response` as people see it when it is printed on a terminal.
    """

    name: str
    title: str
    media: str | None = None
    inputs: Json = ABSENT
    files: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, Json], ...] = ()
    response: Json = ABSENT
    recorded: bool = False
    raw: str = ""
    text: str = ""


Form = tuple[tuple[str, str], ...]
"""One shape of a request or an answer: for each value that stands elsewhere on the wire, its place in the spec and its
place there, both as JSONPath that :func:`taskbind.jsonpath.parse` reads."""


@dataclass(frozen=True)
class Wire:
    """How a task is spoken in a dialect, where that is not as its spec has it.

    `route` follows the address of a server, `model_route` that of a model. Where `model` is given, that member of the
    request names the model, and the address does not. `form`: the request is a form with its media as files, instead of
    JSON. `body` is the only content type of requests: of JSON, also where a file alone would do, or of the file that is
    the whole request. `accept` is the media type that is asked for. Where `file` is given, the body of an answer may be
    that member itself, a media file; `rate` is the member that then takes the file's sampling rate. `samples`: that
    `file` may also be a list of numbers. `nulls`: a member that is null means the same as none. The first of the forms
    is spoken, all of them are understood; a form without places is the spec's own shape. Clients whose user agent holds
    `plain_for` want answers in that. `ignored` are members of requests that change nothing, `neutral` those that do not
    with this value. `events` are the forms of one event of a streamed answer. `defaults` are members that an answer is
    sent with even where it has none: the place of each, and a value, the place (a text that begins with ``$``) of what
    it is equal to, the length of a list (``length($.place)``), or a text with what the server knows in it: ``{id}``,
    ``{model}``, ``{time}``, ``{index}`` of an item. `added` and `added_events` are the same for answers and events as
    they stand on the wire. `scales` are integers of the answer that stand on the wire divided by ``{width}`` or
    ``{height}``, the pixels of the image in the request.
    """

    dialect: str
    route: str = ""
    model_route: str = ""
    model: str = ""
    form: bool = False
    body: str = ""
    accept: str = ""
    file: str = ""
    rate: str = ""
    samples: bool = False
    nulls: bool = False
    plain_for: str = ""
    ignored: tuple[str, ...] = ()
    neutral: tuple[tuple[str, Json], ...] = ()
    requests: tuple[Form, ...] = ()
    answers: tuple[Form, ...] = ()
    events: tuple[Form, ...] = ()
    scales: tuple[tuple[str, str], ...] = ()
    defaults: tuple[tuple[str, Json], ...] = ()
    added: tuple[tuple[str, Json], ...] = ()
    added_events: tuple[tuple[str, Json], ...] = ()


@dataclass(frozen=True)
class Dialect:
    """How a service or a kind of server speaks; `title` is its name for people.

    `url` is the hosted service, `models` the path of a model there (``{model}`` in it), `token_env` the environment
    variable with its token. `max_body` is the most bytes it takes in one request. A `closed` dialect has no other tasks
    than those with a wire in it. `error` is the place of the message in an answer that is an error, as JSONPath.
    `protocol` names a way to travel that is not one HTTP request for one answer, `auth` is the scheme of the
    Authorization header. `named_only`: what no form names is no part of a request or an answer.
    """

    name: str
    title: str
    summary: str
    url: str = ""
    models: str = ""
    token_env: str = ""
    max_body: int | None = None
    closed: bool = False
    error: str = ""
    protocol: str = ""
    auth: str = "Bearer"
    named_only: bool = False


@dataclass(frozen=True)
class Task:
    """One inference task: what goes in, what comes out, what is said about it.

    `input`, `output` and `stream` are definition ids; `stream` types one event of a streamed answer. `wires`, sorted by
    dialect, are how it is spoken otherwise.
    """

    id: str
    title: str
    input: str
    output: str
    stream: str | None = None
    docs: TaskDocs = TaskDocs()
    examples: tuple[Example, ...] = ()
    wires: tuple[Wire, ...] = ()


@dataclass(frozen=True)
class Api:
    """Everything that one generator run knows."""

    tasks: tuple[Task, ...]
    definitions: tuple[Definition, ...]
    dialects: tuple[Dialect, ...] = ()

    @cached_property
    def _by_id(self) -> dict[str, Definition]:
        return {definition.id: definition for definition in self.definitions}

    def definition(self, id: str) -> Definition:
        """The definition with this id. Raises KeyError for an id that `lower` never wrote."""
        return self._by_id[id]

    def has_class(self, id: str) -> bool:
        """Whether a definition is an object, checks aside: those become classes, the others are written out."""
        return isinstance(bare(self.definition(id).type), Object)

    def reachable(self, ids: Iterable[str]) -> frozenset[str]:
        """The ids of these definitions and of all that they refer to."""
        found: set[str] = set()
        todo = list(ids)
        while todo:
            if (id := todo.pop()) not in found:
                found.add(id)
                todo += refs(self.definition(id).type)
        return frozenset(found)

    def resolve(self, type: Type) -> Type:
        """The type that a chain of references ends at, checks aside."""
        while isinstance(type, Ref | Checked):
            type = type.base if isinstance(type, Checked) else self.definition(type.id).type
        return type

    def doc(self, type: Type) -> str:
        """What the definition behind a reference says about it; empty for any other type."""
        while isinstance(type, Ref):
            definition = self.definition(type.id)
            if definition.doc:
                return definition.doc
            type = definition.type
        return ""

    def value_docs(self, type: Type) -> list[str]:
        """What each value of an enum means, one a line: ``"`softmax`: …"``. Empty where the spec does not say."""
        type = self.resolve(type)
        if isinstance(type, Union):
            return [line for variant in type.variants for line in self.value_docs(variant)]
        if not isinstance(type, Enum):
            return []
        return [f"`{value}`: {doc}" for value, doc in zip(type.values, type.docs, strict=False) if doc]

    def admits_null(self, type: Type) -> bool:
        """Whether null is a value of a type, checks aside."""
        type = self.resolve(type)
        if isinstance(type, Union):
            return any(self.admits_null(variant) for variant in type.variants)
        return type == NULL or isinstance(type, Any)


NULL: Final = Scalar("null")


def bare(type: Type) -> Type:
    """A type without the checks around it."""
    while isinstance(type, Checked):
        type = type.base
    return type


def split_null(type: Type) -> tuple[Type, bool]:
    """Take null out of a type: ``(the rest, whether null was admitted)``, checks aside."""
    type = bare(type)
    if not isinstance(type, Union) or NULL not in type.variants:
        return type, type == NULL
    rest = tuple(v for v in type.variants if v != NULL)
    return (rest[0] if len(rest) == 1 else replace(type, variants=rest)), True


def text(schema: Json) -> str:
    """A schema as the text that :class:`Checked` holds: equal for equal JSON values, whatever their order."""
    return json.dumps(schema, sort_keys=True, ensure_ascii=False)


def children(type: Type) -> Iterator[Type]:
    """The types directly inside a type."""
    match type:
        case Array(items=items, prefix=prefix):
            yield from prefix
            if items is not None:
                yield items
        case Map(values=values):
            yield values
        case Union(variants=variants):
            yield from variants
        case Object(fields=members, additional=additional):
            yield from (member.type for member in members)
            if not isinstance(additional, bool):
                yield additional
        case Checked(base=base):
            yield base
        case _:
            return


def refs(type: Type) -> Iterator[str]:
    """The ids of all definitions that a type mentions, its checks included, depth first, with repetitions."""
    if isinstance(type, Ref):
        yield type.id
    if isinstance(type, Checked):
        yield from _schema_refs(type)
    for child in children(type):
        yield from refs(child)


def checked_refs(type: Type) -> Iterator[str]:
    """The ids that only the checks in a type mention."""
    if isinstance(type, Checked):
        yield from _schema_refs(type)
    for child in children(type):
        yield from checked_refs(child)


def _schema_refs(type: Checked) -> Iterator[str]:
    yield from (schema["$ref"] for _, schema in walk(type.data) if "$ref" in schema)
