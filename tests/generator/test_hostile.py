"""Hostile specs: a typed error or a safe tree, in bounded time, and never an exception."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from taskbind.diagnostics import Report
from taskbind.documents import SpecTree
from taskbind.load import load
from taskbind.normalize import normalize
from tests.generator.test_normalize import assert_normal

SECONDS = 2.0
# The corpus' hostile specs by number, and the codes that refuse them; the rest are odd but can be taken as data.
REFUSED = {
    "13": "TB244",  # look-ahead
    "16": "TB131",  # file: reference
    "19": "TB132",  # reference to the network
    "22": "TB103",  # depth
    "28": "TB244",  # size of a pattern
    "31": "TB121",  # wrong types
    "34": "TB110",  # YAML
    "37": "TB104",  # encoding
    "49": "TB246",  # names
    "55": "TB121",  # doubled required
    "58": "TB240",  # import
}


def digest(root: Path) -> tuple[SpecTree, Report]:
    """Load and normalise within the time that a hostile spec may take."""
    report = Report()
    start = time.process_time()
    tree = normalize(load(root, report), report)
    assert time.process_time() - start < SECONDS
    return tree, report


def hostile_task(root: Path, schema: Any) -> tuple[SpecTree, Report]:
    folder = root / "hostile"
    folder.mkdir(parents=True)
    (folder / "input.json").write_text(schema if isinstance(schema, str) else json.dumps(schema))
    (folder / "output.json").write_text('{"type": "string"}')
    return digest(root)


def test_the_corpus_of_hostile_specs(corpus: Path, tmp_path: Path) -> None:
    files = sorted((corpus / "hostile-specs").iterdir())
    assert files
    for file in files:
        number = file.name.partition("_")[0]
        folder = tmp_path / number / "hostile"
        folder.mkdir(parents=True)
        shutil.copyfile(file, folder / f"input{file.suffix}")
        (folder / "output.json").write_text('{"type": "string"}')
        tree, report = digest(tmp_path / number)
        found = {diagnostic.code for diagnostic in report.fatal}
        assert (REFUSED[number] in found) if number in REFUSED else not found, file.name
        assert_normal(tree)


CHAIN = 3_300


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(CHAIN)} | {f"d{CHAIN}": {}}},
        {
            "$defs": {
                f"d{i}": {
                    "type": "object",
                    "properties": {"x": {"$ref": f"#/$defs/d{min(i + 1, CHAIN)}"}},
                    "default": 1,
                }
                for i in range(CHAIN + 1)
            }
        },
        {
            "$ref": "#/$defs/d0",
            "default": {"x": "no"},
            "$defs": {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(30)}
            | {"d30": {"type": "integer"}},
        },
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$", "default": "a" * 60 + "!"}}},
        {"oneOf": [{"type": "object", "properties": {f"p{i}": {}}} for i in range(4_000)]},
        {"type": "object", "required": [f"r{i}" for i in range(9_000)], "properties": {}},
        {"allOf": [{"allOf": [{"required": [f"r{i}"]} for i in range(2_000)]}], "properties": {"a": {}}},
        {"enum": [str(i) for i in range(19_000)], "examples": ["x"], "default": "y"},
        {"type": "array", "uniqueItems": True, "default": list(range(19_000))},
        '{"a":' * 1_000_000,
        '{"$ref":"#' + "/a" * 400_000 + '"}',
        '{"$id": "http://[", "$ref": "http://]x"}',
        {"$ref": "#/%ff%00/~2"},
        {"$ref": "\x00"},
        {"properties": {"x" * 100_000: {"$ref": "#/properties/" + "x" * 100_000}}},
        {"$defs": {f"d{i}": {"$id": f"d{i}", "$ref": f"d{i // 2}"} for i in range(4_000)}},
        {"$defs": {f"d{i}": {"$anchor": "a", "$ref": f"#b{i}"} for i in range(4_000)}},
        {
            "$defs": {f"d{i}": {"$id": f"d{i}", "$dynamicAnchor": "a"} for i in range(2_000)}
            | {f"r{i}": {"$dynamicRef": f"d{i}#a"} for i in range(2_000)},
            "anyOf": [{"$ref": f"#/$defs/r{i}"} for i in range(2_000)],
        },
        {
            "$defs": {
                f"d{i}": {"$id": f"d{i}", "$dynamicAnchor": "a", "not": {"$dynamicRef": f"d{i}#a"}}
                for i in range(2_000)
            }
        },
        {
            "not": {"then": {"$defs": {f"d{i}": {"a": {}} for i in range(4_000)}}},
            "anyOf": [{"$ref": f"#/not/then/$defs/d{i}"} for i in range(4_000)],
        },
        {"$defs": {f"d{i}": False for i in range(5_000)}, "oneOf": [{"$ref": f"#/$defs/d{i}"} for i in range(5_000)]},
        {"anyOf": [{"properties": {"a": {"required": [f"r{i}"]}}} for i in range(3_000)]},
        {"patternProperties": {f"a{i}$": {} for i in range(3_000)}, "default": {f"a{i}": 1 for i in range(3_000)}},
        {"dependentRequired": {f"a{i}": [f"b{i}"] for i in range(6_000)}, "default": {f"a{i}": 1 for i in range(99)}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {f"a{i}": {} for i in range(6_000)}},
        {
            "$schema": "https://json-schema.org/draft/2019-09/schema",
            "unevaluatedItems": False,
            "prefixItems": [],
            "$defs": {f"d{i}": {"contains": {}} for i in range(3_000)},
        },
        {"not": {"$ref": "#/not"}},
        {"$id": "urn:\x00", "$ref": "#/%", "$anchor": "a"},
    ],
    ids=lambda schema: str(schema)[:40],
)
def test_time_is_bounded(tmp_path: Path, schema: Any) -> None:
    _, report = hostile_task(tmp_path, schema)
    assert all(len(str(diagnostic)) < 1_000 or len(diagnostic.pointer) > 500 for diagnostic in report)


def test_deep_values_are_decided_or_left(tmp_path: Path) -> None:
    inner: Any = {"type": "array"}
    for _ in range(25):
        inner = {"anyOf": [inner]}
    schema = {
        "type": "array",
        "items": {"$ref": "#"},
        "default": json.loads("[" * 60 + "]" * 60),
        "$defs": {"A": inner},
    }
    _, report = hostile_task(tmp_path, schema)
    assert not report.fatal
