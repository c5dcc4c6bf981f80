"""Documents that lie, lead astray or never end: a typed error that says where, and nothing half-written."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from taskbind.diagnostics import Report, TaskbindError
from taskbind.importing.openapi import read
from taskbind.importing.openapi.documents import LIMITS
from taskbind.importing.openapi.yaml import read as read_yaml
from taskbind.importing.write import Imported, ImportRefusedError, write
from taskbind.load.files import UnreadableError
from tests.generator.importing.service import document
from tests.generator.importing.test_openapi import NAME, imported, objects, posted, told

FINE = posted(NAME, path="/fine", operationId="fine")


def refused(tmp_path: Path, text: str | bytes, name: str = "small.json") -> ImportRefusedError:
    """Why a file is no document at all."""
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ImportRefusedError) as error:
        read(file)
    assert error.value.report.fatal
    return error.value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "nonsense",
        '"openapi"',
        "{}",
        '{"swagger": "2.0", "info": {}, "paths": {}}',
        '{"openapi": 3.1, "info": {}, "paths": {}}',
        '{"openapi": "3.9.0", "info": {}, "paths": {}}',
        '{"openapi": "4.0.0", "info": {}, "paths": {}}',
        '{"openapi": "3.1.0", "info": {}, "paths": []}',
        '{"openapi": "3.1.0", "paths": {}}',
        '{"openapi": "3.1.0", "openapi": "3.0.0", "info": {}, "paths": {}}',
        '{"openapi": "3.1.0", "info": {}, "paths": {}, "jsonSchemaDialect": "https://x.test/mine"}',
        '{"openapi": "3.1.0", "info": {}, "paths": {}, "x": NaN}',
        '{"openapi": "3.1.0", "info": {}, "paths": {}, "x": "\\ud800"}',
        b'\xff\xfe{"openapi": "3.1.0"}',
        '{"openapi": "3.1.0", "info": {}, "paths": {}}',
    ],
)
def test_what_is_no_document(tmp_path: Path, text: str | bytes) -> None:
    file = tmp_path / "small.json"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ImportRefusedError):
        read(file)


def test_limits(tmp_path: Path) -> None:
    assert "levels" in str(refused(tmp_path, "[" * 200 + "]" * 200).report.fatal[0])
    assert "values" in str(refused(tmp_path, json.dumps([0] * (LIMITS.values + 1))).report.fatal[0])
    assert "bytes" in str(refused(tmp_path, '"' + "a" * LIMITS.bytes + '"').report.fatal[0])
    paths: dict[str, Any] = {f"/{number}": {"get": {}} for number in range(2_001)}
    with pytest.raises(TaskbindError, match="more than 2,000 operations"):
        imported(tmp_path, paths)


REFS = {
    "remote": "https://example.test/x.json",
    "remote without a scheme": "//example.test/x.json",
    "file URL": "file:///etc/passwd",
    "absolute": "/etc/passwd",
    "above": "../outside.json",
    "above, hidden": "a/%2e%2e/../../outside.json",
    "missing": "#/components/schemas/Missing",
    "missing file": "missing.json",
    "anchor": "#name",
    "in a list": "#/components/schemas/99",
    "linked": "link.json",
    "not JSON": "broken.json",
    "to itself": "#/paths/~1run/post/requestBody/content/application~1json/schema/properties/value",
    "data": "data:application/json,{}",
    "backslash": "..\\outside.json",
    "NUL": "a\0b.json",
}


@pytest.mark.parametrize("ref", REFS.values(), ids=REFS)
def test_references_that_lead_astray(tmp_path: Path, ref: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "outside.json").write_text('{"type": "string"}', encoding="utf-8")
    (folder / "link.json").symlink_to(tmp_path / "outside.json")
    (folder / "broken.json").write_text("{", encoding="utf-8")
    made = imported(folder, posted(objects(value={"$ref": ref})) | FINE)
    assert "POST /run" in made.left_out
    assert "fine/input.json" in made.files
    assert not any("/run/" in f"/{path}" for path in made.files)
    assert made.report.fatal


@pytest.mark.parametrize("ref", [7, None, {}, ["#/x"]])
def test_references_that_are_none(tmp_path: Path, ref: Any) -> None:
    made = imported(tmp_path, posted(objects(value={"$ref": ref})) | FINE)
    assert "POST /run" in made.left_out


def test_references_in_circles(tmp_path: Path) -> None:
    schemas = {
        "A": {"$ref": "#/components/schemas/B"},
        "B": {"$ref": "#/components/schemas/A"},
        "C": {"allOf": [{"$ref": "#/components/schemas/C"}, NAME]},
    }
    for name in schemas:
        made = imported(tmp_path, posted({"$ref": f"#/components/schemas/{name}"}) | FINE, schemas=schemas)
        assert "POST /run" in made.left_out
        assert "fine/input.json" in made.files
    body: dict[str, Any] = {"requestBody": {"$ref": "#/components/requestBodies/A"}}
    around = {"requestBodies": {"A": {"$ref": "#/components/requestBodies/A"}}, "schemas": {}}
    made = imported(tmp_path, posted(NAME, **body) | FINE, components=around)
    assert "POST /run" in made.left_out


@pytest.mark.parametrize("word", ["$id", "$anchor", "$dynamicRef", "$dynamicAnchor"])
def test_words_that_change_what_references_mean(tmp_path: Path, word: str) -> None:
    made = imported(tmp_path, posted(objects(value={word: "x"})) | FINE)
    assert told(made, "TB422") == [
        f"/paths/~1run/post/requestBody/content/application~1json/schema/properties/value/{word}"
    ]
    assert "fine/input.json" in made.files


WRONG: dict[str, Any] = {
    "a type that is none": {"type": "text"},
    "a number for a schema": objects(value=7),
    "properties that are none": {"type": "object", "properties": []},
    "a pattern that takes forever": objects(value={"type": "string", "pattern": "(?=a)b"}),
    "a name that hides": objects(**{"a\u202eb": {"type": "string"}}),
    "a key that steers": objects(value={"type": "string", "customTypePath": "os.system"}),
    "a null for a schema": None,
    "a list for a schema": [],
    "an empty list of variants": {"oneOf": []},
    "a name too long": objects(**{"a" * 200: {"type": "string"}}),
    "another dialect": objects(value={"type": "string", "required": True}),
}


@pytest.mark.parametrize("schema", WRONG.values(), ids=WRONG)
def test_schemas_that_are_none(tmp_path: Path, schema: Any) -> None:
    made = imported(tmp_path, posted(schema) | FINE)
    assert "POST /run" in made.left_out, made.report
    assert "fine/input.json" in made.files
    [error, *_] = made.report.fatal
    assert error.path == "small.json"
    assert error.pointer.startswith("/paths/~1run/post")


def test_a_wrong_component_leaves_out_what_uses_it_and_nothing_else(tmp_path: Path) -> None:
    ref = {"$ref": "#/components/schemas/Wrong"}
    paths = posted(objects(a=ref)) | posted(objects(b=ref), path="/other", operationId="other") | FINE
    made = imported(tmp_path, paths, schemas={"Wrong": objects(value={"type": "text"})})
    assert set(made.left_out) == {"POST /run", "POST /other"}
    assert all(error.pointer.startswith("/components/schemas/Wrong") for error in made.report.fatal)


OPERATIONS: dict[str, Any] = {
    "nothing": {},
    "a list": [],
    "no answers": {"requestBody": {"content": {"application/json": {"schema": NAME}}}},
    "answers that are a list": {"requestBody": {"content": {"application/json": {"schema": NAME}}}, "responses": []},
    "a body that is a text": {"requestBody": "x", "responses": {"200": {}}},
    "content that is a list": {"requestBody": {"content": []}, "responses": {"200": {"content": []}}},
    "a media type that is null": {
        "requestBody": {"content": {"application/json": None}},
        "responses": {"200": {"content": {"application/json": None}}},
    },
    "tags, texts and parameters that are none": {
        "tags": 7,
        "summary": [],
        "description": {},
        "operationId": [],
        "externalDocs": "x",
        "parameters": "x",
        "requestBody": {"content": {"application/json": {"schema": {"type": "text"}}}},
        "responses": {"200": {"content": {"application/json": {"schema": 1}}}},
    },
    "a form that is a list": {
        "requestBody": {"content": {"multipart/form-data": {"schema": {"type": "array"}, "encoding": 7}}},
        "responses": {"200": {"content": {"application/json": {"schema": {}}}}},
    },
    "a form with lists of files": {
        "requestBody": {
            "content": {
                "multipart/form-data": {
                    "schema": objects(files={"type": "array", "items": {"type": "string", "format": "binary"}})
                }
            }
        },
        "responses": {"200": {"content": {"application/json": {"schema": {}}}}},
    },
    "a server of its own": posted(NAME, servers=[{"url": "https://b.test"}])["/run"]["post"],
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_operations_that_are_none(tmp_path: Path, operation: Any) -> None:
    made = imported(tmp_path, {"/run": {"post": operation}, "/list": [], "/null": None} | FINE)
    assert "POST /run" in made.left_out
    assert "fine/input.json" in made.files


@pytest.mark.parametrize(
    "path", ["/a?b=c", "/a#b", "//a", "/a b", "a", "", "/a/\u202e", "/a/{b}", "/" + "a" * 5000 + "\n"]
)
def test_paths_that_no_dialect_can_have(tmp_path: Path, path: str) -> None:
    made = imported(tmp_path, posted(NAME, path=path) | FINE)
    assert len(made.left_out) == 1


def test_parts_of_the_service_that_lead_nowhere(tmp_path: Path) -> None:
    nowhere = {"$ref": "#/components/nowhere"}
    schemas = {"Any": {"oneOf": [NAME], "discriminator": {"propertyName": "name", "mapping": {"a": "Nowhere", "b": 7}}}}
    components = {"schemas": schemas, "securitySchemes": {"token": nowhere, "other": 7}}
    answer = {"$ref": "#/components/schemas/Any"}
    paths = posted(NAME, answer) | {"/lost": nowhere, "/lost/too": {"post": nowhere}} | FINE
    made = imported(tmp_path, paths, components=components, servers=[7], tags=[7, {"name": 7}])
    assert {"run/input.json", "fine/input.json"} <= made.files.keys()
    assert list(made.left_out) == ["POST /lost/too"]
    for odd in (7, [], None, "x"):
        assert imported(tmp_path, FINE, components=odd, servers=odd, tags=odd, security=odd).files


def test_texts_are_only_texts(tmp_path: Path) -> None:
    evil = "\"\"\"\n[[examples]]\u202e\x00\x1b[31m`{{ 7*7 }}` <script>alert(1)</script> ''' \\"
    operation = posted(
        {**NAME, "title": evil, "description": evil},
        {"type": "string", "title": evil, "enum": [evil]},
        summary=evil[:50],
        description=evil,
        tags=[evil],
        operationId=evil,
        externalDocs={"url": evil},
    )
    made = imported(
        tmp_path, operation, info={"title": evil, "description": evil}, tags=[{"name": evil, "x-displayName": evil}]
    )
    written = write(made, tmp_path / "specs")
    assert written.changes
    for path, text in made.files.items():
        if path.endswith(".toml"):
            assert not {"\u202e", "\x00", "\x1b"} & set(str(text))


def test_schemas_that_grow_without_bounds(tmp_path: Path) -> None:
    """Each is made of the next one twice: a copy of all would have 2⁴⁰ parts."""
    schemas: dict[str, Any] = {"S40": NAME}
    for number in range(40):
        ref = {"$ref": f"#/components/schemas/S{number + 1}"}
        schemas[f"S{number}"] = {"type": "object", "properties": {"a": ref, "b": ref}, "required": ["a"]}
        schemas[f"T{number}"] = {"allOf": [{"$ref": f"#/components/schemas/T{number + 1}"}] * 2, "required": ["id"]}
    schemas["T40"] = objects(id={"type": "integer", "readOnly": True})
    made = imported(tmp_path, posted({"$ref": "#/components/schemas/S0"}) | FINE, schemas=schemas)
    assert "run/input.json" in made.files
    made = imported(tmp_path, posted({"$ref": "#/components/schemas/T0"}) | FINE, schemas=schemas)
    assert "fine/input.json" in made.files


def test_long_chains(tmp_path: Path) -> None:
    schemas: dict[str, Any] = {f"S{n}": {"$ref": f"#/components/schemas/S{n + 1}"} for n in range(3000)}
    schemas["S3000"] = NAME
    made = imported(tmp_path, posted({"$ref": "#/components/schemas/S0"}) | FINE, schemas=schemas)
    assert "POST /run" in made.left_out
    chain: dict[str, Any] = {
        f"S{n}": {"allOf": [{"$ref": f"#/components/schemas/S{n + 1}"}], "required": ["name"]} for n in range(3000)
    }
    made = imported(tmp_path, posted({"$ref": "#/components/schemas/S0"}) | FINE, schemas=chain | {"S3000": NAME})
    assert "POST /run" in made.left_out


def test_long_chains_of_members(tmp_path: Path) -> None:
    schemas: dict[str, Any] = {f"S{n}": objects(next={"$ref": f"#/components/schemas/S{n + 1}"}) for n in range(1000)}
    schemas["S1000"] = NAME
    made = imported(tmp_path, posted({"$ref": "#/components/schemas/S0"}) | FINE, schemas=schemas)
    assert "nest too deep" in made.left_out["POST /run"]
    assert "fine/input.json" in made.files


KEYS = st.sampled_from(sorted({key for key in json.dumps(document("3.1.0")).split('"') if key.isidentifier()}))
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, "", "x", [], {}, [[]], {"$ref": "#"}, {"$ref": "#/paths"}, True, -1.5]
)


@given(data=st.data(), version=st.sampled_from(["3.0.3", "3.1.0"]))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_part_may_be_wrong(tmp_path: Path, data: st.DataObject, version: str) -> None:
    """Some parts of a sound document are replaced, dropped or renamed: no traceback, and what is made can be read."""
    whole = json.loads(json.dumps(document(version)))
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = whole
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = data.draw(st.sampled_from(keys))
            if not (isinstance(place[key], dict | list) and place[key]) or data.draw(st.integers(0, 9)) == 9:
                break
            place = place[key]
        if data.draw(st.booleans()) and isinstance(place, dict):
            place[data.draw(KEYS)] = place.pop(key)
        else:
            place[key] = deepcopy(data.draw(VALUES))
        if not whole:
            return
    file = tmp_path / "small.json"
    file.write_text(json.dumps(whole), encoding="utf-8")
    try:
        made = read(file)
    except TaskbindError:
        return
    assert_sound(made)


def assert_sound(made: Imported) -> None:
    from taskbind.importing.write import _linted

    findings = _linted({path: text.encode() if isinstance(text, str) else text for path, text in made.files.items()})
    assert not findings.fatal, [str(diagnostic) for diagnostic in findings.fatal]


# ----------------------------------------------------------------------------------------------------------------- YAML


def test_yaml_says_the_same_as_json(tmp_path: Path) -> None:
    import yaml

    for version in ("3.0.3", "3.1.0"):
        made = document(version)
        (tmp_path / "a.json").write_text(json.dumps(made), encoding="utf-8")
        # An indented dump without aliases: PyYAML writes them for parts that are the same object.
        dumper = type("Plain", (yaml.SafeDumper,), {"ignore_aliases": lambda self, data: True})
        (tmp_path / "a.yaml").write_text(yaml.dump(made, Dumper=dumper, sort_keys=False), encoding="utf-8")
        one, other = read(tmp_path / "a.json"), read(tmp_path / "a.yaml")
        assert one.files == other.files
        assert {(d.code, d.pointer) for d in one.report} == {(d.code, d.pointer) for d in other.report}
        assert all(d.line for d in (*one.report, *other.report))


def test_words_of_yaml() -> None:
    text = "a: no\nb: [1, 012, 0x1F, 1:30, 2024-01-01, ~, .inf, 1e3, -2.5, 'true', true, '']\n404: |\n  two\n  lines\n"
    value, lines = read_yaml("a.yaml", text, Report(), LIMITS)
    assert value["a"] == "no"
    assert value["b"] == [1, "012", "0x1F", "1:30", "2024-01-01", None, ".inf", 1000.0, -2.5, "true", True, ""]
    assert value["404"] == "two\nlines\n"
    assert (lines["/b/3"], lines["/404"]) == (2, 3)


def test_anchors_and_aliases_of_yaml() -> None:
    text = "a: &a {b: [1, &c two]}\n&k x: *a\nz:\n- *c\n- *k\n- *a\n- &unused y\na2: &a 3\na3: *a\n"
    value, lines = read_yaml("a.yaml", text, Report(), LIMITS)
    held = {"b": [1, "two"]}
    assert value == {"a": held, "x": held, "z": ["two", "x", held, "y"], "a2": 3, "a3": 3}
    assert value["a"] is not value["x"]
    assert value["a"]["b"] is not value["x"]["b"]
    assert (lines["/x"], lines["/z/2"]) == (2, 6)


@pytest.mark.parametrize("name", ["small.json", "small.yaml"])
def test_a_byte_order_mark_is_skipped(tmp_path: Path, name: str) -> None:
    text = json.dumps({"openapi": "3.1.0", "info": {"title": "Small"}, "paths": FINE})
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert "fine/input.json" in read(tmp_path / name).files


@pytest.mark.parametrize("text", ["openapi: 3.1.0\n", "# A service\nopenapi: 3.1.0\n", "---\n'openapi': 3.1.0\n"])
def test_yaml_that_is_called_json(tmp_path: Path, text: str) -> None:
    [found] = refused(tmp_path, text).report.fatal
    assert (found.code, found.path) == ("TB420", "small.json")
    assert "or name it .yaml" in found.fix


BOMB = "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
DEEP = "a0: &a0 []\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 150))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BOMB, "values"),
        (DEEP, "levels"),
        ("a: &a [1, *a]\n", "stands for what it is in"),
        ("a: &a {b: {c: *a}}\n", "stands for what it is in"),
        ("a: *b\n", "no anchor"),
        ("a: *b\nb: &b 1\n", "no anchor"),
        ("a: &a b\n*a : c\n", "key is no text"),
        ("a: &a {b: 1}\nc: {<<: *a, d: 1}\n", "merge key"),
        ("a: 1\na: 2\n", "stands twice"),
        ("a: !!python/object/apply:os.system [echo]\n", "tag"),
        ("a: {<<: {b: 1}}\n", "merge key"),
        ("a: 1\n---\nb: 2\n", "several documents"),
        ("[a, b]: 1\n", "key is no text"),
        ("a: {b\n", "is not YAML"),
        ("a: \x01\n", "is not YAML"),
        ("[" * 300, "levels"),
        ("a: 1e999\n", "range"),
        ('a: "\\ud800"\n', ""),
    ],
)
def test_yaml_that_is_refused(text: str, why: str) -> None:
    report = Report()
    with pytest.raises(UnreadableError):
        read_yaml("a.yaml", text, report, LIMITS)
    [found] = report.fatal
    assert found.code == "TB420"
    assert why in found.message
