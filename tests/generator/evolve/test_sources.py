"""Where versions come from: folders, api.json, and revisions of real git repositories, hostile ones among them."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from taskbind import ir_json
from taskbind.diagnostics import TaskbindError
from taskbind.evolve import git
from taskbind.evolve.sources import NothingYetError, SideError, Source, ignore_list, read_sources
from tests.support.project import closed, echo_task, write_specs
from tests.support.repository import Repository

TOML = 'specs = "specs"\nout = "out"\n[package]\nversion = "{}"\n'


def project(folder: Path, version: str = "1.0.0", **parameters: Any) -> Path:
    """A project whose task `echo` has these parameters."""
    write_specs(folder / "specs", echo_task(parameters or None))
    (folder / "taskbind.toml").write_text(TOML.format(version), encoding="utf-8")
    return folder


def parameters(source: Source) -> list[str]:
    return [
        field.name
        for definition in source.api.definitions
        if definition.name == "EchoParameters"
        for field in definition.type.fields  # type: ignore[union-attr] # it is an object
    ]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A project of two commits, tagged v1 and v2, and a working tree that differs from both."""
    made = Repository(tmp_path / "repository")
    number = {"type": "number"}
    project(made.folder, "1.0.0", one=number)
    made.commit("v1")
    project(made.folder, "2.0.0", one=number, two=number)
    made.commit("v2")
    project(made.folder, "3.0.0", one=number, two=number, three=number)
    return made


def test_revisions(repository: Repository) -> None:
    old, new = read_sources("v1", "v2", repository.folder)
    assert (parameters(old), parameters(new)) == (["one"], ["one", "two"])
    assert (old.name, old.version, old.specs) == ("v1", "1.0.0", "specs")
    assert (new.name, new.version, new.specs) == ("v2", "2.0.0", "specs")
    assert old.texts["echo/input.json"] != new.texts["echo/input.json"]
    here = repository.git("status", "--porcelain")
    assert read_sources("HEAD~1", "main", repository.folder)[0].api == old.api
    assert repository.git("status", "--porcelain") == here


def test_one_argument_is_against_the_working_tree(repository: Repository) -> None:
    old, new = read_sources("v1", None, repository.folder)
    assert (parameters(old), parameters(new)) == (["one"], ["one", "two", "three"])
    assert (new.name, new.version, new.specs) == ("the working tree", "3.0.0", "specs")


def test_in_a_folder_of_a_repository(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    inner = project(repository.folder / "services/séance 1")
    first = repository.commit("v1")
    project(inner, "2.0.0", one={"type": "number"})
    old, new = read_sources("v1", None, inner)
    assert (parameters(old), parameters(new)) == ([], ["one"])
    assert old.specs == new.specs == "specs"
    assert read_sources(first, None, inner)[0].api == old.api
    with pytest.raises(TaskbindError, match=r"no taskbind.toml in this folder"):
        read_sources("v1", None, repository.folder)
    with pytest.raises(TaskbindError, match=r"v1 has no taskbind.toml, and neither has this folder"):
        read_sources("v1", str(inner), repository.folder)


def test_a_revision_says_itself_where_its_specs_are(repository: Repository) -> None:
    shutil.move(repository.folder / "specs", repository.folder / "tasks")
    (repository.folder / "taskbind.toml").write_text('specs = "tasks"\nout = "out"\n')
    repository.commit("v3")
    old, new = read_sources("v2", "v3", repository.folder)
    assert (old.specs, new.specs) == ("specs", "tasks")
    assert parameters(old) == ["one", "two"]
    (repository.folder / "taskbind.toml").write_text('specs = "."\nout = "../out"\n')
    for path in ("echo/input.json", "echo/output.json"):
        (repository.folder / path).parent.mkdir(exist_ok=True)
        (repository.folder / "tasks" / path).rename(repository.folder / path)
    repository.commit("v4")
    assert parameters(read_sources("v4", None, repository.folder)[0]) == ["one", "two", "three"]


def test_a_revision_before_the_first_taskbind_toml_has_its_specs_where_ours_are(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    write_specs(repository.folder / "specs", echo_task())
    repository.commit("v0")
    project(repository.folder)
    old, _ = read_sources("v0", None, repository.folder)
    assert (old.version, old.config, [task.id for task in old.api.tasks]) == (None, None, ["echo"])


def test_a_revision_from_before_the_project_is_nothing_to_compare_with(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    (repository.folder / "README.md").write_text("x")
    repository.commit("v0")
    folder = repository.folder / "api"
    project(folder)
    with pytest.raises(NothingYetError, match=r"v0 has neither api/taskbind.toml nor api/specs/ yet"):
        read_sources("v0", None, folder)
    for old, new in (("v1", None), (str(folder), "v0")):
        with pytest.raises(TaskbindError) as caught:  # no such revision; not OLD
            read_sources(old, new, folder)
        assert not isinstance(caught.value, NothingYetError)


def test_a_project_that_moved_is_asked_for(tmp_path: Path) -> None:
    """Otherwise a move would hide every break."""
    repository = Repository(tmp_path / "repository")
    project(repository.folder / "old", one={"type": "number"})
    project(repository.folder / "other")
    repository.commit("v1")
    (repository.folder / "services").mkdir()
    folder = repository.folder / "services" / "speech"
    (repository.folder / "old").rename(folder)
    said = refused("v1", None, folder)
    assert said == "v1: the project was elsewhere then; say `v1:old`"
    old, new = read_sources("v1:old", None, folder)
    assert (old.name, parameters(old)) == ("v1:old", parameters(new))
    assert refused("v1:nowhere", None, folder) == "v1:nowhere: there is no nowhere/taskbind.toml in that revision"
    old, _ = read_sources("v1:other/", None, folder)
    assert parameters(old) == []


def test_three_dots_are_where_the_branch_began(repository: Repository) -> None:
    """What main got since is no change of ours."""
    repository.git("checkout", "--quiet", "--force", "-b", "branch", "v1")
    project(repository.folder, "3.0.0", one={"type": "number"}, three={"type": "number"})
    repository.commit()
    assert parameters(read_sources("main", "HEAD", repository.folder)[0]) == ["one", "two"]
    old, new = read_sources("main...", "HEAD", repository.folder)
    assert (old.name, parameters(old), parameters(new)) == ("main...", ["one"], ["one", "three"])
    repository.git("checkout", "--quiet", "--orphan", "alone")
    repository.commit()
    assert "have no commit in common" in refused("main...", None, repository.folder)


def test_what_a_clone_does_not_hold_may_be_there(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    write_specs(repository.folder / "specs", echo_task())
    repository.commit("v0")
    tree = repository.git("rev-parse", "v0:")
    project(repository.folder)
    (repository.folder / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(TaskbindError) as caught:
        read_sources("v0", None, repository.folder)
    assert not isinstance(caught.value, NothingYetError)


def test_folders_and_files(repository: Repository, tmp_path: Path) -> None:
    other = project(tmp_path / "other", "5.0.0")
    theirs = tmp_path / "theirs"  # Hugging Face's layout
    for name, schema in echo_task().items():
        write_specs(theirs, {name.replace("/", "/spec/"): schema})
    api = read_sources(str(other), None, repository.folder)[0].api
    (tmp_path / "api.json").write_text(json.dumps(ir_json.to_json(api)))
    for named, version, specs in (
        ("../other", "5.0.0", "../other/specs"),
        ("../other/specs", None, "../other/specs"),
        ("../theirs", None, "../theirs"),
        ("../api.json", None, None),
    ):
        old, new = read_sources(named, ".", repository.folder)
        assert (old.name, old.version, old.specs) == (named, version, specs)
        assert [task.id for task in old.api.tasks] == ["echo"]
        assert new.version == "3.0.0"
        assert read_sources(named, named, tmp_path / "theirs")[1].api == old.api  # no project and no repository here


def test_a_path_wins_over_a_revision_of_its_name(repository: Repository) -> None:
    project(repository.folder / "v1", "7.0.0")
    assert read_sources("v1", None, repository.folder)[0].version == "7.0.0"
    assert read_sources("refs/tags/v1", None, repository.folder)[0].version == "1.0.0"


def test_without_arguments_the_last_release_is_old(repository: Repository) -> None:
    toml = repository.folder / "taskbind.toml"
    with pytest.raises(TaskbindError, match="names no folder of `releases`"):
        read_sources(None, None, repository.folder)
    toml.write_text('releases = "past"\n' + toml.read_text())
    with pytest.raises(TaskbindError, match=r"nothing is released yet \(no file in past/\)"):
        read_sources(None, None, repository.folder)
    for version in ("v1", "v2"):
        api = read_sources(version, None, repository.folder)[0].api
        path = repository.folder / f"past/{version[1]}.10.0.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(ir_json.to_json(api)))
    old, new = read_sources(None, None, repository.folder)
    assert (old.name, old.version, parameters(old)) == ("release 2.10.0", "2.10.0", ["one", "two"])
    assert new.version == "3.0.0"


def test_the_ignore_list_is_that_of_new(repository: Repository, tmp_path: Path) -> None:
    entry = '[[diff.ignore]]\nrule = "r"\nreason = "{}"\nuntil = 2027-01-31\n'
    other = project(tmp_path / "other")
    for folder in (repository.folder, other):
        with (folder / "taskbind.toml").open("a") as file:
            file.write(entry.format(folder.name))
    repository.commit("v3")

    def listed(new: str | None, folder: Path = repository.folder) -> tuple[list[str], str]:
        ignores, file = ignore_list(read_sources("v1", new, folder)[1], folder)
        return [ignore.reason for ignore in ignores], file

    assert listed(None) == listed("v3") == (["repository"], "taskbind.toml")
    assert listed(str(other)) == (["other"], "../other/taskbind.toml")
    assert listed(str(other / "specs")) == (["repository"], "taskbind.toml")
    assert listed("v1") == ([], "taskbind.toml")


# ------------------------------------------------------------------------------------------------------------ mishaps


def refused(old: str | None, new: str | None, folder: Path) -> str:
    with pytest.raises(TaskbindError) as caught:
        read_sources(old, new, folder)
    assert str(caught.value).isprintable()
    assert "taskbind-" not in str(caught.value)  # the folder that a revision's files lay in for a moment
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["missing", "--all", "--git-dir=/", "-h", "", "a\0b", "x" * 5000, "v1..v2", "^v1"],
)
def test_what_is_no_revision(repository: Repository, name: str) -> None:
    message = refused(name, None, repository.folder)
    assert "no such revision" in message or "neither a path nor a revision" in message


def test_names_that_are_options_stay_names(repository: Repository) -> None:
    for name in ("--help", "-n", "--all"):
        repository.git("update-ref", f"refs/heads/{name}", "v1")
        assert read_sources(name, None, repository.folder)[0].version == "1.0.0"


def test_hostile_names_are_made_visible(repository: Repository) -> None:
    message = refused("a\x1b[31m\n::error::b\u202e", None, repository.folder)
    assert message.startswith("a\\x1b[31m\\n::error::b\\u202e: ")


def test_no_repository_and_no_git(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = project(tmp_path / "alone")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert "not a git repository" in refused("main", None, alone)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git cannot be run" in refused("v1", None, repository.folder)


def test_an_empty_repository(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "empty")
    project(repository.folder)
    assert "no such revision" in refused("HEAD", None, repository.folder)


def test_a_shallow_clone_says_what_to_fetch(repository: Repository, tmp_path: Path) -> None:
    repository.commit("v3")
    clone = Repository(tmp_path)
    clone.git("clone", "--quiet", "--depth=1", "--no-tags", repository.folder.as_uri(), "clone")
    assert "`git fetch --depth=1 origin v1` fetches it, as FETCH_HEAD" in refused("v1", None, tmp_path / "clone")
    assert "`git fetch --unshallow` fetches all of it" in refused("HEAD~1", None, tmp_path / "clone")
    Repository(tmp_path / "clone").git("fetch", "--quiet", "--depth=1", "origin", "v1")
    assert read_sources("FETCH_HEAD", "HEAD", tmp_path / "clone")[0].version == "1.0.0"


def test_a_branch_that_only_the_remote_has(repository: Repository, tmp_path: Path) -> None:
    repository.git("branch", "other", "v1")
    Repository(tmp_path).git("clone", "--quiet", repository.folder.as_uri(), "clone")
    assert "did you mean origin/other?" in refused("other", None, tmp_path / "clone")
    assert read_sources("origin/other", None, tmp_path / "clone")[0].version == "1.0.0"


def test_a_partial_clone_is_not_filled_over_the_network(repository: Repository, tmp_path: Path) -> None:
    repository.commit("v3")
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = Repository(tmp_path)
    clone.git("clone", "--quiet", "--filter=blob:none", repository.folder.as_uri(), "clone")
    message = refused("v1", None, tmp_path / "clone")
    assert re.fullmatch("v1 cannot be read: could not fetch [0-9a-f]+ from promisor remote", message)
    assert read_sources("v3", None, tmp_path / "clone")[0].version == "3.0.0"  # what is checked out, is there


def test_bad_specs_of_either_side(repository: Repository) -> None:
    (repository.folder / "specs/echo/output.json").write_text('{"type": 5}')
    repository.commit("bad")
    for old, new, said in (
        ("bad", "v1", "OLD (bad)"),
        ("v1", "bad", "NEW (bad)"),
        ("v1", None, "NEW (the working tree)"),
    ):
        with pytest.raises(SideError) as caught:
            read_sources(old, new, repository.folder)
        assert str(caught.value) == f"{said}: 1 error in the specs; there is nothing to compare"
        assert caught.value.exit_code == 1
        (finding,) = caught.value.report.fatal
        assert (finding.path, finding.code) == ("echo/output.json", "TB121")
        assert caught.value.report.root == repository.folder / "specs"


def test_a_bad_taskbind_toml_of_a_revision(repository: Repository) -> None:
    (repository.folder / "taskbind.toml").write_text("specs = 5\n")
    repository.commit("bad")
    (repository.folder / "taskbind.toml").write_text(TOML.format("1.0.0"))
    assert refused("bad", None, repository.folder).startswith("OLD (bad): taskbind.toml:1: specs: must be")
    for specs, message in (
        ("../elsewhere", "its specs lie outside the repository"),
        ("/etc", "its specs lie outside the repository"),
        ("missing", "has no folder missing/"),
        ("taskbind.toml", "has no folder taskbind.toml/"),
    ):
        (repository.folder / "taskbind.toml").write_text(f'specs = "{specs}"\nout = "/nowhere/out"\n')
        repository.commit()
        (repository.folder / "taskbind.toml").write_text(TOML.format("1.0.0"))
        assert message in refused("HEAD", None, repository.folder)


def test_what_is_no_api_json(repository: Repository, tmp_path: Path) -> None:
    for content in (b"", b"[]", b"{}", b"\xff", b'{"version": 1, "tasks": [5], "definitions": []}', b"[" * 100_000):
        (tmp_path / "api.json").write_bytes(content)
        assert "api.json" in refused("../api.json", None, repository.folder)
    with (tmp_path / "api.json").open("r+b") as file:
        file.truncate(65 << 20)
    assert "64 MiB" in refused("../api.json", None, repository.folder)
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refused("../pipe", None, repository.folder)


# ------------------------------------------------------------------------------------------------- hostile repositories


def tree(repository: Repository, *entries: tuple[str, str, bytes]) -> str:
    """A tree object made by hand, which may hold what git itself would never write."""
    body = b""
    for mode, name, content in entries:
        of_tree = mode == "40000"
        id = content.decode() if of_tree else repository.git("hash-object", "-w", "--stdin", given=content)
        body += f"{mode} {name}".encode() + b"\0" + bytes.fromhex(id)
    return repository.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=body)


def commit_specs(repository: Repository, *entries: tuple[str, str, bytes]) -> str:
    """A commit whose spec root holds a task and these entries."""
    files = [(name.partition("/")[2], json.dumps(schema).encode()) for name, schema in echo_task().items()]
    echo = tree(repository, *(("100644", name, content) for name, content in files))
    specs = tree(repository, *sorted([("40000", "echo", echo.encode()), *entries], key=lambda entry: entry[1]))
    toml = TOML.format("1.0.0").encode()
    root = tree(repository, ("40000", "specs", specs.encode()), ("100644", "taskbind.toml", toml))
    return repository.git("commit-tree", root, "-m", "made by hand")


@pytest.fixture
def here(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "repository")
    project(repository.folder)
    return repository


@pytest.mark.parametrize("name", ["..", "../evil.json", "/tmp/evil.json", "a/../../evil.json"])
def test_paths_that_lead_out_are_refused(here: Repository, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.parent.rglob("evil.json"))
    commit = commit_specs(here, ("100644", name, b"{}"))
    assert "which is no path" in refused(commit, None, here.folder)
    assert sorted(tmp_path.parent.rglob("evil.json")) == before
    assert not Path("/tmp/evil.json").exists()


def test_links_are_followed_inside_and_never_out(here: Repository, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"title": "Secret"}')
    inside = commit_specs(here, ("120000", "sing", b"echo"))
    assert [task.id for task in read_sources(inside, None, here.folder)[0].api.tasks] == ["echo", "sing"]
    for target in (str(secret), "../../../../../../../../../../../../../../" + str(secret)):
        outside = tree(
            here, ("120000", "input.json", target.encode()), ("100644", "output.json", b'{"type": "string"}')
        )
        commit = commit_specs(here, ("40000", "steal", outside.encode()))
        with pytest.raises(SideError) as caught:
            read_sources(commit, None, here.folder)
        assert [finding.code for finding in caught.value.report.fatal] == ["TB102"]
        assert "Secret" not in "".join(map(str, caught.value.report))


def test_nothing_is_written_through_a_link(here: Repository, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    inner = tree(here, ("100644", "evil.json", b"{}"))
    commit = commit_specs(here, ("120000", "a", str(target).encode()), ("40000", "a", inner.encode()))
    message = refused(commit, None, here.folder)
    assert "cannot be written" in message
    assert list(target.iterdir()) == []


def test_a_link_in_place_of_taskbind_toml_or_specs(here: Repository) -> None:
    specs = here.git("rev-parse", f"{commit_specs(here)}:specs")
    linked = tree(here, ("40000", "specs", specs.encode()), ("120000", "taskbind.toml", b"/etc/passwd"))
    commit = here.git("commit-tree", linked, "-m", "x")
    assert "not a regular file" in refused(commit, None, here.folder)
    linked = tree(here, ("120000", "specs", b"/etc"), ("100644", "taskbind.toml", TOML.format("1.0.0").encode()))
    commit = here.git("commit-tree", linked, "-m", "x")
    assert "has no folder specs/" in refused(commit, None, here.folder)


def test_a_tree_without_end_is_refused(here: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten folders of the same ten folders, and so on: a few objects, 10¹⁰ files."""
    monkeypatch.setattr(git, "_MOST_PRINTED", 1 << 20)
    bomb = tree(here, *(("100644", f"f{i}.json", b"{}") for i in range(10)))
    for _ in range(9):
        bomb = tree(here, *(("40000", f"d{i}", bomb.encode()) for i in range(10)))
    assert "prints more" in refused(commit_specs(here, ("40000", "bomb", bomb.encode())), None, here.folder)


def test_too_many_and_too_large_files(here: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    large = commit_specs(here, ("100644", "large.json", b" " * ((1 << 20) + 1)))
    with pytest.raises(SideError) as caught:
        read_sources(large, None, here.folder)
    assert [finding.code for finding in caught.value.report.fatal] == ["TB103"]
    assert "has 1,048,577 bytes" in str(*caught.value.report)
    monkeypatch.setattr(git, "_MOST_FILES", 2)
    assert "more than 2 files" in refused(commit_specs(here, ("100644", "more.json", b"{}")), None, here.folder)
    monkeypatch.setattr(git, "_MOST_FILES", 20_000)
    monkeypatch.setattr(git, "_MOST_BYTES", 100)
    assert "MiB" in refused(commit_specs(here), None, here.folder)


def test_samples_are_there_without_their_content(here: Repository) -> None:
    write_specs(here.folder / "specs", {"echo/input.json": closed({"inputs": {"type": "string"}}, "inputs")})
    media = {"type": "string", "contentEncoding": "base64", "contentMediaType": "audio/*"}
    write_specs(here.folder / "specs", {"echo/input.json": closed({"inputs": media}, "inputs")})
    toml = '[[examples]]\nname = "one"\ntitle = "One"\nmedia = "examples/one.wav"\n'
    write_specs(here.folder / "specs", {"echo/task.toml": toml, "echo/examples/one.wav": "x" * 100})
    here.commit("v1")
    old, new = read_sources("v1", None, here.folder)
    assert old.api == new.api
    assert old.api.tasks[0].examples[0].media == "echo/examples/one.wav"


def test_what_a_repository_configures_is_not_run(here: Repository, tmp_path: Path) -> None:
    here.commit("v1")
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "core.editor"):
        here.git("config", key, str(program))
    (here.folder / ".git/hooks").mkdir(exist_ok=True)
    for hook in ("post-checkout", "post-index-change"):
        shutil.copy(program, here.folder / ".git/hooks" / hook)
    assert read_sources("v1", None, here.folder)[0].version == "1.0.0"
    assert not (tmp_path / "ran").exists()
