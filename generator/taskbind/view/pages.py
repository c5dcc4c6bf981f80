"""The page of a task: everything that is said about it, as finished Markdown, for the templates to lay out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from .. import ir
from ..context import Context
from ..diagnostics import TaskbindError
from ..escape import code, html_code, json_text, markdown, markdown_block
from ..plan import Parameter, Plan, TaskPlan
from .blocks import Block, block, program_block, sample_shown
from .kinds import INPUT_WORDS, OUTPUT_WORDS, input_kind, output_kind
from .pictures import alt_text, has_picture
from .predict.section import Section, sections
from .program import Program
from .programs import programs, stream_programs
from .service import REQUEST_HEADERS, Header, Limit, limits
from .tables import Fields, anchor, fields
from .words import is_closed, said

_HUB: Final = "https://huggingface.co/"
_OTHERS: Final = "Other tasks"

_WAYS: Final = {
    "text": ("As JSON", "The body of the request is a JSON object."),
    "file": (
        "From a file",
        "The body of the request is the file itself. Parameters do not fit into it: with some, send JSON.",
    ),
    "url": (
        "From a URL",
        "The JSON names a URL in place of the file, and the server fetches it: from hosts that its operator allows and "
        "no others, so start it with `--fetch localhost` for this one. The Python client fetches the file itself.",
    ),
    "base64": ("As base64, with parameters", "The file stands in the JSON, as base64."),
    "several": (
        "Several inputs",
        "One request each, and one answer each, in the same order. The Python client sends several at a time.",
    ),
}
"""Each way to send a request, in the pages' order: its heading and what to know about it."""


@dataclass(frozen=True)
class ExampleView:
    """One example: its programs, and the answer to it, once as JSON and, if not empty, as people and machines see it.

    `picture`: the sample can be shown.
    """

    title: str
    samples: tuple[tuple[str, str, bool], ...]
    programs: tuple[Block, ...]
    response: Block | None
    recorded: bool
    text: Block | None
    raw: Block | None


@dataclass(frozen=True)
class Way:
    """One way to send a request, with its examples."""

    title: str
    intro: str
    examples: tuple[ExampleView, ...]


@dataclass(frozen=True)
class Model:
    """A recommended model."""

    name: str
    url: str
    doc: str


@dataclass(frozen=True)
class Link:
    """A task's line in the index and in the navigation of the pages; `call` is how the client asks for it."""

    id: str
    call: str
    title: str
    page: str
    summary: str
    input: str
    output: str


@dataclass(frozen=True)
class Category:
    """The tasks of one heading of the index: `title` is Markdown, `name` the same as plain text."""

    title: str
    name: str
    tasks: tuple[Link, ...]


@dataclass(frozen=True)
class Stream:
    """The events of a streamed answer, and how to ask for it: `member` of the request is true."""

    member: str
    doc: str
    event: Fields
    programs: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A task's page; every text in it is finished Markdown, but for `name` and `about`, which are plain.

    `picture` is what stands for the drawing of an example where it cannot be seen; empty if there is none.
    """

    sources: tuple[str, ...]
    id: str
    module: str
    method: str
    picture: str
    name: str
    title: str
    also: str
    about: str
    summary: str
    description: str
    applications: tuple[str, ...]
    learn_more: str
    models: tuple[Model, ...]
    models_url: str
    ways: tuple[Way, ...]
    predict: tuple[Section, ...]
    media: str
    takes_file: bool
    content_type: str
    headers: tuple[Header, ...]
    request_doc: str
    request: Fields
    closed: bool
    response_doc: str
    response: Fields
    stream: Stream | None
    limits: tuple[Limit, ...]
    others: tuple[Link, ...]


def categories(api: ir.Api, plan: Plan, context: Context) -> tuple[Category, ...]:
    """The tasks by category, both in the order of their names; those without one come last."""
    links = context.once(_links, api, plan)
    found: dict[str, list[Link]] = {}
    for name, tasks in by_category(plan).items():
        found.setdefault(name or _OTHERS, []).extend(links[task.task.id] for task in tasks)
    if found.keys() == {_OTHERS}:
        found = {"Tasks": found[_OTHERS]}
    return tuple(Category(markdown(name, links=False), name, tuple(own)) for name, own in found.items())


def by_category(plan: Plan) -> dict[str, list[TaskPlan]]:
    """The tasks by the name of their category, in the order of these names; those without one (``""``) come last."""
    found: dict[str, list[TaskPlan]] = {}
    for task in sorted(plan.tasks, key=lambda task: (not task.task.docs.category, task.task.docs.category)):
        found.setdefault(task.task.docs.category, []).append(task)
    return found


@dataclass(frozen=True)
class Shared:
    """A parameter that several tasks have; `tasks` are their titles and the addresses of its rows."""

    anchor: str
    path: str
    doc: str
    tasks: tuple[tuple[str, str], ...]


def shared_parameters(api: ir.Api, plan: Plan, context: Context) -> tuple[Shared, ...]:
    """The parameters that more than one task has, by name."""
    found: dict[str, list[tuple[TaskPlan, Parameter]]] = {}
    for task in plan.tasks:
        for parameter in task.parameters:
            found.setdefault(parameter.wire, []).append((task, parameter))
    return tuple(
        Shared(
            anchor=anchor("parameter", wire),
            path=html_code(wire),
            doc=markdown(said(api, used[0][1].field)) or "–",
            tasks=tuple(
                (markdown(task.task.title, links=False), _row_address(task, parameter)) for task, parameter in used
            ),
        )
        for wire, used in sorted(found.items())
        if len(used) > 1
    )


def _row_address(task: TaskPlan, parameter: Parameter) -> str:
    names = ("parameters", parameter.wire) if parameter.in_parameters else (parameter.wire,)
    return f"{quote(task.task.id)}.md#{anchor('request', *names)}"


def pages(api: ir.Api, plan: Plan, context: Context) -> tuple[Page, ...]:
    """The pages of all tasks. Raises TaskbindError for one that would have an empty table or a broken link."""
    found = context.once(programs, api, plan)
    by_task: dict[str, list[Program]] = {}
    for program in found:
        by_task.setdefault(program.task, []).append(program)
    links = context.once(_links, api, plan)
    return tuple(
        _page(
            api,
            plan,
            task,
            by_task.get(task.task.id, []),
            links,
            _stream(api, plan, task, context),
            context.once(sections, api, plan).get(task.task.id, ()),
        )
        for task in plan.tasks
    )


def _page(
    api: ir.Api,
    plan: Plan,
    task: TaskPlan,
    own: list[Program],
    links: dict[str, Link],
    stream: Stream | None,
    predict: tuple[Section, ...],
) -> Page:
    docs = task.task.docs
    media = task.media if task.takes_file else None
    types = ", ".join(map(code, [*([media.content_type] if media else []), "application/json"]))
    alike = (t for t in plan.tasks if t.task.docs.category == docs.category and t is not task)
    return Page(
        sources=_sources(api, task.task),
        id=task.task.id,
        module=task.module,
        method=task.method,
        picture=markdown(alt_text(api, task.task), links=False) if has_picture(task.task) else "",
        name=" ".join(task.task.title.split()),
        title=markdown(task.task.title, links=False),
        also=", ".join(map(markdown, docs.also)),
        about=" ".join((docs.summary or task.task.title).split()),
        summary=markdown(docs.summary),
        description=markdown_block(docs.description),
        applications=tuple(map(markdown, docs.applications)),
        learn_more=_address(docs.learn_more, task.task) if docs.learn_more else "",
        models=tuple(_model(model, task.task) for model in docs.models),
        models_url=f"{_HUB}models?pipeline_tag={quote(docs.pipeline_tag or task.task.id)}&sort=trending",
        ways=_ways(task.task, own),
        predict=predict,
        media=task.media.media.replace("binary", "media") if task.media else "",
        takes_file=task.takes_file,
        content_type=code(media.content_type) if media else "",
        headers=tuple(
            Header(h.name, h.required, types, h.default, h.doc) if h.name == "content-type" else h
            for h in REQUEST_HEADERS
        ),
        request_doc=markdown(api.definition(task.task.input).doc),
        request=_fields(api, task.task.input, "request"),
        closed=is_closed(api, task.task.input),
        response_doc=markdown(api.definition(task.task.output).doc),
        response=_fields(api, task.task.output, "response"),
        stream=stream,
        limits=tuple(limits(api, task)),
        others=tuple(links[other.task.id] for other in alike),
    )


def _stream(api: ir.Api, plan: Plan, task: TaskPlan, context: Context) -> Stream | None:
    """None for a task whose requests cannot ask for a stream, or whose spec does not say what its events are."""
    if not task.stream_annotation or not task.task.stream:
        return None
    inside = any(p.wire == "stream" and p.in_parameters for p in task.parameters)
    return Stream(
        member=code("parameters.stream" if inside else "stream"),
        doc=markdown(api.definition(task.task.stream).doc),
        event=_fields(api, task.task.stream, "event"),
        programs=tuple(program_block("stream", program) for program in stream_programs(api, plan, task, context)),
    )


def _ways(task: ir.Task, own: list[Program]) -> tuple[Way, ...]:
    out = []
    for way, (title, intro) in _WAYS.items():
        by_example = {e.name: [p for p in own if p.way == way and p.example == e.name] for e in task.examples}
        examples = [_example(task, e, by_example[e.name], way) for e in task.examples if by_example[e.name]]
        if examples:
            plain = way == "base64" and not any(e.parameters for e in task.examples if by_example[e.name])
            out.append(Way(title.partition(",")[0] if plain else title, intro, tuple(examples)))
    return tuple(out)


def _example(task: ir.Task, example: ir.Example, own: list[Program], way: str) -> ExampleView:
    name = f"{task.id}/{example.name}"
    answered = way in ("text", "file", "base64")  # the others are shown another way to the same answers
    response = example.response if answered else ir.ABSENT
    raw, text = (getattr(example, part, "") if answered else "" for part in ("raw", "text"))
    return ExampleView(
        title=markdown(example.title or example.name, links=False),
        samples=tuple(sample_shown(path) for path in dict.fromkeys(path for p in own for path in p.needs)),
        programs=tuple(program_block("snippet", program) for program in own),
        response=None
        if response is ir.ABSENT
        else block("json", "Answer", f"response: {name}", "json", json_text(response, indent=2)),
        recorded=example.recorded,
        text=block("text", "", f"text: {name}", "text", text) if text else None,
        raw=block("raw", "", f"raw: {name}", "http", raw) if raw else None,
    )


def _fields(api: ir.Api, id: str, side: str) -> Fields:
    found = fields(api, id, side)
    if not found.rows:
        raise TaskbindError(f"{id}: there is nothing to put into its table")
    return found


def _model(model: ir.Recommended, task: ir.Task) -> Model:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", model.id, re.ASCII):
        raise TaskbindError(f"{task.id}/task.toml: {model.id!r} is no model id; one looks like `owner/name`")
    return Model(markdown(model.id, links=False), _HUB + model.id, markdown(model.doc))


def _address(url: str, task: ir.Task) -> str:
    if not re.fullmatch(r"https://[A-Za-z0-9][^\s<>()\[\]{}|\\^`\"'*]*", url):
        raise TaskbindError(f"{task.id}/task.toml: learn_more = {url!r} is no https address")
    return url


def _links(api: ir.Api, plan: Plan, context: Context) -> dict[str, Link]:
    return {task.task.id: _link(api, task) for task in plan.tasks}


def _link(api: ir.Api, task: TaskPlan) -> Link:
    return Link(
        id=code(task.task.id),
        call=code(f"client.{task.method}({task.primary_python}, …)"),
        title=markdown(task.task.title, links=False),
        page=quote(f"{task.task.id}.md"),
        summary=markdown(task.task.docs.summary) or "–",
        input=INPUT_WORDS[input_kind(api, task.task)],
        output=OUTPUT_WORDS[output_kind(api, task.task)],
    )


def _sources(api: ir.Api, task: ir.Task) -> tuple[str, ...]:
    """The spec files that decide a page, relative to the spec root."""
    reached = api.reachable(id for id in (task.input, task.output, task.stream) if id)
    own = [f"{task.id}/task.toml"] if task.docs != ir.TaskDocs() else []
    return tuple(sorted({id.partition("#")[0] for id in reached}.union(own)))
