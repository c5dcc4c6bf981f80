"""The media of the examples: what the docs show, the printed programs send, and the generated server keeps for both."""

from __future__ import annotations

from .. import ir
from ..context import Context
from ..diagnostics import TaskbindError
from ..plan import Plan
from .ways import place, read_sample, sample_paths


def samples(api: ir.Api, plan: Plan, context: Context) -> dict[str, bytes]:
    """All media files of the examples by ``<task>/<file>``. Raises TaskbindError where two would be one."""
    out: dict[str, bytes] = {}
    for task in plan.tasks:
        for example in task.task.examples:
            where = place(task, example)
            for source, target in sample_paths(task.task, example).items():
                data = read_sample(source, context, where)
                if out.setdefault(target, data) != data:
                    name = target.rsplit("/", 1)[-1]
                    raise TaskbindError(f"{where}: another sample of this task is called {name}, too")
    return out
