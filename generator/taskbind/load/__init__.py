"""Load a spec root: files in, :class:`~taskbind.documents.SpecTree` out. Never the network, never outside the root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..diagnostics import Diagnostic, Report
from ..documents import Document, SpecTree, TaskSource
from .codes import tell
from .dialects import check_dialect
from .files import Reader, UnreadableError
from .layout import Folder, survey
from .meta import read_meta
from .positions import line_of
from .refs import References, placeholder
from .walk import walk
from .wire import read_dialects, read_wires

__all__ = ["load", "load_templates"]


def load(root: Path, report: Report) -> SpecTree:
    """Read every task under `root`, in either layout, and every schema file that they share.

    What is wrong is reported. A task with an error in one of its files, or in a file that it refers to, is left out
    whole; all references of the tasks in the result are known to resolve, without circles.
    """
    reader = Reader(root, report)
    folders, shared_paths = survey(reader)
    documents: dict[str, Document] = {}
    broken: set[str] = set()
    templates: dict[str, tuple[str, int]] = {}
    for path in (*shared_paths, *(path for folder in folders for path in folder.schemas)):
        document = reader.document(path)
        if document is not None and (pointer := placeholder(document)) is not None:
            templates[path] = pointer, line_of(document.text, pointer)
        elif document is not None and check_dialect(document, report):
            documents[path] = document
        else:
            broken.add(path)
    kept = [folder for folder in folders if templates.keys().isdisjoint(folder.schemas)]
    skipped = {path for folder in folders if folder not in kept for path in folder.schemas}
    for path, (pointer, line) in templates.items():
        message = "holds a placeholder, so it is a template; it is skipped"
        tell(report, "TB113", path, message, fix="fill in the placeholder", pointer=pointer, line=line)
    candidates = [document for path, document in documents.items() if path not in skipped]
    references = References(candidates, broken)
    sound = _sound(references.check(report))
    documents |= {document.path: document for document in references.official}
    dialects = read_dialects(reader)
    sources = (_source(reader, folder, {path: documents[path] for path in sound}, dialects) for folder in kept)
    tasks = tuple(sorted((source for source in sources if source is not None), key=lambda task: task.id))
    if not folders and not report.fatal:
        fix = "add <task>/input.json and <task>/output.json"
        tell(report, "TB114", ".", f"the spec root {root.name!r} holds no task", fix=fix)
    common = sound.intersection((*shared_paths, *(document.path for document in references.official)))
    return SpecTree(root, tasks, tuple(documents[path] for path in sorted(common)), dialects or {})


def load_templates(root: Path, report: Report) -> SpecTree:
    """The folders that `load` skips as templates, as far as they can be read: the linter looks into them too.

    There is no task in the tree, only schema files. A reference with a placeholder leads nowhere, and is no finding.
    """
    found = Report()
    reader = Reader(root, found)
    folders, shared_paths = survey(reader)
    read = [document for path in shared_paths if (document := reader.document(path)) is not None]
    read = [document for document in read if check_dialect(document, found)]
    good = _sound(References(read).check(found))
    shared = [document for document in read if document.path in good]
    told: set[Diagnostic] = set()
    sound: list[Document] = []
    for folder in folders:
        written = [document for path in folder.schemas if (document := reader.document(path)) is not None]
        if not any(map(placeholder, written)):
            continue
        own = Report()
        documents = [replace(document, data=_as_uris(document.data)) for document in written]
        candidates = [document for document in (*shared, *documents) if check_dialect(document, own)]
        references = References(candidates)
        paths = _sound(references.check(own))
        open_refs = {(document.path, pointer) for document in written for pointer in _open_refs(document)}
        told |= {d for d in own if d.path in folder.schemas and (d.path, d.pointer) not in open_refs}
        known = {document.path for document in (*shared, *sound)}
        sound += [d for d in (*documents, *references.official) if d.path in paths and d.path not in known]
    for diagnostic in sorted(told):
        report.add(diagnostic)
    return SpecTree(root, (), (*shared, *sound))


def _as_uris(value: Any, key: str = "") -> Any:
    """A copy of a template in which `$id` and `$ref` are valid URIs although there are placeholders in them."""
    if isinstance(value, dict):
        return {name: _as_uris(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_uris(item) for item in value]
    return value.replace("<", "%3C").replace(">", "%3E") if key in ("$id", "$ref") and isinstance(value, str) else value


def _open_refs(document: Document) -> Iterator[str]:
    """The pointers of the references with a placeholder."""
    for pointer, schema in walk(document.data):
        if "$ref" in schema and placeholder(Document("", "", {"$ref": schema["$ref"]})) is not None:
            yield f"{pointer}/$ref"


def _sound(uses: dict[str, set[str]]) -> set[str]:
    """The documents that refer, directly and indirectly, to sound documents only."""
    sound = set(uses)
    while True:
        rest = {path for path in sound if uses[path] <= sound}
        if rest == sound:
            return sound
        sound = rest


def _source(
    reader: Reader, folder: Folder, documents: dict[str, Document], dialects: Mapping[str, Any] | None
) -> TaskSource | None:
    meta = read_meta(reader, folder)
    responses = _responses(reader, folder, meta)
    recordings = _recordings(reader, folder, meta)
    wires = read_wires(reader, folder, dialects)
    complete = documents.keys() >= set(folder.schemas)
    if meta is None or responses is None or recordings is None or wires is None or not complete:
        return None
    stream = documents[folder.stream] if folder.stream else None
    recorded = frozenset(name for name, _, recorded in folder.responses if recorded)
    return TaskSource(
        folder.id,
        documents[folder.input],
        documents[folder.output],
        stream,
        meta,
        folder.meta or "",
        responses,
        recorded,
        recordings,
        wires,
    )


def _responses(reader: Reader, folder: Folder, meta: dict[str, Any] | None) -> dict[str, Any] | None:
    """The responses of a task by the name of their example, a recorded one first; None if one cannot be read."""
    responses: dict[str, Any] = {}
    for name, path, _ in folder.responses:
        try:
            _, value = reader.value(path)
        except UnreadableError:
            return None
        if _has_example(reader, meta, name, path):
            responses[name] = value
    return responses


def _recordings(reader: Reader, folder: Folder, meta: dict[str, Any] | None) -> dict[str, dict[str, str]] | None:
    """What was recorded of a task's answers, by the name of their example; None if some of it cannot be read."""
    recordings: dict[str, dict[str, str]] = {}
    for name, path, kind in folder.recordings:
        try:
            text = reader.text(path)
        except UnreadableError:
            return None
        if _has_example(reader, meta, name, path):
            recordings.setdefault(name, {})[kind] = text.rstrip("\r\n")
    return recordings


def _has_example(reader: Reader, meta: dict[str, Any] | None, name: str, path: str) -> bool:
    """Whether a file beside the examples belongs to one of them; if not, that is reported, if any could be read."""
    if meta is None:
        return False
    examples = meta.get("examples", [])
    if any(isinstance(example, dict) and example.get("name") == name for example in examples):
        return True
    fix = "name it like its example, or delete it"
    tell(reader.report, "TB119", path, f"no example in task.toml is called {name[:60]!r}", fix=fix)
    return False
