"""Programs with marks where the values of a call go, for the playground to fill in.

A mark is a word in ⟦ ⟧. ``⟦payload⟧`` may become several lines; the ``⟦more⟧`` on the line after it shows how far the
template indents those. What fills them in is ``runtime/server/pages/playground/code.js``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .. import ir
from ..context import Context
from ..plan import Plan, TaskPlan
from .languages import CLIENT, LANGUAGES
from .program import View
from .programs import printed

_FORMS: Final = ("file", "base64", "json")


@dataclass(frozen=True)
class Skeleton:
    """The programs of one language by the form of the request (see :class:`~.ways.Way`)."""

    id: str
    label: str
    code: dict[str, str]


def skeletons(context: Context, package: str) -> tuple[Skeleton, ...]:
    """All languages; programs of the client, which differ from task to task, are by :func:`client_skeleton`."""
    forms = {language.id: () if language is CLIENT else _FORMS for language in LANGUAGES}
    return tuple(
        Skeleton(
            language.id,
            language.label,
            {form: _render(language.id, form, context, package) for form in forms[language.id]},
        )
        for language in LANGUAGES
    )


def client_skeleton(api: ir.Api, plan: Plan, task: TaskPlan, context: Context) -> str:
    """The program of the client for one task, with marks for the base URL and the arguments."""
    return _render(CLIENT.id, "json", context, plan.package, task.method, printed(api, task))


def _render(language: str, form: str, context: Context, package: str, method: str = "", answer: str = "") -> str:
    view = View(
        form=form,
        base="⟦base⟧",
        url="⟦url⟧",
        token=f"{context.config.env_prefix}_TOKEN",
        content_type="⟦type⟧" if form == "file" else "application/json",
        file="⟦file⟧",
        upload="⟦upload⟧",
        payload="⟦payload⟧\n⟦more⟧",
        over="",
        items=(),
        package=package,
        method=method,
        arguments="⟦arguments⟧",
        answer=answer,
        import_json=answer.startswith("json."),
    )
    return context.template(f"snippets/{language}.jinja").render(v=view).strip("\n") + "\n"
