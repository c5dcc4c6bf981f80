"""Where the files of a spec root are: task folders in either layout, and schema files that tasks share."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from .codes import tell
from .files import Reader

TASK_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
KINDS: Final = ("input", "output", "stream_output")
_RESPONSES: Final = {".written.json": False, ".response.json": True}
_RECORDINGS: Final = {".raw.txt": "raw", ".text.txt": "text"}
MAX_ID: Final = 100
RESERVED: Final = frozenset(
    (
        "404 authentication changelog dialects errors index limits migrating-clarifai migrating-huggingface parameters"
    ).split()
)
"""The pages of the docs that are about all tasks, and so no task can be called; a site makes ``404`` itself."""

T = TypeVar("T", bool, str)


@dataclass(frozen=True)
class Folder:
    """The files of one task, relative to the spec root; the optional ones are None where they are missing."""

    id: str
    input: str
    output: str
    stream: str | None
    meta: str | None
    wire: str | None
    responses: tuple[tuple[str, str, bool], ...]
    """Files with an example's response: the example's name, the path, and whether a server's answer was recorded."""
    recordings: tuple[tuple[str, str, str], ...]
    """Files with an answer as it was sent (``raw``) or as people see it (``text``): name, path, and which of them."""

    @property
    def schemas(self) -> tuple[str, ...]:
        """Its schema files."""
        return (self.input, self.output, *([self.stream] if self.stream else []))


def survey(reader: Reader) -> tuple[list[Folder], list[str]]:
    """The task folders, by id, and the shared schema files, by path. What is half there is reported and left out."""
    try:
        entries = sorted(reader.root.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        tell(
            reader.report,
            "TB101",
            ".",
            f"the spec root {reader.root.name!r} cannot be read: {error.strerror or error}",
            fix="name a folder of specs",
        )
        return [], []
    folders: list[Folder] = []
    shared: list[str] = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.suffix == ".json" and not entry.is_dir():
            if entry.stem in KINDS:
                fix = "name the folder above as the spec root, or rename the file"
                tell(reader.report, "TB112", entry.name, "lies in the spec root, not in a task's folder", fix=fix)
            else:
                shared.append(entry.name)
        elif _is_dir(entry):
            try:
                folder = _folder(reader, entry.name)
            except OSError as error:
                message = f"cannot be read: {error.strerror or error}"
                tell(reader.report, "TB101", entry.name, message, fix="check its permissions")
                continue
            folders += [folder] if folder else []
    return folders, shared


def _folder(reader: Reader, name: str) -> Folder | None:
    """The task in a folder; None where there is none, or none whole. Raises OSError for what may not be read."""

    def have(path: str) -> bool:
        try:
            os.lstat(reader.root / path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    ours = {kind for kind in KINDS if have(f"{name}/{kind}.json")}
    theirs = {kind for kind in KINDS if have(f"{name}/spec/{kind}.json")}
    meta, wire = (f"{name}/{file}" if have(f"{name}/{file}") else None for file in ("task.toml", "wire.toml"))
    if not ours and not theirs and not meta and not wire:
        return None
    if not reader.inside(name):
        tell(reader.report, "TB102", name, "leads outside the spec root", fix="replace the link with the folder itself")
        return None
    if ours and theirs:
        fix = f"keep either {name}/*.json or {name}/spec/*.json"
        tell(reader.report, "TB112", name, "has schemas both in the folder and in its spec/", fix=fix)
        return None
    if TASK_ID.fullmatch(name) is None or len(name) > MAX_ID:
        fix = f"rename it, for example to {_suggested(name)}"
        tell(reader.report, "TB111", name[:MAX_ID], "the folder's name is no task id", fix=fix)
        return None
    if name in RESERVED:
        fix = f"give the task another name, for example {name}-task"
        tell(reader.report, "TB124", name, "the docs have a page of this name", fix=fix)
        return None
    base, found = (f"{name}/spec", theirs) if theirs else (name, ours)
    missing = [kind for kind in ("input", "output") if kind not in found]
    for kind in missing:
        other = next(
            (f"{base}/{kind}{ext}" for ext in (".yaml", ".yml", ".jsonc", ".json5") if have(f"{base}/{kind}{ext}")), ""
        )
        why = f"; {other} is not read, specs are JSON" if other else ""
        tell(reader.report, "TB110", base, f"{kind}.json is missing{why}", fix=f"add {base}/{kind}.json")
    if missing:
        return None
    stream = f"{base}/stream_output.json" if "stream_output" in found else None
    responses = _of_examples(reader.root, name, _RESPONSES)
    recordings = _of_examples(reader.root, name, _RECORDINGS)
    return Folder(name, f"{base}/input.json", f"{base}/output.json", stream, meta, wire, responses, recordings)


def _of_examples(root: Path, name: str, kinds: Mapping[str, T]) -> tuple[tuple[str, str, T], ...]:
    """The files of a task's examples that end so: the example's name, the path, and what the ending means."""
    try:
        files = sorted(entry.name for entry in (root / name / "examples").iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return ()
    return tuple(
        (file.removesuffix(suffix), f"{name}/examples/{file}", meaning)
        for suffix, meaning in kinds.items()
        for file in files
        if file.endswith(suffix)
    )


def _is_dir(entry: Path) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _suggested(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    return "-".join(re.findall(r"[a-z0-9]+", spaced.lower()))[:MAX_ID] or "my-task"
