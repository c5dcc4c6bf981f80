"""What verdicts must be true of, whoever made them: payloads decide, which a validator takes or refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain, islice
from typing import Any

import jsonschema_rs

from inference_tasks._runtime.testing.bundle import Bundle, Schema
from inference_tasks._runtime.testing.cover import cover
from inference_tasks._runtime.testing.edges import edges
from inference_tasks._runtime.testing.mistakes import mistakes
from inference_tasks._runtime.testing.shapes import Shapes
from taskbind import ir
from taskbind.evolve.flow import Claim, Flow
from taskbind.evolve.judge import judge
from taskbind.evolve.proof import Prover
from taskbind.evolve.verdict import Level, Verdict
from taskbind.schema import type_schema

Json = Any
Draw = Callable[[Shapes, Schema], Iterable[Json]]

_MOST = 300  # payloads of one schema that are one change away from a valid one


class Sides:
    """Two IRs, their verdicts, and the validators of each side of their tasks."""

    def __init__(self, old: ir.Api, new: ir.Api) -> None:
        self.old, self.new = old, new

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        return judge(self.old, self.new)

    def names(self) -> Iterator[tuple[str, str]]:
        """The sides with data that both have."""
        new = {task.id: task for task in self.new.tasks}
        for task in self.old.tasks:
            if task.id in new:
                yield from ((task.id, side) for side in ("request", "response"))
                if task.stream and new[task.id].stream:
                    yield task.id, "stream"

    def claim(self, task: str, side: str) -> tuple[Flow, Claim]:
        """All that is sent and taken on one side."""
        name = {"request": "input", "response": "output", "stream": "stream"}[side]
        old, new = (ir.Ref(getattr(_task(api, task), name)) for api in (self.old, self.new))
        flow = Flow(side == "request", self.old, self.new)
        return flow, Claim(old, new) if flow.request else Claim(new, old)

    def check(self, task: str, side: str, more: Draw = lambda shapes, schema: ()) -> None:
        """Raise AssertionError for a payload that a verdict is wrong about; `more` draws some of a schema."""
        found = [v for v in self.verdicts if v.change.task == task and v.change.side == side]
        flow, claim = self.claim(task, side)
        sent, taken = validator(flow.sender, claim.sent), validator(flow.taker, claim.taken)
        for verdict in found:
            if verdict.witness is not ir.ABSENT:
                assert verdict.wire is Level.BREAKING
                assert sent.is_valid(verdict.witness), verdict
                assert not taken.is_valid(verdict.witness), verdict
        if any(verdict.wire is Level.BREAKING for verdict in found):
            return
        for payload in payloads(*Prover(flow).schemas(claim), more):
            assert taken.is_valid(payload), (task, side, payload, found)


def _task(api: ir.Api, id: str) -> ir.Task:
    return next(task for task in api.tasks if task.id == id)


def validator(api: ir.Api, root: ir.Type) -> jsonschema_rs.Draft202012Validator:
    """The validator of a type as the OpenAPI document has it."""
    ids = {definition.id: f"d{index}" for index, definition in enumerate(api.definitions)}

    def reference(id: str) -> dict[str, Json]:
        return {"$ref": f"#/$defs/{ids[id]}"}

    definitions = {ids[d.id]: type_schema(d.type, reference) for d in api.definitions}
    return jsonschema_rs.Draft202012Validator({**type_schema(root, reference), "$defs": definitions}, offline=True)


def payloads(sent: Json, taken: Json, more: Draw) -> Iterator[Json]:
    """What a sender sends: payloads of its own schema and of the taker's, those at their edges, and drawn ones."""
    own, top = _shapes(sent)
    for shapes, schema in ((own, top), _shapes(taken)):
        made = cover(shapes, schema)
        yield from (payload for payload in made if own.bundle.accepts(top, payload))
        for each in made:
            changes = chain(edges(shapes, schema, each), mistakes(shapes, schema, each))
            near = (change.payload for change in islice(changes, _MOST // len(made)))
            yield from (payload for payload in near if own.bundle.accepts(top, payload))
    yield from more(own, top)


def _shapes(schema: Json) -> tuple[Shapes, Schema]:
    root = {key: value for key, value in schema.items() if key not in ("$defs", "$schema")}
    shapes = Shapes(Bundle({"$defs": {**schema["$defs"], "Root": root}}))
    return shapes, shapes.bundle.root("Root")
