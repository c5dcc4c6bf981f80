"""Writing a tree of specs: what its files look like, and that nothing is half-written or lost."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from taskbind.commit import Changes
from taskbind.diagnostics import EditedError, Report, TaskbindError
from taskbind.importing.write import Imported, ImportRefusedError, write
from taskbind.spec_text import json_text, toml_text
from tests.support.project import contents, echo_task, generate_project

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
TOML_VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS | st.just("properties"), inner),
    max_leaves=12,
)


def imported(changed: dict[str, Any] | None = None) -> Imported:
    files = {**echo_task(), **(changed or {})}
    return Imported({path: json_text(data) for path, data in files.items()}, Report())


@given(JSON_VALUES)
def test_json_is_read_back_as_it_was(value: Any) -> None:
    text = json_text(value)
    assert json.loads(text) == value
    assert json_text(json.loads(text)) == text


@given(st.dictionaries(TEXTS, TOML_VALUES))
def test_toml_is_read_back_as_it_was(table: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(table)) == table


def test_json_looks_like_the_specs_of_this_repository(root: Path) -> None:
    files = [path for path in (root / "specs").rglob("*put.json") if path.parent.name != "examples"]
    texts = [path.read_text(encoding="utf-8") for path in files]
    alike = sum(json_text(json.loads(text)) == text for text in texts)
    assert alike > 0.8 * len(texts)


def test_toml_looks_like_the_files_of_this_repository(root: Path) -> None:
    text = (root / "specs" / "automatic-speech-recognition" / "task.toml").read_text(encoding="utf-8")
    assert toml_text(tomllib.loads(text)) == text


@pytest.mark.parametrize("value", [None, [None], {"a": None}, float("nan")])
def test_what_toml_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"null|finite"):
        toml_text({"key": value})


def test_a_tree_is_written_beside_what_is_there(tmp_path: Path) -> None:
    to = tmp_path / "specs"
    (to / "mine").mkdir(parents=True)
    (to / "mine" / "notes.md").write_text("mine")
    written = write(imported(), to)
    assert written.changes.added == ("echo/input.json", "echo/output.json")
    assert contents(to).keys() == {"mine/notes.md", "echo/input.json", "echo/output.json"}
    assert not written.findings.fatal
    assert sorted(path.name for path in tmp_path.iterdir()) == ["specs"]
    assert not write(imported(), to).changes, "the same files again are no change"


def test_a_file_in_the_way_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    to = tmp_path / "specs"
    (to / "echo").mkdir(parents=True)
    (to / "echo" / "output.json").write_text("mine")
    with pytest.raises(EditedError, match=r"specs/echo/output\.json: has other content than the import\nimport"):
        write(imported(), to)
    assert contents(to) == {"echo/output.json": b"mine"}


def test_a_file_or_a_link_in_the_place_of_a_folder_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    to, other = tmp_path / "specs", tmp_path / "other"
    other.mkdir()
    to.mkdir()
    (to / "echo").symlink_to(other)
    with pytest.raises(EditedError, match="specs/echo: is a link in the place of a folder\nimport"):
        write(imported(), to)
    (to / "echo").unlink()
    (to / "echo").write_text("mine")
    with pytest.raises(EditedError, match="specs/echo: is a file in the place of a folder\nimport"):
        write(imported(), to)
    assert contents(tmp_path) == {"specs/echo": b"mine"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "specs"], "nothing is left half-done"


@pytest.mark.parametrize("inside", ["", "specs", "docs/deep"])
def test_what_is_generated_is_no_place_for_specs(tmp_path: Path, inside: str) -> None:
    config, _ = generate_project(tmp_path, echo_task())
    before = contents(config.out)
    with pytest.raises(TaskbindError, match="out: is what taskbind generates; name a folder outside of it with --to"):
        write(imported(), config.out / inside)
    assert contents(config.out) == before


@pytest.mark.parametrize(
    "manifest", ["{}", "[", '{"outputs": {"mine.md": "1"}}', '{"outputs": 1}', '{"name": "a web app", "icons": []}']
)
def test_a_manifest_of_another_program_says_nothing(tmp_path: Path, manifest: str) -> None:
    to = tmp_path / "specs"
    to.mkdir()
    (to / "manifest.json").write_text(manifest)
    (to / "mine.md").write_text("mine")
    changes = write(imported(), to).changes
    assert changes == Changes(("echo/input.json", "echo/output.json"), (), ())
    assert contents(to).keys() == {"manifest.json", "mine.md", "echo/input.json", "echo/output.json"}
    schema = imported({"manifest.json": {"$defs": {}}})
    with pytest.raises(EditedError, match=r"manifest\.json: has other content"):
        write(schema, to)


def test_a_tree_with_errors_is_not_written(tmp_path: Path) -> None:
    wrong = {"echo/output.json": {"$ref": "../missing.json"}}
    with pytest.raises(ImportRefusedError, match="1 error") as caught:
        write(imported(wrong), tmp_path / "specs")
    assert [(d.code, d.path, d.pointer) for d in caught.value.report.fatal] == [("TB130", "echo/output.json", "/$ref")]
    assert list(tmp_path.iterdir()) == []


def test_a_tree_never_leaves_its_folder(tmp_path: Path) -> None:
    with pytest.raises(TaskbindError, match="leaves the output directory"):
        write(Imported({"../secret.json": "{}"}, Report()), tmp_path / "specs")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_at_work_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TaskbindError, match="from outside"):
        write(imported(), tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(TaskbindError, match="is no folder"):
        write(imported(), tmp_path / "file")
    (tmp_path / "specs" / "echo" / "input.json").mkdir(parents=True)
    with pytest.raises(TaskbindError, match="cannot be written"):
        write(imported(), tmp_path / "specs")
