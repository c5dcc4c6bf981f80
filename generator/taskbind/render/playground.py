"""Render what the generated server shows to people besides its pages, which are part of the runtime."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from .. import ir
from ..context import Context
from ..plan import Plan
from ..view.playground import playground
from ..view.samples import samples
from . import Files
from .schemas import schema


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """``playground.json``, which the playground is built from, and ``_samples/``: the media of the examples."""
    view = asdict(context.once(playground, api, plan))
    requests = {task.task.id: _schema(api, plan, task.task.input) for task in plan.tasks}
    # A task a line: to be read by a page, but to be compared by people.
    entries = [task | {"schema": requests[task["id"]]} for task in view.pop("tasks")]
    tasks = ",\n".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in entries)
    head = json.dumps(view, ensure_ascii=False)[:-1]
    out: Files = {f"{plan.package}/playground.json": f'{head}, "tasks": [\n{tasks}\n]}}\n'}
    media = context.once(samples, api, plan)
    return out | {f"{plan.package}/_samples/{path}": data for path, data in media.items()}


def _schema(api: ir.Api, plan: Plan, id: str) -> dict[str, Any]:
    """The schema of a definition with all that it refers to."""
    reached = [other for other in sorted(api.reachable([id])) if other in plan.schemas]
    definitions = {plan.schemas[other]: schema(api, plan, other) for other in reached}
    return {"$ref": f"#/$defs/{plan.schemas[id]}", "$defs": definitions}
