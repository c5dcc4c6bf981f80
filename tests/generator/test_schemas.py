"""The JSON Schemas of our TOML files say what the readers of these files say, as far as a schema can."""

from __future__ import annotations

import datetime
import json
import keyword
import math
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from click.testing import CliRunner
from hypothesis import given, settings, strategies as st

from taskbind import config
from taskbind.cli import main
from taskbind.config import load_config
from taskbind.diagnostics import LOOSENABLE, Report, TaskbindError
from taskbind.load.files import Reader
from taskbind.load.layout import Folder
from taskbind.load.meta import read_meta
from taskbind.load.wire import read_dialects, read_wires
from taskbind.schemas import NAMES, file_name, schema_text
from tests.conftest import ROOT
from tests.support.toml import toml

FILES = {
    "task": sorted(ROOT.glob("specs/*/task.toml")),
    "wire": sorted(ROOT.glob("specs/*/wire.toml")),
    "dialects": [ROOT / "specs" / "dialects.toml"],
    "taskbind": [ROOT / "taskbind.toml"],
}
SCHEMAS = {name: json.loads(schema_text(name)) for name in NAMES}
VALIDATORS = {name: jsonschema_rs.validator_for(schema) for name, schema in SCHEMAS.items()}

PLACED = {
    "$.a": "",
    "$.b": "$.other",
    "$[*].c": "{index}",
    "$.d": [],
    "$['e f'].g": 1.5,
    "$.h": True,
    "$[*].i": "a {id}-{index}",
    "$[*].j": "length($[*].k)",
    "$[*].l": "$[*].m.n[0]",
}
WHOLE: dict[str, dict[str, Any]] = {
    "task": {
        "title": "T",
        "summary": "S.",
        "category": "C",
        "also": ["a"],
        "description": "D.",
        "applications": ["a"],
        "learn_more": "https://example.org/x",
        "pipeline_tag": "a-b",
        "models": [{"id": "a/b", "doc": "D."}],
        "examples": [
            {"name": "one", "title": "T", "media": "sample.txt", "parameters": {"x": [1, {"y": True}]}},
            {"name": "two", "title": "T", "inputs": {"a": "x"}, "files": {"b": "sample.txt"}},
            {"name": "three", "title": "T", "parameters": {"x": 1}},
        ],
        "departures": ["d"],
    },
    "wire": {
        "mine": {
            "route": "/a/b",
            "model_route": "/c/",
            "model": "m",
            "form": True,
            "body": "application/octet-stream",
            "accept": "image/*",
            "file": "f",
            "rate": "r",
            "samples": True,
            "nulls": False,
            "plain_for": "agent",
            "ignored": ["i"],
            "neutral": {"n": 1, "l": []},
            "requests": [{"$.x": "$[0].y", "$.z[*].a": "$.q[*]['b']"}, {}],
            "answers": [{"$": "$[0]"}],
            "events": [{"$.a": '$["b"]'}],
            "scales": {"$[*].x": "{width}", "$.y": "{height}"},
            "defaults": PLACED,
            "added": PLACED,
            "added_events": PLACED,
        },
        "other": {},
    },
    "dialects": {
        "mine": {
            "title": "T",
            "summary": "S.",
            "url": "https://example.org:8443/v1",
            "models": "/models/{model}",
            "token_env": "TOKEN",
            "auth": "Key",
            "max_body": 10,
            "closed": True,
            "named_only": True,
            "error": "$.error['message']",
        },
        "other": {"title": "T", "summary": "S."},
        "third": {"title": "T", "summary": "S.", "protocol": "clarifai", "closed": True, "named_only": False},
    },
    "taskbind": {
        "specs": "specs",
        "out": "out",
        "templates": "templates",
        "releases": "releases",
        "demo": True,
        "allow_loose": ["TB244"],
        "docs": ["github", "site", "hf"],
        "renderers": ["typescript"],
        "diff": {
            "ignore": [
                {
                    "rule": "request-member-required",
                    "task": "image-*",
                    "path": "/x",
                    "reason": "R.",
                    "until": datetime.date(2099, 1, 1),
                }
            ]
        },
        "package": {"name": "made", "version": "1.0.0", "summary": "S.", "license": "MIT"},
    },
}

BEYOND = {
    # what refers to something else: a file, another member, another file's table
    "TB118",  # a sample that is missing, or outside of the spec root
    "TB143",  # a dialect that dialects.toml does not declare
    "TB146",  # a form that contradicts itself
    r"TB117 .*a second example is called",
    r"TB117 .*does not complete a table of `inputs`",  # a name in `files` and in `inputs`
    r"TB142 .*is the member itself, or around or inside it",
    r"TB142 .*is in other items than the member",
    r"TB142 .*counts the items of a list, and has no \[\*\]",
    r"(taskbind.toml(:\d+)?: |--)(specs|out): specs .* must not contain each other",
    r"taskbind.toml(:\d+)?: package.name: .* is that of a",  # a module of Python's own, or what the package needs
    # what JSON Schema cannot tell from what is meant
    r"TB142 .*max_body: is not",  # 10.0, which is an integer there
    r"TB117 .*category: is not",  # a character that cannot be seen
    r"TB142 .*url: is not",  # a port above 65535, an address in brackets that is none
    r"TB145 .*half of a surrogate pair",
    r"TB142 .*error: is not the place",  # the same
    r"TB117 .*(inputs|parameters): is not a",  # nested deeper than 64
    r"taskbind.toml(:\d+)?: diff.ignore.*until",  # a date in quotes, or one that no calendar has
}
"""What only a reader finds: schemas let these pass, and nothing else that a reader refuses."""


@dataclass
class Home:
    """A folder in which documents are read as their readers read them."""

    root: Path

    def findings(self, name: str, document: dict[str, Any]) -> list[str]:
        """What the reader of a file finds wrong with a document."""
        report = Report()
        reader = Reader(self.root, report)
        path = {"task": "t/task.toml", "wire": "t/wire.toml"}.get(name, f"{name}.toml")
        (self.root / path).write_text(toml(document), encoding="utf-8")
        folder = Folder("t", "t/input.json", "t/output.json", None, "t/task.toml", "t/wire.toml", (), ())
        if name == "taskbind":
            try:
                # The command line may say these, too, so that a file need not.
                load_config(self.root, **{key: self.root / key for key in {"specs", "out"} - document.keys()})
            except TaskbindError as error:
                return [re.sub(r"^\S*/(?=taskbind.toml)", "", str(error))]
            return []
        read = {
            "task": lambda: read_meta(reader, folder),
            "wire": lambda: read_wires(reader, folder, WHOLE["dialects"]),
            "dialects": lambda: read_dialects(reader),
        }[name]
        assert (read() is None) == bool(len(report))
        return [f"{d.code} {d.message} {d.fix}" for d in report]

    def agree(self, name: str, document: dict[str, Any]) -> str:
        """Whether reader and schema agree on a document: what they said of it."""
        found = self.findings(name, document)
        if not_json(document):
            assert found, document
            return "no JSON"
        valid = VALIDATORS[name].is_valid(as_json(document))
        if valid:
            assert all(any(re.match(kind, finding) for kind in BEYOND) for finding in found), (document, found)
            return "beyond" if found else "valid"
        assert found, (document, [error.message for error in VALIDATORS[name].iter_errors(as_json(document))])
        return "invalid"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("home")
    (root / "t").mkdir()
    (root / "t" / "sample.txt").write_text("x", encoding="utf-8")
    return Home(root)


def not_json(value: Any, key: str = "") -> bool:
    """Whether there is something in a TOML document that JSON has not: a time, nan, inf. `until` is a date."""
    if isinstance(value, dict):
        return any(not_json(item, name) for name, item in value.items())
    if isinstance(value, list):
        return any(map(not_json, value))
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, datetime.date | datetime.time) and key != "until"


def as_json(value: Any) -> Any:
    """A document as editors hand it to a schema: dates are texts."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value


# -------------------------------------------------------------------------------------------------------- mutations

TEXTS = [
    "",
    " ",
    "x",
    "X",
    "a-b",
    "a--b",
    "A b",
    "a\nb",
    "a" * 81,
    "\u202e",
    "é",
    "class",
    "/",
    "/a",
    "/a/",
    "//a",
    "/a?b",
    "/{model}",
    "/{model}/{model}",
    "image/*",
    "image",
    "http://example.org",
    "http://localhost:80/x",
    "https://example.org",
    "HTTPS://EXAMPLE.org",
    "https://",
    "https://x/",
    "https://x:0",
    "https://x:99999",
    "https://x:y",
    "https://u@x",
    "https://x?q",
    "https://x#f",
    "https://[::1]:8",
    "https://[x]",
    "http://[::1]",
    "javascript:x",
    "$",
    "$.",
    "$.a",
    "$.a[0]",
    "$[*]",
    "$[*].a",
    "$.é",
    "$['a b'].c",
    '$["a"]',
    "$['a\\u00e9']",
    "$['\\ud800']",
    "$['a",
    "$[01]",
    "$[1000]",
    "$..a",
    "$.a" * 3,
    "$" + ".a" * 64,
    "$" + ".a" * 65,
    "{id}",
    "{index}",
    "{other}",
    "{width}",
    "{id",
    "a {id} b}",
    "a {id}{index}",
    "length($.a)",
    "length($.a",
    "length(a)",
    "clarifai",
    "TB244",
    "TB231",
    "tb244",
    "github",
    "2099-01-01",
    "sample.txt",
    "/sample.txt",
    "none.txt",
    "two",
    "made_",
    "json",
    "httpx",
    "1.2.0",
    "1.2.0rc1",
    "1.2",
    "MIT OR (Apache-2.0 AND GPL-2.0-only WITH Classpath-exception-2.0)",
    "nope nope",
    "a\x00b",
    "a\x7fb",
]
DATE = datetime.date(2099, 1, 1)
POOL: list[Any] = [
    *TEXTS,
    *(0, 1, -1, 1.5, 10.0, 10**30, True, False, math.nan, math.inf),
    *(DATE, datetime.time(1, 2), datetime.datetime(2099, 1, 1, 2, 3)),
    *([], [""], ["x"], [1], [[]], [{}], ["TB244"], ["site", "site"], [{"$": "$"}], [{"$": "$.a"}] * 21, [DATE]),
    *({}, {"x": 1}, {"x": "y"}, {"a": "sample.txt"}, {"$.a": "$.b"}, {"$.a": 1}, {"$.a": None}, {"$": "x"}),
    *({"x": {"y": [1, DATE]}}, {f"$.a{index}": "" for index in range(101)}, {"$.a": "$.b", "$.c": "$.b.x"}),
    {"a": {"b": {"c": [math.nan]}}},
]
POOL = [value for value in POOL if value != {"$.a": None}]  # TOML has no null
KEYS = ["titel", "", "Title", "a b", "mine", "x" * 70, "$.a", "class", "name"]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def holder(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


def mutations(name: str) -> Iterator[dict[str, Any]]:
    """The whole document with each value replaced by each other one, taken away, doubled, or called something else."""
    for path in paths(WHOLE[name]):
        for value in POOL:
            document = deepcopy(WHOLE[name])
            holder(document, path)[path[-1]] = value
            yield document
        document = deepcopy(WHOLE[name])
        removed = holder(document, path).pop(path[-1])
        yield document
        if isinstance(path[-1], int):
            document = deepcopy(WHOLE[name])
            holder(document, path).append(removed)
            yield document
            continue
        for key in KEYS:
            document = deepcopy(WHOLE[name])
            inside = holder(document, path)
            inside[key] = inside.pop(path[-1])
            yield document


@pytest.mark.parametrize("name", NAMES)
def test_our_own_files_and_the_whole_ones_are_valid(name: str, home: Home) -> None:
    for path in FILES[name]:
        assert VALIDATORS[name].is_valid(as_json(tomllib.loads(path.read_text(encoding="utf-8")))), path
    assert home.agree(name, WHOLE[name]) == "valid"
    assert home.agree(name, {}) == "valid"


@pytest.mark.parametrize("name", NAMES)
def test_reader_and_schema_agree_on_every_single_change(name: str, home: Home, tables: list[str]) -> None:
    said = [home.agree(name, document) for document in mutations(name)]
    counts = {kind: said.count(kind) for kind in ("valid", "invalid", "beyond", "no JSON")}
    assert min(counts["valid"], counts["invalid"], counts["beyond"], counts["no JSON"]) > 0
    tables.append(f"{name}.toml, one change: {len(said)} documents, {counts}")


@pytest.mark.parametrize("name", NAMES)
def test_reader_and_schema_agree_on_several_changes(name: str, home: Home) -> None:
    @settings(max_examples=200)
    @given(st.data())
    def changed(data: st.DataObject) -> None:
        document = deepcopy(WHOLE[name])
        for _ in range(data.draw(st.integers(2, 4))):
            if not (places := list(paths(document))):
                break
            path = data.draw(st.sampled_from(places))
            inside = holder(document, path)
            match data.draw(st.sampled_from(("replace", "remove", "add"))):
                case "replace":
                    inside[path[-1]] = deepcopy(data.draw(st.sampled_from(POOL)))
                case "remove":
                    inside.pop(path[-1])
                case _ if isinstance(inside, dict):
                    inside[data.draw(st.sampled_from(KEYS))] = deepcopy(data.draw(st.sampled_from(POOL)))
                case _:
                    inside.append(deepcopy(data.draw(st.sampled_from(POOL))))
        home.agree(name, document)

    changed()


# ------------------------------------------------------------------------------------------------------------- keys


def objects(schema: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every schema in a schema that lists members."""
    if "properties" in schema and "title" in schema:
        yield schema
    children = [*schema.get("properties", {}).values(), *schema.get("definitions", {}).values(), schema.get("items")]
    for child in children:
        if isinstance(child, dict):
            yield from objects(child, root)


def keys(value: Any) -> set[str]:
    """Every key in a document."""
    if isinstance(value, dict):
        return value.keys() | {key for item in value.values() for key in keys(item)}
    return {key for item in value for key in keys(item)} if isinstance(value, list) else set()


UNKNOWN = {
    ("task",): {"zzzzzzzz": 1},
    ("task", "models"): {"models": [{"zzzzzzzz": 1}]},
    ("task", "examples"): {"examples": [{"zzzzzzzz": 1}]},
    ("wire", "wire"): {"mine": {"zzzzzzzz": 1}},
    ("dialects", "dialect"): {"mine": {"zzzzzzzz": 1}},
    ("taskbind",): {"zzzzzzzz": 1},
    ("taskbind", "package"): {"package": {"zzzzzzzz": 1}},
    ("taskbind", "diff"): {"diff": {"zzzzzzzz": 1}},
    ("taskbind", "diff", "ignore"): {"diff": {"ignore": [{**WHOLE["taskbind"]["diff"]["ignore"][0], "zzzzzzzz": 1}]}},
}
"""Where a table stands, and a document with an unknown key in it: its reader lists those that it knows."""


@pytest.mark.parametrize("where", UNKNOWN, ids=".".join)
def test_the_reader_knows_the_keys_of_the_schema_and_no_others(where: tuple[str, ...], home: Home) -> None:
    (told,) = (finding for finding in home.findings(where[0], UNKNOWN[where]) if "known keys" in finding)
    known = [key.strip(" `.") for key in told.partition("known keys:")[2].split(",")]
    schema = SCHEMAS[where[0]]
    for step in where[1:]:
        schema = schema.get("definitions", schema.get("properties"))[step]
        schema = schema.get("items", schema)
    assert schema["additionalProperties"] is False
    assert known == list(schema["properties"])
    assert set(known) <= keys(WHOLE[where[0]])


def test_no_table_is_left_out() -> None:
    assert sum(1 for schema in SCHEMAS.values() for _ in objects(schema, schema)) == len(UNKNOWN)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_has_a_title_and_a_description(name: str) -> None:
    for schema in objects(SCHEMAS[name], SCHEMAS[name]):
        for key, member in schema["properties"].items():
            assert member["title"], key
            assert member["description"].endswith((".", '."', ")", "…")), key


def test_closed_lists_are_those_of_the_tool() -> None:
    known = SCHEMAS["taskbind"]["properties"]
    assert set(known["allow_loose"]["items"]["enum"]) == LOOSENABLE
    assert tuple(known["docs"]["items"]["enum"]) == config._FLAVOURS
    assert known["package"]["properties"]["name"]["not"]["enum"] == keyword.kwlist


# ---------------------------------------------------------------------------------------------------------- command


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["schema", *arguments], catch_exceptions=False)


def test_the_command_prints_one_and_writes_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        assert run(name).output == schema_text(name)
    assert run("--to", "a/b").output.splitlines() == [f"a/b/{file_name(name)}" for name in NAMES]
    assert run("wire", "--to", "c").output == "c/wire.schema.json\n"
    assert {path.name: path.read_text() for path in (tmp_path / "a" / "b").iterdir()} == {
        file_name(name): schema_text(name) for name in NAMES
    }
    nothing = run()
    assert (nothing.exit_code, "say which: task, wire" in nothing.output) == (2, True)
    assert run("tasks").exit_code == 2
    (tmp_path / "file").write_text("")
    unwritable = run("--to", "file")
    assert (unwritable.exit_code, "cannot be written" in unwritable.output) == (2, True)
