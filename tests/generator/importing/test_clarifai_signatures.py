"""`taskbind import clarifai`: where signatures are found, and what each part of one means."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from taskbind.diagnostics import EditedError
from taskbind.importing.clarifai.fields import DATA_TYPES
from taskbind.importing.clarifai.methods import METHOD_TYPES
from taskbind.importing.clarifai.model_types import FIELD_TYPES
from taskbind.importing.clarifai.wire import ADDED, dialects
from taskbind.importing.write import write
from tests.conftest import ROOT

from .signatures import PROMPT, TEXT, camelled, imported, signature

Json = Any


def field(tmp_path: Path, **said: Json) -> tuple[Json, list[tuple[str, str]]]:
    """The schema of the one field of a request, and the findings in it: code and pointer, from the field on."""
    made = imported(tmp_path, signature({"name": "x", **said}))
    found = [(each.code, each.pointer.removeprefix("/input_fields/0")) for each in made.report if each.code != "TB437"]
    assert all(each.line for each in made.report)
    return json.loads(made.files["predict/input.json"])["properties"]["x"], found


# ---------------------------------------------------------------------------------------------------------- where it is

ONE = signature(PROMPT)
VERSION = {"id": "v", "method_signatures": [ONE]}
WHOLES: dict[str, Json] = {
    "one": ONE,
    "several": [ONE],
    "by name": {"predict": {key: value for key, value in ONE.items() if key != "name"}},
    "method_signatures": {"method_signatures": [ONE]},
    "GetModelVersion": {"status": {"code": 10000}, "model_version": VERSION},
    "ListModelVersions": {"status": {"code": 10000}, "model_versions": [VERSION]},
    "a model without an id": {"model": {"model_version": VERSION}},
    "ListModels": {"status": {"code": "SUCCESS"}, "models": [{"model_version": VERSION}]},
    "a type of models": {"model_type": {"method_signatures": [ONE], "input_fields": ["text"]}},
    "several answers": [{"model_version": VERSION}],
}


@pytest.mark.parametrize("whole", WHOLES.values(), ids=WHOLES)
@pytest.mark.parametrize("spelling", [lambda whole: whole, camelled], ids=["snake", "camel"])
def test_signatures_are_found_wherever_the_api_has_them(tmp_path: Path, whole: Json, spelling: Any) -> None:
    assert imported(tmp_path, spelling(whole)).files == imported(tmp_path, ONE).files


def test_enums_by_number_are_those_of_the_protobufs() -> None:
    from clarifai_grpc.grpc.api import resources_pb2 as protos

    kinds = protos.ModelTypeField
    assert {name: n for n, name in enumerate(DATA_TYPES)} == dict(kinds.DataType.items())
    assert {name: n for n, name in enumerate(FIELD_TYPES) if name} == dict(kinds.ModelTypeFieldType.items())
    assert {name: n for n, name in enumerate(METHOD_TYPES)} == dict(protos.RunnerMethodType.items())


def test_tasks_are_called_after_the_model_and_the_method(tmp_path: Path) -> None:
    methods = [signature(PROMPT), signature(PROMPT, name="to_text"), signature(PROMPT, name="to_text")]
    model = {"id": "GPT_OSS 20b", "name": "GPT", "model_version": {"method_signatures": methods}}
    made = imported(tmp_path, {"model": model})
    titles = {
        name.partition("/")[0]: tomllib.loads(str(text))["title"]
        for name, text in made.files.items()
        if name.endswith("/task.toml")
    }
    assert titles == {
        "gpt-oss-20b": "GPT",
        "gpt-oss-20b-to-text": "GPT: to text",
        "gpt-oss-20b-to-text-2": "GPT: to text",
    }
    assert "mine/input.json" in imported(tmp_path, ONE, "mine").files
    assert "limits-2/input.json" in imported(tmp_path, signature(PROMPT, name="limits")).files, "the docs have a page"


def test_a_model_that_is_called_like_the_dialect_gets_another_name(tmp_path: Path) -> None:
    made = imported(tmp_path, ONE, "Clarifai")
    assert "clarifai-2/input.json" in made.files
    assert [(each.code, each.repaired) for each in made.report] == [("TB439", False)]
    write(made, tmp_path / "specs")


def test_a_method_that_stands_twice_is_called_by_its_name_once(tmp_path: Path) -> None:
    made = imported(tmp_path, [signature(PROMPT), signature(PROMPT)], "m")
    assert {"m/input.json", "m-2/input.json"} <= made.files.keys()
    assert [name for name in made.files if name.endswith("/wire.toml")] == ["m/wire.toml"]
    assert [(each.code, each.pointer) for each in made.report] == [("TB437", "/1"), ("TB438", "/1")]


def test_our_specs_and_imported_ones_add_the_same_to_texts_and_vectors() -> None:
    seen = set()
    for path in (ROOT / "specs").glob("*/wire.toml"):
        wire = tomllib.loads(path.read_text(encoding="utf-8")).get("clarifai", {})
        places = {place for form in wire.get("answers", ()) for place in form.values()}
        for kind, start in (("text", "$.text.raw"), ("embeddings", "$.embeddings[*].vector")):
            if any(place.startswith(start) for place in places):
                seen.add(kind)
                assert ADDED[kind].items() <= wire["added"].items(), path
    assert seen == ADDED.keys()


def test_inputs_of_one_kind_have_no_form(tmp_path: Path) -> None:
    image = [{"name": name, "type": "IMAGE", "required": True} for name in ("one", "two")]
    said = [each.message for each in imported(tmp_path, signature(*image)).report if each.code == "TB437"]
    assert said == ["predict: no wire.toml: 2 of its inputs are image, and a call has one of a kind"]


def test_a_list_of_nothing_and_long_numbers_are_told_in_words(tmp_path: Path) -> None:
    bad = signature(PROMPT, {"name": "x", "type": "LIST"}, name="bad")
    (found,) = imported(tmp_path, [bad, signature(PROMPT)]).report.fatal
    assert found.message == "bad: a LIST has no type in `type_args`, and needs 1"
    long = {"name": "x", "type": "FLOAT", "model_type_range_info": {"min": 0, "max": 1e300}}
    said = [each.message for each in imported(tmp_path, signature(PROMPT, long)).report]
    assert "max 1e+300 is rounded, and left out" in said


def test_models_without_signatures_are_said(tmp_path: Path) -> None:
    models = [{"id": "bare", "model_version": {"id": "v"}}, {"id": "good", "model_version": VERSION}]
    assert imported(tmp_path, {"models": models}).left_out == {"bare": "has no method signatures"}


def test_several_models_go_into_one_folder(tmp_path: Path) -> None:
    regions = {"name": "return", "type": "LIST", "type_args": [{"name": "i", "type": "REGION"}]}
    concepts = {"name": "return", "type": "LIST", "type_args": [{"name": "i", "type": "CONCEPT"}]}
    for name, output in (("one", regions), ("two", concepts)):
        write(imported(tmp_path, signature(PROMPT, output=output), name), tmp_path / "specs")
    assert sorted(path.parent.name for path in (tmp_path / "specs").glob("*/wire.toml")) == ["one", "two"]
    with pytest.raises(EditedError, match="other content"):
        write(imported(tmp_path, signature(PROMPT, output=concepts), "one"), tmp_path / "specs")


def test_the_dialect_is_ours() -> None:
    ours = tomllib.loads((ROOT / "specs" / "dialects.toml").read_text(encoding="utf-8"))
    assert tomllib.loads(dialects()) == {"clarifai": ours["clarifai"]}


# --------------------------------------------------------------------------------------------------------------- types

FILE = {"type": "string", "contentEncoding": "base64"}
TYPES: dict[str, tuple[Json, Json]] = {
    "STR": ({}, {"type": "string"}),
    "TEXT": ({}, {"type": "string"}),
    "INT": ({}, {"type": "integer"}),
    "FLOAT": ({}, {"type": "number"}),
    "BOOL": ({}, {"type": "boolean"}),
    "JSON_DATA": ({}, {}),
    "CONCEPT": ({}, {"$ref": "../clarifai.json#/$defs/Concept"}),
    "REGION": ({}, {"$ref": "../clarifai.json#/$defs/Region"}),
    "FRAME": ({}, {"$ref": "../clarifai.json#/$defs/Frame"}),
    "NDARRAY": ({}, {"$ref": "../clarifai.json#/$defs/NDArray"}),
    "LIST": (
        {"type_args": [{"name": "i", "type": "AUDIO"}]},
        {"type": "array", "items": {**FILE, "contentMediaType": "audio/*"}},
    ),
    "TUPLE": (
        {"type_args": [{"name": "i", "type": 1}, {"name": "i", "type": "BYTES"}]},
        {"type": "array", "prefixItems": [{"type": "string"}, FILE], "items": False, "minItems": 2},
    ),
    "NAMED_FIELDS": (
        {"type_args": [{"name": "a", "type": "INT", "description": " An a. "}]},
        {
            "title": "PredictInputX",
            "type": "object",
            "properties": {"a": {"description": "An a.", "type": "integer"}},
            "required": ["a"],
            "additionalProperties": False,
        },
    ),
}


@pytest.mark.parametrize("name", TYPES)
def test_types(tmp_path: Path, name: str) -> None:
    more, schema = TYPES[name]
    assert field(tmp_path, type=name, **more) == (schema, [])
    assert field(tmp_path, type=DATA_TYPES.index(name), **more) == (schema, [])


@pytest.mark.parametrize("name", ["IMAGE", "AUDIO", "VIDEO", "BYTES"])
def test_a_file_comes_first_and_goes_out_as_a_member(tmp_path: Path, name: str) -> None:
    kind = {"IMAGE": "image", "AUDIO": "audio", "VIDEO": "video"}.get(name, "")
    schema = FILE | ({"contentMediaType": f"{kind}/*"} if kind else {})
    took = {"name": "given", "type": name, "required": True}
    made = imported(tmp_path, signature(PROMPT, took, output={"name": "return", "type": name}))
    asked, answered = (json.loads(made.files[f"predict/{each}.json"]) for each in ("input", "output"))
    assert next(iter(asked["properties"].items())) == ("given", schema)
    assert answered["required"] == [kind or "file"]
    assert answered["properties"][kind or "file"].items() >= schema.items()


def test_files_beside_other_input_become_members_of_one(tmp_path: Path) -> None:
    image = {"name": "image", "type": "IMAGE"}
    size = {"name": "size", "type": "INT", "default": "3"}
    tone = {"name": "tone", "type": "STR", "is_param": True}
    made = imported(tmp_path, signature(PROMPT, image, size, tone))
    request = json.loads(made.files["predict/input.json"])
    assert list(request["properties"]) == ["inputs", "size", "parameters"]
    assert list(request["$defs"]["PredictInputs"]["properties"]) == ["prompt", "image"]
    assert request["required"] == ["inputs"]
    assert [each.code for each in made.report] == ["TB436", "TB437"]


def test_parameters_without_other_input_are_the_input(tmp_path: Path) -> None:
    made = imported(tmp_path, signature({**PROMPT, "is_param": True}))
    assert list(json.loads(made.files["predict/input.json"])["properties"]) == ["prompt"]


def test_pieces_of_an_answer(tmp_path: Path) -> None:
    for how in ({"method_type": "UNARY_STREAMING"}, {"method_type": 2}, {"method_type": "UNKNOWN"}):
        iterator = {} if how["method_type"] == 2 else {"iterator": True}
        made = imported(tmp_path, signature(PROMPT, output={**TEXT, **iterator}, **how))
        assert json.loads(made.files["predict/output.json"])["items"] == {"$ref": "stream_output.json"}
        assert json.loads(made.files["predict/stream_output.json"])["type"] == "string"
        assert json.loads(made.files["predict/input.json"])["properties"]["stream"]["default"] is False


def test_several_outputs_are_members(tmp_path: Path) -> None:
    outputs = [{"name": "text", "type": "STR"}, {"name": "score", "type": "FLOAT"}]
    answer = json.loads(imported(tmp_path, signature(PROMPT, output_fields=outputs)).files["predict/output.json"])
    assert answer["required"] == ["text", "score"]


# --------------------------------------------------------------------------------------------------------------- values

DEFAULTS: list[tuple[str, str, Json]] = [
    ("STR", "5", "5"),
    ("STR", "null", None),
    ("STR", "", None),
    ("INT", "512", 512),
    ("INT", "1e3", 1000),
    ("INT", "5.0", 5),
    ("INT", "9" * 299, int("9" * 299)),
    ("FLOAT", "0.0", 0),
    ("FLOAT", ".5", 0.5),
    ("FLOAT", "null", None),
    ("BOOL", "true", True),
    ("BOOL", "False", False),
    ("JSON_DATA", '{"a": [1]}', {"a": [1]}),
    ("LIST", "[1, 2]", [1, 2]),
    ("IMAGE", "null", None),
]
NO_DEFAULTS = [
    ("INT", "0.5"),
    ("INT", "1e400"),
    ("INT", "many"),
    ("INT", "1_000"),
    ("FLOAT", "NaN"),
    ("FLOAT", "Infinity"),
    ("BOOL", "1"),
    ("LIST", '["a"]'),
    ("LIST", "[1"),
    ("JSON_DATA", "NaN"),
    ("JSON_DATA", "[" * 100 + "]" * 100),
    ("JSON_DATA", '{"a": 1, "a": 2}'),
    ("JSON_DATA", '"\\ud800"'),
    ("BYTES", "b''"),
]


def arguments(type: str) -> Json:
    return {"type_args": [{"name": "i", "type": "INT"}]} if type == "LIST" else {}


@pytest.mark.parametrize(("type", "text", "value"), DEFAULTS)
def test_defaults_are_read_by_type(tmp_path: Path, type: str, text: str, value: Json) -> None:
    schema, found = field(tmp_path, type=type, default=text, **arguments(type))
    assert (schema.get("default"), found) == (value, [])
    assert value is None or (schema["default"] is True) is (value is True)


@pytest.mark.parametrize(("type", "text"), NO_DEFAULTS)
def test_defaults_that_are_no_values_are_told_of(tmp_path: Path, type: str, text: str) -> None:
    schema, found = field(tmp_path, type=type, default=text, **arguments(type))
    assert "default" not in schema
    assert found == [("TB432", "/default")]


def test_defaults_of_older_models_are_values(tmp_path: Path) -> None:
    deep: Json = 1
    for _ in range(40):
        deep = [deep]
    given = [
        ("NUMBER", 0.5, 0.5),
        ("NUMBER", "2", 2),
        ("STRING", 5, None),
        ("JSON", {"a": 1}, {"a": 1}),
        ("JSON", deep, None),
    ]
    for kind, value, wanted in given:
        parameter = {"path": "output_info.params.x", "field_type": kind, "default_value": value}
        kinds = {"input_fields": ["text"], "output_fields": ["text"]}
        made = imported(tmp_path, {"id": "t", **kinds, "model_type_fields": [parameter]})
        schema = json.loads(made.files["t/input.json"])["$defs"]["TParameters"]["properties"]["x"]
        assert schema.get("default") == wanted
        told = [("TB432", "/model_type_fields/0/default_value")] if wanted is None else []
        assert [(each.code, each.pointer) for each in made.report] == told


def test_a_default_of_what_is_required_never_counts(tmp_path: Path) -> None:
    schema, found = field(tmp_path, type="INT", default="5", required=True)
    assert (schema, found) == ({"type": "integer"}, [("TB432", "/default")])


RANGES: list[tuple[str, Json, Json, list[str]]] = [
    ("INT", {"min": 1, "max": 10}, {"minimum": 1, "maximum": 10}, []),
    ("INT", {"min": 1.0, "max": 10.0, "step": 1.0}, {"minimum": 1, "maximum": 10}, []),
    ("INT", {"min": 0, "max": 64, "step": 8}, {"minimum": 0, "maximum": 64, "multipleOf": 8}, []),
    ("INT", {"min": 1, "max": 64, "step": 8}, {"minimum": 1, "maximum": 64}, ["/step"]),
    ("INT", {"min": 0, "max": 2, "step": 0.5}, {"minimum": 0, "maximum": 2}, ["/step"]),
    ("FLOAT", {"min": 0, "max": 2, "step": 0.1}, {"minimum": 0, "maximum": 2, "multipleOf": 0.1}, []),
    ("FLOAT", {"min": 0.10000000149011612, "max": 1}, {"minimum": 0.1, "maximum": 1}, []),
    ("FLOAT", {"min": 0, "max": 1, "step": -1}, {"minimum": 0, "maximum": 1}, ["/step"]),
    ("FLOAT", {"min": 0, "max": 1, "step": 1e-320}, {"minimum": 0, "maximum": 1}, ["/step"]),
    ("FLOAT", {"min": 0, "max": 1, "step": 1e300}, {"minimum": 0, "maximum": 1}, ["/step"]),
    ("FLOAT", {"max": 2}, {"maximum": 2}, [""]),
    ("FLOAT", {"min": -1}, {"minimum": -1}, [""]),
    ("FLOAT", {"min": 1, "max": 0}, {"minimum": 1}, [""]),
    ("FLOAT", {"min": 3, "max": 2}, {}, [""]),
    ("FLOAT", {}, {}, []),
    ("FLOAT", {"min": 0, "max": 0, "step": 0}, {}, []),
    ("INT", {"min": 0, "max": 2147483600}, {"minimum": 0}, ["/max"]),
    ("STR", {"min": 0, "max": 1}, {}, [""]),
]


@pytest.mark.parametrize(("type", "info", "bounds", "told"), RANGES)
def test_ranges_as_far_as_they_are_exact(tmp_path: Path, type: str, info: Json, bounds: Json, told: list[str]) -> None:
    schema, found = field(tmp_path, type=type, model_type_range_info=info)
    assert {key: value for key, value in schema.items() if key != "type"} == bounds
    assert found == [("TB433", f"/model_type_range_info{pointer}") for pointer in told]


def test_a_default_between_two_steps_shows_that_the_step_is_none(tmp_path: Path) -> None:
    schema, found = field(
        tmp_path, type="FLOAT", default="0.25", model_type_range_info={"min": 0, "max": 1, "step": 0.1}
    )
    assert schema == {"type": "number", "minimum": 0, "maximum": 1, "default": 0.25}
    assert found == [("TB433", "/model_type_range_info/step")]
    schema, found = field(tmp_path, type="FLOAT", default=[], model_type_range_info={"min": 0, "max": 1, "step": 0.5})
    assert schema == {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.5}
    assert found == [("TB432", "/default")]
    schema, found = field(tmp_path, type="FLOAT", default="3", model_type_range_info={"min": 0, "max": 1})
    assert (schema, found) == ({"type": "number", "minimum": 0, "maximum": 1}, [("TB432", "/default")])


OPTIONS: list[tuple[str, Json, Json, list[str]]] = [
    ("STR", [{"id": "a"}, {"id": "b"}, {"id": "a"}], {"type": "string", "enum": ["a", "b"]}, []),
    (
        "STR",
        [{"id": "a", "description": "An a."}, {"id": "b"}],
        {"oneOf": [{"const": "a", "description": "An a."}, {"const": "b"}]},
        [],
    ),
    ("INT", [{"id": "1", "description": "One."}, {"id": "2"}], {"type": "integer", "enum": [1, 2]}, []),
    ("FLOAT", [{"id": "0.5"}], {"type": "number", "enum": [0.5]}, []),
    ("STR", [{"id": "a"}, {"id": "b", "internal_only": True}], {"type": "string", "enum": ["a"]}, ["/1"]),
    ("STR", [{"id": "a", "aliases": [{"id_int": 1}]}], {"type": "string", "enum": ["a"]}, ["/0/aliases"]),
    ("STR", [{"id": "a", "new": 1}], {"type": "string", "enum": ["a"]}, ["/0/new"]),
    (
        "STR",
        [{"id": "a", "model_type_fields": [{"path": "x"}]}],
        {"type": "string", "enum": ["a"]},
        ["/0/model_type_fields"],
    ),
]


@pytest.mark.parametrize(("type", "options", "schema", "told"), OPTIONS)
def test_options(tmp_path: Path, type: str, options: Json, schema: Json, told: list[str]) -> None:
    found = [("TB434", f"/model_type_enum_options{pointer}") for pointer in told]
    assert field(tmp_path, type=type, model_type_enum_options=options) == (schema, found)


def test_a_field_that_is_internal_or_new(tmp_path: Path) -> None:
    made = imported(tmp_path, signature({**PROMPT, "newest": 1}, {"name": "x", "type": "INT", "internal_only": True}))
    assert list(json.loads(made.files["predict/input.json"])["properties"]) == ["prompt"]
    assert [(each.code, each.pointer) for each in made.report] == [
        ("TB434", "/input_fields/0/newest"),
        ("TB434", "/input_fields/1"),
    ]
