"""Requests as a dialect with `named_only` asks them: each part of one at its place on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ... import ir
from ...jsonpath import EACH, Path, parse

_Parts = list[tuple[Path, Any]]


def asked(wire: ir.Wire, request: Any) -> Any | None:
    """`request`, JSON values, in the first of the wire's forms that has a place for all of it; None if none has.

    Of places inside one another the longer one holds.
    """
    parts = list(_parts(request))
    for form in wire.requests:
        pairs = sorted(((parse(spec), parse(there)) for spec, there in form), key=lambda pair: -len(pair[0]))
        moved = [(place, value) for path, value in parts if (place := _moved(path, pairs)) is not None]
        if len(moved) == len(parts):
            return _built(moved)
    return None


def _parts(value: Any, here: Path = ()) -> Iterator[tuple[Path, Any]]:
    """All that has nothing inside it, and where it stands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inside = [part for step, item in items for part in _parts(item, (*here, step))]
    yield from inside or [(here, value)]


def _moved(path: Path, pairs: list[tuple[Path, Path]]) -> Path | None:
    """The place on the wire of what stands at `path`, if it has one."""
    for spec, there in pairs:
        steps = list(zip(spec, path, strict=False))
        if len(steps) == len(spec) and all(a == b or (a is EACH and isinstance(b, int)) for a, b in steps):
            indexes = iter([own for step, own in steps if step is EACH])
            return (*(next(indexes) if step is EACH else step for step in there), *path[len(spec) :])
    return None


def _built(parts: _Parts) -> Any:
    """The value that has these parts."""
    (path, value), *_ = parts
    if not path:
        return value
    children: dict[Any, _Parts] = {}
    for (step, *rest), part in parts:
        children.setdefault(step, []).append((tuple(rest), part))
    built = {step: _built(inside) for step, inside in children.items()}
    return list(built.values()) if all(isinstance(step, int) for step in built) else built
