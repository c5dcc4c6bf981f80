"""Render `_client.py`: `Client` and `AsyncClient`, both from one template."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, Final

from .. import hints, ir
from ..context import Context, header
from ..escape import docstring_text, py_literal
from ..plan import Parameter, Plan, TaskPlan
from ..view.programs import call
from ..view.words import said, values
from . import Files

_WIDTH: Final = 96
_SOURCES: Final = "a path, an http(s) or data: URL, bytes, or a binary file object"
_MEDIA: Final = {
    "audio": f"The recording: {_SOURCES}; or a NumPy array with its rate in hertz, (array, 16000).",
    "image": f"The picture: {_SOURCES}; or a PIL image.",
    "video": f"The video: {_SOURCES}.",
    "binary": f"The data: {_SOURCES}.",
}


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """The client module."""
    tasks = [_task(api, plan, task) for task in plan.tasks]
    view = {
        "header": header("#", "specs/"),
        "env_prefix": py_literal(context.config.env_prefix),
        "user_agent": py_literal(f"{plan.distribution}/{context.config.version}"),
        "example_url": "http://localhost:8000",
        "omit": any(p.nullable for task in plan.tasks for p in task.parameters),
        "imports": plan.imports(annotation for task in tasks for annotation in _annotations(task)),
        "streams": any(task.stream_annotation for task in plan.tasks),
        "package": plan.package,
        "dialects": [_dialect(dialect) for dialect in plan.dialects],
        "tasks": tasks,
    }
    return {f"{plan.package}/_client.py": context.template("client/client.py.jinja").render(view)}


def _dialect(dialect: ir.Dialect) -> dict[str, Any]:
    hosted = f"; without one, the hosted service at {dialect.url}" if dialect.url else ""
    token = (
        f" The hosted service gets the token in the environment variable {dialect.token_env} where none is given; "
        "no other server does."
    )
    return {
        "name": dialect.name,
        "literal": py_literal(dialect.name),
        "title": docstring_text(" ".join(dialect.title.split())),
        "summary": _lines(dialect.summary, _WIDTH),
        "base_url": _lines(f"The server{hosted}.", _WIDTH - 4),
        "settings": _lines(f"Those of the constructor.{token if dialect.token_env else ''}", _WIDTH - 4),
        "example": 'token="your-token"' if dialect.url else '"http://127.0.0.1:8080"',
    }


def _task(api: ir.Api, plan: Plan, task: TaskPlan) -> dict[str, Any]:
    docs = task.task.docs
    calls = [call(task, example) for example in task.task.examples]
    return {
        "method": task.method,
        "binding": task.constant,
        "summary": docstring_text(" ".join((docs.summary or f"{task.task.title}.").split())),
        "doc": _lines(docs.description, _WIDTH),
        "primary": {
            "name": task.primary_python,
            "annotation": _primary_annotation(api, plan, task),
            "optional": not task.primary.required,
            "doc": _lines(_primary_doc(task), _WIDTH - 4),
        },
        "parameters": [_parameter(api, plan, p) for p in task.keywords],
        "model": _lines(_model_doc(api, task), _WIDTH - 4),
        # The shortest of them says the most.
        "example": docstring_text(min(calls, key=len)) if calls else None,
        "output": task.output_annotation,
        "stream": task.stream_annotation,
        "returns": docstring_text(" ".join((api.definition(task.task.output).doc or "The answer.").split())),
    }


def _annotations(task: dict[str, Any]) -> Iterator[str]:
    yield from (part["annotation"] for part in (task["primary"], *task["parameters"]))
    yield from filter(None, (task["output"], task["stream"]))


def _primary_doc(task: TaskPlan) -> str:
    if task.media:
        return _MEDIA[task.media.media]
    names = ", ".join(f"`{name}`" for name, _ in task.media_members)
    return f"{task.primary.doc} In a dict, {names} may be {_SOURCES}." if names else task.primary.doc


def _model_doc(api: ir.Api, task: TaskPlan) -> str:
    if task.names_model:
        return next(said(api, p.field) for p in task.parameters if p.python == "model")
    return "The model to ask, instead of the one that the server has for this task."


def _primary_annotation(api: ir.Api, plan: Plan, task: TaskPlan) -> str:
    accepted = hints.annotation(api, task.primary.type, plan.class_name, loose=True)
    annotation = "MediaInput" if task.media else accepted
    return annotation if task.primary.required else f"{annotation} | None"


def _parameter(api: ir.Api, plan: Plan, parameter: Parameter) -> dict[str, Any]:
    type, _ = ir.split_null(parameter.type)
    annotation = hints.annotation(api, type, plan.class_name, loose=True)
    if parameter.required:
        default = None
        annotation = f"{annotation} | None" if parameter.nullable else annotation
    elif parameter.nullable:
        default, annotation = "OMIT", f"{annotation} | Omit | None"
    else:
        default, annotation = "None", f"{annotation} | None"
    return {
        "name": parameter.python,
        "wire": py_literal(parameter.wire),
        "annotation": annotation,
        "default": default,
        "doc": _lines(_parameter_doc(api, parameter.field), _WIDTH - 4),
        "root": not parameter.in_parameters,
        "nullable": parameter.nullable,
    }


def _parameter_doc(api: ir.Api, field: ir.Field) -> str:
    """What is said of a parameter, what its values mean and which it has, where its annotation cannot say that."""
    default = field.default
    bounds = [] if isinstance(api.resolve(ir.split_null(field.type)[0]), ir.Enum) else values(api, field.type)
    facts = [
        *([f"Values: {', '.join(bounds)}."] if bounds else []),
        *([f"Default: {py_literal(default)}."] if default is not ir.ABSENT and default is not None else []),
    ]
    return " ".join(filter(None, [said(api, field), *api.value_docs(field.type), *facts]))


def _lines(text: str, width: int) -> list[str]:
    out: list[str] = []
    for paragraph in docstring_text(text).strip().split("\n\n"):
        out += [*textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False), ""]
    return out[:-1]
