"""What the docs say of types and values: nothing that the server does not hold to, and nothing kept quiet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taskbind import ir
from taskbind.config import Config
from taskbind.context import Context
from taskbind.diagnostics import Report
from taskbind.pipeline import read_api
from taskbind.plan import plan
from taskbind.render import client, docs
from taskbind.view.words import type_name, values

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
SELF = {"$ref": "#/$defs/t"}


def read(folder: Path, member: Any, **parts: Any) -> tuple[ir.Api, Config]:
    """A task `t` whose request has the parameter `p`; `parts` are keywords of the request."""
    root = {"type": "object", "properties": {"inputs": TEXT, "p": member}, "required": ["inputs"]} | parts
    (folder / "specs" / "t").mkdir(parents=True)
    for name, schema in (("input", root), ("output", {"type": "object", "properties": {"text": TEXT}})):
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        (folder / "specs" / "t" / f"{name}.json").write_text(json.dumps(schema), encoding="utf-8")
    config = Config(folder / "specs", folder / "out")
    return read_api(config, Report()), config


def words(folder: Path, member: Any, **parts: Any) -> tuple[str, str]:
    """The type and the values of the member."""
    api, _ = read(folder, member, **parts)
    root = api.resolve(ir.Ref("t/input.json#"))
    assert isinstance(root, ir.Object)
    field = root.field("p")
    assert field
    return type_name(api, field.type), ", ".join(values(api, field.type))


@pytest.mark.parametrize(
    ("schema", "type", "said"),
    [
        (WHOLE, "integer", ""),
        ({**WHOLE, "enum": [1, 2]}, "integer", "`1`, `2`"),
        ({"enum": [0.5, 1]}, "number", "`0.5`, `1`"),
        ({"const": 5}, "integer", "`5`"),
        ({"const": True}, "boolean", "`true`"),
        ({"enum": [1, 2, None]}, "integer or null", "`1`, `2`"),
        ({"enum": ["a", None]}, "string or null", '`"a"`'),
        ({"enum": ["a", 1, True]}, "string or boolean or integer", '`"a"`, `1`, `true`'),
        ({"enum": [{"a": 1}, [1]]}, "object or array", '`{"a": 1}`, `[1]`'),
        ({**WHOLE, "minimum": 2, "enum": [1, 2, 3]}, "integer", "`2`, `3`"),
        ({**WHOLE, "enum": [1, 2], "not": {"const": 1}}, "integer", "`2`"),
        ({**WHOLE, "minimum": 2, "const": 1}, "integer", "nothing fits"),
        ({"type": "array", "items": {"enum": [1, 2]}}, "array of integers", "each item: `1`, `2`"),
        (
            {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"enum": ["a"]}},
            "array of strings",
            'at least 1 item, no two alike, each item: `"a"`',
        ),
        ({"type": "object", "additionalProperties": {**WHOLE, "minimum": 0}}, "object of integers", "each member: ≥ 0"),
        ({**TEXT, "not": {"const": "x"}}, "string", 'not `"x"`'),
        ({**WHOLE, "not": {"enum": [1, 2]}}, "integer", "not `1` or `2`"),
        ({**TEXT, "not": {"pattern": "^x"}}, "string", 'not matches `"^x"`'),
        ({"type": "object", "not": {"required": ["a"]}}, "object", "without `a`"),
        ({"type": "object", "not": {"required": ["a", "b"]}}, "object", "not with `a` and `b` together"),
        ({**TEXT, "not": {"anyOf": [{"const": "x"}]}}, "string", "see `not` in the JSON Schema"),
        ({"type": "array", "contains": {"const": "x"}}, "array of any JSON values", 'at least 1 item: `"x"`'),
        (
            {"type": "array", "contains": WHOLE, "minContains": 0, "maxContains": 2},
            "array of any JSON values",
            "0 to 2 items: integer",
        ),
        (
            {"type": "object", "patternProperties": {"^x": WHOLE}},
            "object",
            'each member whose name matches `"^x"`: integer',
        ),
        (
            {"type": "object", "patternProperties": {"^x": WHOLE}, "additionalProperties": False},
            "object",
            'each member whose name matches `"^x"`: integer, no other members',
        ),
        (
            {"type": "object", "patternProperties": {"^x": {"type": "array", "items": WHOLE}}},
            "object",
            "see `patternProperties` in the JSON Schema",
        ),
        (
            {"type": "object", "propertyNames": {"pattern": "^a"}, "additionalProperties": WHOLE},
            "object of integers",
            'each name: matches `"^a"`',
        ),
        (
            {"type": "object", "properties": {"a b": TEXT, "c": TEXT}, "dependentRequired": {"a b": ["c"]}},
            "object",
            "with `a b` also `c`",
        ),
        ({"type": "object", "properties": {"a": TEXT}, "minProperties": 1}, "object", "at least 1 member"),
        ({"type": "object", "minProperties": 1, "maxProperties": 2}, "object", "1 to 2 members"),
        (
            {"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            "object",
            "with one or more of `a`, `b`",
        ),
        (
            {"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}},
            "object",
            "see `if`, `then` in the JSON Schema",
        ),
        ({"type": "number", "maximum": 1e308}, "number", "≤ 1e+308"),
        (False, "nothing", "nothing fits"),
    ],
    ids=json.dumps,
)
def test_values_are_what_the_schema_accepts(tmp_path: Path, schema: Any, type: str, said: str) -> None:
    assert words(tmp_path, schema) == (type, said)


@pytest.mark.parametrize(
    ("schema", "type", "said"),
    [
        ({"type": "array", "items": SELF}, "array of such values", ""),
        ({"type": "object", "additionalProperties": SELF}, "object of such values", ""),
        ({"oneOf": [TEXT, {"type": "array", "items": SELF}]}, "string or array of such values", ""),
        (
            {"oneOf": [{"type": "number", "minimum": 0}, {"type": "array", "items": SELF, "minItems": 1}]},
            "number or array of such values",
            "≥ 0, at least 1 item",
        ),
        (
            {"type": "array", "prefixItems": [TEXT, SELF], "items": False},
            "array of 2: string, such a value",
            "",
        ),
        (
            {"oneOf": [TEXT, {"type": "array", "items": {"oneOf": [WHOLE, {"type": "array", "items": SELF}]}}]},
            "string or array of (integer or array of such values)",
            "",
        ),
    ],
    ids=json.dumps,
)
def test_types_that_hold_themselves_are_named_rightly(tmp_path: Path, schema: Any, type: str, said: str) -> None:
    assert words(tmp_path, SELF, **{"$defs": {"t": schema}}) == (type, said)


def test_two_types_that_hold_each_other_are_not_taken_for_one(tmp_path: Path) -> None:
    one = {"oneOf": [TEXT, {"type": "array", "items": {"$ref": "#/$defs/u"}}]}
    other = {"oneOf": [WHOLE, {"type": "array", "items": SELF}]}
    found, _ = words(tmp_path, SELF, **{"$defs": {"t": one, "u": other}})
    assert found == "string or array of (integer or array of nested values)"


def test_types_in_types_are_named_in_a_few_words(tmp_path: Path) -> None:
    """Written out, these are 2¹⁶ types."""
    levels = {f"t{n}": {"type": "array", "prefixItems": [{"$ref": f"#/$defs/t{n + 1}"}] * 2} for n in range(16)}
    api, _ = read(tmp_path, {"$ref": "#/$defs/t0"}, **{"$defs": {**levels, "t16": {**WHOLE, "minimum": 0}}})
    for definition in api.definitions:
        assert len(type_name(api, definition.type)) < 5000
        assert len(", ".join(values(api, definition.type))) < 5000


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ({"required": ["q"], "properties": {"q": {"$ref": "#/$defs/q"}}}, "with one or more of `b`, `a.q`"),
        ({"required": ["q"], "properties": {"q": {"const": "x"}}}, "see `anyOf` in the JSON Schema"),
        ({"required": ["q", "r"]}, "see `anyOf` in the JSON Schema"),
        ({"minProperties": 1}, "see `anyOf` in the JSON Schema"),
    ],
    ids=json.dumps,
)
def test_a_member_inside_that_must_be_there(tmp_path: Path, inner: Any, said: str) -> None:
    box = {"type": "object", "properties": {"q": {"$ref": "#/$defs/q"}}}
    either = [{"required": ["b"]}, {"required": ["a"], "properties": {"a": inner}}]
    member = {"type": "object", "properties": {"a": box, "b": TEXT}, "anyOf": either}
    assert words(tmp_path, member, **{"$defs": {"q": TEXT}})[1] == said


def test_pages_and_docstrings_say_the_same(tmp_path: Path) -> None:
    api, config = read(tmp_path, {**WHOLE, "enum": [1, 2]}, dependentRequired={"p": ["inputs"]})
    names = plan(api, config)
    page = str(docs.render(api, names, Context(config))["docs/t.md"])
    assert "| integer | no | – | `1`, `2` | – |" in page
    assert "\n\nThe object as a whole: with `p` also `inputs`.\n\n" in page
    (module,) = (str(text) for text in client.render(api, names, Context(config)).values())
    assert "p: Values: `1`, `2`." in module


def test_alternatives_are_told_apart_by_their_numbers(tmp_path: Path) -> None:
    one = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}
    other = {"type": "object", "properties": {"b": TEXT}, "required": ["b"], "maxProperties": 2}
    found = words(tmp_path, {"type": "array", "items": {"anyOf": [one, other]}})
    assert found == ("array of objects", "each item: (2 of 2) at most 2 members")
