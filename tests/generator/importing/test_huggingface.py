"""`taskbind import hf`: a foreign layout becomes ours, repaired, and means what it meant."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from taskbind.cli import main
from taskbind.config import Config
from taskbind.diagnostics import Report, TaskbindError
from taskbind.evolve.change import Change, Kind
from taskbind.evolve.changes import changes
from taskbind.importing.huggingface import read
from taskbind.importing.write import Imported, ImportRefusedError, Written, write
from taskbind.pipeline import lint, read_api
from taskbind.plan import plan
from tests.conformance.models import REQUEST
from tests.conformance.suite import TASK, groups
from tests.support.project import contents

DRAFT_6 = "http://json-schema.org/draft-06/schema#"

COMMON = """{
	"$id": "/inference/schemas/common-definitions.json",
	"$schema": "http://json-schema.org/draft-06/schema#",
	"definitions": {
		"Label": {
			"title": "Label",
			"type": "object",
			"properties": {
				"label": { "type": "string", "description": " Name of the class." },
				"score": { "type": "number", "description": "How well it fits." }
			},
			"required": ["label", "score"]
		}
	}
}
"""
SOUND_INPUT = """{
	"$id": "/inference/schemas/sound-naming/input.json",
	"$schema": "http://json-schema.org/draft-06/schema#",
	"$comment": "lint: TB274, the members are plain",
	"title": "SoundNamingInput",
	"description": "A request.",
	"type": "object",
	"properties": {
		"inputs": { "description": "The recording, an audio file.", "type": "string", "comment": "type=binary" },
		"parameters": { "description": "Options.", "$ref": "#/$defs/SoundNamingParameters" }
	},
	"$defs": {
		"SoundNamingParameters": {
			"title": "SoundNamingParameters",
			"type": "object",
			"properties": {
				"top_k": {
					"type": "integer",
					"format": "int32",
					"description": "How many.",
					"default": "5",
					"example": "3",
					"nullable": true,
					"minimum": 0,
					"exclusiveMinimum": 0
				},
				"mode": {
					"title": "PictureNamingMode",
					"description": "How.",
					"type": "string",
					"enum": ["fast", "good"],
					"default": "null"
				},
				"window": {
					"description": "First and last second.",
					"type": "array",
					"items": { "type": "number" },
					"minLength": 2,
					"maxLength": 2
				}
			}
		}
	},
	"required": ["inputs"]
}
"""
SOUND_WRITTEN = """{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$comment": "lint: TB274, the members are plain",
  "title": "SoundNamingInput",
  "description": "A request.",
  "type": "object",
  "properties": {
    "inputs": {
      "description": "The recording, an audio file.",
      "type": "string",
      "contentEncoding": "base64",
      "contentMediaType": "audio/*"
    },
    "parameters": {"description": "Options.", "$ref": "#/$defs/SoundNamingParameters"}
  },
  "$defs": {
    "SoundNamingParameters": {
      "title": "SoundNamingParameters",
      "type": "object",
      "properties": {
        "top_k": {
          "type": ["integer", "null"],
          "description": "How many.",
          "default": 5,
          "exclusiveMinimum": 0,
          "examples": [3]
        },
        "mode": {"description": "How.", "type": "string", "enum": ["fast", "good"]},
        "window": {
          "description": "First and last second.",
          "type": "array",
          "items": {"type": "number"},
          "minItems": 2,
          "maxItems": 2
        }
      }
    }
  },
  "required": ["inputs"]
}
"""
REPAIRS = {
    ("common-definitions.json", 4, "TB202"),
    ("common-definitions.json", 9, "TB276"),
    ("sound-naming/spec/input.json", 9, "TB210"),
    ("sound-naming/spec/input.json", 10, "TB206"),
    ("sound-naming/spec/input.json", 12, "TB201"),
    ("sound-naming/spec/input.json", 19, "TB214"),
    ("sound-naming/spec/input.json", 21, "TB230"),
    ("sound-naming/spec/input.json", 22, "TB232"),
    ("sound-naming/spec/input.json", 22, "TB220"),
    ("sound-naming/spec/input.json", 23, "TB212"),
    ("sound-naming/spec/input.json", 24, "TB216"),
    ("sound-naming/spec/input.json", 28, "TB218"),
    ("sound-naming/spec/input.json", 32, "TB230"),
    ("sound-naming/spec/input.json", 38, "TB213"),
    ("sound-naming/spec/input.json", 39, "TB213"),
    ("picture-naming/spec/output.json", 4, "TB260"),
    ("picture-naming/spec/output.json", 11, "TB217"),
}
PICTURE_OUTPUT = """{
	"$schema": "http://json-schema.org/draft-06/schema#",
	"title": "PictureNamingOutput", "description": "Names.", "type": "array",
	"items": {
		"type": "object",
		"properties": {
			"name_str": { "type": "string", "description": "A name." },
			"like": { "$ref": "/inference/schemas/common-definitions.json#/definitions/Label" },
			"by": { "$ref": "../../sound-naming/spec/input.json#/$defs/SoundNamingParameters/properties/mode" }
		},
		"required": ["nameStr"]
	}
}
"""
DATA_TS = """import type { TaskDataCustom } from "../index.js";

const taskData: TaskDataCustom = {
	datasets: [{ description: "Many sounds.", id: "some/sounds" }],
	models: [
		{
			description: "Names \\"all\\" sounds.",
			id: "some/model",
		},
		{
			// Quick.
			description: "Is quick.",
			id: "other/model",
		},
	],
	summary:
		"Naming sounds \\u2013 whatever they are.",
	widgetModels: ["some/model"],
};
"""


def text_task(name: str, **more: Any) -> dict[str, str]:
    request = {"type": "object", "properties": {"inputs": {"type": "string"}}, "required": ["inputs"], **more}
    data = {"input": request, "output": {"type": "object", "properties": {"text": {"type": "string"}}}}
    return {f"{name}/spec/{kind}.json": json.dumps({"$schema": DRAFT_6, **schema}) for kind, schema in data.items()}


def tree() -> dict[str, str]:
    label = "../../common-definitions.json#/definitions/Label"
    labels = {"$schema": DRAFT_6, "type": "array", "items": {"$ref": label}}
    return {
        "common-definitions.json": COMMON,
        "sound-naming/spec/input.json": SOUND_INPUT,
        "sound-naming/spec/output.json": json.dumps(labels),
        "sound-naming/about.md": "## Use cases\n",
        "picture-naming/spec/input.json": text_task("x")["x/spec/input.json"],
        "picture-naming/spec/output.json": PICTURE_OUTPUT,
        **text_task("placeholder", **{"$id": "/inference/schemas/<TASK_ID>/input.json"}),
    }


def made(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return made(tmp_path / "hf", tree())


def differences(old: Path, new: Path) -> tuple[Change, ...]:
    """What `changes` finds between the APIs of two spec trees, but for blanks around texts."""
    apis = [read_api(Config(specs, specs.parent / "out"), Report()) for specs in (old, new)]
    return tuple(
        c
        for c in changes(*apis)
        if c.kind is not Kind.DESCRIPTION or not isinstance(c.before, str) or c.before.strip() != c.after
    )


def test_the_result_reads_as_a_person_would_have_written_it(source: Path) -> None:
    files = read(source).files
    assert files["sound-naming/input.json"] == SOUND_WRITTEN
    items = json.loads(files["picture-naming/output.json"])["items"]
    assert items["title"] == "PictureNamingOutputElement"
    assert items["required"] == ["name_str"]
    assert items["properties"]["like"] == {"$ref": "../common-definitions.json#/$defs/Label"}
    place = "../sound-naming/input.json#/$defs/SoundNamingParameters/properties/mode"
    assert items["properties"]["by"] == {"$ref": place}


def test_each_repair_is_told_with_its_place_in_the_source(source: Path) -> None:
    repairs = {(d.path, d.line, d.code) for d in read(source).report if d.repaired}
    assert repairs >= REPAIRS
    assert {code for _, _, code in repairs} == {code for _, _, code in REPAIRS}


def test_nothing_is_left_to_repair_and_the_api_is_the_same(source: Path, tmp_path: Path) -> None:
    written = write(read(source), tmp_path / "specs")
    assert [d for d in written.findings if d.repaired] == []
    assert differences(source, tmp_path / "specs") == ()


def test_importing_again_changes_nothing(source: Path, tmp_path: Path) -> None:
    write(read(source), tmp_path / "specs")
    assert not write(read(source), tmp_path / "specs").changes
    again = read(tmp_path / "specs")
    assert [d for d in again.report if d.repaired] == []
    assert not write(again, tmp_path / "specs").changes


def test_templates_are_left_out_with_a_word(source: Path) -> None:
    imported = read(source)
    assert imported.left_out.keys() == {"placeholder"}
    assert "template" in imported.left_out["placeholder"]
    assert {path.partition("/")[0] for path in imported.files} == {
        "common-definitions.json",
        "picture-naming",
        "sound-naming",
    }


def test_the_task_toml_has_what_the_source_says(source: Path) -> None:
    made(source, {"sound-naming/data.ts": DATA_TS})
    files = read(source).files
    assert files["picture-naming/task.toml"] == 'title = "Picture Naming"\n'
    assert tomllib.loads(str(files["sound-naming/task.toml"])) == {
        "title": "Sound Naming",
        "summary": "Naming sounds – whatever they are.",
        "models": [{"id": "some/model", "doc": 'Names "all" sounds.'}, {"id": "other/model", "doc": "Is quick."}],
    }


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("\tsummary: `Of ${several} parts.`,", None),
        ("\tsummary: 'Single.',", None),
        ('\tsummary: "Half \\ud800.",', "Half \\ud800."),
        ('\tsummary: "\\x41 \\"B\\".",', '\\x41 \\"B\\".'),
        ("\tmodels: [\n" * 50_000, None),
        ("\n" * 500_000, None),
        ("/*" * 250_000, None),
        ('"\\"' * 200_000, None),
        ('/*\n\tsummary: "No.",\n*/\n\tsummary: "Yes /* indeed */ // so.",', "Yes /* indeed */ // so."),
        ('// "\n\tsummary: "Yes.",', "Yes."),
        ('\ttext: `\n\tsummary: "No.",`,', None),
    ],
)
def test_a_data_ts_is_read_as_far_as_it_is_plain(source: Path, text: str, summary: str | None) -> None:
    made(source, {"sound-naming/data.ts": text})
    meta = tomllib.loads(str(read(source).files["sound-naming/task.toml"]))
    assert meta.get("summary") == summary


@pytest.mark.parametrize(
    "models",
    [
        '[{ id: "a/b", description: "Good {}." }]',
        '[{ description: "Good {}.", id: "a/b" },\n{ description: `More.`, id: "c/d" }]',
        '[\n{\n// "No"\ndescription: /* { */ "Good {}.",\n/* id: "x" */ id: "a/b",\nday: 1 }\n], spaces: [{ id: "e" }]',
    ],
)
def test_models_are_read_however_they_are_written(source: Path, models: str) -> None:
    made(source, {"sound-naming/data.ts": f"const taskData = {{\n\tmodels: {models},\n}};\n"})
    meta = tomllib.loads(str(read(source).files["sound-naming/task.toml"]))
    assert meta["models"] == [{"id": "a/b", "doc": "Good {}."}]


def test_what_is_ours_already_is_kept_as_it_is(source: Path, tmp_path: Path) -> None:
    meta = '# Mine.\ntitle = "Names"\n[[examples]]\nname = "one"\ntitle = "One"\ninputs = "a"\n'
    response = '[{"name_str": "b"}]'
    dialects = '[plain]\ntitle = "Plain"\nsummary = "As it is."\n'
    wire = '[plain]\nroute = "/names"\n'
    ours = {"task.toml": meta, "examples/one.written.json": response, "wire.toml": wire}
    made(source, {"dialects.toml": dialects, **{f"picture-naming/{name}": text for name, text in ours.items()}})
    to = tmp_path / "specs"
    write(read(source), to)
    assert {name: (to / "picture-naming" / name).read_text() for name in ours} == ours
    assert (to / "dialects.toml").read_text() == dialects
    assert differences(source, to) == ()


def test_references_lead_where_they_led(tmp_path: Path) -> None:
    """By `$id`, by anchor, to odd names, to recursive schemas, and to the schemas of JSON Schema itself."""
    members = {
        "by_id": {"$ref": "http://example.test/inner"},
        "by_anchor": {"$ref": "#here"},
        "odd": {"$ref": "#/$defs/a%20b~1c%25"},
        "draft_7": {"$ref": "http://json-schema.org/draft-07/schema#/definitions/nonNegativeInteger"},
        "tree": {"$ref": "#/$defs/Tree"},
    }
    leaves = {"type": "array", "items": {"$ref": "#/$defs/Tree"}}
    request = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "http://example.test/input",
        "type": "object",
        "properties": {"inputs": {"type": "string"}, "parameters": {"type": "object", "properties": members}},
        "$defs": {
            "Inner": {"$id": "inner", "type": "integer", "minimum": 3},
            "Here": {"$anchor": "here", "type": "string", "maxLength": 9},
            "a b/c%": {"type": "boolean"},
            "Tree": {"type": "object", "properties": {"leaves": leaves}},
        },
    }
    files = text_task("echo") | {"echo/spec/input.json": json.dumps(request)}
    source, to = made(tmp_path / "hf", files), tmp_path / "specs"
    write(read(source), to)
    assert differences(source, to) == ()
    written = json.loads((to / "echo" / "input.json").read_text())
    references = [each["$ref"] for each in written["properties"]["parameters"]["properties"].values()]
    assert references == [
        "#/$defs/Inner",
        "#/$defs/Here",
        "#/$defs/a%20b~1c%25",
        "http://json-schema.org/draft-07/schema#/definitions/nonNegativeInteger",
        "#/$defs/Tree",
    ]


def test_every_keyword_comes_through(tmp_path: Path) -> None:
    """A fourth of the official test suite: each schema means the same, and none needs a repair any more."""
    done = 0
    for number, group in enumerate(islice(groups(), 0, None, 4)):
        source, to = group.write(tmp_path / str(number) / "hf"), tmp_path / str(number) / "specs"
        (source / TASK / "input.json").write_text(json.dumps(REQUEST), encoding="utf-8")
        try:
            imported = read(source)
        except ImportRefusedError:
            continue
        written = write(imported, to)
        assert [d for d in written.findings if d.repaired] == [], group
        assert differences(source, to) == (), group
        done += 1
    assert done > 150


BROKEN = {
    "not JSON": ("sound-naming/spec/output.json", "{\n]", "TB105", 2),
    "half there": ("sound-naming/spec/output.yaml", "", "TB110", 0),
    "a lost reference": ("sound-naming/spec/output.json", '{\n"$ref": "gone.json"}', "TB130", 2),
    "no one reading": ("sound-naming/spec/output.json", '{"type": "string",\n"pattern": "(?=a)"}', "TB244", 2),
    "a request that is no object": ("sound-naming/spec/input.json", '\n{"type": "string"}', "TB301", 2),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_stops_the_import_unless_it_is_skipped(source: Path, case: str) -> None:
    path, text, code, line = BROKEN[case]
    (source / path).unlink(missing_ok=True)
    made(source, {path: text, **text_task("echo"), "picture-naming/spec/output.json": "{}"})
    if case == "half there":
        (source / "sound-naming/spec/output.json").unlink()
    with pytest.raises(ImportRefusedError, match="--skip sound-naming") as caught:
        read(source)
    assert (code, line) in {(d.code, d.line) for d in caught.value.report.fatal if d.path.startswith("sound-naming/")}
    imported = read(source, ["sound-naming"])
    assert imported.left_out["sound-naming"] == "skipped, as you asked"
    assert {"echo/input.json", "picture-naming/input.json"} <= imported.files.keys()


def test_a_folder_that_is_no_task_may_be_skipped_too(source: Path) -> None:
    made(source, text_task("echo") | {"picture-naming/spec/output.json": "{}"})
    (source / "two words").mkdir()
    for kind in ("input", "output"):
        (source / "two words" / f"{kind}.json").write_text("{}")
    with pytest.raises(ImportRefusedError, match=r"\(--skip 'two words' goes on without\)") as caught:
        read(source)
    assert {d.path for d in caught.value.report.fatal} == {"two words"}
    assert "echo/input.json" in read(source, ["two words"]).files


def test_an_error_in_a_shared_file_stops_the_import(source: Path) -> None:
    made(source, {"common-definitions.json": '{"$schema": "http://example.test/"}'})
    with pytest.raises(ImportRefusedError) as caught:
        read(source)
    assert {"TB120"} <= {d.code for d in caught.value.report.fatal}


def test_a_folder_without_tasks_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(TaskbindError, match="no such folder"):
        read(tmp_path / "gone")
    with pytest.raises(ImportRefusedError):
        read(made(tmp_path / "empty", {"common-definitions.json": COMMON}))
    with pytest.raises(TaskbindError, match="no task found"):
        read(made(tmp_path / "one", text_task("echo")), ["echo"])
    with pytest.raises(TaskbindError, match="is one task; import the folder above"):
        read(tmp_path / "one" / "echo")


def test_what_is_skipped_is_a_folder_of_the_source(source: Path) -> None:
    made(source, text_task("echo"))
    assert read(source, ["picture-naming/"]).left_out.keys() == {"placeholder", "picture-naming"}
    for name in ("gone", "", "/", ".", "..", "sound-naming/spec", str(source / "sound-naming"), "../hf/sound-naming"):
        with pytest.raises(TaskbindError, match=r"no folder '.*' to skip"):
            read(source, [name])


# ------------------------------------------------------------------------------------------------------- command line


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["import", "hf", *arguments], catch_exceptions=False)


def test_the_command_says_what_it_did(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("hf")
    assert result.exit_code == 0
    assert "hf/sound-naming/spec/input.json:21: " in result.output
    assert "TB230: '5' is read as 5 (repaired)" in result.output
    assert "2 × TB230 default written as a string" in result.output
    assert "left out: placeholder: " in result.output
    assert "2 tasks → 7 files in specs: wrote 7; " in result.output
    (command,) = re.findall(r"left for you: .*; `taskbind (.*)` lists them", result.output)
    assert command == "lint --specs specs"
    listed = CliRunner().invoke(main, shlex.split(command), catch_exceptions=False)
    assert listed.exit_code == 0
    assert listed.output.count(" info TB274: ") == 2
    assert f"left for you: {listed.output.splitlines()[-1].removesuffix(' in specs')}; " in result.output
    assert (tmp_path / "specs" / "sound-naming" / "input.json").read_text() == SOUND_WRITTEN
    again = run("hf", "--quiet")
    assert "up to date" in again.output
    assert "TB230:" not in again.output


def test_specs_go_where_the_project_has_them(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taskbind.toml").write_text('specs = "tasks"\nout = "out"\n')
    result = run("hf")
    assert result.exit_code == 0
    assert "; `taskbind lint` lists them" in result.output
    assert (tmp_path / "tasks" / "sound-naming" / "task.toml").is_file()
    result = run("hf", "--to", "other")
    assert result.exit_code == 0
    assert "; `taskbind lint --specs other` lists them" in result.output
    assert contents(tmp_path / "tasks") == contents(tmp_path / "other")


def test_a_refused_import_writes_nothing(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (source / "sound-naming" / "spec" / "output.json").write_text("{\n]")
    result = run("hf")
    assert result.exit_code == 1
    assert "hf/sound-naming/spec/output.json:2:" in result.output
    assert not (tmp_path / "specs").exists()
    assert run("gone").exit_code == 2


@pytest.mark.parametrize("to", ["hf", "hf/new", "."])
def test_source_and_result_lie_apart(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path)
    result = run("hf", "--to", to)
    assert result.exit_code == 2
    assert "must not contain each other" in result.output
    assert contents(tmp_path) == before


# ------------------------------------------------------------------------------------------------------- real sources


@pytest.fixture(scope="module")
def real(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Imported, Written, Path]:
    """The unmodified foreign specs, imported."""
    to = tmp_path_factory.mktemp("import") / "specs"
    imported = read(corpus / "hf-tasks")
    return imported, write(imported, to), to


def test_the_corpus_is_repaired_and_each_repair_counted(real: tuple[Imported, Written, Path], corpus: Path) -> None:
    imported, written, _ = real
    repairs = Counter(d.code for d in imported.report if d.repaired)
    source = lint(Config(corpus / "hf-tasks", corpus / "out"))
    found = Counter(d.code for d in source if d.repaired and not d.path.startswith("placeholder/"))
    assert {code: repairs[code] for code in found} == found
    assert {code: repairs[code] for code in repairs.keys() - found.keys()} == {
        "TB260": 18,
        "TB271": 2,
        "TB272": 4,
        "TB276": 1,
    }
    assert [d for d in written.findings if d.repaired] == []
    assert Counter(d.code for d in written.findings.fatal) == {}


def test_the_guide_counts_the_repairs(real: tuple[Imported, Written, Path], root: Path) -> None:
    repairs = Counter(d.code for d in real[0].report if d.repaired)
    rows = re.findall(r"^\| (TB.*?) \|.*\| (\d+) \|$", (root / "docs" / "importing.md").read_text(), re.MULTILINE)
    told = {tuple(codes.split(", ")): int(times) for codes, times in rows}
    assert told == {codes: sum(repairs[code] for code in codes) for codes in told}
    assert sum(told.values()) == repairs.total() == 379


def test_what_is_left_in_the_corpus_takes_judgement(real: tuple[Imported, Written, Path]) -> None:
    left = Counter(d.code for d in real[1].findings)
    assert left == {
        "TB234": 3,  # a `oneOf` whose branches overlap
        "TB260": 3,  # what an `allOf` adds, and what no class is made of
        "TB261": 13,  # no type
        "TB262": 10,  # media, it seems
        "TB265": 5,  # a count that may be broken
        "TB266": 4,  # an object without members
        "TB267": 3,  # another type elsewhere
        "TB268": 4,  # a name in another spelling, in prose
        "TB269": 2,  # a request of nothing
        "TB270": 2,  # a response of nothing
        "TB273": 8,  # a link into a branch
        "TB274": 149,  # no description
        "TB275": 9,  # a bound in prose
        "TB279": 32,  # no examples
    }


def test_the_api_of_the_corpus_is_the_same(real: tuple[Imported, Written, Path], corpus: Path) -> None:
    """All tasks: nothing but the blank before one shared description differs, and no class has another name."""
    _, _, to = real
    assert differences(corpus / "hf-tasks", to) == ()
    old, new = (read_api(Config(specs, specs.parent / "out"), Report()) for specs in (corpus / "hf-tasks", to))
    assert [task.id for task in old.tasks] == [task.id for task in new.tasks]
    assert len(old.tasks) == 32
    blanks = {(c.path, c.before.lstrip()) for c in changes(old, new)}
    assert {path for path, _ in blanks} == {"parameters.generation_parameters.typical_p"}
    plans = [plan(api, Config(to, to.parent / "out")) for api in (old, new)]
    classes = [[(name.module, name.name) for name in each.classes.values()] for each in plans]
    assert sorted(classes[0]) == sorted(classes[1])


def test_the_corpus_twice_is_the_same_bytes(real: tuple[Imported, Written, Path], corpus: Path, tmp_path: Path) -> None:
    imported, _, to = real
    assert read(corpus / "hf-tasks").files == imported.files
    write(read(to), tmp_path / "specs")
    assert contents(tmp_path / "specs") == contents(to)


def test_our_own_specs_come_out_as_they_went_in(root: Path, tmp_path: Path) -> None:
    ours, to = root / "specs", tmp_path / "specs"
    imported = read(ours)
    assert [d for d in imported.report if d.repaired] == []
    write(imported, to)
    assert differences(ours, to) == ()
    before, after = contents(ours), contents(to)
    assert before.keys() - after.keys() == {"executed.toml"}
    assert after.keys() <= before.keys()
    for path, data in after.items():
        same = data == before[path] or (path.endswith("put.json") and json.loads(data) == json.loads(before[path]))
        assert same, path
