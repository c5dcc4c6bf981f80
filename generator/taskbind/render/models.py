"""Render `models/`: one module of pydantic classes for each task, one for each shared schema file."""

from __future__ import annotations

import re
from typing import Final

from .. import dmcg, ir
from ..context import Context, header
from ..escape import docstring
from ..hints import EXACT, annotation
from ..plan import TYPES, Plan, TaskPlan
from . import Files

_FUTURE: Final = "from __future__ import annotations"


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """The model modules and the lazy package that holds them."""
    made = dmcg.classes(api, plan, context)
    aliases = {task.module: _aliases(api, plan, task) for task in plan.tasks}
    exact = {name: annotation(api, api.definition(id).type, _no_class, EXACT) for id, name in plan.aliases.items()}
    types = sorted((exact | made.types).items())
    where = _importable(plan) | made.imports | {name.name: _path(plan, name.module) for name in plan.classes.values()}
    out: Files = {}
    for module in plan.modules:
        own = {plan.classes[id].name for id in plan.in_module(module)}
        parts = [text for part in (made.sources, made.ends) for name, text in part.items() if name in own]
        body = "\n\n".join([*parts, *aliases.get(module, ())])
        used = sorted(set(re.findall(r"\w+", body)) & where.keys() - own)
        imports = "\n".join(f"from {where[name]} import {name}" for name in used)
        first = header("#", _sources(api, plan, module))
        out[f"{plan.package}/models/{module}.py"] = f"{first}\n\n{_FUTURE}\n\n{imports}\n\n\n{body}\n"
    if types:
        view = {"header": header("#", "specs/"), "package": plan.package, "types": types}
        out[f"{plan.package}/models/{TYPES}.py"] = context.template("models/_types.py.jinja").render(view)
    names = [(name.name, name.module) for name in plan.classes.values()]
    names += [(name, TYPES) for name in plan.aliases.values()]
    names += [(alias, task.module) for task in plan.tasks for alias, _ in _alias_types(api, plan, task)]
    view = {"header": header("#", "specs/"), "names": sorted(names), "package": plan.package}
    out[f"{plan.package}/models/__init__.py"] = context.template("models/__init__.py.jinja").render(view)
    return out


def _path(plan: Plan, module: str) -> str:
    return f"{plan.package}.models.{module}"


def _importable(plan: Plan) -> dict[str, str]:
    """Where everything comes from that a type expression may name besides classes."""
    types, checks = f"{plan.package}._runtime.types", f"{plan.package}._runtime.checks"
    return (
        dict.fromkeys(("Annotated", "Any", "Literal", "TypeAlias"), "typing")
        | dict.fromkeys(("Field", "StrictBool", "StrictStr"), "pydantic")
        | dict.fromkeys(("Integer", "IntegerType", "Json", "Number", "NumberType"), types)
        | dict.fromkeys(plan.aliases.values(), _path(plan, TYPES))
        | {"Check": checks}
    )


def _no_class(id: str) -> None:
    """Tuples with a name hold no class."""


def _sources(api: ir.Api, plan: Plan, module: str) -> str:
    paths = {id.partition("#")[0] for id in plan.in_module(module)}
    for task in plan.tasks:
        if task.module == module:
            paths |= {id.partition("#")[0] for id in (task.task.input, task.task.output, task.task.stream) if id}
    return ", ".join(f"specs/{path}" for path in sorted(paths))


def _alias_types(api: ir.Api, plan: Plan, task: TaskPlan) -> list[tuple[str, str]]:
    """The task's names that are not classes of their own: ``(name, exact type expression)``."""

    def class_name(id: str) -> str | None:
        element = task.element_name if plan.classes.get(id) == task.element else None
        return element or plan.class_name(id)

    out = []
    if task.element and task.element_name and task.element.name != task.element_name:
        out.append((task.element_name, task.element.name))
    named = {task.task.input: task.input_class, task.task.output: task.output_name, task.task.stream: task.stream_name}
    for id, name in named.items():
        if id and name and id not in plan.classes:
            names = class_name if task.element and id == task.task.output else plan.class_name
            type = annotation(api, ir.Ref(id), names, EXACT)
            out.append((name, f"Annotated[{type}, Check(__name__, {name!r})]" if id in plan.checked else type))
    return out


def _aliases(api: ir.Api, plan: Plan, task: TaskPlan) -> list[str]:
    """The lines that define the task's names which are not classes of their own."""
    lines = []
    for name, expression in _alias_types(api, plan, task):
        lines.append(f"{name}: TypeAlias = {expression}")
        doc = api.definition(task.task.output).doc if name == task.output_name else ""
        if doc:
            lines.append(docstring(doc, 0))
    return lines
