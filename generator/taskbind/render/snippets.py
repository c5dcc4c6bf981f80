"""Render `docs/snippets.json`: every program of the docs, with what is needed to run it."""

from __future__ import annotations

from .. import ir
from ..context import Context
from ..escape import json_text
from ..plan import Plan
from ..view.programs import programs
from . import Files


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """``docs/snippets.json``: every program with what is needed to run it."""
    rows = [
        {
            "id": s.id,
            "task": s.task,
            "language": s.language.id,
            "way": s.way,
            "file": s.file,
            "needs": list(s.needs),
            "example": s.example,
            "code": s.code,
        }
        for s in context.once(programs, api, plan)
    ]
    return {"docs/snippets.json": json_text(rows, indent=2) + "\n"}
