"""The page of the docs on dialects: which there are, and what is spoken otherwise than in the specs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from .. import ir
from ..escape import code, markdown
from ..jsonpath import expression
from ..load.wire import FACTS, SIZES
from ..plan import Plan
from ..wires import missing

_AS_SPEC: Final = "as in the spec"


@dataclass(frozen=True)
class _Travel:
    """How a protocol travels: where a task is asked, and what the places of the tables are in."""

    route: str
    said: str


TRAVEL: Final = {
    "clarifai": _Travel(
        "/v2/models/{task}/outputs",
        "One request holds up to 128 inputs, and its answer as many outputs, each with a status of its own. In the "
        "table, `$.data` of a request is the data of one input and `$.params` the options for all of them; a place of "
        "an answer is one in the data of an output.",
    ),
}
"""The protocols that dialects may name."""


@dataclass(frozen=True)
class DialectRow:
    """What differs for one task; every cell is finished Markdown."""

    title: str
    page: str
    request: str
    answer: str


@dataclass(frozen=True)
class DialectView:
    """One dialect: `facts` are names and values about its hosted service, `method` makes a client.

    Our server speaks it below `prefix`; `spoken` is the address there that is `example` in its own words.

    `notes` are sentences about all tasks; `others` says what becomes of those without a row.
    """

    title: str
    summary: str
    method: str
    prefix: str
    example: str
    spoken: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    rows: tuple[DialectRow, ...]
    others: str


def dialect_views(api: ir.Api, plan: Plan) -> list[DialectView]:
    """All dialects, with the tasks that each of them speaks otherwise."""
    return [_view(api, dialect) for dialect in plan.dialects]


def _view(api: ir.Api, dialect: ir.Dialect) -> DialectView:
    facts = {
        "Address": code(dialect.url) if dialect.url else "",
        "A model there": code(dialect.models) if dialect.models else "",
        "Token": f"environment variable {code(dialect.token_env)}" if dialect.token_env else "",
        "Header with the token": code(f"Authorization: {dialect.auth} …") if dialect.auth != ir.Dialect.auth else "",
        "Largest request": f"{dialect.max_body:,} bytes" if dialect.max_body else "",
    }
    spoken = [(task, wire) for task in api.tasks for wire in task.wires if wire.dialect == dialect.name]
    travel = TRAVEL.get(dialect.protocol)
    alone = "What no form names is refused in a request, and left out of an answer." if dialect.named_only else ""
    return DialectView(
        title=markdown(dialect.title, links=False),
        summary=markdown(dialect.summary),
        method=code(f"Client.{dialect.name}()"),
        prefix=code(f"/{dialect.name}"),
        example=code("/tasks/{task}"),
        spoken=code(f"/{dialect.name}{travel.route if travel else '/tasks/{task}'}"),
        facts=tuple((name, value) for name, value in facts.items() if value),
        notes=tuple(note for note in (travel.said if travel else "", alone) if note),
        rows=tuple(_row(task, wire, missing(api, task, wire) if alone else ()) for task, wire in spoken),
        others="It has no other tasks." if dialect.closed else "All other tasks are spoken as in their specs.",
    )


def _row(task: ir.Task, wire: ir.Wire, lacking: tuple[str, ...]) -> DialectRow:
    return DialectRow(
        title=markdown(task.title, links=False),
        page=quote(f"{task.id}.md"),
        request="<br>".join(_request(wire)) or _AS_SPEC,
        answer="<br>".join([*_answer(wire), *_unread(lacking)]) or _AS_SPEC,
    )


def _request(wire: ir.Wire) -> Iterator[str]:
    if wire.route:
        yield f"to {code(wire.route)}"
    if wire.model_route:
        yield f"to {code(wire.model_route)} of the model"
    if wire.model:
        yield f"{code(wire.model)} names the model"
    if wire.form:
        yield f"as a form ({code('multipart/form-data')}), its media as files"
    if wire.body:
        yield f"sent as {code(wire.body)}"
    yield from _forms(wire.requests)
    if wire.ignored:
        yield f"{', '.join(map(code, wire.ignored))} without effect"
    if wire.neutral:
        yield f"{', '.join(code(f'{name} = {json.dumps(value)}') for name, value in wire.neutral)} without effect"


def _answer(wire: ir.Wire) -> Iterator[str]:
    if wire.file:
        rate = f", which says {code(wire.rate)} too" if wire.rate else ""
        yield f"the body is the file {code(wire.file)} itself{rate}"
    if wire.samples:
        yield f"or {code(wire.file)} is a list of samples from −1 to 1"
    if wire.accept:
        yield f"asked for as {code(wire.accept)}"
    yield from _forms(wire.answers)
    yield from (f"an event: {form}" for form in _forms(wire.events))
    for size in SIZES:
        if scaled := [place for place, of in wire.scales if of == size]:
            yield f"{', '.join(map(code, scaled))} as parts of the image's {size[1:-1]}"
    for place, default in wire.defaults:
        yield f"{code(place)}, where it is missing, as {code(_value(default))}"
    for kind, members in (("", wire.added), ("an event: ", wire.added_events)):
        if members:
            yield f"{kind}and {', '.join(code(f'{place} = {_value(value)}') for place, value in members)}"
    if wire.plain_for:
        yield f"to clients of {code(wire.plain_for)} as in the spec"
    if wire.nulls:
        yield "null and `{}` may stand where a member is missing"


def _unread(lacking: tuple[str, ...]) -> Iterator[str]:
    if lacking:
        yield f"served only: a client would miss {', '.join(map(code, lacking))}"


def _value(value: Any) -> str:
    return str(value) if value in FACTS or expression(value) is not None else json.dumps(value)


def _forms(forms: tuple[ir.Form, ...]) -> Iterator[str]:
    for index, form in enumerate(forms):
        pairs = (f"{code(there)} for {code(here)}" for here, there in form)
        yield f"{'or ' if index else ''}{', '.join(pairs) or _AS_SPEC}"
