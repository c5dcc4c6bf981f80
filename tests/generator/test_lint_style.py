"""The rules of style: what each one finds, what it leaves alone, and that it changes nothing."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from taskbind.config import Config
from taskbind.diagnostics import Diagnostic, Report
from taskbind.explain import codes, explain
from taskbind.load import load
from taskbind.normalize.style_rules import CODES, check_style
from taskbind.pipeline import lint
from tests.support.project import write_specs

TEXT = {"type": "string", "description": "A text."}


def request(**members: Any) -> dict[str, Any]:
    """The input schema of a task with these members beside `inputs`."""
    properties = {"inputs": TEXT, **members}
    return {"title": "MyTaskInput", "type": "object", "properties": properties, "required": ["inputs"]}


def style(root: Path, **tasks: Any) -> list[Diagnostic]:
    """The findings of style in tasks, given by their input schemas; their output is a text."""
    files: dict[str, Any] = {}
    for name, schema in tasks.items():
        files[f"{name.replace('_', '-')}/input.json"] = schema
        files[f"{name.replace('_', '-')}/output.json"] = {"type": "string"}
    tree = load(write_specs(root, files), Report())
    assert len(tree.tasks) == len(tasks)
    before = deepcopy(tree)
    report = Report()
    check_style(tree, report)
    assert tree == before
    return list(report)


@pytest.mark.parametrize(
    ("member", "code", "at"),
    [
        ({"type": "object", "properties": {"a": TEXT}, "description": "An object."}, "TB260", ""),
        (
            {"type": "array", "items": {"type": "object", "properties": {"a": TEXT}}, "description": "…"},
            "TB260",
            "/items",
        ),
        ({"description": "What it is."}, "TB261", ""),
        ({"type": "string", "description": "The mask, base64-encoded."}, "TB262", ""),
        ({"type": "string", "description": "Returned as raw bytes."}, "TB262", ""),
        ({"contentEncoding": "base64", "description": "A file."}, "TB263", ""),
        ({"type": "object", "description": "Options."}, "TB266", ""),
        ({"type": "object", "properties": {}, "description": "Options."}, "TB266", ""),
        ({"type": "string", "title": "lowerCase", "description": "A text."}, "TB271", "/title"),
        ({"type": "string", "description": "See https://host.test/a/b/blob/main/c.ts."}, "TB273", "/description"),
        ({"type": "string"}, "TB274", ""),
        ({"type": "integer", "description": "Between 0 and 5."}, "TB275", "/description"),
        ({"type": "integer", "description": "Between 0 and 5.", "minimum": 0}, "TB275", "/description"),
        ({"type": "array", "items": TEXT, "description": "Up to 4 texts."}, "TB275", "/description"),
        ({"type": "array", "items": {"type": "number"}, "description": "A box (0->1000)."}, "TB275", "/description"),
        ({"type": "string", "description": " A text."}, "TB276", "/description"),
    ],
)
def test_what_is_found(tmp_path: Path, member: Any, code: str, at: str) -> None:
    found = style(tmp_path, my_task=request(member=member))
    assert [(d.code, d.pointer) for d in found] == [(code, f"/properties/member{at}")]
    assert all(d.line and d.fix and not d.fatal and not d.repaired for d in found)


@pytest.mark.parametrize(
    "member",
    [
        {"type": "object", "title": "MyTaskThing", "properties": {"a": TEXT}, "description": "An object."},
        {"description": "One of two.", "anyOf": [{"type": "string"}, {"type": "null"}]},
        {"description": "A picture.", "type": "string", "contentEncoding": "base64", "contentMediaType": "image/*"},
        {"description": "The URL of an image, or a data URL with base64.", "type": "string"},
        {"description": "The prompt for the image.", "type": "string"},
        {"description": "Free options.", "type": "object", "additionalProperties": True},
        {"description": "Texts by name.", "type": "object", "additionalProperties": TEXT},
        {"description": "Between 0 and 5.", "type": "integer", "minimum": 0, "maximum": 5},
        {"description": "Up to 4 texts.", "type": "array", "items": TEXT, "maxItems": 4},
        {"description": "Up to 4 texts.", "anyOf": [{"$ref": "#/$defs/Few"}, {"type": "null"}]},
        {"description": "Scores that add up to 1.", "type": "number"},
        {"description": "See https://host.test/a/b/blob/1f2e3d4c/c.ts.", "type": "string"},
        {"$ref": "#/$defs/Few"},
    ],
)
def test_what_is_left_alone(tmp_path: Path, member: Any) -> None:
    few = {"title": "Few", "description": "Some.", "type": "array", "items": {"type": "string"}, "maxItems": 4}
    assert style(tmp_path, my_task=request(member=member) | {"$defs": {"Few": few}}) == []


@pytest.mark.parametrize("name", ["num_frames", "sampling_rate", "top_k", "max_new_tokens", "seed", "step_count"])
def test_counts_are_integers(tmp_path: Path, name: str) -> None:
    found = style(tmp_path, my_task=request(**{name: {"type": "number", "description": "So many."}}))
    assert [(d.code, d.pointer) for d in found] == [("TB265", f"/properties/{name}/type")]
    assert style(tmp_path / "2", my_task=request(**{name: {"type": "integer", "description": "So many."}})) == []


def test_numbers_that_count_nothing(tmp_path: Path) -> None:
    names = ("temperature", "num", "score", "learning_rate", "guidance_scale", "number")
    assert style(tmp_path, my_task=request(**{n: {"type": "number", "description": "A number."} for n in names})) == []


def test_media_marked_by_a_comment(tmp_path: Path) -> None:
    image = {"comment": "type=binary", "type": "string", "description": "A picture."}
    nested = {"type": "object", "title": "MyTaskData", "properties": {"image": image}, "description": "A question."}
    found = style(tmp_path, my_task=request(outer=image, inner=nested))
    assert [(d.code, d.pointer) for d in found] == [("TB264", "/properties/inner/properties/image/comment")]
    untyped = {"comment": "type=binary", "description": "A picture."}
    found = style(tmp_path / "2", my_task=request(member=untyped))
    assert [d.code for d in found] == ["TB261", "TB263"]


def test_empty_requests_and_responses(tmp_path: Path) -> None:
    loose = {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
    files = {f"my-task/{kind}.json": {"title": "T", **loose} for kind in ("input", "output", "stream_output")}
    report = Report()
    check_style(load(write_specs(tmp_path, files), Report()), report)
    assert [(d.path.partition("/")[2], d.code) for d in report] == [
        ("input.json", "TB269"),
        ("output.json", "TB270"),
        ("stream_output.json", "TB270"),
    ]
    told = {**loose, "title": "T", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert style(tmp_path / "2", my_task=told) == []


def test_a_refinement_is_no_member(tmp_path: Path) -> None:
    refined = [{"required": ["inputs"]}, {"properties": {"member": {"required": ["a"]}}, "required": ["member"]}]
    member = {"type": "object", "title": "MyTaskThing", "properties": {"a": TEXT}, "description": "An object."}
    assert style(tmp_path, my_task=request(member=member) | {"anyOf": refined}) == []


def parameters(**members: Any) -> dict[str, Any]:
    box = {"type": "object", "title": "Box", "description": "Options.", "properties": members}
    return request(parameters={"description": "How.", "$ref": "#/$defs/Box"}) | {"$defs": {"Box": box}}


def test_a_parameter_has_one_type_in_all_tasks(tmp_path: Path) -> None:
    text, number = {"description": "P.", "type": ["string", "null"]}, {"description": "P.", "type": "number"}
    tasks = {"a": parameters(p=text), "b": parameters(p=number), "c": parameters(p={**text, "enum": ["x"]})}
    found = [d for d in style(tmp_path, **tasks) if d.code == "TB267"]
    assert [(d.path, d.pointer) for d in found] == [("b/input.json", "/$defs/Box/properties/p")]
    assert "number here and string in a" in found[0].message


def test_a_finding_that_is_meant_can_be_put_aside(tmp_path: Path) -> None:
    text, number = {"description": "P.", "type": "string"}, {"description": "P.", "type": "number"}
    meant = {**number, "$comment": "lint: TB267 is what the services take"}
    codes = {d.code for d in style(tmp_path, a=parameters(p=text), b=parameters(p=meant))}
    assert "TB267" not in codes
    other = {**number, "$comment": "TB267 is known"}
    assert "TB267" in {d.code for d in style(tmp_path / "2", a=parameters(p=text), b=parameters(p=other))}


def test_descriptions_spell_names_as_the_schema_does(tmp_path: Path) -> None:
    box = {
        "return_timestamps": {"type": "boolean", "description": "Turn on the timestamps; see topk."},
        "top_k": {"type": "integer", "description": "Needs returnTimestamps and return_timestamps, not TopK."},
        "data_set": {"type": "string", "description": "The dataset; a DataSet."},
        "camelCase": {"type": "string", "description": "camelCase is right for camelCase."},
    }
    found = [d for d in style(tmp_path, my_task=parameters(**box)) if d.code == "TB268"]
    assert [d.message.split("'")[1] for d in found] == ["topk", "TopK", "returnTimestamps", "DataSet"]


def test_titles_of_two_tasks(tmp_path: Path) -> None:
    def task(**titles: str) -> dict[str, Any]:
        defs = {key: {"type": "string", "title": title, "description": "T."} for key, title in titles.items()}
        return request() | {"$defs": defs}

    found = style(tmp_path, my_task=task(a="Box", b="Own"), other_task=task(a="Box", b="OtherTaskOwn"))
    assert [(d.code, d.path) for d in found if d.pointer == "/$defs/a/title"] == [
        ("TB272", "my-task/input.json"),
        ("TB272", "other-task/input.json"),
    ]
    assert not [d for d in found if d.pointer == "/$defs/b/title"]


def test_members_called_like_keywords(tmp_path: Path) -> None:
    names = ("properties", "items", "$defs", "title", "description")
    found = style(tmp_path, my_task=request(**{name: {} for name in names}))
    assert sorted((d.code, d.pointer) for d in found) == sorted(
        (code, f"/properties/{name}") for name in names for code in ("TB261", "TB274")
    )


def test_every_rule_explains_itself() -> None:
    assert CODES
    for code in CODES:
        assert codes()[code.code] is code
        assert len(code.text) > 60, code.code
        assert code.title in explain(code.code)
    assert list(codes()) == sorted(codes())


def test_a_link_to_a_meta_schema_blames_nobody(tmp_path: Path) -> None:
    member = {"description": "A schema.", "$ref": "https://json-schema.org/draft/2020-12/schema"}
    assert style(tmp_path, my_task=request(member=member)) == []


def test_our_own_specs_are_clean(root: Path, tmp_path: Path) -> None:
    report = lint(Config(root / "specs", tmp_path))
    # `truncation` is a yes or no in table question answering and a name elsewhere, as the services have it.
    assert [str(diagnostic) for diagnostic in report if diagnostic.code != "TB267"] == []


# ----------------------------------------------------------------------------------------------------- templates


def test_what_else_is_wrong_with_a_template_is_reported(tmp_path: Path) -> None:
    files = {
        "template/input.json": json.dumps({"$id": "/s/<TASK>/input.json", "$ref": "/s/<TASK>/common.json"}),
        "template/output.json": {"type": "object", "properties": {"a_b": TEXT}, "required": ["aB"]},
        "real/input.json": request(),
        "real/output.json": {"type": "string"},
    }
    report = lint(Config(write_specs(tmp_path / "specs", files), tmp_path / "out"))
    assert [(d.code, d.path) for d in report] == [
        ("TB113", "template/input.json"),
        ("TB217", "template/output.json"),
    ]


@pytest.mark.parametrize("output", ['{"$schema": 5}', "{", '{"$ref": "../../x.json"}'])
def test_a_broken_template_does_not_hurt(tmp_path: Path, output: str) -> None:
    files = {
        "t/input.json": {"$id": "/s/<TASK>/a<>.json"},
        "t/output.json": output,
        "u/input.json": {"$id": "/s/<TASK>/"},
    }
    files |= {"u/output.json": {"type": "string"}}
    report = lint(Config(write_specs(tmp_path / "specs", files), tmp_path / "out"))
    assert {d.code for d in report if d.path == "t/input.json"} == {"TB113"}
    assert len([d for d in report if d.path == "t/output.json"]) == 1
