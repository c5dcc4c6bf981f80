"""From an inline spec to a call: what a spec says is what the generated package does."""

from __future__ import annotations

import importlib
import inspect
import json
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from taskbind.pipeline import SpecError
from tests.support.project import closed, echo_task, generate_project, imported


def adapters(name: str = "echo") -> Any:
    return importlib.import_module("made._tasks").TASKS[name]


def accepts(adapter: Any, payload: Any) -> bool:
    """Whether the model takes `payload`: on both paths alike, and giving it back unchanged."""
    verdicts = []
    for parse in (
        lambda: adapter.validate_python(payload, by_name=False, by_alias=True),
        lambda: adapter.validate_json(json.dumps(payload), by_name=False, by_alias=True),
    ):
        try:
            model = parse()
        except ValidationError:
            verdicts.append(False)
        else:
            verdicts.append(True)
            assert adapter.dump_python(model, mode="json", exclude_unset=True, by_alias=True) == payload
    assert verdicts[0] == verdicts[1]
    return verdicts[0]


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, [1, 1.0, -(10**30)], ["1", True, 1.5, None]),
        ({"type": "integer", "minimum": 1, "maximum": 3}, [1, 3, 2.0], [0, 4, True]),
        ({"type": "number", "exclusiveMinimum": 0}, [1, 0.5, 10**30], [0, -1, True, "1"]),
        ({"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "äöü", "🎉🎉"], ["a", "abcd", 12]),
        ({"type": "string", "pattern": "^a+$"}, ["aa"], ["ab", ""]),
        ({"type": "string", "format": "uri"}, ["http://a", "no uri at all"], [1]),
        ({"type": "string"}, ["", "\u2028", "🎉"], ["\ud800", None]),
        ({"type": "array", "items": {"type": "string"}}, [["é"]], [["\ud800"]]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, [{"é": 1}], [{"\ud800": 1}]),
        ({}, [{"é": "é"}], ["\ud800", {"\ud800": 1}, [["\ud800"]]]),
        ({"type": "boolean"}, [True, False], [0, 1, "true", None]),
        ({"enum": ["a", "b"]}, ["a"], ["A", None, 1]),
        ({"enum": ["never", True, False]}, ["never", True, False], [0, 1, "always"]),
        ({"enum": ["a", None]}, ["a", None], ["b", 0]),
        ({"const": "a"}, ["a"], ["b", None]),
        ({"type": ["string", "null"]}, ["a", None], [1]),
        ({"type": ["integer", "null"], "minimum": 2}, [2, None], [1, "2"]),
        ({"anyOf": [{"type": "integer", "minimum": 2}, {"type": "string", "minLength": 2}]}, [2, "ab"], [1, "a", None]),
        ({"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 1}, [[0], [1, 2.5]], [[], [-1], 1]),
        (
            {
                "type": "array",
                "prefixItems": [{"type": "number"}, {"type": ["number", "null"]}],
                "items": False,
                "minItems": 2,
            },
            [[0, 1], [0.5, None]],
            [[0], [0, 1, 2], [None, 1], "ab"],
        ),
        (
            {"type": "array", "items": {"type": "array", "items": {"type": "integer"}, "maxItems": 1}},
            [[[1]], [[]]],
            [[[1, 2]]],
        ),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, [{}, {"a": 1}], [{"a": "1"}, []]),
        ({"type": ["object", "null"], "additionalProperties": {"type": "integer"}}, [{"a": 1}, None], [{"a": "1"}, 1]),
        (
            {"type": "object", "properties": {"class": {"type": "string"}}},
            [{"class": "x"}, {"class_": 1}],
            [{"class": 1}],
        ),
        (closed({"a": {"type": "string"}}, "a"), [{"a": "x"}], [{}, {"a": "x", "b": 1}, {"a": None}]),
        ({}, [None, 1, "x", [1], {"a": None}], []),
        ({"minimum": 1}, [1, "x", None, [0]], [0, -0.5]),
        ({"enum": [1, 2.5]}, [1, 1.0, 2.5], [True, 2, "1", None]),
        ({"enum": [0, False]}, [0, 0.0, False], [True, 1, None]),
        ({"const": True}, [True], [1, False, "true"]),
        ({"const": {"a": [False]}}, [{"a": [False]}], [{"a": [0]}, {}, {"a": [False], "b": 1}]),
        ({"type": "integer", "multipleOf": 3}, [0, 3, -6.0, 3 * 10**30], [1, 4]),
        ({"type": "number", "multipleOf": 0.1}, [0.3, 1, 1.1], [0.31, 0.05]),
        ({"type": ["integer", "null"], "multipleOf": 2}, [2, None], [3]),
        ({"type": "string", "pattern": "^\\d+$"}, ["12"], ["\u0661", "1\n", ""]),
        ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, [["a", "b"], []], [["a", "a"], [1]]),
        ({"type": "array", "uniqueItems": True}, [[1, True], [0, False]], [[1, 1.0], [{"a": 1}, {"a": 1.0}]]),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, [[], ["a"], ["a", 1]], [[1], [None, "a"]]),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
            [[], ["a"], ["a", 1]],
            [[1], ["a", "b"], ["a", 1, 1]],
        ),
        ({"type": "array", "contains": {"type": "string"}, "maxContains": 1}, [["a", 1], ["a"]], [[], [1], ["a", "b"]]),
        ({"type": "array", "items": False}, [[]], [[1], {}]),
        ({"not": {"type": "string"}}, [1, None, {}], ["", "a"]),
        ({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": "null"}}, ["ab", None], ["a", 1]),
        ({"allOf": [{"type": "string", "minLength": 2}, {"type": "string", "maxLength": 3}]}, ["ab"], ["a", "abcd"]),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, [], ["a", 1]),
        ({"type": "object", "required": ["a"]}, [{"a": None}, {"a": 1, "b": 2}], [{}, {"b": 1}]),
        (
            {"type": "object", "required": ["a"], "additionalProperties": {"type": "integer"}},
            [{"a": 1}],
            [{}, {"a": "x"}],
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "patternProperties": {"^x": {"type": "string"}},
                "additionalProperties": False,
            },
            [{}, {"a": 1, "x1": "s"}],
            [{"x1": 1}, {"b": 1}, {"a": "s"}],
        ),
        (
            {"type": "object", "properties": {"a": {}}, "dependentRequired": {"a": ["b"]}, "maxProperties": 2},
            [{}, {"b": 1}, {"a": 1, "b": 2}],
            [{"a": 1}, {"a": 1, "b": 2, "c": 3}],
        ),
        ({"type": "object", "propertyNames": {"maxLength": 1}, "minProperties": 1}, [{"a": 1}], [{}, {"ab": 1}]),
        (
            {
                "type": "object",
                "properties": {"a": {}},
                "allOf": [{"properties": {"b": {}}}],
                "unevaluatedProperties": False,
            },
            [{}, {"a": 1, "b": 2}],
            [{"c": 1}],
        ),
        ({"type": "array", "prefixItems": [{}], "unevaluatedItems": False}, [[], [1]], [[1, 2]]),
        ({"anyOf": [{"type": "integer"}, {"minimum": 2}]}, [1, 2.5, "a"], [1.5]),
        ({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, [1, 2.5, "a"], [1.5, 3]),
        (
            {
                "oneOf": [
                    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                    {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]},
                ]
            },
            [{"a": "x"}, {"b": "y", "c": 1}],
            [{}, {"a": "x", "b": "y"}, {"a": 1}],
        ),
        (
            {"type": "object", "properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            [{"a": 1}, {"b": 1}],
            [{}, {"c": 1}],
        ),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)
def test_a_member_is_as_exact_as_its_schema(tmp_path: Path, schema: Any, good: list[Any], bad: list[Any]) -> None:
    config, _ = generate_project(tmp_path, echo_task({"value": schema}))
    with imported(config):
        adapter = adapters().input_adapter
        for value in good:
            assert accepts(adapter, {"inputs": "x", "parameters": {"value": value}}), value
        for value in bad:
            assert not accepts(adapter, {"inputs": "x", "parameters": {"value": value}}), value
        assert accepts(adapter, {"inputs": "x", "parameters": {}}), "absent stays absent"


@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("required", [True, False])
def test_absent_and_null_are_told_apart(tmp_path: Path, nullable: bool, required: bool) -> None:
    schema = {"type": ["number", "null"] if nullable else "number"}
    output = closed({"score": schema}, *(["score"] if required else []))
    config, _ = generate_project(tmp_path, echo_task(output=output))
    with imported(config):
        adapter = adapters().output_adapter
        assert accepts(adapter, {"score": 0.5})
        assert accepts(adapter, {"score": None}) == nullable
        assert accepts(adapter, {}) == (not required)


def test_a_response_may_know_more_than_the_spec(tmp_path: Path) -> None:
    kinds = {"type": "string", "enum": ["a", "b"]}
    one = {"type": "object", "properties": {"kind": kinds, "also": kinds}, "required": ["kind"]}
    config, _ = generate_project(tmp_path, echo_task(output={"type": "array", "items": one}))
    answer = [{"kind": "new", "also": "newer", "more": [1]}]
    with imported(config) as package:

        def parsed(content: Any, *, strict: bool) -> Any:
            http_client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=content)))
            return package.Client("http://127.0.0.1:9", http_client=http_client, strict_responses=strict).echo("text")

        assert [element.model_dump() for element in parsed(answer, strict=False)] == answer
        with pytest.raises(package.ResponseValidationError, match=r"0\.kind: input should be 'a' or 'b'"):
            parsed(answer, strict=True)
        with pytest.raises(package.ResponseValidationError):
            parsed([{"kind": 1}], strict=False)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": ["string", "null"], "minLength": 1}, ["a", None], ["", 1]),
        ({"type": "string", "maxLength": 1}, ["", "a"], ["ab"]),
        ({"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}, [["a"]], [[], [""]]),
        ({"type": "integer", "exclusiveMinimum": 0}, [1, 2.0], [0, 0.5]),
        ({"type": "object", "additionalProperties": {"type": "number", "maximum": 1}}, [{"a": 0.5}], [{"a": 2}]),
    ],
)
def test_an_answer_without_a_class_is_as_exact(tmp_path: Path, schema: Any, good: list[Any], bad: list[Any]) -> None:
    config, _ = generate_project(tmp_path, echo_task(output=schema))
    with imported(config):
        adapter = adapters().output_adapter
        assert all(accepts(adapter, value) for value in good)
        assert not any(accepts(adapter, value) for value in bad)


def test_recursive_definitions(tmp_path: Path) -> None:
    node = {"type": "object", "properties": {"child": {"$ref": "#/$defs/Node"}}, "additionalProperties": False}
    output = {"type": "object", "properties": {"tree": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}
    config, _ = generate_project(tmp_path, echo_task(output=output))
    with imported(config):
        adapter = adapters().output_adapter
        assert accepts(adapter, {"tree": {"child": {"child": {}}}})
        assert not accepts(adapter, {"tree": {"child": {"kid": {}}}})


def test_all_of_is_merged_and_distributed_over_unions(tmp_path: Path) -> None:
    one = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    two = {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]}
    both = {
        "allOf": [
            {"anyOf": [one, two]},
            {"type": "object", "properties": {"c": {"type": "boolean"}}, "required": ["c"]},
        ]
    }
    config, _ = generate_project(tmp_path, echo_task(output={"type": "array", "items": both}))
    with imported(config):
        adapter = adapters().output_adapter
        assert accepts(adapter, [{"a": "x", "c": True}, {"b": 1, "c": False}])
        assert not accepts(adapter, [{"a": "x"}])
        assert not accepts(adapter, [{"c": True}])


def test_names_that_collide_get_their_task_in_front(tmp_path: Path) -> None:
    box = {"type": "object", "title": "Box", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    files = {}
    for task, extra in (("first", {}), ("second", {"y": {"type": "integer"}})):
        mine = {**box, "properties": box["properties"] | extra}
        files[f"{task}/input.json"] = closed({"inputs": {"type": "string"}}, "inputs")
        files[f"{task}/output.json"] = {"type": "array", "items": mine}
    config, _ = generate_project(tmp_path, files)
    with imported(config) as package:
        models = importlib.import_module(f"{package.__name__}.models")
        assert {"FirstBox", "SecondBox", "FirstOutputElement", "FirstInput"} <= set(models.__all__)
        assert "y" in models.SecondBox.model_fields
        assert models.FirstOutputElement is models.FirstBox


def test_the_client_has_the_spec_in_its_signature(tmp_path: Path) -> None:
    parameters = {
        "top_k": {"type": "integer", "minimum": 1, "description": "How many."},
        "seed": {"type": ["integer", "null"]},
        "model": {"type": "string"},
        "class": {"type": "string"},
    }
    task = echo_task(parameters)
    task["echo/input.json"]["properties"]["parameters"]["required"] = ["class"]
    config, _ = generate_project(tmp_path, task)
    with imported(config) as package:
        signature = inspect.signature(package.Client.echo)
        assert list(signature.parameters)[:2] == ["self", "inputs"]
        wanted = {"class_": "str", "top_k": "int | None", "seed": "int | Omit | None", "model_": "str | None"}
        assert {name: signature.parameters[name].annotation for name in wanted} == wanted
        assert signature.parameters["class_"].default is inspect.Parameter.empty
        assert all(signature.parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in wanted)
        assert signature.return_annotation == "EchoOutput"
        assert "top_k: How many." in package.Client.echo.__doc__
        assert inspect.signature(package.AsyncClient.echo) == signature


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    evil = '"""\nimport os; os.abort()\n"""  {{ 7*7 }} {% raw %} \\N{BULLET} \u202e </script>'
    evil += " | ` ${x} '; -- \r\n# type: ignore"
    task = echo_task({"value": {"type": "string", "description": evil, "default": evil}})
    for path in task:
        task[path]["description"] = evil
    config, _ = generate_project(tmp_path, task)
    with imported(config):
        model = adapters().parameters_class
        assert model().value == evil
        page = (config.out / "docs" / "echo.md").read_text(encoding="utf-8")
        assert "\u202e" not in page
        assert "</script>" not in page
    for path in config.out.rglob("*.py"):
        assert "\u202e" not in path.read_text(encoding="utf-8"), path


def test_recursion_without_an_object(tmp_path: Path) -> None:
    loop = {"type": "array", "items": {"$ref": "#/$defs/Loop"}}
    config, _ = generate_project(tmp_path, echo_task(output={"$ref": "#/$defs/Loop", "$defs": {"Loop": loop}}))
    with imported(config):
        adapter = adapters().output_adapter
        assert accepts(adapter, [])
        assert accepts(adapter, [[[[]], []]])
        assert not accepts(adapter, [[[[1]], []]])
        assert not accepts(adapter, [{}])


def test_a_request_that_is_no_object_is_refused(tmp_path: Path) -> None:
    files = echo_task()
    files["echo/input.json"] = {"type": "string"}
    with pytest.raises(SpecError) as caught:
        generate_project(tmp_path, files)
    assert [(d.code, d.path, d.line) for d in caught.value.report.fatal] == [("TB301", "echo/input.json", 1)]
    assert not (tmp_path / "out").exists()


def test_checks_cost_only_whom_they_concern(tmp_path: Path) -> None:
    one = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    either = one | {"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "title": "Either"}
    for name, output, checked in (("plain", one, False), ("either", either, True)):
        config, _ = generate_project(tmp_path / name, echo_task(output=output))
        metadata = (config.out / "pyproject.toml").read_text(encoding="utf-8")
        assert ("jsonschema-rs" in metadata.partition("optional")[0]) == checked
        models = (config.out / "made" / "models" / "echo.py").read_text(encoding="utf-8")
        assert ("CheckedAnswer" in models) == checked
        assert "CheckedModel" not in models


def test_measuring_images_costs_only_whom_it_concerns(tmp_path: Path, root: Path) -> None:
    config, _ = generate_project(tmp_path, echo_task())
    for folder, measures in ((config.out, False), (root / "generated", True)):
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert any(needed.startswith("imagesize") for needed in project["dependencies"]) == measures


def test_a_check_says_what_is_broken_and_where(tmp_path: Path) -> None:
    pair = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    either = pair | {"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "title": "Either"}
    config, _ = generate_project(tmp_path, echo_task({"one": either, "words": {"type": "array", "uniqueItems": True}}))
    with imported(config) as package:
        client = package.Client("http://127.0.0.1:9")
        with pytest.raises(
            package.InputError, match=r'parameters.one: input breaks its schema: either "a" is a req.*, or "b"'
        ):
            client.echo("x", one={})
        with pytest.raises(package.InputError, match=r"words: it has non-unique elements") as caught:
            client.echo("x", words=["secret", "secret"])
        assert "secret" not in str(caught.value)
