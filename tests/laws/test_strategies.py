"""The strategies: what they draw is what the schema says, of every schema, and everything in it comes up."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from inference_tasks import _tasks
from inference_tasks._runtime import testing
from inference_tasks._runtime.testing.bundle import Bundle, Schema
from inference_tasks._runtime.testing.cover import cover
from inference_tasks._runtime.testing.drawing import boundary, invalid
from inference_tasks._runtime.testing.edges import edges
from inference_tasks._runtime.testing.mistakes import mistakes
from inference_tasks._runtime.testing.places import declared, hit
from inference_tasks._runtime.testing.shapes import Shapes

from ..support.payloads import drawn

TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
    "required": ["name"],
}
CHAIN = {
    "type": "object",
    "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Chain"}, {"type": "null"}]}, "value": {"type": "integer"}},
    "required": ["next"],
    "additionalProperties": False,
}
SCHEMAS: dict[str, Schema] = {
    "anything": True,
    "empty": {},
    "null": {"type": "null"},
    "types": {"type": ["integer", "string", "null"]},
    "untyped": {"minimum": 3, "minLength": 2, "required": ["a"]},
    "integer": {"type": "integer", "minimum": -1, "exclusiveMaximum": 3},
    "far": {"type": "integer", "minimum": 2**60 + 1, "maximum": 2**60 + 9},
    "narrow": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e-6},
    "steps": {"type": "number", "multipleOf": 0.25, "minimum": 1},
    "two steps": {"type": "integer", "allOf": [{"multipleOf": 4}, {"multipleOf": 6}], "maximum": 30},
    "lengths": {"type": "string", "minLength": 3, "maxLength": 5},
    "pattern": {"type": "string", "pattern": "^[a-c]{2,4}$"},
    "pattern and length": {"type": "string", "pattern": "^[0-9]+$", "minLength": 2, "maxLength": 4},
    "const": {"const": {"a": [1, None]}},
    "enum": {"enum": [1, "1", True, None, {"a": 1}]},
    "enum of a type": {"type": "string", "enum": ["a", 1, "b"]},
    "media": {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/*"},
    "array": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
    "set": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True, "minItems": 2},
    "tuple": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}], "items": False, "minItems": 2},
    "open tuple": {"type": "array", "prefixItems": [{"type": "number"}], "items": {"type": "string"}},
    "map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1},
    "patterns of names": {
        "type": "object",
        "patternProperties": {"^x": {"type": "integer"}},
        "properties": {"x1": {"minimum": 3}, "a": {"type": "string"}},
        "additionalProperties": False,
    },
    "never there": {"type": "object", "properties": {"a": False, "b": {"type": "string"}}},
    "required but not declared": {"type": "object", "required": ["a"], "additionalProperties": {"type": "integer"}},
    "closed and closed": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}, "b": True}, "additionalProperties": False},
            {"type": "object", "properties": {"a": {"minimum": 2}, "c": True}, "additionalProperties": False},
        ]
    },
    "unions inside": {
        "type": "object",
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        "properties": {"a": {"type": "string"}, "b": {"oneOf": [{"type": "integer"}, {"type": "array"}]}},
    },
    "tagged": {
        "oneOf": [
            {"type": "object", "properties": {"kind": {"const": "a"}, "x": {"type": "integer"}}, "required": ["kind"]},
            {"type": "object", "properties": {"kind": {"const": "b"}, "y": {"type": "string"}}, "required": ["kind"]},
        ]
    },
    "overlapping": {
        "oneOf": [
            {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
            {"type": "object", "properties": {"y": {"type": "integer"}}, "required": ["y"]},
        ]
    },
    "not": {"type": "integer", "not": {"const": 0}},
    "if": {"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}},
    "tree": {"$ref": "#/$defs/Tree"},
    "chain": {"$ref": "#/$defs/Chain"},
}
EXACT = set(SCHEMAS) - {"overlapping", "not", "if", "pattern and length"}
"""Schemas all of whose keywords are modelled, so that nothing drawn is ever thrown away."""


def shapes_of(schema: Schema) -> tuple[Shapes, Schema]:
    document = {"$defs": {"Tree": TREE, "Chain": CHAIN, "Root": schema}}
    shapes = Shapes(Bundle(document))
    return shapes, shapes.bundle.root("Root")


@pytest.mark.parametrize("name", SCHEMAS)
def test_draws_are_valid_and_reach_every_member(name: str) -> None:
    shapes, schema = shapes_of(SCHEMAS[name])
    values = drawn(shapes, schema, 60)
    assert values
    assert all(shapes.bundle.accepts(schema, value) for value in values)
    found = {path for value in [*values, *cover(shapes, schema)] for path in hit(shapes, schema, value)}
    assert declared(shapes, schema) <= found
    assert json.loads(json.dumps(values)) == values, "they are JSON values"


@pytest.mark.parametrize("name", sorted(EXACT))
def test_nothing_is_thrown_away(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes, schema = shapes_of(SCHEMAS[name])
    verdicts: list[bool] = []
    accepts = shapes.bundle.accepts

    def count(asked: Schema, value: Any) -> bool:
        verdict = accepts(asked, value)
        if asked is schema:
            verdicts.append(verdict)
        return verdict

    monkeypatch.setattr(shapes.bundle, "accepts", count)
    drawn(shapes, schema, 60)
    assert verdicts.count(False) <= len(verdicts) / 20


@pytest.mark.parametrize("name", sorted(set(SCHEMAS) - {"anything", "empty"}))
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_changed_draws_are_what_they_say(name: str, data: st.DataObject) -> None:
    shapes, schema = shapes_of(SCHEMAS[name])
    assert not shapes.bundle.accepts(schema, data.draw(invalid(shapes, schema)))
    assert shapes.bundle.accepts(schema, data.draw(boundary(shapes, schema)))


def test_recursion_ends() -> None:
    for name in ("tree", "chain"):
        shapes, schema = shapes_of(SCHEMAS[name])
        assert max(len(json.dumps(value)) for value in drawn(shapes, schema, 60)) < 5_000


def test_a_schema_without_values_draws_nothing() -> None:
    hopeless = {"type": "object", "properties": {"a": {"$ref": "#/$defs/Root"}}, "required": ["a"]}
    for schema in (False, hopeless, {"type": "integer", "minimum": 3, "maximum": 2}):
        shapes, root = shapes_of(schema)
        assert cover(shapes, root) == []


@pytest.mark.parametrize(
    ("schema", "payload", "wrong"),
    [
        ({"type": "integer", "minimum": 1}, 1, [0, "1", True, 0.5, None, math.nextafter(1, 0)]),
        ({"type": "string", "enum": ["soft_max"]}, "soft_max", ["SOFT_MAX", "soft-max", " soft_max", ""]),
        ({"type": "array", "items": {}, "minItems": 2, "maxItems": 2}, [1, 2], [[1], [1, 2, 2]]),
        ({"type": "object", "required": ["a"], "properties": {"a": {}}}, {"a": 1}, [{}, {"A": 1}, {"a_": 1}]),
        ({"type": "object", "additionalProperties": False}, {}, [{"undeclared_": 1}]),
        ({"type": "string", "maxLength": 2}, "ab", ["xxx", "\U0001f389" * 3]),
        ({"type": "number", "exclusiveMaximum": 1}, 0.5, [1]),
    ],
)
def test_mistakes_are_enumerated(schema: Schema, payload: Any, wrong: list[Any]) -> None:
    shapes, root = shapes_of(schema)
    made = [change.payload for change in mistakes(shapes, root, payload)]
    for each in wrong:
        assert any(type(each) is type(other) and each == other for other in made), each
        assert not shapes.bundle.accepts(root, each)


def test_both_branches_at_once_is_a_mistake_too() -> None:
    shapes, schema = shapes_of(SCHEMAS["overlapping"])
    assert {"x": 1, "y": 1} in [change.payload for change in mistakes(shapes, schema, {"x": 1})]


def test_edges_are_enumerated() -> None:
    shapes, schema = shapes_of({"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "string"}}})
    made = [change.payload for change in edges(shapes, schema, {"a": 0.5, "b": "x"})]
    for number in (2**53 + 1, 2**64, 10**30, 1.0, 5e-324, 1.7976931348623157e308, -0.0):
        assert {"a": number, "b": "x"} in made
    for text in ("", "\0", "\u2028", "e\u0301", "\U0001f389", '"""', "</script>"):
        assert any(text in payload.get("b", "?") for payload in made)
    for name in ("", "__proto__", "model_config", "self"):
        assert any(name in payload for payload in made)


def test_changes_say_what_and_where() -> None:
    shapes, schema = shapes_of({"type": "object", "properties": {"a/b": {"type": "integer"}}})
    said = {str(change) for change in mistakes(shapes, schema, {"a/b": 1})}
    assert "null at /a~1b" in said
    assert "an empty array at the root" in said


# ------------------------------------------------------------------------------------------------- public functions


@pytest.mark.parametrize("task", sorted(_tasks.TASKS))
@settings(max_examples=5)
@given(data=st.data())
def test_the_public_strategies(task: str, data: st.DataObject) -> None:
    binding = _tasks.TASKS[task]
    assert testing.accepts_request(task, data.draw(testing.requests(binding)))
    assert testing.accepts_request(task, data.draw(testing.boundary_requests(task)))
    assert not testing.accepts_request(task, data.draw(testing.invalid_requests(task)))
    assert testing.accepts_response(task, data.draw(testing.responses(task)))
    assert testing.accepts_response(task, data.draw(testing.boundary_responses(task)))
    assert not testing.accepts_response(task, data.draw(testing.invalid_responses(task)))
    if binding.stream_type:
        assert testing.accepts_stream_event(task, data.draw(testing.stream_events(task)))
        assert testing.accepts_stream_event(task, data.draw(testing.boundary_stream_events(task)))
        assert not testing.accepts_stream_event(task, data.draw(testing.invalid_stream_events(task)))
    else:
        with pytest.raises(ValueError, match="no streamed answers"):
            testing.stream_events(task)


def test_a_task_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"no task 'nothing'; there are .*text-classification"):
        testing.requests("nothing")


@pytest.mark.parametrize("missing", ["hypothesis", "jsonschema_rs"])
def test_the_error_without_the_extra_says_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import inference_tasks.testing"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stderr.splitlines()[-1].endswith(f"{missing} is missing: pip install 'inference-tasks[testing]'")
