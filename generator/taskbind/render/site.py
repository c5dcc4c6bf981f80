"""Render the project of the site: its navigation and settings, its style and script, and the index for machines."""

from __future__ import annotations

from dataclasses import dataclass

from .. import ir
from ..context import Context, header
from ..escape import html, json_text, markdown
from ..plan import Plan
from ..view.pages import categories
from . import Files
from .docs import whole_pages


@dataclass(frozen=True)
class Entry:
    """A page in the navigation; `title` and `about` are Markdown."""

    path: str
    title: str
    about: str


@dataclass(frozen=True)
class Section:
    """Pages under one heading: `title` is Markdown, `label` the same for the navigation, a JSON string of HTML."""

    title: str
    label: str
    pages: tuple[Entry, ...]


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """``mkdocs.yml``, what the pages need beside themselves, and ``llms.txt``; nothing for a project without a site."""
    if "site" not in context.config.docs:
        return {}
    view = {
        "header": header("#", "specs/"),
        "name": plan.distribution,
        "summary": markdown(context.config.summary),
        "description": json_text(html(context.config.summary)),
        "sections": _sections(api, plan, context),
    }
    out: Files = {
        target: context.template(f"site/{source}.jinja").render(view)
        for source, target in {"mkdocs.yml": "site/mkdocs.yml", "llms.txt": "site/docs/llms.txt"}.items()
    }
    for path, source in context.tree("site/assets").items():
        out[f"site/docs/assets/{path}"] = source.read_bytes()
    return out


def _sections(api: ir.Api, plan: Plan, context: Context) -> list[Section]:
    """The tasks by category, then the pages on all of them; the index stands before all sections."""
    out = []
    for category in context.once(categories, api, plan):
        entries = (Entry(link.page, link.title, link.summary) for link in category.tasks)
        out.append(Section(category.title, json_text(html(category.name)), tuple(entries)))
    rest = (Entry(f"{page.page}.md", page.title, page.about) for page in context.once(whole_pages, api, plan)[1:])
    out.append(Section("Reference", '"Reference"', tuple(rest)))
    return out
