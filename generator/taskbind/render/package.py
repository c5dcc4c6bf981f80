"""Render what makes the tree an installable package: metadata, entry points, the runtime, and the demo models."""

from __future__ import annotations

from typing import Any, Final

from .. import ir
from ..context import Context, header
from ..escape import json_text, markdown, py_literal
from ..plan import Plan, TaskPlan
from ..view.pages import categories
from ..view.programs import programs
from . import Files

ERRORS: Final = (
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "InferenceError",
    "InputError",
    "ModelLoadingError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseValidationError",
    "ServerError",
    "StreamError",
    "UnprocessableEntityError",
    "UnsupportedMediaTypeError",
)
"""The runtime's errors that the package exports by name."""


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """The package's own files, with the runtime copied as it is."""
    package = plan.package
    view = {
        "header": header("#", "specs/"),
        "package": package,
        "distribution": plan.distribution,
        "env_prefix": context.config.env_prefix,
        # A JSON string is a TOML string too.
        "toml": {name: json_text(getattr(context.config, name)) for name in ("version", "summary", "license")},
        "version": py_literal(context.config.version),
        "summary": markdown(context.config.summary),
        "tasks": [_binding(plan, task) for task in plan.tasks],
        "checks": bool(plan.checked),
        "measures": any(wire.scales for task in api.tasks for wire in task.wires),
        "example": _example(plan),
        "errors": ERRORS,
        "categories": context.once(categories, api, plan),
        "languages": len({program.language.id for program in context.once(programs, api, plan)}),
    }
    out: Files = {
        target: context.template(f"package/{source}.jinja").render(view)
        for source, target in {
            "pyproject.toml": "pyproject.toml",
            "README.md": "README.md",
            "__init__.py": f"{package}/__init__.py",
            "__main__.py": f"{package}/__main__.py",
            "_tasks.py": f"{package}/_tasks.py",
            "testing.py": f"{package}/testing.py",
        }.items()
    }
    out[f"{package}/py.typed"] = ""
    out["LICENSE"] = context.tree("package")["LICENSE"].read_text(encoding="utf-8")
    for path, source in context.tree("runtime").items():
        out[f"{package}/_runtime/{path}"] = source.read_bytes()
    if context.config.demo:
        out |= _demo(plan, context)
    return out


def _demo(plan: Plan, context: Context) -> Files:
    """The embedded demo models of the tasks that have one."""
    tasks = {task.task.id for task in plan.tasks}
    return {
        f"{plan.package}/_demo/{path}": source.read_bytes()
        for path, source in context.tree("demo").items()
        if path.partition("/")[0] in tasks
    }


def _binding(plan: Plan, task: TaskPlan) -> dict[str, Any]:
    """One TaskBinding's arguments, each as a Python literal."""
    arguments = {
        "id": task.task.id,
        "module": f"{plan.package}.models.{task.module}",
        "input_model": task.input_class,
        "output_type": task.output_name,
        "optional": not task.primary.required,
        "stream_type": task.stream_name,
        "primary": task.primary.name,
        "media": task.media.media if task.media else None,
        "content_type": task.media.content_type if task.media else None,
        "media_members": task.media_members,
        "parameters_model": task.parameters_class.name if task.parameters_class else None,
        "parameters": tuple(p.wire for p in task.parameters if p.in_parameters),
        "options": tuple(p.wire for p in task.parameters if not p.in_parameters),
        "names_model": task.names_model,
    }
    return {
        "constant": task.constant,
        "arguments": [(name, py_literal(value)) for name, value in arguments.items() if value not in (None, (), False)],
    }


def _example(plan: Plan) -> dict[str, str] | None:
    """A call for the README: the first task that answers with labels and scores."""
    for task in plan.tasks:
        sample = next((e.media for e in task.task.examples if e.media), None)
        if sample and task.element and task.element_name:
            return {"method": task.method, "sample": sample.rsplit("/", 1)[-1]}
    return None
