"""Which JSON Schema draft a file is written in, and whether it is valid there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from ..diagnostics import Report
from ..documents import Document
from .codes import tell
from .positions import escape, line_of
from .walk import walk

DIALECTS: Final = {
    "http://json-schema.org/draft-04/schema": 4,
    "http://json-schema.org/draft-06/schema": 6,
    "http://json-schema.org/draft-07/schema": 7,
    "https://json-schema.org/draft/2019-09/schema": 2019,
    "https://json-schema.org/draft/2020-12/schema": 2020,
}
"""The drafts that are read, by their `$schema` without an empty fragment; the numbers are in order of age."""
_MOST: Final = 20  # problems of one kind that are told of one file
LATEST: Final = "https://json-schema.org/draft/2020-12/schema"


def dialect_of(data: Any) -> int | None:
    """The draft that a document declares (2020 where it declares none), or None for one that is not known."""
    declared = data.get("$schema", LATEST) if isinstance(data, dict) else LATEST
    return DIALECTS.get(declared.removesuffix("#")) if isinstance(declared, str) else None


def check_dialect(document: Document, report: Report) -> bool:
    """Whether a document is a valid schema of its draft, and all of it in that one; reports why not."""
    dialect = dialect_of(document.data)
    if dialect is None:
        _tell(report, "TB120", document, "/$schema", "`$schema` names no known draft", f'use "{LATEST}"')
        return False
    nested = (at for at, schema in walk(document.data) if "$schema" in schema and dialect_of(schema) != dialect)
    fix = "move that schema to a file of its own"
    found = [("TB120", f"{at}/$schema", "another dialect inside a document", fix) for at in islice(nested, _MOST)]
    problems = islice(_problems(document.data), _MOST)
    found += [("TB121", pointer, message, "correct the keyword") for pointer, message in problems]
    for code, pointer, message, fix in found:
        _tell(report, code, document, pointer, message, fix)
    return not found


def _problems(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What the meta-schema finds; it does not look into `$defs` before 2019-09, where they are common all the same."""
    if problem := metaschema_problem(data):
        yield problem
    if (dialect_of(data) or 0) >= 2019:
        return
    for pointer, schema in walk(data):
        held = schema.get("$defs", {})
        if not isinstance(held, dict):
            yield f"{pointer}/$defs", "`$defs` is no object"
            continue
        for name, inner in held.items():
            where = f"{pointer}/$defs/{escape(name)}"
            if not isinstance(inner, dict | bool):
                yield where, "a definition is no schema"
            elif isinstance(inner, dict) and (problem := metaschema_problem({**inner, "$schema": data["$schema"]})):
                yield where + problem[0], problem[1]


def metaschema_problem(data: dict[str, Any]) -> tuple[str, str] | None:
    """The first place where a schema breaks the meta-schema of its draft, ``(pointer, message)``, or None."""
    import jsonschema_rs

    try:
        jsonschema_rs.meta.validate(data if "$schema" in data else {**data, "$schema": LATEST})
    except jsonschema_rs.ValidationError as error:
        pointer = "".join(f"/{escape(str(step))}" for step in error.instance_path)
        return pointer, " ".join(error.message.split())
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        return "", " ".join(str(error).split())
    return None


def _tell(report: Report, code: str, document: Document, pointer: str, message: str, fix: str) -> None:
    line = line_of(document.text, pointer)
    tell(report, code, document.path, message, fix=fix, pointer=pointer, line=line)
