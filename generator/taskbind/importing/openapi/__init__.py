"""A service's OpenAPI document becomes specs: a task for each operation that is one, and the service's own dialect.

What is said of a schema is repaired by the rules of `normalize`, as in any spec; what has no exact counterpart leaves
its operation out, with a reason, and the others go on.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from ...diagnostics import Report, TaskbindError
from ...ir import Source
from ...load.dialects import LATEST
from ...load.files import UnreadableError
from ..write import Imported, ImportRefusedError
from .documents import Documents

_VERSION: Final = re.compile(r"3\.([012])(\.\d+)?(-.*)?")
_OWN_DIALECT: Final = "https://spec.openapis.org/oas/"


def read(file: Path, only: tuple[str, ...] = (), name: str = "") -> Imported:
    """The operations of the OpenAPI document `file` as files of our layout.

    `only` are patterns as of a shell, of the ids or paths of operations; the others are left out. `name` is that of the
    dialect. Raises ImportRefusedError for a document that cannot be read, TaskbindError where nothing is left of it.
    """
    from . import bodies
    from .codes import Unsayable
    from .operations import LeftOut, operations, refuse
    from .schemas import Schemas
    from .service import service, settled
    from .specs import specs

    if file.is_dir():
        raise TaskbindError(f"{file}: is a folder; name the OpenAPI document in it")
    if not file.is_file():
        raise TaskbindError(f"{file}: no such file; name an OpenAPI document in JSON or YAML")
    report = Report(root=file.parent)
    documents = Documents(file, report)
    minor = _checked(documents)
    found, left = operations(documents, only)
    about = service(documents, name)
    about = settled(about, [operation.id for operation in found])
    schemas = Schemas(documents, old=minor == 0)
    tasks = []
    for operation in found:
        try:
            tasks.append((operation, bodies.read(schemas, operation, about.path)))
        except Unsayable as problem:
            refuse(documents, f"POST {operation.route}", problem)
            left.append(LeftOut(f"POST {operation.route}", problem.message))
    schemas.tell_apart()
    imported = specs(documents, schemas, about, tasks, left)
    if not imported.files:
        raise ImportRefusedError(f"{documents.main}: none of its operations is a task; nothing was written", report)
    return imported


def _checked(documents: Documents) -> int:
    """The minor version of OpenAPI 3 that a document is written in. Raises ImportRefusedError for any other one."""
    place = Source(documents.main, "")
    try:
        main: Any = documents.value(documents.main)
    except UnreadableError:
        message = f"{documents.main} cannot be read; nothing was written"
        raise ImportRefusedError(message, documents.report) from None
    declared = main.get("openapi") if isinstance(main, dict) else None
    version = _VERSION.fullmatch(declared) if isinstance(declared, str) else None
    if isinstance(main, dict) and "swagger" in main:
        documents.tell("TB420", place, "is Swagger 2.0", "convert it to OpenAPI 3 first")
    elif version is None:
        documents.tell("TB420", place, "does not say `openapi: 3.0`, 3.1 or 3.2", "name an OpenAPI document")
    elif not isinstance(main.get("info"), dict) or not isinstance(main.get("paths"), dict):
        documents.tell("TB420", place, "has no `info` or no `paths`", "write a whole OpenAPI document")
    elif (dialect := main.get("jsonSchemaDialect", LATEST)) and not _known(dialect):
        documents.tell("TB420", place, "its `jsonSchemaDialect` is not known", "write JSON Schema 2020-12")
    else:
        return int(version[1])
    raise ImportRefusedError(f"{documents.main} is not what can be imported; nothing was written", documents.report)


def _known(dialect: Any) -> bool:
    return isinstance(dialect, str) and (dialect.rstrip("#") == LATEST or dialect.startswith(_OWN_DIALECT))
