"""The page for readers who come from Hugging Face's clients: what they know, and what it is called here.

What those clients call things is known here; which of it has a counterpart is read from the specs, so that the page
names only tasks and parameters that there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from ... import ir
from ...context import BASE_URL, Context
from ...escape import code, js, json_text, markdown, py_literal, shell
from ...plan import Plan, TaskPlan
from ..kinds import input_kind
from .hub_client import ERRORS, METHODS, SETTINGS, Counterpart, Method

HUGGINGFACE: Final = "huggingface"
"""The dialect of the servers that Hugging Face's clients can call."""


@dataclass(frozen=True)
class MethodRow:
    """One task's method there and here; finished Markdown."""

    title: str
    page: str
    there: str
    here: str
    parameters: str
    answer: str


@dataclass(frozen=True)
class Call:
    """One call that the page shows in several languages: names of the task, and its input written in each of them."""

    task: str
    python_method: str
    python_input: str
    javascript_method: str
    javascript_input: str
    shell_body: str


@dataclass(frozen=True)
class HuggingFaceView:
    """The page for users of Hugging Face's clients. `others` are tasks that those have no method for, with links.

    `chat`: one of the tasks is a chat. `hosted` is the address of a model at the hosted service, `token_env` the
    environment variable with its token; both may be empty.
    """

    hosted: str
    token_env: str
    prefix: str
    base_url: str
    call: Call | None
    rows: tuple[MethodRow, ...]
    others: str
    chat: bool
    settings: tuple[Counterpart, ...]
    errors: tuple[Counterpart, ...]


def huggingface_view(api: ir.Api, plan: Plan, context: Context) -> HuggingFaceView | None:
    """The page, if the server speaks the dialect of these clients and they have a method for any of its tasks."""
    known = [task for task in plan.tasks if task.method in METHODS]
    dialect = next((dialect for dialect in plan.dialects if dialect.name == HUGGINGFACE), None)
    if not known or dialect is None:
        return None
    return HuggingFaceView(
        hosted=code(f"{dialect.url}{dialect.models}") if dialect.url and dialect.models else "",
        token_env=code(dialect.token_env) if dialect.token_env else "",
        prefix=f"/{HUGGINGFACE}",
        base_url=BASE_URL,
        call=_call(known),
        rows=tuple(_method(api, task, METHODS[task.method]) for task in known),
        others=_links(task.task for task in plan.tasks if task.method not in METHODS),
        chat=any(input_kind(api, task.task) == "chat" for task in known),
        settings=SETTINGS,
        errors=ERRORS,
    )


def _call(tasks: Sequence[TaskPlan]) -> Call | None:
    """The first example that is a text and nothing else, a recorded one if possible."""
    plain = (
        (not example.recorded, number, task, example.inputs)
        for number, task in enumerate(tasks)
        for example in task.task.examples
        if isinstance(example.inputs, str) and not example.parameters
    )
    found = min(plain, key=lambda one: one[:2], default=None)
    if found is None:
        return None
    _, _, task, text = found
    words = task.method.split("_")
    return Call(
        task=quote(task.task.id),
        python_method=task.method,
        python_input=py_literal(text),
        javascript_method=words[0] + "".join(word.capitalize() for word in words[1:]),
        javascript_input=js(text),
        shell_body=shell(json_text({task.primary.name: text})),
    )


def _method(api: ir.Api, task: TaskPlan, there: Method) -> MethodRow:
    members = [field.name for field in _members(api, task.primary.type)]
    inputs = f"{{{', '.join(f'{json_text(name)}: …' for name in members)}}}" if members else task.primary_python
    required = [f"{parameter.python}=…" for parameter in task.keywords if parameter.required]
    ours = {parameter.python for parameter in task.keywords}
    only_there = [name for name in there.parameters.split() if name not in ours]
    only_here = [parameter.python for parameter in task.keywords if parameter.python not in there.names]
    differ = [f"only there: {_codes(only_there)}"] if only_there else []
    differ += [f"only here: {_codes(only_here)}"] if only_here else []
    same = there.answer == task.output_annotation
    return MethodRow(
        title=markdown(task.task.title, links=False),
        page=f"{quote(task.task.id)}.md",
        there=code(f"{task.method}({', '.join(there.inputs.split())}, …)"),
        here=code(f"{task.method}({', '.join([inputs, *required])}, …)"),
        parameters="<br>".join(differ) or "the same",
        answer=code(there.answer) if same else f"{code(there.answer)}<br>here {code(task.output_annotation)}",
    )


def _members(api: ir.Api, type: ir.Type) -> tuple[ir.Field, ...]:
    """The members of an input that is an object."""
    resolved = api.resolve(ir.split_null(type)[0])
    return resolved.fields if isinstance(resolved, ir.Object) else ()


def _codes(names: Sequence[str]) -> str:
    return ", ".join(map(code, names))


def _links(tasks: Iterable[ir.Task]) -> str:
    return ", ".join(f"[{markdown(task.title, links=False)}]({quote(task.id)}.md)" for task in tasks)
