"""Render `_dialects.py`: how servers of other kinds speak the tasks, as the runtime's own data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final

from .. import ir
from ..context import Context, header
from ..escape import py_literal
from ..jsonpath import EACH, Length, Path, expression, parse
from ..load.wire import FORM_KEYS, PLACED_KEYS
from ..plan import Plan
from ..wires import missing
from . import Files

Arguments = list[tuple[str, str]]
"""Keyword arguments of a call: names, and Python expressions."""

_DIALECT: Final = ("name", "title", "url", "models", "token_env", "auth", "protocol", "max_body", "closed")
_NO_LITERALS: Final = ("dialect", "scales", *FORM_KEYS, *PLACED_KEYS)
"""What of a wire has places in it."""


def render(api: ir.Api, plan: Plan, context: Context) -> Files:
    """The module; it holds an empty mapping where there are no dialects."""
    dialects = [_dialect(api, dialect) for dialect in plan.dialects]
    placed = (
        value for task in api.tasks for wire in task.wires for key in PLACED_KEYS for _, value in getattr(wire, key)
    )
    view = {
        "header": header("#", "specs/"),
        "names": ", ".join(["EACH", *(["Length"] if any(isinstance(expression(v), Length) for v in placed) else [])]),
        "dialects": dialects,
    }
    return {f"{plan.package}/_dialects.py": context.template("package/_dialects.py.jinja").render(view)}


def _dialect(api: ir.Api, dialect: ir.Dialect) -> dict[str, Any]:
    spoken = ((task, wire) for task in api.tasks for wire in task.wires if wire.dialect == dialect.name)
    return {
        "name": py_literal(dialect.name),
        "arguments": [
            (name, py_literal(value))
            for name in _DIALECT
            if (value := getattr(dialect, name)) != getattr(ir.Dialect, name, None)
        ]
        + ([("error", _path(parse(dialect.error)))] if dialect.error else []),
        "wires": [(py_literal(task.id), _wire(api, dialect, task, wire)) for task, wire in spoken],
    }


def _wire(api: ir.Api, dialect: ir.Dialect, task: ir.Task, wire: ir.Wire) -> Arguments:
    """What is not as the runtime's default has it."""
    plain = [f.name for f in fields(wire) if f.name not in _NO_LITERALS]
    out = [(name, py_literal(value)) for name in plain if (value := getattr(wire, name))]
    out += [("named_only", "True")] if dialect.named_only else []
    out += [(name, _tuple(map(_form, forms))) for name in FORM_KEYS if (forms := getattr(wire, name))]
    for name in ("scales", *PLACED_KEYS):
        if placed := getattr(wire, name):
            out.append((name, _tuple(f"({_path(parse(place))}, {_value(value)})" for place, value in placed)))
    lacking = missing(api, task, wire) if dialect.named_only else ()
    return out + ([("missing", py_literal(lacking))] if lacking else [])


def _value(value: Any) -> str:
    found = expression(value)
    if isinstance(found, Length):
        return f"Length({_path(found.of)})"
    return py_literal(value) if found is None else _path(found)


def _form(form: ir.Form) -> str:
    return _tuple(f"({_path(parse(spec))}, {_path(parse(wire))})" for spec, wire in form)


def _path(path: Path) -> str:
    return _tuple("EACH" if step is EACH else py_literal(step) for step in path)


def _tuple(items: Iterable[str]) -> str:
    parts = list(items)
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
