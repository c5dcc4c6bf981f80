"""Rules for defaults and examples: each must be valid under its own schema, which is checked, not guessed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from ..diagnostics import Severity
from .rule import Finding, Place, rule, short

_NOTHING: Final = object()


@rule("TB230", Severity.ERROR, "default written as a string", "default")
def default_text(place: Place) -> Iterator[Finding]:
    """The default is a string such as "1024", "false" or "null" where another type is declared. It is read as the JSON
    value that it spells, if that is valid; "null" means that there is no default."""
    value = place.schema["default"]
    if _spells_null(place, value):
        del place.schema["default"]
        yield Finding('"null" is read as no default', "remove it", "/default")
    elif (typed := _typed(place, value)) is not _NOTHING:
        place.schema["default"] = typed
        yield Finding(
            f"{short(value)} is read as {json.dumps(typed)[:60]}", "write the value, not a string", "/default"
        )


@rule("TB231", Severity.ERROR, "default is invalid", "default")
def default_invalid(place: Place) -> Iterator[Finding]:
    """The default is not valid under its own schema, so leaving the field out and sending the default would differ. It
    is dropped."""
    value = place.schema["default"]
    if place.work.accepts(place, value) is False:
        del place.schema["default"]
        yield Finding(f"default {short(value)} is not valid here", "correct or remove it", "/default")


@rule("TB232", Severity.ERROR, "example written as a string", "examples")
def example_text(place: Place) -> Iterator[Finding]:
    """An example is a string such as "32" or "[…]" where another type is declared. It is read as the JSON value that it
    spells, if that is valid; an example "null" says nothing and is dropped."""
    kept: list[tuple[Any, str]] = []
    for value, at in _examples(place):
        if _spells_null(place, value):
            yield Finding('example "null" says nothing', "remove it", at)
        elif (typed := _typed(place, value)) is not _NOTHING:
            kept.append((typed, at))
            yield Finding(f"{short(value)} is read as {json.dumps(typed)[:60]}", "write the value, not a string", at)
        else:
            kept.append((value, at))
    _keep(place, kept)


@rule("TB233", Severity.ERROR, "example is invalid", "examples")
def example_invalid(place: Place) -> Iterator[Finding]:
    """An example is not valid under its own schema. It would teach what does not work, and is dropped."""
    kept: list[tuple[Any, str]] = []
    for value, at in _examples(place):
        if place.work.accepts(place, value) is False:
            yield Finding(f"example {short(value)} is not valid here", "correct or remove it", at)
        else:
            kept.append((value, at))
    _keep(place, kept)


def _examples(place: Place) -> list[tuple[Any, str]]:
    """The examples of a schema, each with where it stands in the file (as `example`, or in `examples`)."""
    values = place.schema["examples"]
    if not isinstance(values, list):
        return []
    return list(zip(values, place.work.example_pointers(place, len(values)), strict=True))


def _keep(place: Place, kept: list[tuple[Any, str]]) -> None:
    place.schema["examples"] = [value for value, _ in kept]
    place.work.examples_at[id(place.schema)] = [at for _, at in kept]
    if not kept:
        del place.schema["examples"]


def _spells_null(place: Place, value: Any) -> bool:
    """Whether "null" stands for null: the schema admits null, or does not admit the string."""
    return value == "null" and (place.work.accepts(place, None) is True or place.work.accepts(place, value) is False)


def _typed(place: Place, value: Any) -> Any:
    """The valid JSON value that an invalid string spells, or _NOTHING."""
    if not isinstance(value, str) or place.work.accepts(place, value) is not False:
        return _NOTHING
    try:
        typed = json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return _NOTHING
    return typed if place.work.accepts(place, typed) is True else _NOTHING


def _no_constant(name: str) -> Any:
    raise ValueError(name)


RULES = (default_text, default_invalid, example_text, example_invalid)
