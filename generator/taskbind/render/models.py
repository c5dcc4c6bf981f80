"""Render `models/`: one module of pydantic classes for each task, one for each shared schema file."""

from __future__ import annotations

from .. import dmcg, ir
from ..escape import docstring
from ..hints import EXACT, annotation
from ..plan import Plan, TaskPlan
from . import Context, Files, header


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """The model modules and the lazy package that holds them."""
    out: Files = {}
    tasks = {task.module: task for task in plan.tasks}
    bounded: dict[str, str] = {}
    for module in plan.modules:
        aliases = _aliases(api, plan, tasks[module]) if module in tasks else []
        first = header("#", _sources(api, plan, module))
        made = dmcg.classes(api, plan, module, first, _imports(plan, module, aliases))
        bounded |= made.bounded
        out[f"{plan.package}/models/{module}.py"] = "\n".join([made.source, "", *aliases, ""])
    if bounded:
        view = {"header": header("#", "specs/"), "package": plan.package, "bounded": sorted(bounded.items())}
        out[f"{plan.package}/models/{dmcg.BOUNDED}.py"] = context.template("models/_bounded.py.jinja").render(view)
    names = [(name.name, name.module) for name in plan.classes.values()]
    names += [(alias, task.module) for task in plan.tasks for alias, _ in _alias_types(api, plan, task)]
    view = {"header": header("#", "specs/"), "names": sorted(names), "package": plan.package}
    out[f"{plan.package}/models/__init__.py"] = context.template("models/__init__.py.jinja").render(view)
    return out


def _sources(api: ir.Api, plan: Plan, module: str) -> str:
    paths = {id.partition("#")[0] for id in plan.in_module(module)}
    for task in plan.tasks:
        if task.module == module:
            paths |= {id.partition("#")[0] for id in (task.task.input, task.task.output, task.task.stream) if id}
    return ", ".join(f"specs/{path}" for path in sorted(paths))


def _alias_types(api: ir.Api, plan: Plan, task: TaskPlan) -> list[tuple[str, str]]:
    """The task's names that are not classes of their own: ``(name, exact type expression)``."""
    out = []
    if task.element and task.element_name and task.element.name != task.element_name:
        out.append((task.element_name, task.element.name))
    for id, name in ((task.task.output, task.output_name), (task.task.stream, task.stream_name)):
        if id and name and id not in plan.classes:
            listed = task.element_name and id == task.task.output
            out.append((name, f"list[{task.element_name}]" if listed else _exact(api, plan, id)))
    return out


def _exact(api: ir.Api, plan: Plan, id: str) -> str:
    return annotation(api, ir.Ref(id), plan.class_name, EXACT)


def _imports(plan: Plan, module: str, aliases: list[str]) -> list[str]:
    """Every name that the aliases may use; the formatter drops the imports that nothing needs."""
    if not aliases:
        return []
    text = " ".join(aliases)
    names = sorted({n for n in plan.classes.values() if n.module != module and n.name in text}, key=lambda n: n.name)
    return [
        "typing.Any",
        "typing.Literal",
        "typing.TypeAlias",
        "pydantic.StrictBool",
        "pydantic.StrictStr",
        f"{plan.package}._runtime.types.Integer",
        f"{plan.package}._runtime.types.Number",
        *(f"{plan.package}.models.{name.module}.{name.name}" for name in names),
    ]


def _aliases(api: ir.Api, plan: Plan, task: TaskPlan) -> list[str]:
    """The lines that define the task's names which are not classes of their own."""
    lines = []
    for name, expression in _alias_types(api, plan, task):
        lines.append(f"{name}: TypeAlias = {expression}")
        doc = api.definition(task.task.output).doc if name == task.output_name else ""
        if doc:
            lines.append(docstring(doc, 0))
    return lines
