"""An OpenAPI document as specs: assembled, normalised, proven, and written out as files of our layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar

from ... import ir
from ...diagnostics import Diagnostic, Report
from ...documents import SpecTree
from ...load.dialects import check_dialect
from ...load.refs import References
from ...plan import primary_field
from ...spec_text import json_text, toml_text
from ..rewrite import mend, rewritten
from ..write import Imported
from .assembly import Assembly, Task, assemble
from .codes import Unsayable
from .documents import Documents
from .examples import examples
from .operations import LeftOut, Operation, refuse
from .schemas import Schemas
from .service import Service, meta

_NO_OBJECT: Final = "TB301"
_JSON: Final = "application/json"
_ROOM: Final = 100

T = TypeVar("T")


@dataclass(frozen=True)
class Proven:
    """Tasks whose specs read without errors: as assembled, as normalised, and what was found on the way."""

    tasks: Sequence[Task]
    raw: Assembly
    tree: SpecTree
    api: ir.Api
    report: Report


def specs(documents: Documents, schemas: Schemas, service: Service, tasks: list[Task], left: list[LeftOut]) -> Imported:
    """The files of the tasks that can be said exactly; the others join what is left out."""
    proven = _proven(documents, schemas, service, tasks, left)
    for diagnostic in _here(documents, proven.raw, proven.report):
        documents.report.add(diagnostic)
    files: dict[str, str | bytes] = {}
    left_out = {each.name: each.reason for each in left}
    if not proven.tasks:
        return Imported(files, documents.report, left_out)
    tree = rewritten(proven.tree)
    names = {(d.source.path, d.source.pointer): d.name for d in proven.api.definitions if d.source}
    for diagnostic in _here(documents, proven.raw, mend(tree, names)):
        documents.report.add(diagnostic)
    for document in tree.documents:
        files[document.path] = json_text(document.data)
    files["dialects.toml"] = toml_text({service.name: service.table()})
    for operation, bodies in proven.tasks:
        shown, beside = examples(documents, proven.tree, proven.api, operation, bodies.wrapped)
        table = meta(documents, operation) | ({"examples": shown} if shown else {})
        files[f"{operation.id}/task.toml"] = toml_text(table)
        files[f"{operation.id}/wire.toml"] = toml_text({service.name: _spoken(proven.api, operation, bodies.spoken())})
        files |= {f"{operation.id}/{path}": data for path, data in beside.items()}
    return Imported(files, documents.report, left_out)


def _spoken(api: ir.Api, operation: Operation, wire: Mapping[str, Any]) -> dict[str, Any]:
    """The wire of a task; a file that is a whole request is sent in JSON where the service reads nothing else."""
    task = next(task for task in api.tasks if task.id == operation.id)
    root = api.resolve(ir.Ref(task.input))
    assert isinstance(root, ir.Object), "all others were refused"
    media = isinstance(api.resolve(ir.split_null(primary_field(root).type)[0]), ir.Media)
    only_json = operation.request.kind == "json" and not operation.request.or_file
    return {**wire, "body": _JSON} if media and only_json and "body" not in wire else dict(wire)


def _proven(documents: Documents, schemas: Schemas, service: Service, tasks: list[Task], left: list[LeftOut]) -> Proven:
    """As many of the tasks as read without errors; requests that are no objects are wrapped for that."""
    while True:
        wires = {operation.id: {service.name: bodies.spoken()} for operation, bodies in tasks}
        raw = assemble(schemas, tasks, f"{service.name}.json", wires, {service.name: service.table()})
        report, tree, api = _below(_ROOM, partial(_read, raw.tree))
        if not report.fatal:
            return Proven(tasks, raw, tree, api, report)
        by_id = {operation.id: (operation, bodies) for operation, bodies in tasks}
        gone: dict[str, Diagnostic] = {}
        for diagnostic in report.fatal:
            for id in raw.tasks(diagnostic.path, diagnostic.pointer):
                operation, bodies = by_id[id]
                if diagnostic.code == _NO_OBJECT and not bodies.wrapped:
                    bodies.wrapped = True
                    documents.tell("TB428", operation.request.place, "the body is wrapped in the spec", repaired=True)
                elif not (diagnostic.code == _NO_OBJECT or id in gone):
                    gone[id] = diagnostic
        for id, diagnostic in gone.items():
            operation, _ = by_id[id]
            place = raw.origin(diagnostic.path, diagnostic.pointer) or operation.place
            reason = f"{diagnostic.code}: {diagnostic.message}"
            name = f"POST {operation.route}"
            refuse(documents, name, Unsayable(reason, place, diagnostic.fix))
            left.append(LeftOut(name, reason))
        tasks = [task for task in tasks if task[0].id not in gone]


def _below(frames: int, call: Callable[[], T]) -> T:
    """What `call` answers so many frames down: what has room enough here has it wherever it is done again."""
    return call() if frames == 0 else _below(frames - 1, call)


def _read(tree: SpecTree) -> tuple[Report, SpecTree, ir.Api]:
    """What `generate` would find in a tree, as far as it gets."""
    from ...lower import lower
    from ...normalize import normalize

    report = Report()
    sound = [check_dialect(document, report) for document in tree.documents]
    if all(sound):
        References(tree.documents).check(report)
    if report.fatal:
        return report, tree, ir.Api((), ())
    tree = normalize(tree, report)
    return report, tree, ir.Api((), ()) if report.fatal else lower(tree, report)


def _here(documents: Documents, raw: Assembly, report: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Findings in a tree as findings in the document that it was made of; what only the tree has is none."""
    found = []
    for diagnostic in report:
        older = diagnostic.pointer.replace("/$defs/", "/definitions/", 1)  # as OpenAPI 3.0 is assembled
        place = raw.origin(diagnostic.path, diagnostic.pointer) or raw.origin(diagnostic.path, older)
        if place is not None:
            line = documents.line(place)
            found.append(replace(diagnostic, path=place.path, pointer=place.pointer, line=line))
    return found
