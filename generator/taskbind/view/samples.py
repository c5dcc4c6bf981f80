"""The samples: what the docs show, the printed programs send or have fetched, and the generated server keeps for both.

They are the media of the examples, and the texts that predict calls name by URL.
"""

from __future__ import annotations

from .. import ir
from ..context import Context
from ..diagnostics import TaskbindError
from ..plan import Plan
from .predict.calls import calls, speakers
from .ways import place, read_sample, sample_paths


def samples(api: ir.Api, plan: Plan, context: Context) -> dict[str, bytes]:
    """All files by ``<task>/<file>``. Raises TaskbindError where two would be one."""
    out: dict[str, bytes] = {}
    for task in plan.tasks:
        for example in task.task.examples:
            where = place(task, example)
            for source, target in sample_paths(task.task, example).items():
                _add(out, target, read_sample(source, context, where), where)
        for dialect, wire in speakers(plan.dialects, task.task):
            for call in calls(task, dialect, wire):
                for target, text in call.hosted:
                    _add(out, target, text.encode(), call.where)
    return out


def _add(out: dict[str, bytes], target: str, data: bytes, where: str) -> None:
    if out.setdefault(target, data) != data:
        name = target.rsplit("/", 1)[-1]
        raise TaskbindError(f"{where}: another sample of this task is called {name}, too")
