"""Render `_dialects.py`: how servers of other kinds speak the tasks, as the runtime's own data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from itertools import starmap
from typing import Any, Final

from .. import ir
from ..context import Context, header
from ..escape import py_literal
from ..jsonpath import EACH, Path, is_place, parse
from ..load.wire import FORM_KEYS, PLACED_KEYS
from ..plan import Plan
from . import Files

Arguments = list[tuple[str, str]]
"""Keyword arguments of a call: names, and Python expressions."""

_DIALECT: Final = ("name", "title", "url", "models", "token_env", "max_body", "closed")


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """The module; it holds an empty mapping where there are no dialects."""
    view = {
        "header": header("#", "specs/"),
        "dialects": [_dialect(api, dialect) for dialect in plan.dialects],
    }
    return {f"{plan.package}/_dialects.py": context.template("package/_dialects.py.jinja").render(view)}


def _dialect(api: ir.Api, dialect: ir.Dialect) -> dict[str, Any]:
    spoken = ((task.id, wire) for task in api.tasks for wire in task.wires if wire.dialect == dialect.name)
    return {
        "name": py_literal(dialect.name),
        "arguments": [(name, py_literal(getattr(dialect, name))) for name in _DIALECT if getattr(dialect, name)]
        + ([("error", _path(parse(dialect.error)))] if dialect.error else []),
        "wires": [(py_literal(task), _wire(wire)) for task, wire in spoken],
    }


def _wire(wire: ir.Wire) -> Arguments:
    """What is not as the runtime's default has it."""
    plain = [f.name for f in fields(wire) if f.name not in ("dialect", *FORM_KEYS, *PLACED_KEYS)]
    out = [(name, py_literal(value)) for name in plain if (value := getattr(wire, name))]
    out += [(name, _tuple(map(_form, forms))) for name in FORM_KEYS if (forms := getattr(wire, name))]
    return out + [(name, _tuple(starmap(_default, placed))) for name in PLACED_KEYS if (placed := getattr(wire, name))]


def _default(place: str, default: Any) -> str:
    return f"({_path(parse(place))}, {_path(parse(default)) if is_place(default) else py_literal(default)})"


def _form(form: ir.Form) -> str:
    return _tuple(f"({_path(parse(spec))}, {_path(parse(wire))})" for spec, wire in form)


def _path(path: Path) -> str:
    return _tuple("EACH" if step is EACH else py_literal(step) for step in path)


def _tuple(items: Iterable[str]) -> str:
    parts = list(items)
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
