"""No verdict says less than payloads do: what is called safe breaks nobody, and what is said to break somebody does."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import assume, given, settings, strategies as st

from inference_tasks._runtime.testing.drawing import valid
from taskbind import ir, ir_json
from taskbind.diagnostics import Report
from taskbind.documents import Document, SpecTree
from taskbind.load.dialects import metaschema_problem
from taskbind.load.walk import walk
from taskbind.lower import lower
from taskbind.normalize import normalize
from tests.generator.test_normalize import tree_of
from tests.generator.test_normalize_meaning import SCHEMAS
from tests.laws.bugs import bugs, infected
from tests.laws.subjects import read

from .verdicts import Sides

OURS = Path(__file__).parents[3] / "generated" / "api.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
LEAF = st.fixed_dictionaries(
    {"type": st.sampled_from(["integer", "number"])},
    optional={
        "minimum": st.integers(-2, 3),
        "maximum": st.integers(-1, 4),
        "exclusiveMinimum": st.integers(-2, 3),
        "multipleOf": st.sampled_from([1, 2, 3]),
    },
) | st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(0, 3),
        "pattern": st.sampled_from(["^a", "a+$", "^[ab]*$"]),
        "enum": st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, unique=True),
    },
)
NAMES = st.sampled_from("abc")


def grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas as people write them: closed and open objects, lists, alternatives, references, and some `not`."""
    members = st.dictionaries(NAMES, inner, max_size=3)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": members},
        optional={
            "required": st.lists(NAMES, unique=True, min_size=1, max_size=2),
            "additionalProperties": st.booleans() | inner,
        },
    )
    lists = st.fixed_dictionaries(
        {"type": st.just("array")},
        optional={
            "items": inner | st.just(False),
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 3),
            "uniqueItems": st.booleans(),
        },
    )
    some = st.lists(inner, min_size=1, max_size=3)
    unions = st.one_of(*(some.map(lambda schemas, key=key: {key: schemas}) for key in ("anyOf", "oneOf")))
    maps = inner.map(lambda schema: {"type": "object", "additionalProperties": schema})
    checked = st.tuples(inner, inner).map(lambda both: {**both[0], "not": both[1]})
    refs = st.sampled_from(["A", "B"]).map(lambda name: {"$ref": f"#/$defs/{name}"})
    return st.one_of(
        objects, objects, lists, unions, unions, maps, checked, refs, st.just({}), st.just({"type": "null"})
    )


WRITTEN = st.recursive(LEAF, grown, max_leaves=6)


def full(member: Any, others: tuple[Any, Any]) -> dict[str, Any]:
    """A request, or an answer, whose member `x` has this schema."""
    definitions = dict(zip("AB", others, strict=True))
    return {"$schema": DIALECT, "type": "object", "properties": {"x": member}, "$defs": definitions}


FULL = st.builds(full, WRITTEN | SCHEMAS, st.tuples(WRITTEN, WRITTEN))


@st.composite
def edits(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A schema and what became of it: a few of its places hold something else."""
    old = draw(FULL)
    new = copy.deepcopy(old)
    for _ in range(draw(st.integers(1, 2))):
        places = [schema for pointer, schema in walk(new) if pointer]
        schema = draw(st.sampled_from(places))
        keys = [key for key in schema if key not in ("$defs", "$schema")]
        kind = draw(st.sampled_from(["drop", "put", "replace", "number"]))
        if kind == "drop" and keys:
            del schema[draw(st.sampled_from(keys))]
        elif kind == "put":
            schema |= draw(LEAF | WRITTEN)
        elif kind == "replace":
            other = draw(WRITTEN)
            schema.clear()
            schema |= other
        else:
            for key in keys:
                if isinstance(schema[key], int) and not isinstance(schema[key], bool):
                    schema[key] = max(schema[key] + draw(st.integers(-1, 1)), 1 if key == "multipleOf" else 0)
    return old, new


def api_of(schema: dict[str, Any]) -> ir.Api:
    """The IR of a task that has this schema for requests and answers."""
    assume(metaschema_problem(schema) is None)
    tree = tree_of(schema)
    first = tree.tasks[0]
    output = Document("my-task/output.json", first.input.text, copy.deepcopy(first.input.data))
    report = Report()
    api = lower(normalize(SpecTree(tree.root, (replace(first, output=output),), ()), report), report)
    assume(not report.fatal)
    return api


@settings(max_examples=120, deadline=None)
@given(edits() | st.tuples(FULL, FULL), st.data())
def test_of_two_schemas_no_verdict_is_wrong(both: tuple[dict[str, Any], dict[str, Any]], data: st.DataObject) -> None:
    old, new = map(api_of, both)
    sides = Sides(old, new)
    for task, side in sides.names():
        sides.check(task, side, lambda shapes, schema: data.draw(st.lists(valid(shapes, schema), max_size=3)))


# ------------------------------------------------------------------------------------------------------- real specs


def mutants(api: ir.Api, count: int) -> Iterator[tuple[ir.Api, ir.Api]]:
    """Specs and what became of them by one edit, and the other way round: so many edits out of all kinds and places."""
    edited = list(bugs(api))
    for bug in edited[:: max(1, len(edited) // count)]:
        yield api, infected(api, bug)
        yield infected(api, bug), api


def judged(api: ir.Api, count: int) -> Counter[tuple[str, str]]:
    """How many verdicts there are of each level and proof, once payloads have found none of them wrong."""
    counts: Counter[tuple[str, str]] = Counter()
    for old, new in mutants(api, count):
        sides = Sides(old, new)
        for task, side in sorted({(verdict.change.task, verdict.change.side) for verdict in sides.verdicts}):
            sides.check(task, side)
        assert sides.verdicts or old == new
        counts.update((verdict.wire.value, verdict.proof) for verdict in sides.verdicts)
    return counts


def assert_proved(counts: Counter[tuple[str, str]]) -> None:
    """Nearly all that breaks is shown by a payload, and next to nothing is undecided."""
    broken = sum(number for (level, _), number in counts.items() if level == "breaking")
    assert broken
    assert counts["breaking", "witness"] >= 0.95 * broken, counts
    assert counts["breaking", "unknown"] <= 0.02 * broken, counts


def test_no_verdict_on_an_edit_of_our_specs_is_wrong() -> None:
    api = ir_json.from_json(json.loads(OURS.read_text(encoding="utf-8")))
    assert_proved(judged(api, 60))


def test_no_verdict_on_an_edit_of_the_corpus_is_wrong(corpus: Path) -> None:
    assert_proved(judged(read(corpus / "hf-tasks").api, 60))
