"""The data that the laws are held against: for one schema, payloads and everything one change away from them.

Few payloads, all their changes: drawing is slow and finds little, while enumerated mistakes find what a generator can
do wrong. Models that merely round-trip valid payloads can be wrong in most ways there are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Literal

from hypothesis import HealthCheck, Phase, given, seed as seeded, settings

from inference_tasks._runtime.testing.bundle import Schema
from inference_tasks._runtime.testing.cover import cover
from inference_tasks._runtime.testing.drawing import valid
from inference_tasks._runtime.testing.edges import edges
from inference_tasks._runtime.testing.mistakes import mistakes
from inference_tasks._runtime.testing.places import Change, Path
from inference_tasks._runtime.testing.shapes import Shapes

Json = Any
Kind = Literal["valid", "mutant", "boundary"]


_CHANGES: Final[tuple[tuple[Kind, Callable[[Shapes, Schema, Json], Iterator[Change]]], ...]] = (
    ("mutant", mistakes),
    ("boundary", edges),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One payload, and what was done to make it. Its text is JSON."""

    kind: Kind
    what: str
    payload: Json
    text: str


def as_case(payload: Json) -> Case:
    """A payload that comes from elsewhere."""
    return Case("valid", "as it was drawn", payload, json.dumps(payload))


def drawn(shapes: Shapes, schema: Schema, count: int, seed: int = 0) -> list[Json]:
    """So many payloads that Hypothesis draws: the same for the same seed."""
    if not count:
        return []
    out: list[Json] = []

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(valid(shapes, schema))
    def collect(payload: Json) -> None:
        out.append(payload)

    collect()
    return out


def payloads(shapes: Shapes, schema: Schema, draws: int, seed: int = 0) -> list[Json]:
    """Valid payloads: a few that have every member and every variant, then some that are drawn."""
    return [*cover(shapes, schema), *drawn(shapes, schema, draws, seed)]


def cases(shapes: Shapes, schema: Schema, draws: int = 6, seed: int = 0, limit: int | None = None) -> Iterator[Case]:
    """The data of one schema, without repetitions; at most about `limit` changes, spread evenly over all."""
    made = payloads(shapes, schema, draws, seed)
    changes = list(_changes(shapes, schema, made))
    every = 1 if limit is None else max(1, len(changes) // limit)
    known: set[int] = set()
    for kind, what, payload in chain(
        (("valid", "as it was made", payload) for payload in made),
        ((kind, str(change), change.payload) for kind, change in changes[::every]),
    ):
        text = json.dumps(payload)
        if hash(text) not in known:
            known.add(hash(text))
            yield Case(kind, what, payload, text)


def _changes(shapes: Shapes, schema: Schema, made: list[Json]) -> Iterator[tuple[Kind, Change]]:
    known: set[tuple[Path, str, str]] = set()
    for payload in made:
        around: dict[Path, str] = {}
        for kind, changes in _CHANGES:
            for change in changes(shapes, schema, payload):
                path = change.path
                if path not in around:
                    around[path] = _around(payload, path)
                key = (path, change.what, around[path])
                if key not in known:
                    known.add(key)
                    yield kind, change


def _around(payload: Json, path: Path) -> str:
    """What stands at a place and on the way to it. Among the same members, a change hardly finds anything else."""
    found = []
    for part in (*path, None):
        if isinstance(payload, dict):
            found.append({name: item if isinstance(item, str) else type(item) for name, item in payload.items()})
        payload = payload if part is None else payload[part]
    return str(found)
