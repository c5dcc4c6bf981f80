"""Normalising, by random schemas: nothing raises, and values are judged as validators judge them."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, strategies as st

from taskbind.diagnostics import Report, TaskbindError
from taskbind.explain import codes as all_codes, explain
from taskbind.load.codes import CODES
from taskbind.load.walk import walk
from taskbind.normalize import KEYWORDS, RULES, normalize
from taskbind.normalize.oracle import Oracle
from tests.generator.test_normalize import DRAFT4, DRAFT6, DRAFT2019, assert_normal, run, tree_of

# -------------------------------------------------------------------------------------------------------- oracle

scalars = st.sampled_from([None, True, False, 0, 1, 1.0, 2.5, -3, 1e300, "", "a", "aab", "é"])
instances = st.recursive(
    scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from("abc"), v), max_leaves=6
)
small = st.integers(0, 3)


def schemas() -> st.SearchStrategy[dict[str, Any]]:
    types = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
    leaves: dict[str, st.SearchStrategy[Any]] = {
        "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
        "enum": st.lists(instances, min_size=1, max_size=3),
        "const": instances,
        "required": st.lists(st.sampled_from("abc"), unique=True),
        "uniqueItems": st.booleans(),
        "pattern": st.sampled_from(["^a+$", "b", "^$"]),
        **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), small),
        **dict.fromkeys(("minProperties", "maxProperties"), small),
        "dependentRequired": st.dictionaries(st.sampled_from("abc"), st.lists(st.sampled_from("abc"), unique=True)),
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), small | st.just(0.5)),
        "multipleOf": st.sampled_from([1, 2, 0.5, 0.1]),
    }

    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        many = st.lists(inner, min_size=1, max_size=3)
        nested: dict[str, st.SearchStrategy[Any]] = {
            **dict.fromkeys(("allOf", "anyOf", "oneOf"), many),
            "prefixItems": many,
            "items": inner,
            "properties": st.dictionaries(st.sampled_from("abc"), inner),
            **dict.fromkeys(("additionalProperties", "propertyNames", "not", "contains"), inner | st.booleans()),
            **dict.fromkeys(("if", "then", "else"), inner | st.booleans()),
            **dict.fromkeys(("minContains", "maxContains"), small),
            "dependentSchemas": st.dictionaries(st.sampled_from("abc"), inner),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b", "^$"]), inner),
            "unevaluatedProperties": st.just(False),
        }
        return st.fixed_dictionaries({}, optional=leaves | nested)

    return st.recursive(st.fixed_dictionaries({}, optional=leaves), grow, max_leaves=5)


@given(schemas(), st.lists(instances, min_size=1, max_size=5))
def test_the_oracle_agrees_with_a_validator(schema: dict[str, Any], values: list[Any]) -> None:
    oracle = Oracle({"a#": schema})
    validator = jsonschema_rs.Draft202012Validator(schema)
    for value in values:
        found = oracle.accepts("a#", value)
        assert found is validator.is_valid(value) or (found is None and "unevaluatedProperties" in str(schema))


# ------------------------------------------------------------------------------------------------------- explain


def test_every_code_is_explained() -> None:
    known = all_codes()
    ours = [code.code for code in CODES] + [rule.code.code for rule in RULES]
    assert len(set(ours)) == len(ours), "codes are unique"
    assert set(ours) <= known.keys()
    for code in known.values():
        text = explain(code.code.lower())
        assert text.startswith(f"{code.code} ({code.severity}): {code.title}\n\n")
        assert len(code.text) > len(code.title)


def test_an_unknown_code() -> None:
    with pytest.raises(TaskbindError, match="did you mean TB1"):
        explain("TB1010")


# ---------------------------------------------------------------------------------------------------------- junk

ODD = ("nullable", "example", "comment", "definitions", "discriminator", "additionalItems", "dependencies")
keywords = st.sampled_from([*sorted(KEYWORDS), *ODD])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*sorted(KEYWORDS), "nullable", "example", "comment", "dependencies", "definitions"]), inner
        )
    ),
    max_leaves=25,
)


@given(
    st.dictionaries(keywords, junk),
    st.sampled_from([None, DRAFT4, DRAFT6, DRAFT2019]),
)
def test_no_schema_raises(schema: dict[str, Any], dialect: str | None) -> None:
    found, report = run(schema if dialect is None else {"$schema": dialect, **schema})
    assert all(inner.keys() <= KEYWORDS for _, inner in walk(found))
    if not report.fatal:
        assert_normal(normalize(tree_of(found), Report()))
