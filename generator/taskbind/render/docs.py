"""Render `docs/`: an index, a Markdown page for each task and one on dialects, and copies of the samples that are sent.

Plain GFM, so that the pages read the same on a code host, in an editor and in any site builder. What the pages say
about a task comes from its spec and its `task.toml`; what they say about the server is in the templates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from .. import ir
from ..context import Context, header
from ..diagnostics import TaskbindError
from ..escape import code, html, json_text, markdown, markdown_block
from ..plan import Plan, TaskPlan
from ..view.dialects import dialect_views
from ..view.programs import Program, programs, read_sample, sample_paths
from ..view.tables import Row, is_closed, rows, type_name
from . import Files

_HUB: Final = "https://huggingface.co/"


@dataclass(frozen=True)
class Block:
    """A fenced code block. `marker` is the HTML comment before it, by which tests find it."""

    label: str
    marker: str
    fence: str
    language: str
    code: str


@dataclass(frozen=True)
class ExampleView:
    """One example: its programs, and the answer to it. `picture`: the sample can be shown."""

    title: str
    sample: str
    sample_name: str
    picture: bool
    programs: tuple[Block, ...]
    response: Block | None
    response_origin: str


@dataclass(frozen=True)
class Model:
    """A recommended model."""

    name: str
    url: str
    doc: str


@dataclass(frozen=True)
class Link:
    """A task's line in the index and in the navigation of the pages."""

    title: str
    page: str
    summary: str
    input: str
    output: str


@dataclass(frozen=True)
class Page:
    """A task's page; every text in it is finished Markdown."""

    header: str
    id: str
    title: str
    summary: str
    description: str
    applications: tuple[str, ...]
    learn_more: str
    models: tuple[Model, ...]
    models_url: str
    examples: tuple[ExampleView, ...]
    media: str
    takes_file: bool
    content_type: str
    body_types: str
    request_doc: str
    request: tuple[Row, ...]
    closed: bool
    response_doc: str
    response: tuple[Row, ...]
    others: tuple[Link, ...]


@dataclass(frozen=True)
class Project:
    """What all pages share: names of the distribution, its command, its environment variables."""

    package: str
    distribution: str
    env: str
    programs: int
    responses: int


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """The pages and samples. Raises TaskbindError for a page that would have an empty table or a broken link."""
    found = context.once(programs, api, plan)
    links = {task.task.id: _link(api, task) for task in plan.tasks}
    pages = [_page(api, task, found, links, context) for task in plan.tasks]
    recorded = sum(example.recorded for task in plan.tasks for example in task.task.examples)
    project = Project(plan.package, plan.distribution, context.config.env_prefix, len(found), recorded)
    index = context.template("docs/index.md.jinja")
    dialects = dialect_views(api, plan)
    view = {"header": f"{header('<!--', 'specs/')} -->", "project": project, "tasks": list(links.values())}
    out: Files = {"docs/index.md": _tidy(index.render(view, dialects=dialects))}
    if dialects:
        if "dialects" in links:
            raise TaskbindError("dialects/: the docs have a page of this name; give the task another one")
        out["docs/dialects.md"] = _tidy(context.template("docs/dialects.md.jinja").render(view, dialects=dialects))
    template = context.template("docs/task.md.jinja")
    for page in pages:
        out[f"docs/{page.id}.md"] = _tidy(template.render(page=page, project=project))
    return out | _samples(plan, context)


def _samples(plan: Plan, context: Context) -> Files:
    out: Files = {}
    for task in plan.tasks:
        for example in task.task.examples:
            where = f"{task.task.id}/task.toml, example {example.name!r}"
            for source, target in sample_paths(task.task, example).items():
                data = read_sample(source, context, where)
                if out.setdefault(f"docs/samples/{target}", data) != data:
                    name = target.rsplit("/", 1)[-1]
                    raise TaskbindError(f"{where}: another sample of this task is called {name}, too")
    return out


def _page(api: ir.Api, plan: TaskPlan, programs: tuple[Program, ...], links: dict[str, Link], context: Context) -> Page:
    task, docs = plan.task, plan.task.docs
    media = plan.media if plan.takes_file else None
    sources = ", ".join(f"specs/{path}" for path in _sources(api, task))
    return Page(
        header=f"{header('<!--', html(sources))} -->",
        id=task.id,
        title=markdown(task.title),
        summary=markdown(docs.summary),
        description=markdown_block(docs.description),
        applications=tuple(markdown(text) for text in docs.applications),
        learn_more=_address(docs.learn_more, task) if docs.learn_more else "",
        models=tuple(_model(model, task) for model in docs.models),
        models_url=f"{_HUB}models?pipeline_tag={quote(docs.pipeline_tag or task.id)}&sort=trending",
        examples=tuple(_example(task, example, programs) for example in task.examples),
        media=plan.media.media.replace("binary", "media") if plan.media else "",
        takes_file=plan.takes_file,
        content_type=code(media.content_type) if media else "",
        body_types=", ".join(map(code, [*([media.content_type] if media else []), "application/json"])),
        request_doc=markdown(api.definition(task.input).doc),
        request=_rows(api, task.input),
        closed=is_closed(api, task.input),
        response_doc=markdown(api.definition(task.output).doc),
        response=_rows(api, task.output),
        others=tuple(link for id, link in links.items() if id != task.id),
    )


def _example(task: ir.Task, example: ir.Example, programs: tuple[Program, ...]) -> ExampleView:
    sample = next(iter(sample_paths(task, example).values()), "")
    own = [s for s in programs if s.task == task.id and s.example == example.name]
    response = None
    if example.response is not ir.ABSENT:
        text = json_text(example.response, indent=2)
        response = _block("Answer", f"response: {task.id}/{example.name}", "json", text)
    return ExampleView(
        title=markdown(example.title or example.name),
        sample=quote(f"samples/{sample}") if sample else "",
        sample_name=markdown(sample.rsplit("/", 1)[-1]),
        picture=sample.endswith((".png", ".jpg", ".jpeg", ".gif", ".webp")),
        programs=tuple(_block(s.language.label, f"snippet: {s.file}", s.language.fence, s.code) for s in own),
        response=response,
        response_origin="Recorded from the demo model:" if example.recorded else "Written by hand, to show the form:",
    )


def _block(label: str, marker: str, language: str, text: str) -> Block:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return Block(label, marker, "`" * max(3, longest + 1), language, text.strip("\n"))


def _rows(api: ir.Api, id: str) -> tuple[Row, ...]:
    found = rows(api, id)
    if not found:
        raise TaskbindError(f"{id}: there is nothing to put into its table")
    return found


def _model(model: ir.Recommended, task: ir.Task) -> Model:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", model.id, re.ASCII):
        raise TaskbindError(f"{task.id}/task.toml: {model.id!r} is no model id; one looks like `owner/name`")
    return Model(markdown(model.id), _HUB + model.id, markdown(model.doc))


def _address(url: str, task: ir.Task) -> str:
    if not re.fullmatch(r"https://[A-Za-z0-9][^\s<>()\[\]{}|\\^`\"'*]*", url):
        raise TaskbindError(f"{task.id}/task.toml: learn_more = {url!r} is no https address")
    return url


def _link(api: ir.Api, task: TaskPlan) -> Link:
    return Link(
        title=markdown(task.task.title),
        page=quote(f"{task.task.id}.md"),
        summary=markdown(task.task.docs.summary) or "–",
        input=markdown(type_name(api, task.primary.type)).removesuffix(" in base64"),
        output=markdown(type_name(api, ir.Ref(task.task.output))),
    )


def _sources(api: ir.Api, task: ir.Task) -> list[str]:
    """The spec files that decide a page, relative to the spec root."""
    todo = [id for id in (task.input, task.output, task.stream) if id]
    seen: set[str] = set()
    while todo:
        if (id := todo.pop()) not in seen:
            seen.add(id)
            todo += ir.refs(api.definition(id).type)
    own = [f"{task.id}/task.toml"] if task.docs != ir.TaskDocs() else []
    return sorted({id.partition("#")[0] for id in seen}.union(own))


def _tidy(text: str) -> str:
    """One empty line at most between blocks, none of it inside code, which is what the templates' ifs leave open."""
    parts = re.split(r"(^(`{3,})[^\n]*\n.*?^\2$)", text, flags=re.MULTILINE | re.DOTALL)
    # `split` returns text, block, fence, text, block, fence, …
    return "".join(re.sub(r"\n{3,}", "\n\n", p) if i % 3 == 0 else p for i, p in enumerate(parts) if i % 3 != 2)
