"""The IR: what is written as api.json is read back as it was, and holds nothing but JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from taskbind import ir, ir_json
from taskbind.diagnostics import Report
from taskbind.load import load
from taskbind.lower import lower
from taskbind.normalize import normalize
from tests.generator.test_normalize import tree_of

SPECS = Path(__file__).parents[2] / "specs"


def fields(inner: st.SearchStrategy[ir.Type]) -> st.SearchStrategy[ir.Field]:
    defaults = st.just(ir.ABSENT) | st.none() | st.booleans() | st.integers(0, 1) | st.lists(st.integers(), max_size=1)
    source = st.none() | st.builds(ir.Source, NAMES, NAMES)
    return st.builds(ir.Field, NAMES, inner, st.booleans(), NAMES, defaults, source=source)


NAMES = st.text("abc/#$-", min_size=1, max_size=6)
BOUNDS = st.none() | st.integers(-5, 5) | st.floats(-5, 5)
LEAVES = (
    st.just(ir.Any())
    | st.builds(ir.Ref, NAMES)
    | st.builds(ir.Media, st.sampled_from(["audio", "image"]), st.just("image/*"))
    | st.builds(lambda values: ir.Enum(tuple(values)), st.lists(NAMES, min_size=1, unique=True))
    | st.builds(ir.Scalar, st.sampled_from(["string", "integer", "number"]), minimum=BOUNDS, pattern=st.none() | NAMES)
)
TYPES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(ir.Map, inner)
        | st.builds(
            ir.Array, st.none() | inner, st.lists(inner, max_size=2).map(tuple), min_items=st.none() | st.just(0)
        )
        | st.builds(ir.Union, st.lists(inner, min_size=1, max_size=3).map(tuple), st.booleans())
        | st.builds(ir.Object, st.lists(fields(inner), max_size=3).map(tuple), st.booleans() | inner)
    ),
    max_leaves=6,
)


def through_json(api: ir.Api) -> ir.Api:
    return ir_json.from_json(json.loads(json.dumps(ir_json.to_json(api), allow_nan=False)))


@given(TYPES)
def test_every_type_survives(type: ir.Type) -> None:
    api = ir.Api((), (ir.Definition("x", "X", type),))
    again = through_json(api)
    assert again == api
    assert ir_json.to_json(again) == ir_json.to_json(api), "a default of 0 is not a default of false"


FORMS = st.lists(st.dictionaries(NAMES, NAMES, max_size=2).map(lambda form: tuple(form.items())), max_size=2).map(tuple)
WIRES = st.builds(
    ir.Wire,
    NAMES,
    route=st.just("") | NAMES,
    file=NAMES,
    nulls=st.booleans(),
    requests=FORMS,
    answers=FORMS,
    scales=st.dictionaries(NAMES, NAMES, max_size=2).map(lambda scales: tuple(scales.items())),
)
SPOKEN = st.builds(
    ir.Dialect,
    NAMES,
    NAMES,
    NAMES,
    url=st.just("") | NAMES,
    max_body=st.none() | st.integers(1, 9),
    auth=st.just("Bearer") | NAMES,
    protocol=st.just("") | NAMES,
    named_only=st.booleans(),
)


@given(st.lists(SPOKEN, max_size=2).map(tuple), st.lists(WIRES, max_size=2).map(tuple))
def test_dialects_survive(dialects: tuple[ir.Dialect, ...], wires: tuple[ir.Wire, ...]) -> None:
    api = ir.Api((ir.Task("t", "T", "i", "o", wires=wires),), (), dialects)
    assert through_json(api) == api


def test_our_own_specs_survive() -> None:
    report = Report()
    api = lower(normalize(load(SPECS, report), report), report)
    assert through_json(api) == api
    committed = json.loads((SPECS.parent / "generated" / "api.json").read_text(encoding="utf-8"))
    assert committed == ir_json.to_json(api)


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 99"):
        ir_json.from_json({"version": 99, "tasks": [], "definitions": []})


def test_null_is_split_off() -> None:
    text = ir.Scalar("string")
    assert ir.split_null(ir.Union((text, ir.NULL))) == (text, True)
    assert ir.split_null(text) == (text, False)
    assert ir.split_null(ir.NULL) == (ir.NULL, True)


def test_a_condition_on_an_object_is_one_check() -> None:
    properties = {"a": {"type": "string"}, "b": {"type": "string"}}
    inner = {"type": "object", "properties": properties, "dependentRequired": {"a": ["b"]}}
    report = Report()
    api = lower(normalize(tree_of({**inner, "properties": {**properties, "x": inner}}), report), report)
    checked = [definition.type for definition in api.definitions if isinstance(definition.type, ir.Checked)]
    assert [(type.data, isinstance(type.base, ir.Object)) for type in checked] == [
        ({"dependentRequired": {"a": ["b"]}}, True)
    ] * 2
