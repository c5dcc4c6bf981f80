"""Schemas reworded for the OpenAPI document: in other words, they accept what they accepted before."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from inference_tasks._runtime.testing.bundle import Bundle
from inference_tasks._runtime.testing.shapes import Shapes
from taskbind.view.openapi_schemas import reworded
from tests.support.payloads import cases

GENERATED = Path(__file__).parents[2] / "generated"
PACKAGED = sorted((GENERATED / "inference_tasks" / "schemas").glob("*.json"))

REQUIRED = [{"required": ["a"]}, {"required": ["b"]}]
AB: dict[str, Any] = {"a": {"type": "integer"}, "b": {}}
OBJECT: dict[str, Any] = {"type": "object", "properties": AB, "additionalProperties": False}

WORDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing behind the first items": (
        {"type": "array", "prefixItems": [{"type": "integer"}, {}], "items": False, "minItems": 1},
        {"type": "array", "prefixItems": [{"type": "integer"}, {}], "minItems": 1, "maxItems": 2},
    ),
    "a closer end": (
        {"type": "array", "prefixItems": [{"type": "integer"}, {}], "items": False, "maxItems": 1},
        {"type": "array", "prefixItems": [{"type": "integer"}, {}], "maxItems": 1},
    ),
    "an empty list": ({"type": "array", "items": False}, {"type": "array", "items": {}, "maxItems": 0}),
    "any items": ({"type": "array"}, {"type": "array", "items": {}}),
    "any items, of which none may be left": (
        {"allOf": [{"type": "array"}], "unevaluatedItems": False},
        {"allOf": [{"type": "array"}], "unevaluatedItems": False},
    ),
    "schemas that are booleans": (
        {"type": "object", "properties": {"a": True, "b": False}, "additionalProperties": False},
        {"type": "object", "properties": {"a": {}, "b": {"not": {}}}, "additionalProperties": False},
    ),
    "values with their meanings": (
        {"type": "string", "description": "D.", "oneOf": [{"const": "a", "description": "A."}, {"const": "b"}]},
        {"type": "string", "description": "D.\n\n- `a`: A.", "enum": ["a", "b"]},
    ),
    "values of which one is there twice": (
        {"type": "string", "oneOf": [{"const": "a"}, {"const": "b"}, {"const": "a"}]},
        {"type": "string", "oneOf": [{"const": "a"}, {"const": "b"}, {"const": "a"}]},
    ),
    "choices between members": (
        {**OBJECT, "anyOf": REQUIRED},
        {**OBJECT, "allOf": [{"anyOf": REQUIRED}]},
    ),
    "an object and more about it": (
        {"title": "T", "allOf": [OBJECT, {"anyOf": REQUIRED}]},
        {"title": "T", **OBJECT, "allOf": [{"anyOf": REQUIRED}]},
    ),
    "what was said before": (
        {"allOf": [{**OBJECT, "anyOf": REQUIRED}, {"anyOf": REQUIRED}]},
        {**OBJECT, "allOf": [{"anyOf": REQUIRED}]},
    ),
    "what sounds as if it was said before": (
        {"allOf": [OBJECT, {"additionalProperties": False}]},
        {**OBJECT, "allOf": [{"additionalProperties": False}]},
    ),
    "a closed object of two parts": (
        {"allOf": [{**OBJECT, "unevaluatedProperties": False}, {"properties": {"a": True}}]},
        {"allOf": [{**OBJECT, "unevaluatedProperties": False}, {"properties": {"a": {}}}]},
    ),
    "a text with two patterns": (
        {"allOf": [{"type": "string", "pattern": "a"}, {"pattern": "b"}]},
        {"type": "string", "pattern": "a", "allOf": [{"pattern": "b"}]},
    ),
}
VALUES: tuple[Any, ...] = (
    *(None, True, 1, "a", "ab", "b", [], [1], [1, 2], [1, 2, 3], ["a"], ["a", 1]),
    *({}, {"a": 1}, {"a": "x"}, {"b": 1}, {"a": 1, "b": 2}, {"c": 1}, {"a": 1, "c": 1}),
)


def accepted(schema: dict[str, Any], **more: Any) -> list[bool]:
    validator = jsonschema_rs.Draft202012Validator({**schema, **more})
    return [validator.is_valid(value) for value in VALUES]


@pytest.mark.parametrize("name", WORDS)
def test_words(name: str) -> None:
    before, after = WORDS[name]
    made, gone = reworded({"X": copy.deepcopy(before)}, "#/x/")
    assert (made, gone) == ({"X": after}, {})
    assert accepted(before) == accepted(after)
    assert len(set(accepted(after))) == 2


def test_names_of_names() -> None:
    schemas: dict[str, dict[str, Any]] = {
        "A": {"title": "A", "description": "Another name.", "$ref": "#/x/B"},
        "B": {"$ref": "#/x/C"},
        "C": {"type": "object", "properties": {"a": {"$ref": "#/x/A", "description": "Within."}}},
        "D": {"title": "D", "$ref": "#/x/A", "required": ["a"]},
        "E": {"$ref": "#/x/F"},
        "F": {"$ref": "#/x/E"},
    }
    made, gone = reworded(schemas, "#/x/")
    assert gone == {"A": "C", "B": "C"}
    assert made == {
        "C": {"type": "object", "properties": {"a": {"$ref": "#/x/C", "description": "Within."}}},
        "D": {"title": "D", "required": ["a"], "allOf": [{"$ref": "#/x/C"}]},
        "E": {"$ref": "#/x/F"},
        "F": {"$ref": "#/x/E"},
    }


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.stem)
def test_the_document_says_what_the_package_does(path: Path) -> None:
    document = json.loads((GENERATED / "openapi.json").read_text(encoding="utf-8"))
    packaged = json.loads(path.read_text(encoding="utf-8"))
    bundle = Bundle(packaged)
    shapes = Shapes(bundle)
    for name in packaged["$defs"]:
        root = bundle.root(name)
        if name not in document["components"]["schemas"]:
            assert root.keys() <= {"title", "description", "$ref"}
            continue
        words = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        validator = jsonschema_rs.Draft202012Validator(
            words, validate_formats=False, pattern_options=jsonschema_rs.RegexOptions(), offline=True
        )
        verdicts = set()
        for case in cases(shapes, root, draws=2, limit=60):
            verdict = bundle.accepts(root, case.payload)
            assert validator.is_valid(case.payload) == verdict, (name, case.what, case.text[:500])
            verdicts.add(verdict)
        assert verdicts
