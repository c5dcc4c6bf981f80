"""Render the docs: the pages in every flavour that the project asks for, and the samples that they show.

A flavour is a way to write notes, folds and tabs (``templates/docs/flavours``); the words are the same in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .. import ir
from ..context import Context, header
from ..escape import html, json_text, markdown
from ..load.layout import RESERVED
from ..plan import Plan
from ..view.changelog import changelog_view
from ..view.dialects import dialect_views
from ..view.executed import executed
from ..view.languages import LANGUAGES, PREDICT_LANGUAGES
from ..view.migrating.clarifai import clarifai_view
from ..view.migrating.huggingface import huggingface_view
from ..view.pages import Category, Page, categories, pages, shared_parameters
from ..view.predict.programs import predict_programs
from ..view.programs import programs
from ..view.samples import samples
from ..view.service import DEPTH, LIMITS, REQUEST_HEADERS, RESPONSE_HEADERS, STATUSES
from . import Files

_FENCE: Final = re.compile(r"^( *`{3,})[^\n]*\n", re.MULTILINE)
_GAP: Final = re.compile(r"\n(?: *\n){2,}")


@dataclass(frozen=True)
class Flavour:
    """Where the pages of a flavour go, where what they link to is as seen from there, and the languages it prints.

    `predict_languages` are those of predict calls.
    """

    folder: str
    assets: str
    schema: str
    openapi: str
    languages: frozenset[str] = frozenset(language.id for language in LANGUAGES)
    predict_languages: frozenset[str] = frozenset(language.id for language in PREDICT_LANGUAGES)


FLAVOURS: Final = {
    "github": Flavour("docs", "", "../{package}/schemas/{module}.json", "../openapi.json"),
    "site": Flavour("site/docs", "", "schemas/{id}.json", "openapi.json"),
    "hf": Flavour(
        "hf",
        "../docs/",
        "../{package}/schemas/{module}.json",
        "../openapi.json",
        frozenset({"curl", "client", "javascript"}),
        frozenset({"curl", "httpx", "javascript"}),
    ),
}


@dataclass(frozen=True)
class Project:
    """What all pages share: names of the distribution, its environment variables, what it has and what was run."""

    package: str
    distribution: str
    summary: str
    env: str
    demo: bool
    executed: bool
    responses: int


@dataclass(frozen=True)
class Whole:
    """A page on all tasks together: its file and template, its title, its line in the index, and what only it shows."""

    page: str
    title: str
    about: str
    view: Any = None


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """The pages and samples. Raises TaskbindError for a page that would have an empty table or a broken link."""
    whole = context.once(whole_pages, api, plan)
    common = _common(api, plan, context) | {"others": whole[1:]}
    tasks = context.once(pages, api, plan)
    assert RESERVED.issuperset(other.page for other in whole), "a task may be called like a new page"
    out: Files = {}
    for name in context.config.docs:
        flavour = FLAVOURS[name]
        view = common | {
            "flavour": name,
            "assets": flavour.assets,
            "openapi": flavour.openapi,
            "printed": sum(p.language.id in flavour.languages for p in context.once(programs, api, plan))
            + sum(p.language.id in flavour.predict_languages for p in context.once(predict_programs, api, plan)),
        }
        for other in whole:
            template = context.template(f"docs/{other.page}.md.jinja", _tidy)
            text = template.render(view, view=other.view, about=json_text(html(other.about)))
            out[f"{flavour.folder}/{other.page}.md"] = text
        template = context.template("docs/task.md.jinja", _tidy)
        for page in tasks:
            out[f"{flavour.folder}/{page.id}.md"] = template.render(view | _task(page, plan, flavour))
    if "hf" in context.config.docs:
        sections = list(_contents(plan, whole, common["categories"]))
        toctree = context.template("docs/flavours/_toctree.yml.jinja").render(sections=sections)
        out[f"{FLAVOURS['hf'].folder}/_toctree.yml"] = toctree
    return out | {f"docs/samples/{path}": data for path, data in context.once(samples, api, plan).items()}


def _contents(
    plan: Plan, whole: tuple[Whole, ...], categories: tuple[Category, ...]
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The contents for doc-builder, every text as JSON, which is YAML too."""
    titles = {task.task.id: task.task.title for task in plan.tasks}
    yield json_text(plan.distribution), [(json_text(page.page), json_text(page.title)) for page in whole]
    for category in categories:
        tasks = (task.page.removesuffix(".md") for task in category.tasks)
        yield json_text(category.name), [(json_text(id), json_text(titles[id])) for id in tasks]


def whole_pages(api: ir.Api, plan: Plan, context: Context) -> tuple[Whole, ...]:
    """The pages on all tasks together, the index first."""
    return (
        Whole("index", f"{plan.distribution}: API documentation", f"API documentation of {plan.distribution}"),
        Whole("authentication", "Authentication", "who may ask, and how a token is sent"),
        Whole("parameters", "Parameters and headers", "what several tasks have in common"),
        Whole("limits", "Limits", "how much a request may bring and ask for"),
        Whole("errors", "Errors", "every status, what it means and what to do"),
        *_some(api, plan, context),
    )


def _some(api: ir.Api, plan: Plan, context: Context) -> Iterator[Whole]:
    """The pages that are there for some specs."""
    if dialects := dialect_views(api, plan):
        about = "servers of other kinds that the client can call, and how ours speaks like them"
        yield Whole("dialects", "Dialects", about, dialects)
    if huggingface := huggingface_view(api, plan, context):
        about = "how code for InferenceClient and for the hosted API comes here"
        yield Whole("migrating-huggingface", "Migrating from Hugging Face", about, huggingface)
    if clarifai := clarifai_view(api, plan, context):
        about = "what the predict call's inputs, answers and options are here"
        yield Whole("migrating-clarifai", "Migrating from Clarifai", about, clarifai)
    about = "what changed in requests and answers from version to version"
    yield Whole("changelog", "API changelog", about, changelog_view(api, plan, context))


def _common(api: ir.Api, plan: Plan, context: Context) -> dict[str, Any]:
    """What every page sees."""
    project = Project(
        package=plan.package,
        distribution=plan.distribution,
        summary=markdown(context.config.summary),
        env=context.config.env_prefix,
        demo=context.config.demo,
        executed=executed(api, plan, context),
        responses=sum(example.recorded for task in plan.tasks for example in task.task.examples),
    )
    return {
        "project": project,
        "header": f"{header('<!--', 'specs/')} -->",
        "categories": context.once(categories, api, plan),
        "statuses": STATUSES,
        "limits": LIMITS,
        "depth": DEPTH,
        "request_headers": REQUEST_HEADERS,
        "response_headers": RESPONSE_HEADERS,
        "shared": shared_parameters(api, plan, context),
    }


def _task(page: Page, plan: Plan, flavour: Flavour) -> dict[str, Any]:
    sources = ", ".join(f"specs/{path}" for path in page.sources)
    return {
        "page": page,
        "header": f"{header('<!--', html(sources))} -->",
        "name": json_text(html(page.name)),
        "about": json_text(html(page.about)),
        "schema": flavour.schema.format(package=plan.package, module=page.module, id=page.id),
    }


def _tidy(text: str) -> str:
    """One empty line at most between blocks, none of it inside code, which is what the templates' ifs leave open."""
    text = f"{text.strip(chr(10))}\n"
    out: list[str] = []
    start = at = 0
    while opening := _FENCE.search(text, at):
        at = opening.end()
        close = text.find(f"\n{opening[1]}\n", at - 1)
        if close >= 0:
            at = close + 1 + len(opening[1])
            out += [_GAP.sub("\n\n", text[start : opening.start()]), text[opening.start() : at]]
            start = at
    out.append(_GAP.sub("\n\n", text[start:]))
    return f"{''.join(out).rstrip()}\n"
