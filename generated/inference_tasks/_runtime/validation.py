"""Pydantic's findings in the words of the wire: which member, what is wrong with it, and what was probably meant."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from .binding import TaskBinding
from .forms import Form, on_wire

if TYPE_CHECKING:
    from pydantic import ValidationError

MAX_PROBLEMS = 20
MAX_COUNTED = 10_000
"""Beyond so many, even to tell of 20 takes pydantic much time and memory."""


@dataclass(frozen=True)
class Problem:
    """One finding: `field` is the dotted path from the root of the request (``parameters.top_k``), ``""`` its root."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


def validate_request(binding: TaskBinding, payload: Any) -> Any:
    """The request model of `payload` (JSON values). Raises pydantic.ValidationError."""
    return binding.input_adapter.validate_python(payload, by_name=False, by_alias=True)


def validate_response(binding: TaskBinding, payload: Any) -> Any:
    """The response of `payload` (JSON values) as models. Raises pydantic.ValidationError."""
    return binding.output_adapter.validate_python(payload, by_name=False, by_alias=True)


def problems(
    error: ValidationError,
    binding: TaskBinding | None = None,
    form: Form = (),
    neutral: Mapping[str, Any] | None = None,
) -> list[Problem]:
    """What `error` found, at most 20 of it, without echoing any input value back.

    Places are those of `form`, which the value came in. Of the members in `neutral` one value is understood.
    """
    count = error.error_count()
    if count > MAX_COUNTED:
        return [Problem("", f"holds {count} mistakes, too many to tell")]
    return list(islice(_problems(error, binding, form, neutral or {}), MAX_PROBLEMS))


def _problems(
    error: ValidationError, binding: TaskBinding | None, form: Form, neutral: Mapping[str, Any]
) -> Iterator[Problem]:
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        place = tuple(str(part) for part in item["loc"])
        path = tuple(str(part) for part in on_wire(form, item["loc"]))
        if item["type"] == "extra_forbidden" and len(path) == 1 and path[0] in neutral:
            yield Problem(path[0], f"is understood here as {json.dumps(neutral[path[0]])} only")
        elif item["type"] == "extra_forbidden":
            names = _siblings(binding, place[:-1]) if place[:-1] or not form else _members(binding, form)
            known = sorted(str(on_wire(form, (*item["loc"][:-1], name))[-1]) for name in names)
            yield Problem(".".join(path), _unknown(path[-1], known))
        elif item["type"] == "missing":
            yield Problem(".".join(path), "is required")
        else:
            message = item["msg"]
            yield Problem(".".join(path), message[:1].lower() + message[1:])


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.6)
    all_known = f"known here: {', '.join(known)}" if known else "none is known here"
    hint = f"did you mean {near[0]!r}?" if near else all_known
    return f"unknown name {name[:80]!r}; {hint}"


def _members(binding: TaskBinding | None, form: Form) -> set[str]:
    """The names of a request's own members in `form`."""
    moved = {start[0] for start, _ in form if start}
    return {name for name in _siblings(binding, ()) if name not in moved} | {str(end[0]) for _, end in form if end}


def _siblings(binding: TaskBinding | None, parents: tuple[str, ...]) -> set[str]:
    """The wire names of the object at `parents`, found by walking the model classes."""
    model: Any = binding.input_class if binding else None
    for name in parents:
        members = getattr(model, "model_fields", {})
        found = next((f for key, f in members.items() if (f.alias or key) == name), None)
        model = _model_in(found.annotation) if found else None
    return {f.alias or key for key, f in getattr(model, "model_fields", {}).items()}


def _model_in(annotation: Any) -> Any:
    if hasattr(annotation, "model_fields"):
        return annotation
    return next(filter(None, (_model_in(arg) for arg in getattr(annotation, "__args__", ()))), None)
