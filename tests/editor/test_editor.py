"""Editors complete, document and check our TOML files: asked of Taplo, the engine of Even Better TOML.

Skipped where it is not installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskbind.scaffold.project import init
from taskbind.schemas import NAMES, file_name, schema_text
from tests.conftest import ROOT
from tests.editor.editor import Editor

PACKAGES = ROOT / ".nox" / "editor"
if shutil.which("node") is None or not (PACKAGES / "node_modules").exists():
    pytest.skip(
        "the packages of tests/editor/package.json are not installed: run nox -s editor", allow_module_level=True
    )

SCHEMAS = {name: json.loads(schema_text(name)) for name in NAMES}
FILES = {"task": "specs/new/task.toml", "wire": "specs/new/wire.toml", "dialects": "specs/dialects.toml"}
TABLES = {"wire": "wire", "dialects": "dialect"}
"""Where the members of what stands below a name of one's own choice are."""
VALID = {
    "task": '[[examples]]\nname = "one"\ntitle = "T"\ninputs = 1\n',
    "wire": '[[mine.requests]]\n"$.a" = "$.b"\n',
    "dialects": '[mine]\ntitle = "T"\nsummary = "S."\nurl = "https://example.org"\nmodels = "/{model}"\n',
    "taskbind": 'docs = ["hf"]\n[[diff.ignore]]\nrule = "r"\nreason = "R."\nuntil = 2099-01-31\n',
}
SPOILT = {
    "task": ("inputs = 1", 'inputs = 1\nmedia = "x"'),
    "wire": ('"$.b"', '"b"'),
    "dialects": ('url = "https://example.org"\n', ""),
    "taskbind": ("2099-01-31", "2099-01-31T00:00:00"),
}


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    with Editor(PACKAGES, ROOT) as running:
        yield running


def members(name: str) -> tuple[str, dict[str, Any]]:
    """A header under which the keys of a file stand, and their schemas."""
    if name in TABLES:
        return "[mine]\n", SCHEMAS[name]["definitions"][TABLES[name]]["properties"]
    return "", SCHEMAS[name]["properties"]


def lint(folder: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    program = PACKAGES / "node_modules" / ".bin" / "taplo"
    return subprocess.run(
        ["node", program, "lint", *files], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize("name", NAMES)
def test_it_completes_and_documents_every_key(name: str, editor: Editor) -> None:
    path = ROOT / FILES.get(name, "taskbind.toml")
    header, known = members(name)
    line = header.count("\n")
    offered = editor.completions(path, f"{header}\n", line)
    assert {label.partition(".")[0] for label in offered} == set(known)
    for key, schema in known.items():
        assert editor.hover(path, f"{header}{key} = 1\n", line).strip() == schema["description"]


def test_it_offers_the_values_of_a_closed_list(editor: Editor) -> None:
    offered = editor.completions(ROOT / "taskbind.toml", "docs = []\n", 0, 8)
    assert offered == ['"github"', '"site"', '"hf"']


def test_it_finds_our_own_files_valid() -> None:
    # The packages are below our folder, where it would look through them for files.
    files = [*ROOT.glob("specs/*/*.toml"), ROOT / "specs" / "dialects.toml", ROOT / "taskbind.toml"]
    done = lint(ROOT, *files)
    assert done.returncode == 0, done.stderr
    assert f"total={len(files)}" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_first_line_names_the_schema(name: str, tmp_path: Path) -> None:
    (tmp_path / file_name(name)).write_text(schema_text(name), encoding="utf-8")
    path = tmp_path / "made.toml"
    for text, code in ((VALID[name], 0), (VALID[name].replace(*SPOILT[name]), 1)):
        path.write_text(f"#:schema ./{file_name(name)}\n{text}", encoding="utf-8")
        done = lint(tmp_path, path)
        assert done.returncode == code, (os.fspath(path), done.stderr)


def test_a_new_project_is_set_up_for_editors(tmp_path: Path) -> None:
    files = init(tmp_path, None)
    ours = [tmp_path / path for path in files if path.endswith(("task.toml", "taskbind.toml"))]
    assert lint(tmp_path, *ours).returncode == 0
    with Editor(PACKAGES, tmp_path) as editor:
        assert "package.name" in editor.completions(ours[-1], "#:schema ./.taplo/taskbind.schema.json\n\n", 1)
        assert set(editor.completions(ours[0], "\n", 0)) >= {"title", "examples"}
    first = ours[-1].read_text(encoding="utf-8").partition("\n")[0]
    for path, spoilt in zip(ours, ("title = 3\n", f"{first}\nspecs = 3\n"), strict=True):
        path.write_text(spoilt, encoding="utf-8")
        assert '3 is not of type "string"' in lint(tmp_path, path).stderr
