"""Dynamic references: each is written out, for every scope that evaluation can reach it in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from taskbind.diagnostics import Report
from taskbind.load.walk import walk
from taskbind.normalize import normalize
from tests.conformance.suite import OUTPUT, TASK, Judge
from tests.generator.test_load import load_files
from tests.generator.test_normalize import DRAFT2019, PATH, STRING, assert_normal, run, tree_of

INTEGER = {"type": "integer"}


def list_of(default: Any = None) -> dict[str, Any]:
    """A resource whose items are what a `$dynamicAnchor: item` further out says, or else `default`."""
    return {
        "$id": "list",
        "type": "array",
        "items": {"$dynamicRef": "#item"},
        "$defs": {"default": {"$dynamicAnchor": "item", **(default or {})}},
    }


def test_one_scope_needs_no_copy() -> None:
    schema = {"$ref": "list", "$defs": {"item": {"$dynamicAnchor": "item", **STRING}, "list": list_of()}}
    found, report = run(schema)
    assert {diagnostic.code for diagnostic in report} == {"TB225"}
    assert found == {
        "$ref": f"{PATH}#/$defs/list",
        "$defs": {
            "item": STRING,
            "list": {"type": "array", "items": {"$ref": f"{PATH}#/$defs/item"}, "$defs": {"default": {}}},
        },
    }


def test_a_copy_for_every_other_scope() -> None:
    def bound(name: str, item: dict[str, Any]) -> dict[str, Any]:
        return {"$id": name, "$ref": "list", "$defs": {"item": {"$dynamicAnchor": "item", **item}}}

    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "strings"}, "b": {"$ref": "integers"}, "c": {"$ref": "list"}},
        "$defs": {"s": bound("strings", STRING), "i": bound("integers", INTEGER), "l": list_of({"type": "null"})},
    }
    found, report = run(schema)
    assert not report.fatal
    assert {"TB235"} <= {diagnostic.code for diagnostic in report}
    items = {
        definition["items"]["$ref"].partition("#")[2] for definition in found["$defs"].values() if "items" in definition
    }
    assert items == {"/$defs/s/$defs/item", "/$defs/i/$defs/item", "/$defs/l/$defs/default"}
    assert_normal(normalize(tree_of(schema), Report()))


def test_a_recursive_anchor_of_2019() -> None:
    def node(id: str, **rest: Any) -> dict[str, Any]:
        return {"$id": id, "$recursiveAnchor": True, **rest}

    tree = node("tree", type="object", properties={"children": {"type": "array", "items": {"$recursiveRef": "#"}}})
    schema = node("strict", **{"$schema": DRAFT2019, "$ref": "tree", "unevaluatedProperties": False})
    found, report = run({**schema, "$defs": {"tree": tree}})
    assert not report.fatal
    assert found["$defs"]["tree"]["properties"]["children"]["items"] == {"$ref": f"{PATH}#"}


def test_the_meta_schema_itself(tmp_path: Path) -> None:
    official = {"a": "2020-12/schema", "b": "2020-12/meta/core", "c": "2019-09/schema"}
    members = {name: {"$ref": f"https://json-schema.org/draft/{path}"} for name, path in official.items()}
    tree, report = load_files(tmp_path, {f"{TASK}/input.json": STRING, OUTPUT: {"properties": members}})
    tree = normalize(tree, report)
    assert not [diagnostic for diagnostic in report if diagnostic.path != OUTPUT and diagnostic.code != "TB235"]
    assert_normal(tree)
    judge = Judge(tree)
    for name in official:
        valid: list[Any] = [True, {"$defs": {"A": {"not": {}}}}]
        invalid: list[Any] = [7, {"$defs": {"A": 7}}, {"$defs": {"A": {"$id": 7}}}]
        assert all(judge.accepts({name: schema}) for schema in valid)
        assert not any(judge.accepts({name: schema}) for schema in invalid)
    deep = {"properties": {"a": {"minLength": -1}}}
    assert judge.accepts({"b": deep})  # only the core vocabulary
    assert not judge.accepts({"a": deep})
    assert not judge.accepts({"c": deep})


def crossed(count: int) -> dict[str, Any]:
    """A schema with ways through `count` forks, so that the last resource is reached in 2 ** count scopes."""
    defs: dict[str, Any] = {}
    for number in range(count):
        for side in "ab":
            anchor = {"$dynamicAnchor": f"n{number}", "title": side}
            defs[f"{side}{number}"] = {
                "$id": f"{side}{number}",
                "properties": {"x": {"$ref": f"fork{number + 1}"}},
                "$defs": {"anchor": anchor},
            }
        members = {"a": {"$ref": f"a{number}"}, "b": {"$ref": f"b{number}"}}
        defs[f"fork{number}"] = {"$id": f"fork{number}", "properties": members}
    own = {f"n{number}": {"$dynamicAnchor": f"n{number}"} for number in range(count)}
    refs = {f"n{number}": {"$dynamicRef": f"#n{number}"} for number in range(count)}
    defs["last"] = {"$id": f"fork{count}", "properties": refs, "$defs": own}
    return {"$ref": "fork0", "$defs": defs}


def test_scopes_multiply() -> None:
    found, report = run(crossed(3))
    assert not report.fatal
    ends = {
        tuple(member["$ref"].partition("#")[2].split("/")[2] for member in schema["properties"].values())
        for _, schema in walk(found)
        if "n0" in schema.get("properties", {})
    }
    assert len(ends) == 8


def test_too_many_scopes() -> None:
    start = time.process_time()
    _, report = run(crossed(14))
    assert {diagnostic.code for diagnostic in report.fatal} == {"TB226"}
    assert all(diagnostic.line and diagnostic.fix and diagnostic.pointer for diagnostic in report.fatal)
    assert time.process_time() - start < 2
