"""Normalising keeps the meaning: a validator of the dialect that a schema is written in accepts what one of 2020-12
accepts of the result."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, example, given, strategies as st

from taskbind.diagnostics import Report
from taskbind.load.dialects import metaschema_problem
from taskbind.load.refs import References
from taskbind.normalize import normalize
from tests.conformance.suite import DIALECTS, Judge
from tests.generator.test_normalize import DRAFT4, DRAFT6, DRAFT2019, assert_normal, tree_of
from tests.generator.test_normalize_properties import instances, small

ALL = (DRAFT4, DRAFT6, DIALECTS["draft7"], DRAFT2019, DIALECTS["draft2020-12"])
REPAIRS = {"TB213", "TB217"}  # what the author meant, and not what is written
NAMES = st.sampled_from("abc")
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
REFS = st.sampled_from(["#", "#/$defs/A", "#/$defs/B", "#/definitions/A", "#/properties/a", "#/then", "#/not"])
LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
    "enum": st.lists(instances, min_size=1, max_size=3, unique_by=repr),
    "const": instances,
    "required": st.lists(NAMES, unique=True, min_size=1),
    "uniqueItems": st.booleans(),
    "pattern": st.sampled_from(["^a+$", "b"]),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), small),
    **dict.fromkeys(("minContains", "maxContains"), small | st.just(2.0)),
    **dict.fromkeys(("minimum", "maximum"), small),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), small | st.booleans()),
    "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, unique=True)),
    "$ref": REFS,
    "title": st.just("T"),
}


def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    many, named = st.lists(inner, min_size=1, max_size=3), st.dictionaries(NAMES, inner)
    one = ("additionalProperties", "propertyNames", "not", "contains", "if", "then", "else", "additionalItems")
    nested: dict[str, st.SearchStrategy[Any]] = {
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), many),
        **dict.fromkeys(("properties", "dependentSchemas"), named),
        **dict.fromkeys((*one, "unevaluatedItems", "unevaluatedProperties"), inner | st.booleans()),
        "items": inner | many | st.booleans(),
        "dependencies": st.dictionaries(NAMES, inner | st.lists(NAMES, unique=True, min_size=1)),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner),
        "$defs": st.fixed_dictionaries({"A": inner, "B": inner | st.booleans()}),
        "definitions": st.fixed_dictionaries({"A": inner}),
    }
    return st.fixed_dictionaries({}, optional=LEAVES | nested)


SCHEMAS = st.recursive(st.fixed_dictionaries({}, optional=LEAVES), grow, max_leaves=5)


@pytest.mark.parametrize("dialect", ALL)
@given(SCHEMAS, st.lists(instances, min_size=3, max_size=8))
@example({"allOf": [{"additionalProperties": False}], "properties": {"a": {}}}, [{"a": 1}])
@example({"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"a": {}}}}, "unevaluatedProperties": False}, [{"a": 1}])
@example({"allOf": [{"$ref": "#/then"}], "then": {"type": "null"}}, [1, None])
def test_the_meaning_is_kept(dialect: str, schema: dict[str, Any], values: list[Any]) -> None:
    schema = {"$schema": dialect, **schema}
    assume(metaschema_problem(schema) is None)
    tree, report = tree_of(schema), Report()
    assume(tree.tasks[0].input.path in References(tree.documents).check(Report()))
    done = normalize(tree, report)
    assume(not report.fatal and REPAIRS.isdisjoint(finding.code for finding in report))
    assert_normal(done)
    written = jsonschema_rs.validator_for(schema, validate_formats=False, offline=True)
    judge = Judge(done, tree.tasks[0].input.path)
    for value in values:
        assert judge.accepts(value) is written.is_valid(value)
