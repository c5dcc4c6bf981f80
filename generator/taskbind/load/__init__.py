"""Load a spec root: files in, :class:`~taskbind.documents.SpecTree` out. Never the network, never outside the root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..diagnostics import Report
from ..documents import Document, SpecTree, TaskSource
from .codes import tell
from .dialects import check_dialect
from .files import Reader, UnreadableError
from .layout import Folder, survey
from .meta import read_meta
from .positions import line_of
from .refs import References, placeholder

__all__ = ["load"]


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
    sound = _sound(References(candidates, broken).check(report))
    sources = (_source(reader, folder, {path: documents[path] for path in sound}) for folder in kept)
    tasks = tuple(sorted((source for source in sources if source is not None), key=lambda task: task.id))
    if not folders and not report.fatal:
        fix = "add <task>/input.json and <task>/output.json"
        tell(report, "TB114", ".", f"the spec root {root.name!r} holds no task", fix=fix)
    return SpecTree(root, tasks, tuple(documents[path] for path in sorted(sound.intersection(shared_paths))))


def _sound(uses: dict[str, set[str]]) -> set[str]:
    """The documents that refer, directly and indirectly, to sound documents only."""
    sound = set(uses)
    while True:
        rest = {path for path in sound if uses[path] <= sound}
        if rest == sound:
            return sound
        sound = rest


def _source(reader: Reader, folder: Folder, documents: dict[str, Document]) -> TaskSource | None:
    meta = read_meta(reader, folder)
    responses = _responses(reader, folder, meta or {})
    if meta is None or responses is None or not documents.keys() >= set(folder.schemas):
        return None
    stream = documents[folder.stream] if folder.stream else None
    recorded = frozenset(name for name, _, recorded in folder.responses if recorded)
    return TaskSource(
        folder.id, documents[folder.input], documents[folder.output], stream, meta, folder.meta or "", responses, recorded
    )


def _responses(reader: Reader, folder: Folder, meta: dict[str, Any]) -> dict[str, Any] | None:
    """The responses of a task by the name of their example, a recorded one first; None if one cannot be read."""
    examples = meta.get("examples", [])
    names = {example.get("name") for example in examples if isinstance(example, dict)}
    responses: dict[str, Any] = {}
    for name, path, _ in folder.responses:
        try:
            _, value = reader.value(path)
        except UnreadableError:
            return None
        if name in names:
            responses[name] = value
        else:
            fix = "name it like its example, or delete it"
            tell(reader.report, "TB119", path, f"no example in task.toml is called {name[:60]!r}", fix=fix)
    return responses
