"""An api.json that says anything at all: it is refused with a reason, or all that follows can work with it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from taskbind import ir, ir_json
from taskbind.diagnostics import TaskbindError
from taskbind.evolve.compare import compare
from taskbind.evolve.releases import read_release
from taskbind.evolve.report import FORMATS
from taskbind.evolve.sources import Source
from taskbind.ir_check import check

OURS = Path(__file__).parents[2] / "generated/api.json"
Path_ = tuple[str | int, ...]


def small() -> dict[str, Any]:
    """Two tasks of ours, with all that they refer to."""
    data = json.loads(OURS.read_text(encoding="utf-8"))
    data["tasks"] = [task for task in data["tasks"] if task["id"] in ("chat-completion", "image-classification")]
    roots = [task[key] for task in data["tasks"] for key in ("input", "output", "stream") if key in task]
    used = ir_json.from_json(data).reachable(roots)
    data["definitions"] = [definition for definition in data["definitions"] if definition["id"] in used]
    return data


def paths(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


SMALL = small()
OLD = ir_json.from_json(SMALL)
PATHS = list(paths(SMALL))
TYPES: list[Any] = [
    {"kind": "any"},
    {"kind": "scalar", "type": "string", "pattern": "("},
    {"kind": "scalar", "type": "number", "minimum": 5, "maximum": 1},
    {"kind": "ref", "id": "x"},
    {"kind": "map", "values": {"kind": "any"}},
    {"kind": "union", "variants": []},
    {"kind": "enum", "values": []},
    {"kind": "object", "fields": []},
    {"kind": "array"},
    {"kind": "checked", "base": {"kind": "any"}, "schema": {"dependentRequired": {"a": 5}}},
    {"kind": "checked", "base": {"kind": "any"}, "schema": {"not": {"required": ["a"]}}},
]
VALUES = st.sampled_from([None, True, 0, -1, 1.5, 10**30, "", "x", "a\n\x1b", [], ["a"], {}, *TYPES])
EDITS = st.tuples(st.sampled_from(PATHS), st.sampled_from(["remove", "set", "copy"]), VALUES, st.sampled_from(PATHS))


def at(data: Any, path: Path_) -> Any:
    for key in path:
        data = data[key]
    return data


def edited(edits: list[Any]) -> dict[str, Any]:
    data = copy.deepcopy(SMALL)
    for path, kind, value, other in edits:
        try:
            place = at(data, path[:-1])
            if kind == "remove":
                del place[path[-1]]
            else:
                place[path[-1]] = copy.deepcopy(at(SMALL, other) if kind == "copy" else value)
        except (KeyError, IndexError, TypeError):  # an earlier edit took it away
            continue
    return data


@settings(max_examples=150)
@given(st.lists(EDITS, min_size=1, max_size=3))
def test_what_is_not_refused_can_be_compared(edits: list[Any]) -> None:
    try:
        new = ir_json.from_json(edited(edits))
        check(new)
    except (ValueError, KeyError, TypeError, AttributeError):  # what `read_release` takes for no api.json
        return
    for old, other in ((OLD, new), (new, OLD)):
        found = compare(Source("a", old), Source("b", other), (), "taskbind.toml", date(2026, 1, 1))
        assert all(isinstance(write(found, "both"), str) for write in FORMATS.values())


def test_ours_is_one() -> None:
    check(ir_json.from_json(json.loads(OURS.read_text(encoding="utf-8"))))


TEXT = ir.Scalar("string")


def api(type: Any, **task: Any) -> ir.Api:
    root = ir.Definition("in", "Input", ir.Object((ir.Field("x", type, True),)))
    return ir.Api((ir.Task(**{"id": "t", "title": "T", "input": "in", "output": "in"} | task),), (root,))


def nested(levels: int) -> ir.Type:
    type: ir.Type = TEXT
    for _ in range(levels):
        type = ir.Array(type)
    return type


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (api(5), "type of Field is '5'"),
        (api(ir.Scalar("text")), "type of Scalar is 'text'"),  # type: ignore[arg-type] # that is the point
        (api(ir.Scalar("string", min_length=True)), "min_length of Scalar"),
        (api(ir.Array("x")), "items of Array"),  # type: ignore[arg-type] # that is the point
        (api(ir.Enum(())), "Enum is empty"),
        (api(ir.Union((), exclusive=True)), "Union is empty"),
        (api(ir.Ref("nowhere")), "no definition nowhere"),
        (api(ir.Checked(TEXT, '{"type": 5}')), "no JSON Schema"),
        (api(ir.Checked(TEXT, '{"$ref": "nowhere"}')), "no definition nowhere"),
        (api(ir.Object((ir.Field("a", TEXT, True), ir.Field("a", TEXT, False)))), "one name"),
        (api(nested(500)), "nested deeper"),
        (api(TEXT, id=5), "id of Task is '5'"),
        (api(TEXT, stream="nowhere"), "no definition nowhere"),
        (api(TEXT, wires=5), "wires of Task is '5'"),
        (ir.Api((), (ir.Definition("a", "A", ir.Ref("b")), ir.Definition("b", "B", ir.Ref("a")))), "refers to itself"),
        (ir.Api((), (ir.Definition("a", "A", TEXT), ir.Definition("a", "B", TEXT))), "two definitions"),
        (ir.Api(api(TEXT).tasks * 2, api(TEXT).definitions), "two tasks"),
        (ir.Api(api(TEXT).tasks, (ir.Definition("in", "Input", TEXT),)), "no object with members"),
        (ir.Api(api(TEXT).tasks, (ir.Definition("in", "Input", ir.Object(())),)), "no object with members"),
    ],
)
def test_what_is_wrong_is_said(wrong: ir.Api, message: str) -> None:
    check(api(TEXT))
    with pytest.raises(ValueError, match=message):
        check(wrong)


def test_types_may_nest_as_deep_as_specs_do() -> None:
    check(api(nested(64)))


@pytest.mark.parametrize(
    "text", ['{"version": NaN}', '{"version": 1, "version": 1}', '{"version": 1e999}', "[" * 99_999]
)
def test_a_file_that_is_no_strict_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "1.0.0.json").write_text(text)
    with pytest.raises(TaskbindError, match=r"1\.0\.0\.json: not the api\.json of a release"):
        read_release(tmp_path / "1.0.0.json")
