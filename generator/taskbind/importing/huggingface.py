"""Hugging Face's layout, ``<task>/spec/{input,output}.json`` beside ``common-definitions.json``, becomes ours.

What is written is what `normalize` makes of the schemas, which is what generating from the foreign folder would go by:
so the API is the same, and the linter finds nothing left to repair. Only titles are added and blanks trimmed besides,
since that takes no judgement.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from .. import ir
from ..diagnostics import Report, TaskbindError
from ..documents import SpecTree, TaskSource
from ..load import load
from ..load.files import Reader, UnreadableError
from ..load.positions import lines
from ..spec_text import json_text, toml_text
from .rewrite import mend, rewritten
from .write import Imported, ImportRefusedError

_TEMPLATE: Final = "TB113"
_SPEC: Final = "spec"
"""The folder inside of a task that its schemas are in."""
_TEXT: Final = r'("(?:[^"\\\n]|\\.)*")'
_NO_CODE: Final = re.compile(  # each ends where the file does, if nothing else ends it, so that none is looked at twice
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)"""
    r"""|`(?:[^`\\]|\\.)*`?|//[^\n]*|/\*[^*]*(?:\*(?!/)[^*]*)*(?:\*/)?""",
    re.DOTALL,
)
_SUMMARY: Final = re.compile(rf"^[ \t]*summary:\s*{_TEXT}", re.MULTILINE)
_MODELS: Final = re.compile(r"^[ \t]*models:\s*\[", re.MULTILINE)
_MODEL: Final = re.compile(r'[\s,]*\{((?:[^{}"]|"(?:[^"\\\n]|\\.)*")*)\}')
_MEMBER: Final = re.compile(rf"\b(id|description):\s*{_TEXT}")


def read(root: Path, skip: Collection[str] = ()) -> Imported:
    """The specs under `root`, repaired, as files of our layout. The tasks in `skip` are left out, whatever they hold.

    Folders in our own layout are read as well. Raises ImportRefusedError for an error that no rule repairs, and
    TaskbindError where there is no task.
    """
    if not root.is_dir():
        raise TaskbindError(f"{root}: no such folder of specs")
    folders = {path.name for path in root.iterdir() if path.is_dir()}
    wanted = {name.rstrip("/") for name in skip}
    left_out = dict.fromkeys(wanted & folders, "skipped, as you asked")
    if missing := sorted(wanted - folders):
        raise TaskbindError(f"{root} has no folder {missing[0]!r} to skip")
    tree, api, report = _read(root, left_out)
    left_out |= {d.path.partition("/")[0]: d.message for d in report if d.code == _TEMPLATE}
    moved = rewritten(tree, _place)
    sources = {_place(document.path): document for document in tree.documents}
    names = {
        (_place(definition.source.path), definition.source.pointer): definition.name
        for definition in api.definitions
        if definition.source
    }
    for diagnostic in mend(moved, names):
        source = sources[diagnostic.path]
        pointer, line = _in_source(source.text, diagnostic.pointer)
        report.add(replace(diagnostic, path=source.path, line=line, pointer=pointer))
    files: dict[str, str | bytes] = {document.path: json_text(document.data) for document in moved.documents}
    titles = {task.id: task.title for task in api.tasks}
    for task in tree.tasks:
        files |= _beside(root, task) if task.meta_path else {f"{task.id}/task.toml": _meta(root, task, titles[task.id])}
    for path in _present(root, "dialects.toml", *(f"{task.id}/wire.toml" for task in tree.tasks)):
        files[path] = _bytes(root, path)
    return Imported(files, report, left_out)


def _read(root: Path, left_out: Collection[str]) -> tuple[SpecTree, ir.Api, Report]:
    """The normalised specs, their comments kept; their IR; and what was found on the way."""
    from ..examples import check_examples
    from ..lower import lower
    from ..normalize import normalize

    report = Report(root=root)
    found = load(root, report)
    found = replace(found, tasks=tuple(task for task in found.tasks if task.id not in left_out))
    if [(task.id, task.meta_path) for task in found.tasks] == [(_SPEC, "")]:
        raise TaskbindError(f"{root}: is one task; import the folder above, which holds it and what it shares")
    tree = normalize(found, report, comments=True)
    check_examples(tree, report)
    report = _sound(report, left_out)
    if not tree.tasks:
        raise TaskbindError(f"{root}: no task found; a task is a folder with spec/input.json and spec/output.json")
    api = lower(normalize(found, Report()), report)  # without the comments, which are none of the IR
    return tree, api, _sound(report, left_out)


def _sound(report: Report, left_out: Collection[str]) -> Report:
    """The findings but for those in what is left out. Raises ImportRefusedError if some have no repair."""
    report = Report([d for d in report if d.path.partition("/")[0] not in left_out], root=report.root)
    if fatal := report.fatal:
        said = f"{len(fatal)} error{'s' * (len(fatal) != 1)} without a safe repair; nothing was written"
        names = {d.path.partition("/")[0] for d in fatal}
        folders = sorted(name for name in names if report.root and (report.root / name).is_dir() and name != ".")
        hint = f" ({' '.join(f'--skip {shlex.quote(name)}' for name in folders)} goes on without)" if folders else ""
        raise ImportRefusedError(said + hint, report)
    return report


# ------------------------------------------------------------------------------------------------------------- schemas


def _place(path: str) -> str:
    """Where a schema file of either layout stands in ours."""
    folder, _, name = path.rpartition("/")
    return f"{folder.removesuffix(f'/{_SPEC}')}/{name}" if folder else name


def _in_source(text: str, pointer: str) -> tuple[str, int]:
    """Pointer and line of a place in a file as it was found, or of the nearest one around it."""
    known = lines(text)
    while pointer not in known and (older := pointer.replace("/$defs/", "/definitions/")) not in known:
        pointer = pointer.rpartition("/")[0]
    return (pointer, known[pointer]) if pointer in known else (older, known[older])


# ---------------------------------------------------------------------------------------------------------- task.toml


def _meta(root: Path, task: TaskSource, title: str) -> str:
    """A task.toml with what the source says of a task: its title, and from its data.ts a summary and models."""
    try:
        text = Reader(root, Report()).text(f"{task.id}/data.ts")
    except UnreadableError:
        text = ""
    text = _NO_CODE.sub(lambda match: match["text"] or " ", text)  # neither comments nor templates
    meta: dict[str, Any] = {"title": title}
    if summary := _SUMMARY.search(text):
        meta["summary"] = _literal(summary.group(1))
    if models := list(_models(text)):
        meta["models"] = models
    return toml_text(meta)


def _models(text: str) -> Iterator[dict[str, str]]:
    """The models in a data.ts of which id and description are plain texts."""
    place = _MODELS.search(text)
    while place and (place := _MODEL.match(text, place.end())):
        said = {name: _literal(value) for name, value in _MEMBER.findall(place[1])}
        if said.keys() == {"id", "description"}:
            yield {"id": said["id"], "doc": said["description"]}


def _literal(text: str) -> str:
    """The text of a string literal that is written alike in TypeScript and JSON; others stay as they are written."""
    try:
        value = str(json.loads(text))
        value.encode()  # no half of a surrogate pair
    except ValueError:
        return text[1:-1]
    return value


def _beside(root: Path, task: TaskSource) -> dict[str, str | bytes]:
    """The task.toml of a task that has one, with its examples, as they are."""
    folder = root / task.id / "examples"
    found = sorted(path.relative_to(root).as_posix() for path in folder.rglob("*") if path.is_file())
    return {path: _bytes(root, path) for path in _present(root, task.meta_path, *found)}


def _present(root: Path, *paths: str) -> Iterator[str]:
    reader = Reader(root, Report())
    return (path for path in paths if (root / path).is_file() and reader.inside(path))


def _bytes(root: Path, path: str) -> bytes:
    try:
        return (root / path).read_bytes()
    except OSError as error:
        raise TaskbindError(f"{root / path}: cannot be read: {error.strerror or error}") from error
