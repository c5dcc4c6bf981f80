"""Render `server.py`: a typed handler class for each task, which users fill with their own torch code; and `ray.py`."""

from __future__ import annotations

from typing import Any, Final

from .. import ir
from ..context import Context, header
from ..escape import docstring_text
from ..plan import Plan, TaskPlan
from . import Files

_DECODED: Final = {"audio": "Audio", "image": "Image", "video": "bytes", "binary": "bytes"}
_FORM: Final = {
    "Audio": "the decoded recording",
    "Image": "the decoded picture",
    "bytes": "the file's bytes",
}


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """The server module."""
    handlers = sorted(map(_handler, plan.tasks), key=lambda handler: str(handler["class_name"]))
    module = (
        f"Serve the tasks of {plan.distribution} with your own code: derive from a handler, pass it to `create_app`."
    )
    view = {
        "header": header("#", "specs/"),
        "module_doc": module,
        "imports": plan.imports(h[key] or "" for h in handlers for key in h if key.endswith("_annotation")),
        "handlers": handlers,
    }
    names = {"header": header("#", "specs/"), "package": plan.package, "distribution": plan.distribution}
    return {
        f"{plan.package}/server.py": context.template("server/server.py.jinja").render(view),
        f"{plan.package}/ray.py": context.template("server/ray.py.jinja").render(names),
    }


def _handler(task: TaskPlan) -> dict[str, Any]:
    if task.whole_request:
        inputs, doc = task.input_class, "the whole request, validated"
    else:
        inputs = _DECODED[task.media.media] if task.media else task.primary_annotation
        doc = _FORM.get(inputs, "as the request has it")
    inputs_name, *others = task.handler_arguments
    about = task.task.docs.summary or f"{task.task.title}."
    return {
        "class_name": f"{task.prefix}Handler",
        "binding_constant": task.constant,
        "doc": docstring_text(" ".join(about.split())),
        "inputs_name": inputs_name,
        "inputs_annotation": inputs,
        "inputs_doc": f"{doc}.",
        "parameters_annotation": task.parameters_class.name if others and task.parameters_class else None,
        "output_annotation": task.output_annotation,
    }
