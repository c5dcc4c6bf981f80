"""Render `schemas/`: the JSON Schemas of each model module, self-contained, inside the package.

Checks at run time validate against them, the strategies of the testing module are drawn from them, and users who want
plain JSON Schema find it there, in 2020-12 and without references to other files.
"""

from __future__ import annotations

from typing import Any, Final

from .. import ir
from ..context import Context
from ..indented import indented
from ..plan import Plan
from ..schema import definition_schema, type_schema
from . import Files

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """One JSON file for each model module: ``{"$defs": {name: schema}}``, references as ``#/$defs/<name>``."""
    out: Files = {}
    tasks = {task.module: task.task for task in plan.tasks}
    for module in plan.modules:
        roots = list(plan.in_module(module))
        if module in tasks:
            task = tasks[module]
            roots += [id for id in (task.input, task.output, task.stream) if id]
        ids = [id for id in sorted(api.reachable(roots)) if id in plan.schemas]
        document = {"$schema": DIALECT, "$defs": dict(sorted((plan.schemas[id], schema(api, plan, id)) for id in ids))}
        out[f"{plan.package}/schemas/{module}.json"] = indented(document)
    return out


def schema(api: ir.Api, plan: Plan, id: str, prefix: str = "#/$defs/") -> dict[str, Any]:
    """The schema of one definition. References to definitions with a name begin with `prefix`."""

    def reference(id: str) -> dict[str, Any]:
        if id in plan.schemas:
            return {"$ref": f"{prefix}{plan.schemas[id]}"}
        return type_schema(api.definition(id).type, reference)

    return definition_schema(api.definition(id), reference) | {"title": plan.schemas[id]}
