"""`taskbind import clarifai`: what is refused, by name and place, and the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from taskbind.cli import main
from taskbind.diagnostics import TaskbindError
from taskbind.explain import codes
from taskbind.importing.clarifai import read
from taskbind.importing.clarifai.codes import CODES
from taskbind.importing.clarifai.messages import LIMITS
from taskbind.importing.write import ImportRefusedError

from .signatures import PROMPT, TEXT, imported, signature

Json = Any


NESTED: Json = {"name": "x", "type": "INT"}
for _ in range(14):
    NESTED = {"name": "x", "type": "LIST", "type_args": [NESTED]}
UNSAYABLE: dict[str, tuple[Json, str]] = {
    "a stream goes in": (signature({**PROMPT, "iterator": True}), "/input_fields"),
    "a stream goes in, by type": (signature(PROMPT, method_type="STREAMING_UNARY"), "/input_fields"),
    "a stream of two outputs": (signature(PROMPT, output_fields=[TEXT, TEXT], method_type=2), "/output_fields"),
    "a stream that is none": (signature(PROMPT, output={**TEXT, "iterator": True}), "/output_fields"),
    "no input": (signature(), ""),
    "no output": (signature(PROMPT, output_fields=[]), ""),
    "a field that asks for pieces": (
        signature(PROMPT, {"name": "stream", "type": "BOOL"}, method_type="UNARY_STREAMING"),
        "",
    ),
    "two fields of a name": (signature(PROMPT, PROMPT), ""),
    "a name that is none": (signature({"name": "../x", "type": "STR"}), "/input_fields/0"),
    "a name in two lines": (signature({"name": "a\nb", "type": "STR"}), "/input_fields/0"),
    "no name": (signature({"type": "STR"}), "/input_fields/0"),
    "a long name": (signature({"name": "a" * 101, "type": "STR"}), "/input_fields/0"),
    "no type": (signature({"name": "x"}), "/input_fields/0"),
    "a type of the future": (signature({"name": "x", "type": "TENSOR"}), "/input_fields/0/type"),
    "a number of the future": (signature({"name": "x", "type": 99}), "/input_fields/0/type"),
    "a type that is true": (signature({"name": "x", "type": True}), "/input_fields/0/type"),
    "a method type of the future": (signature(PROMPT, method_type="DUPLEX"), "/method_type"),
    "a list of nothing": (signature({"name": "x", "type": "LIST"}), "/input_fields/0"),
    "a list of two types": (signature({"name": "x", "type": "LIST", "type_args": [PROMPT, PROMPT]}), "/input_fields/0"),
    "an empty tuple": (signature({"name": "x", "type": "TUPLE", "type_args": []}), "/input_fields/0"),
    "types too deep": (signature(NESTED), "/input_fields/0" + "/type_args/0" * 13),
    "two members of a name": (
        signature({"name": "x", "type": "NAMED_FIELDS", "type_args": [PROMPT, PROMPT]}),
        "/input_fields/0/type_args/1",
    ),
    "no text": (signature({"name": 7, "type": "STR"}), "/input_fields/0/name"),
    "no flag": (signature({**PROMPT, "required": "yes"}), "/input_fields/0/required"),
    "no number": (
        signature({**PROMPT, "model_type_range_info": {"min": "1"}}),
        "/input_fields/0/model_type_range_info/min",
    ),
    "no list": (signature(PROMPT, {"name": "x", "type": "LIST", "type_args": {}}), "/input_fields/1/type_args"),
    "both spellings": (signature({**PROMPT, "is_param": True, "isParam": True}), "/input_fields/0/isParam"),
    "options of a list": (
        signature({"name": "x", "type": "JSON_DATA", "model_type_enum_options": [{"id": "a"}]}),
        "/input_fields/0/model_type_enum_options",
    ),
    "an option that is no number": (
        signature({"name": "x", "type": "INT", "model_type_enum_options": [{"id": "a"}]}),
        "/input_fields/0/model_type_enum_options/0/id",
    ),
    "no option for callers": (
        signature({**PROMPT, "model_type_enum_options": [{"id": "a", "internal_only": True}]}),
        "/input_fields/0/model_type_enum_options",
    ),
    "too many options": (
        signature({**PROMPT, "model_type_enum_options": [{"id": str(n)} for n in range(1001)]}),
        "/input_fields/0/model_type_enum_options",
    ),
    "too many fields": (signature(*({"name": f"x{n}", "type": "INT"} for n in range(101))), ""),
    "too many words": (signature(*({"name": f"x{n}", "type": "STR", "default": "a" * 20_000} for n in range(60))), ""),
    "an internal field that is needed": (signature({**PROMPT, "internal_only": True}), "/input_fields/0"),
    "data of the past": ({"input_fields": ["text"], "output_fields": ["clusters"]}, "/output_fields/0"),
    "no data": ({"input_fields": ["text"], "output_fields": []}, ""),
    "a parameter that cannot be said": (
        {
            "input_fields": ["text"],
            "output_fields": ["text"],
            "model_type_fields": [{"path": "output_info.params.x", "field_type": 9, "required": True}],
        },
        "/model_type_fields/0/field_type",
    ),
}


def refused(tmp_path: Path, value: Json) -> ImportRefusedError:
    with pytest.raises(ImportRefusedError) as caught:
        imported(tmp_path, value)
    return caught.value


@pytest.mark.parametrize("case", UNSAYABLE)
def test_a_method_that_cannot_be_said_is_left_out_by_name(tmp_path: Path, case: str) -> None:
    value, pointer = UNSAYABLE[case]
    made = imported(tmp_path, [value, signature(PROMPT, name="fine")])
    assert sorted(path for path in made.files if path.endswith("/input.json")) == ["fine/input.json"]
    [found] = made.report.fatal
    assert (found.code, found.pointer) == ("TB431", f"/0{pointer}")
    assert found.line
    assert found.fix
    assert found.message.startswith("predict: ")
    assert list(made.left_out) == ["predict"]
    assert refused(tmp_path, value).report.fatal, "with no other method, nothing is written"


UNREADABLE: dict[str, tuple[str, str, str]] = {
    "YAML": ("a: b", "TB105", ""),
    "NaN": ('{"models": NaN}', "TB107", "/models"),
    "a key twice": ('{"name": 1, "name": 2}', "TB106", "/name"),
    "half a character": ('"\\ud800"', "TB108", ""),
    "too deep": ("[" * 100 + "]" * 100, "TB103", ""),
    "too long": (json.dumps("a" * LIMITS.bytes), "TB103", ""),
    "too much": (json.dumps([0] * (LIMITS.values + 1)), "TB103", ""),
    "a text": ('"predict"', "TB430", ""),
    "numbers": ("[1, 2]", "TB430", "/0"),
    "nothing": ("{}", "TB430", ""),
    "no signatures": ('{"method_signatures": []}', "TB430", ""),
    "an error": ('{"status": {"code": 21200, "description": "Model does not exist"}}', "TB430", ""),
    "two versions": ('{"model_versions": [{"id": "1"}, {"id": "2"}]}', "TB430", "/model_versions"),
    "no list": ('{"method_signatures": 7}', "TB430", "/method_signatures"),
    "a schema": ('{"type": "object", "properties": {}}', "TB430", ""),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_holds_no_signatures_is_refused(tmp_path: Path, case: str) -> None:
    text, code, pointer = UNREADABLE[case]
    [found] = refused(tmp_path, text).report.fatal
    assert (found.code, found.pointer) == (code, pointer)
    assert found.fix


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(TaskbindError, match="folder"):
        read(tmp_path)
    with pytest.raises(TaskbindError, match="no such file"):
        read(tmp_path / "none.json")
    with pytest.raises(TaskbindError, match="more than 2,000 methods"):
        imported(tmp_path, [signature(PROMPT)] * 2_001)


# ----------------------------------------------------------------------------------------------------- the command line


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["import", "clarifai", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bad = signature({**PROMPT, "iterator": True}, name="listen")
    Path("good.json").write_text(json.dumps(signature(PROMPT)), encoding="utf-8")
    Path("mixed.json").write_text(json.dumps([signature(PROMPT), bad]), encoding="utf-8")
    Path("bad.json").write_text(json.dumps(bad), encoding="utf-8")
    code, said = run("good.json", "--to", "specs", "--model", "mine")
    assert (code, "1 task → 5 files in specs: wrote 5; 0 repairs" in said) == (0, True)
    assert run("good.json", "--to", "specs", "--model", "mine")[0] == 0
    code, said = run("mixed.json", "--to", "more")
    assert code == 1
    assert "mixed.json:1: /1/input_fields error TB431: listen: its input is a stream" in said
    assert Path("more/predict/wire.toml").is_file()
    code, said = run("bad.json", "--to", "none")
    assert (code, Path("none").exists()) == (1, False)
    code, said = run("https://api.clarifai.com/v2/models")
    assert (code, "nothing is fetched" in said) == (2, True)


def test_every_code_is_explained() -> None:
    known = codes()
    assert all(known[code.code] is code for code in CODES)
