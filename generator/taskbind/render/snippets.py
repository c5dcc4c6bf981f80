"""Render `docs/snippets.json`: every program of the docs, with what is needed to run it."""

from __future__ import annotations

from .. import ir
from ..context import Context
from ..plan import Plan
from ..view.executed import listed
from . import Files


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """``docs/snippets.json``: every program with what is needed to run it."""
    return {"docs/snippets.json": context.once(listed, api, plan)}
