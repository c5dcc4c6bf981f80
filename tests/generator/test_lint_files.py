"""Each kind of bad file is one typed error of `taskbind lint`, with its place, whatever else is in the folder."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from taskbind.cli import main
from taskbind.config import Config
from taskbind.diagnostics import Report
from taskbind.pipeline import lint
from tests.support.project import write_specs

GOOD = '{"type": "string", "description": "A text."}'
REQUEST = json.dumps(
    {"type": "object", "properties": {"inputs": {"type": "string", "description": "A text."}}, "required": ["inputs"]}
)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "TB105"),
        (b'{"type": "string"', "TB105"),
        (b'{"type": "string",}', "TB105"),
        (b"type: string\ndescription: YAML in disguise\n", "TB105"),
        (b"%YAML 1.2\n--- {type: string}\n", "TB105"),
        (b'{"type": "string", "type": "array"}', "TB106"),
        (b'{"default": NaN}', "TB107"),
        (b'{"title": "\\ud800"}', "TB108"),
        ('{"title": "naïve"}'.encode("latin-1"), "TB104"),
        ('{"title": "x"}'.encode("utf-16"), "TB104"),
        ('{"title": "x"}'.encode("utf-8-sig"), "TB104"),
        (b"\x00" * 64, "TB105"),
        (b"[]", "TB109"),
        (b'"schema"', "TB109"),
        (b"null", "TB109"),
        (b'{"type": "text"}', "TB121"),
        (b'{"properties": ["a"]}', "TB121"),
        (b'{"$schema": "https://example.com/mine"}', "TB120"),
        (b'{"$ref": "#/$defs/Nowhere"}', "TB130"),
        (b'{"$ref": "nowhere.json"}', "TB130"),
        (b'{"$ref": "../../outside.json"}', "TB131"),
        (b'{"$ref": "file:///outside.json"}', "TB131"),
        (b'{"$ref": "https://example.com/schema.json"}', "TB132"),
        (b'{"$ref": "#"}', "TB133"),
        (b'{"$ref": "#/title", "title": "no schema"}', "TB135"),
        (b'{"items": ' * 100 + b"{}" + b"}" * 100, "TB103"),
        (b"[" * 500_000, "TB103"),
        (b'{"title": "' + b"x" * (1 << 20) + b'"}', "TB103"),
        (b'{"enum": [' + b"1," * 30_000 + b"1]}", "TB103"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_one_error_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, code: str) -> None:
    for name, good in (("my-task", REQUEST), ("other-task", REQUEST)):
        (tmp_path / "specs" / name).mkdir(parents=True)
        (tmp_path / "specs" / name / "input.json").write_text(good)
        (tmp_path / "specs" / name / "output.json").write_text(GOOD)
    (tmp_path / "outside.json").write_text(GOOD)
    (tmp_path / "specs" / "my-task" / "output.json").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    arguments = ["lint", "--specs", "specs", "--out", "out", "--format", "json"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    findings = json.loads(result.stdout)["findings"]
    assert result.exit_code == 1
    assert [(f["path"], f["code"], f["severity"]) for f in findings] == [("my-task/output.json", code, "error")]
    assert findings[0]["message"]
    assert findings[0]["fix"]


# ------------------------------------------------------------------------------------------------ hostile texts

SECONDS = 5.0


def timed(config: Config) -> Report:
    start = time.process_time()
    report = lint(config)
    assert time.process_time() - start < SECONDS
    assert all(len(str(d).splitlines()) == 1 for d in report)
    return report


def test_the_corpus_of_hostile_specs(corpus: Path, tmp_path: Path) -> None:
    for file in sorted((corpus / "hostile-specs").iterdir()):
        folder = tmp_path / file.stem / "specs" / "hostile"
        folder.mkdir(parents=True)
        shutil.copyfile(file, folder / f"input{file.suffix}")
        (folder / "output.json").write_text(GOOD)
        assert len(timed(Config(folder.parent, tmp_path / "out")))


WIDE = {"type": "object", "title": "Wide", "properties": {f"w{i}": {"type": "string"} for i in range(2_000)}}


@pytest.mark.parametrize(
    "schema",
    [
        {"description": "http://a/" * 100_000},
        {"description": "https://a" + "/" * 900_000},
        {"description": "between 1" * 100_000},
        {"description": "-1.5 " * 200_000},
        {"description": "aB" * 400_000, "properties": {"a_b" * 1000: {}}},
        {"properties": {"num_" + "_" * 900_000: {"type": "number"}}},
        {
            "properties": {f"p{i}": {"description": "up to 5", "$ref": "#/$defs/Wide"} for i in range(300)},
            "$defs": {"Wide": WIDE},
        },
        {"properties": {f"p_{i}": {"type": "string", "title": "T", "description": "P1"} for i in range(5_000)}},
    ],
    ids=lambda schema: str(schema)[:40],
)
def test_rules_of_style_take_bounded_time(tmp_path: Path, schema: Any) -> None:
    files = {"my-task/input.json": {"type": "object", **schema}, "my-task/output.json": GOOD}
    files |= {"other-task/input.json": {"type": "object", **schema}, "other-task/output.json": GOOD}
    timed(Config(write_specs(tmp_path / "specs", files), tmp_path / "out"))
