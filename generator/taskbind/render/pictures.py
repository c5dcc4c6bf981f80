"""Render `docs/pictures/`: for each task a drawing of one example's input and answer."""

from __future__ import annotations

from .. import ir
from ..context import Context
from ..plan import Plan
from ..view.pictures import picture, picture_example
from ..view.samples import samples
from . import Files


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """One SVG for each task that shows an answer."""
    found = context.once(samples, api, plan)
    out: Files = {}
    for task in plan.tasks:
        example = picture_example(task.task)
        drawn = picture(api, task, example, found) if example else None
        if drawn:
            out[f"docs/pictures/{task.task.id}.svg"] = drawn
    return out
