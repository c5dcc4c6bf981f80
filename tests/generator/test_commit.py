"""Committing a tree: only what differs is written, nothing of anybody else's is touched, edits are never lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from taskbind.commit import MANIFEST, Changes, commit, compare, sha256
from taskbind.diagnostics import EditedError, TaskbindError


def tree(**files: str) -> dict[str, bytes]:
    out = {name.replace("__", "/"): text.encode() for name, text in files.items()}
    manifest = {"outputs": {name: sha256(data) for name, data in out.items()}}
    return out | {MANIFEST: json.dumps(manifest).encode()}


def read(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def test_first_commit_writes_all(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    changes = commit(out, tree(a="1", sub__b="2"))
    assert changes == Changes(("a", MANIFEST, "sub/b"), (), ())
    assert read(out) == tree(a="1", sub__b="2")
    assert [p.name for p in out.parent.iterdir()] == ["out"], "nothing is left beside the tree"


def test_second_commit_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    commit(out, tree(a="1"))
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in [out, *out.rglob("*")]}
    assert not commit(out, tree(a="1"))
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in [out, *out.rglob("*")]} == before


def test_only_differing_files_are_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    commit(out, tree(a="1", b="2"))
    before = (out / "a").stat()
    changes = commit(out, tree(a="1", b="3"))
    assert changes.changed == ("b", MANIFEST)
    assert ((out / "a").stat().st_ino, (out / "a").stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_stale_files_go_and_so_do_their_empty_folders(tmp_path: Path) -> None:
    out = tmp_path / "out"
    commit(out, tree(a="1", sub__b="2"))
    assert commit(out, tree(a="1")).removed == ("sub/b",)
    assert not (out / "sub").exists()


def test_unlisted_files_links_and_folders_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    commit(out, tree(a="1", sub__b="2"))
    (out / "sub" / "mine").write_text("mine")
    (out / "empty").mkdir()
    (out / "link").symlink_to("a")
    commit(out, tree(a="2"))
    assert (out / "sub" / "mine").read_text() == "mine"
    assert (out / "empty").is_dir()
    assert os.readlink(out / "link") == "a"
    assert not (out / "sub" / "b").exists()


@pytest.mark.parametrize("new", [{"a": "2"}, {"b": "1"}], ids=["would be overwritten", "would be removed"])
def test_a_file_edited_by_hand_is_refused_by_name(tmp_path: Path, new: dict[str, str]) -> None:
    out = tmp_path / "out"
    commit(out, tree(a="1"))
    (out / "a").write_text("my own")
    before = read(out)
    with pytest.raises(EditedError, match=r"edited by hand since they were generated: a\n"):
        commit(out, tree(**new))
    assert read(out) == before


def test_other_line_ends_are_told_from_edits_and_many_files_are_counted(tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = {f"f{number:02}": "one\ntwo\n" for number in range(12)}
    commit(out, tree(**files))
    for name in files:
        (out / name).write_bytes(b"one\r\ntwo\r\n")
    with pytest.raises(EditedError) as ends:
        commit(out, tree(f00="3"))
    told = "other line ends than were generated: " + ", ".join(sorted(files)[:10]) + ", and 2 more\n"
    assert str(ends.value).startswith(told)
    assert "`out/** -text`" in str(ends.value)
    (out / "f11").write_text("mine")
    with pytest.raises(EditedError, match=r"^edited by hand since they were generated: f00, .*f09, and 2 more\n"):
        commit(out, tree(f00="3"))
    (out / "other").mkdir()
    for number in range(12):
        (out / "other" / f"{number:02}").write_text("mine")
    made = tree(**files, **{f"other/{number:02}": "1" for number in range(12)})
    for name in files:
        (out / name).write_text(files[name])
    with pytest.raises(EditedError, match=r"in its way: other/00, .*other/09, and 2 more\n"):
        commit(out, made)


def test_a_file_edited_into_what_is_generated_is_fine(tmp_path: Path) -> None:
    out = tmp_path / "out"
    commit(out, tree(a="1"))
    (out / "a").write_text("2")
    assert commit(out, tree(a="2")).changed == (MANIFEST,)


def test_an_unlisted_file_in_the_way_is_refused_by_name(tmp_path: Path) -> None:
    out = tmp_path / "out"
    commit(out, tree(a="1"))
    (out / "b").write_text("mine")
    with pytest.raises(EditedError, match="in its way: b"):
        commit(out, tree(a="1", b="2"))


def test_a_deleted_output_comes_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    commit(out, tree(a="1", b="2"))
    (out / "a").unlink()
    assert commit(out, tree(a="1", b="2")).added == ("a",)


def test_compare_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert compare(out, tree(a="1")).added == ("a", MANIFEST)
    assert not out.exists()


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", "a//b", "./a", "a\\b"])
def test_no_path_leaves_the_output(tmp_path: Path, name: str) -> None:
    with pytest.raises(TaskbindError, match="leaves the output directory"):
        commit(tmp_path / "out", {name: b""})
    assert not (tmp_path / "out").exists()


def test_a_damaged_manifest_stops_the_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    commit(out, tree(a="1"))
    (out / MANIFEST).write_text("{")
    with pytest.raises(TaskbindError, match="not a manifest"):
        commit(out, tree(a="2"))


def test_a_read_only_place_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TaskbindError, match="cannot write the output"):
        commit(tmp_path / "file" / "out", tree(a="1"))


def test_nothing_is_written_through_a_link_to_a_folder(tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    commit(out, tree(a="1", sub__b="2"))
    (out / "sub").rename(other)
    (out / "sub").symlink_to(other)
    with pytest.raises(EditedError, match="in its way: sub\n") as caught:
        commit(out, tree(a="1", sub__b="3"))
    assert caught.value.paths == ("sub",)
    assert (other / "b").read_text() == "2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out"]


def test_a_file_of_ours_becomes_a_folder_and_one_of_others_does_not(tmp_path: Path) -> None:
    out = tmp_path / "out"
    commit(out, tree(a="1"))
    (out / "sub").write_text("mine")
    with pytest.raises(EditedError, match="in its way: sub\n"):
        commit(out, tree(a="1", sub__b="2"))
    (out / "sub").unlink()
    assert commit(out, tree(a__b="2")) == Changes(("a/b",), (MANIFEST,), ("a",))
