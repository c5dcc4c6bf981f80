"""Loading: both layouts, and every way in which files can be wrong is one typed diagnostic with its line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from taskbind.diagnostics import Report, Severity
from taskbind.documents import SpecTree
from taskbind.load import load
from taskbind.load.layout import RESERVED
from taskbind.load.positions import escape, line_of, lines, unescape, values
from taskbind.load.refs import References
from taskbind.load.walk import walk
from tests.conftest import ROOT

STRING = {"type": "string"}
Files = dict[str, Any]


def load_files(root: Path, files: Files) -> tuple[SpecTree, Report]:
    """Write files (bytes, text, or a value as JSON) and load them."""
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), "utf-8")
    report = Report()
    return load(root, report), report


def task(input: Any = STRING, output: Any = STRING, **more: Any) -> Files:
    """The files of one task in our layout."""
    named = {f"my-task/{name.replace('__', '.')}": content for name, content in more.items()}
    return {"my-task/input.json": input, "my-task/output.json": output, **named}


def codes(report: Report) -> list[str]:
    return [diagnostic.code for diagnostic in report]


# ------------------------------------------------------------------------------------------------------- layouts


def test_our_layout(tmp_path: Path) -> None:
    meta = 'title = "T"\n[[examples]]\nname = "one"\ntitle = "One"\ninputs = "x"\n'
    files = task(task__toml=meta) | {
        "common.json": {"$defs": {"A": STRING}},
        "my-task/stream_output.json": STRING,
        "my-task/examples/one.response.json": ["x"],
        "my-task/examples/notes.txt": "not read",
        ".hidden/input.json": STRING,
        "assets/logo.svg": "<svg/>",
        "LICENSE": "text",
    }
    tree, report = load_files(tmp_path, files)
    assert not report.diagnostics
    assert [document.path for document in tree.shared] == ["common.json"]
    (source,) = tree.tasks
    assert (source.id, source.input.path, source.meta_path) == ("my-task", "my-task/input.json", "my-task/task.toml")
    assert source.stream is not None
    assert source.meta["title"] == "T"
    assert source.responses == {"one": ["x"]}


def test_hugging_face_layout(tmp_path: Path) -> None:
    ref = {
        "$id": "/inference/schemas/a/input.json",
        "$ref": "/inference/schemas/common-definitions.json#/definitions/A",
    }
    common = {"$id": "/inference/schemas/common-definitions.json", "definitions": {"A": STRING}}
    files = {"a/spec/input.json": ref, "a/spec/output.json": STRING, "common-definitions.json": common}
    tree, report = load_files(tmp_path, files)
    assert not report.diagnostics
    assert [(source.id, source.input.path, source.meta) for source in tree.tasks] == [("a", "a/spec/input.json", {})]


def test_tasks_are_sorted(tmp_path: Path) -> None:
    files = {f"{name}/{kind}.json": STRING for name in ("b-b", "b", "a") for kind in ("output", "input")}
    tree, _ = load_files(tmp_path, files)
    assert [source.id for source in tree.tasks] == ["a", "b", "b-b"]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "TB114"),
        ({"my-task/input.json": STRING}, "TB110"),
        ({"my-task/output.json": STRING, "my-task/input.yaml": "type: string"}, "TB110"),
        ({"my-task/task.toml": ""}, "TB110"),
        ({"MyTask/input.json": STRING, "MyTask/output.json": STRING}, "TB111"),
        (task() | {"my-task/spec/input.json": STRING}, "TB112"),
        (task() | {"input.json": STRING}, "TB112"),
    ],
)
def test_incomplete_layouts(tmp_path: Path, files: Files, code: str) -> None:
    _, report = load_files(tmp_path, files)
    assert code in codes(report)
    assert all(diagnostic.fix for diagnostic in report)


def test_missing_root(tmp_path: Path) -> None:
    report = Report()
    assert load(tmp_path / "nowhere", report).tasks == ()
    assert codes(report) == ["TB101"]


def test_template_is_skipped_with_a_warning(tmp_path: Path) -> None:
    tree, report = load_files(tmp_path, task({"$id": "/schemas/<TASK_ID>/input.json"}))
    assert [(d.code, d.severity) for d in report] == [("TB113", Severity.WARNING)]
    assert tree.tasks == ()


def test_links_may_not_leave_the_root(tmp_path: Path) -> None:
    root, outside = tmp_path / "specs", tmp_path / "outside"
    for folder in (root / "my-task", outside):
        folder.mkdir(parents=True)
        for kind in ("input", "output"):
            (folder / f"{kind}.json").write_text('{"type": "string"}')
    (root / "my-task/input.json").unlink()
    (root / "my-task/input.json").symlink_to(outside / "input.json")
    (root / "other-task").symlink_to(outside, target_is_directory=True)
    report = Report()
    assert load(root, report).tasks == ()
    assert [(d.code, d.path) for d in report] == [("TB102", "my-task/input.json"), ("TB102", "other-task")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "my-task").mkdir()
    os.mkfifo(tmp_path / "my-task/input.json")
    _, report = load_files(tmp_path, {"my-task/output.json": STRING})
    assert codes(report) == ["TB101"]


# -------------------------------------------------------------------------------------------------------- strict


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b'\xef\xbb\xbf{"type": "string"}', "TB104", 1),
        (b'{\n"title": "\xff"}', "TB104", 2),
        (b'{"title": "caf\xe9"}', "TB104", 1),
        ('{\n"type": "string",\n}', "TB105", 3),
        ('{"type": "string"} // why', "TB105", 1),
        ("", "TB105", 1),
        ('{"title": "a\nb"}', "TB105", 1),
        ('{\n"type": "string",\n"type": "string"}', "TB106", 3),
        ('{"properties": {\n"a": {},\n"\\u0061": {}}}', "TB106", 3),
        ('{\n"default": NaN}', "TB107", 2),
        ('{"default": [1,\n-Infinity]}', "TB107", 2),
        ('{"default":\n1e400}', "TB107", 2),
        ('{"default":\n' + "9" * 5000 + "}", "TB107", 2),
        ('{\n"title": "\\ud800"}', "TB108", 2),
        ('{\n"\\udc00x": 1}', "TB108", 2),
        ("[]", "TB109", 1),
        ("7", "TB109", 1),
        ('"x"', "TB109", 1),
        ("[" * 100_000, "TB103", 1),
        ('{"a":' * 65 + "1" + "}" * 65, "TB103", 1),
        (" " * (1 << 20) + "{}", "TB103", 0),
        ({"examples": list(range(20_001))}, "TB103", 0),
        ({"x" * 500_000: [0] * 100}, "TB103", 0),
    ],
)
def test_unreadable_files(tmp_path: Path, content: Any, code: str, line: int) -> None:
    tree, report = load_files(tmp_path, task(input=content))
    assert [(d.path, d.code, d.line) for d in report] == [("my-task/input.json", code, line)]
    assert tree.tasks == ()


@pytest.mark.parametrize(
    "text", ['{"title": "\\ud83d\\ude00 \\\\ud800"}', '{"a":' * 64 + "1" + "}" * 64, '{"minimum": 1e308}']
)
def test_readable_files(tmp_path: Path, text: str) -> None:
    _, report = load_files(tmp_path, task(input=text))
    assert not report.diagnostics


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    root = tmp_path_factory.getbasetemp() / "bytes"
    load_files(root, {"my-task/input.json": content, "my-task/output.json": content, "my-task/task.toml": content})


# ----------------------------------------------------------------------------------------------------- positions

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values, st.sampled_from([None, 1]))
def test_every_value_is_found_where_it_stands(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    index = lines(text)
    todo = [("", value)]
    offsets = {pointer: offset for pointer, offset, _ in values(text)}
    decoder = json.JSONDecoder()
    while todo:
        pointer, item = todo.pop()
        assert decoder.raw_decode(text, offsets[pointer])[0] == item
        assert line_of(text, pointer) == index[pointer] == text.count("\n", 0, offsets[pointer]) + 1
        if isinstance(item, dict):
            todo += [(f"{pointer}/{escape(key)}", inner) for key, inner in item.items()]
        elif isinstance(item, list):
            todo += [(f"{pointer}/{position}", inner) for position, inner in enumerate(item)]


@given(st.text())
def test_scanning_never_raises(text: str) -> None:
    list(values(text))
    assert unescape(escape(text)) == text


def test_a_pointer_that_leads_nowhere_has_no_line() -> None:
    assert line_of('{"a": 1}', "/b") == 0


# -------------------------------------------------------------------------------------------------- dialects, refs


@pytest.mark.parametrize(
    ("schema", "code", "pointer"),
    [
        ({"$schema": "https://json-schema.org/draft/2029-01/schema"}, "TB120", "/$schema"),
        ({"$schema": 7}, "TB120", "/$schema"),
        ({"type": 5}, "TB121", "/type"),
        ({"properties": {"a": {"minLength": -1}}}, "TB121", "/properties/a/minLength"),
        ({"multipleOf": 0}, "TB121", "/multipleOf"),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "("}, "TB121", "/pattern"),
        ({"$schema": "http://json-schema.org/draft-06/schema#", "$defs": {"A": {"type": 5}}}, "TB121", "/$defs/A/type"),
        ({"$schema": "http://json-schema.org/draft-06/schema#", "$defs": {"A": 5}}, "TB121", "/$defs/A"),
        ({"$defs": {"A": {"$schema": "http://json-schema.org/draft-07/schema#"}}}, "TB120", "/$defs/A/$schema"),
        ({"$defs": {"A": {"$id": "x"}, "B": {"$id": "x"}}}, "TB123", "/$defs/B/$id"),
        ({"$id": "x", "$defs": {"A": {"$id": "x"}}}, "TB123", "/$defs/A/$id"),
        ({"$defs": {"A": {"$anchor": "x"}, "B": {"$dynamicAnchor": "x"}}}, "TB123", "/$defs/B/$dynamicAnchor"),
        (
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "definitions": {"A": {"$id": "#x"}, "B": {"$id": "#x"}},
            },
            "TB123",
            "/definitions/B/$id",
        ),
        ({"$ref": "#/$defs/None"}, "TB130", "/$ref"),
        ({"$ref": "nowhere.json"}, "TB130", "/$ref"),
        ({"$ref": "../../../etc/passwd"}, "TB131", "/$ref"),
        ({"$ref": "file:///etc/passwd"}, "TB131", "/$ref"),
        ({"$ref": "https://example.com/a.json"}, "TB132", "/$ref"),
        ({"$ref": "//example.com/a.json"}, "TB132", "/$ref"),
        ({"$ref": "urn:x:y"}, "TB132", "/$ref"),
        ({"$ref": "#"}, "TB133", "/$ref"),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}}, "TB133", ""),
        ({"anyOf": [{"type": "null"}, {"$ref": "#"}]}, "TB133", "/anyOf/1/$ref"),
        ({"not": {"$ref": "#"}}, "TB133", "/not/$ref"),
        ({"$dynamicAnchor": "a", "dependentSchemas": {"x": {"$dynamicRef": "#a"}}}, "TB133", ""),
        ({"$ref": "#name", "$defs": {"A": {"$anchor": "names"}}}, "TB130", "/$ref"),
        ({"$ref": "#name", "$defs": {"A": {"$id": "a", "$anchor": "name"}}}, "TB130", "/$ref"),
        ({"$dynamicRef": "#name"}, "TB130", "/$dynamicRef"),
        ({"$ref": "http://json-schema.org/draft-03/schema#"}, "TB132", "/$ref"),
        ({"$ref": "http://json-schema.org/draft-07/schema#/nowhere"}, "TB130", "/$ref"),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#x", "$id": "#x"}, "TB130", "/$ref"),
        ({"$ref": "#/properties", "properties": {"a": {}}}, "TB135", "/$ref"),
        ({"$ref": "#/enum/0", "enum": [{"type": "string"}]}, "TB135", "/$ref"),
    ],
)
def test_bad_schemas(tmp_path: Path, schema: Any, code: str, pointer: str) -> None:
    tree, report = load_files(tmp_path, task(output=schema))
    assert {d.code for d in report} == {code}
    assert not pointer or pointer in {d.pointer for d in report}
    assert all(d.line and d.fix and d.path == "my-task/output.json" for d in report)
    assert tree.tasks == ()


@pytest.mark.parametrize(
    "ref",
    [
        "../common.json#/$defs/a~1b",
        "common.json#/$defs/a~1b",
        "/common.json#/$defs/a%7E1b",
        "https://x.test/common#/$defs/a~1b",
    ],
)
def test_good_references(tmp_path: Path, ref: str) -> None:
    common = {"$id": "https://x.test/common", "$defs": {"a/b": STRING}}
    tree, report = load_files(tmp_path, task({"$ref": ref}) | {"common.json": common})
    assert not report.diagnostics
    assert len(tree.tasks) == 1


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"$ref": "#name", "$defs": {"A": {"$anchor": "name"}}}, "/$defs/A"),
        ({"$ref": "a#name", "$defs": {"A": {"$id": "a", "$defs": {"B": {"$anchor": "name"}}}}}, "/$defs/A/$defs/B"),
        ({"$ref": "http://x.test/b/c.json#/$defs/C", "$id": "http://x.test/a",
          "$defs": {"A": {"$id": "b/c.json", "$defs": {"C": {}}}}}, "/$defs/A/$defs/C"),
        ({"$ref": "#/$defs/A", "$defs": {"A": True}}, "/$defs/A"),
        ({"$ref": "urn:x:y#/not", "not": {}, "$id": "urn:x:y"}, "/not"),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "allOf": [{"$ref": "a#b"}],
          "definitions": {"A": {"id": "a", "not": {"id": "#b"}}}}, "/definitions/A/not"),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "allOf": [{"$id": "http://y.test/", "$ref": "a"}],
          "definitions": {"A": {"$id": "a"}, "B": {"$id": "http://y.test/a"}}}, "/definitions/A"),
    ],
)  # fmt: skip
def test_ids_and_anchors(tmp_path: Path, schema: Any, pointer: str) -> None:
    tree, report = load_files(tmp_path, task(schema))
    assert not report.diagnostics
    (source,) = tree.tasks
    holder = next(at for at, inner in walk(source.input.data) if isinstance(inner.get("$ref"), str))
    ref = source.input.data["$ref"] if not holder else schema["allOf"][0]["$ref"]
    assert References(tree.documents).resolve(source.input, holder, ref).pointer == pointer


def test_official_schemas_are_known(tmp_path: Path) -> None:
    tree, report = load_files(tmp_path, task({"$ref": "http://json-schema.org/draft-07/schema#"}))
    assert not report.diagnostics
    assert [document.path for document in tree.shared] == ["json-schema.org/draft-07/schema"]


def test_boolean_files(tmp_path: Path) -> None:
    tree, report = load_files(tmp_path, task("true", "false"))
    assert not report.diagnostics
    assert (tree.tasks[0].input.data, tree.tasks[0].output.data) == ({}, {"not": {}})


def test_recursion_through_a_property_is_fine(tmp_path: Path) -> None:
    _, report = load_files(tmp_path, task({"type": "object", "properties": {"child": {"$ref": "#"}}}))
    assert not report.diagnostics


def test_data_that_looks_like_a_reference_is_data(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"$ref": STRING}, "default": {"$ref": "nowhere"}, "enum": [{"$ref": "x"}]}
    _, report = load_files(tmp_path, task(schema))
    assert not report.diagnostics


def test_two_files_with_one_id(tmp_path: Path) -> None:
    _, report = load_files(tmp_path, task({"$id": "/a.json"}, {"$id": "/a.json"}))
    assert codes(report) == ["TB123"]


def test_an_error_in_a_shared_file_takes_its_tasks_out(tmp_path: Path) -> None:
    broken = {"$defs": {"A": {"$ref": "#/nowhere"}}}
    files = task({"$ref": "../common.json#/$defs/A"}) | {"common.json": broken}
    tree, report = load_files(tmp_path, files | {"good/input.json": STRING, "good/output.json": STRING})
    assert [d.path for d in report] == ["common.json"]
    assert [source.id for source in tree.tasks] == ["good"]
    assert tree.shared == ()


def test_a_reference_to_an_unreadable_file_says_so(tmp_path: Path) -> None:
    _, report = load_files(tmp_path, task({"$ref": "../common.json"}) | {"common.json": "{"})
    assert codes(report) == ["TB105", "TB130"]
    assert "has errors" in str(report.fatal[1])


# ----------------------------------------------------------------------------------------------------- task.toml

EXAMPLE = '[[examples]]\nname = "one"\ntitle = "One"\n'


@pytest.mark.parametrize(
    ("toml", "code", "line", "says"),
    [
        ("title = ", "TB115", 1, "end of document"),
        ("inputs = " + "[" * 5000, "TB115", 0, ""),
        ('\ntitel = "T"', "TB116", 2, "did you mean `title`?"),
        ("title = 3", "TB117", 1, "a text"),
        ('applications = "x"', "TB117", 1, "list of texts"),
        (f'title = "x"\ncategory = "{"c" * 81}"', "TB117", 2, "one line of at most 80"),
        ('category = "a\\nb"', "TB117", 1, "one line"),
        ('category = "a\\u202eb"', "TB117", 1, "visible"),
        ('learn_more = "javascript:alert(1)"', "TB117", 1, "URL"),
        ('[[models]]\nid = "a"', "TB117", 1, "doc"),
        ('models = "x"', "TB117", 1, "[[models]]"),
        (EXAMPLE, "TB117", 1, "either `media` or `inputs`"),
        (EXAMPLE + 'media = "a.txt"\ninputs = "x"', "TB117", 4, "both"),
        (EXAMPLE + "inputs = nan", "TB117", 4, "JSON"),
        (EXAMPLE + "inputs = 2020-01-01", "TB117", 4, "JSON"),
        (EXAMPLE + 'inputs = "x"\nparameters = 3', "TB117", 5, "table"),
        (EXAMPLE.replace('"one"', '"Not A Slug"') + "inputs = 1", "TB117", 2, "hyphens"),
        (EXAMPLE + "inputs = 1\n" + EXAMPLE + "inputs = 1", "TB117", 6, "second example"),
        (EXAMPLE + 'media = "nowhere.png"', "TB118", 4, "missing"),
        (EXAMPLE + 'media = "../../outside.png"', "TB118", 4, "outside"),
        (EXAMPLE + 'media = "/etc/hostname"', "TB118", 4, "missing"),
        (EXAMPLE + 'inputs = 1\nmedai = "x"', "TB116", 5, "did you mean `media`?"),
    ],
)
def test_bad_task_toml(tmp_path: Path, toml: str, code: str, line: int, says: str) -> None:
    (tmp_path / "outside.png").write_bytes(b"x")
    tree, report = load_files(tmp_path / "specs", task(task__toml=toml))
    assert [(d.path, d.code, d.line) for d in report] == [("my-task/task.toml", code, line)]
    assert says in str(next(iter(report)))
    assert tree.tasks == ()


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_task_is_called_like_a_page_on_all_of_them(tmp_path: Path, name: str) -> None:
    tree, report = load_files(tmp_path, {f"{name}/input.json": STRING, f"{name}/output.json": STRING} | task())
    assert [(d.path, d.code) for d in report] == [(name, "TB124")]
    assert [source.id for source in tree.tasks] == ["my-task"]


def test_the_reserved_names_are_those_of_the_pages() -> None:
    tasks = {task["id"] for task in json.loads((ROOT / "generated" / "api.json").read_text())["tasks"]}
    for folder in ("docs", "hf", "site/docs"):
        pages = {path.stem for path in (ROOT / "generated" / folder).glob("*.md")}
        assert pages - tasks == RESERVED - {"404"}


def test_a_task_toml_that_cannot_be_read_says_nothing_of_the_files_of_examples(tmp_path: Path) -> None:
    files = {f"my-task/examples/one.{end}": {} for end in ("response.json", "raw.txt")}
    _, report = load_files(tmp_path, task(task__toml="titel = 1\n" + EXAMPLE + 'inputs = "x"') | files)
    assert codes(report) == ["TB116"]


def test_media_may_lie_elsewhere_in_the_root(tmp_path: Path) -> None:
    files = task(task__toml=EXAMPLE + 'media = "../samples/a.png"') | {"samples/a.png": b"x"}
    _, report = load_files(tmp_path, files)
    assert not report.diagnostics


def test_a_response_needs_its_example(tmp_path: Path) -> None:
    _, report = load_files(tmp_path, task() | {"my-task/examples/one.response.json": {}})
    assert [(d.code, d.severity) for d in report] == [("TB119", Severity.WARNING)]


def test_recordings(tmp_path: Path) -> None:
    toml = '[[examples]]\nname = "one"\ntitle = "One"\ninputs = "x"\n'
    recordings = {"raw": "HTTP/1.1 200 OK\n\n[]", "text": "ünd"}
    files = {f"my-task/examples/one.{kind}.txt": f"{text}\n" for kind, text in recordings.items()}
    tree, report = load_files(tmp_path, task(task__toml=toml) | files)
    assert not report.diagnostics
    assert tree.tasks[0].recordings == {"one": recordings}


@pytest.mark.parametrize("kind", ["raw", "text"])
def test_a_recording_needs_its_example_and_is_text(tmp_path: Path, kind: str) -> None:
    path = f"my-task/examples/one.{kind}.txt"
    _, report = load_files(tmp_path, task() | {path: "x"})
    assert [(d.path, d.code) for d in report] == [(path, "TB119")]
    tree, report = load_files(tmp_path, {path: b"\xff"})
    assert codes(report) == ["TB104"]
    assert tree.tasks == ()


def test_an_unreadable_response_is_an_error(tmp_path: Path) -> None:
    tree, report = load_files(tmp_path, task() | {"my-task/examples/one.response.json": "{"})
    assert codes(report) == ["TB105"]
    assert tree.tasks == ()


@pytest.mark.parametrize("path", ["my-task/input.json", "my-task"])
@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_forbidden_files(tmp_path: Path, path: str) -> None:
    load_files(tmp_path, task())
    (tmp_path / path).chmod(0)
    report = Report()
    try:
        load(tmp_path, report)
    finally:
        (tmp_path / "my-task").chmod(0o755)
    assert report.fatal
