"""A normalised tree written out as people write specs: references from file to file, titles, no blanks around texts.

That is what every importer does after `normalize`, and it takes no judgement.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from ..diagnostics import Diagnostic, Report
from ..documents import Document, SpecTree
from ..load.dialects import LATEST
from ..load.official import is_official, official
from ..load.walk import walk
from ..names import pascal
from ..spec_text import json_text

_UNTITLED, _LOWER, _SHARED, _BLANKS = "TB260", "TB271", "TB272", "TB276"
_MENDED: Final = frozenset((_UNTITLED, _LOWER, _SHARED, _BLANKS))
"""Findings of style that are mended: a title that is missing, or is no name of its own, and blanks around a text."""


def rewritten(tree: SpecTree, place: Callable[[str], str] = str) -> SpecTree:
    """A normalised tree with its files where `place` puts them, as they will read there; its data is a copy."""
    there = {document.path: _rewritten(document, place) for document in tree.documents if not is_official(document)}
    tasks = tuple(
        replace(
            task,
            input=there[task.input.path],
            output=there[task.output.path],
            stream=there[task.stream.path] if task.stream else None,
        )
        for task in tree.tasks
    )
    return replace(tree, tasks=tasks, shared=tuple(there[d.path] for d in tree.shared if d.path in there))


def _rewritten(document: Document, place: Callable[[str], str]) -> Document:
    path = place(document.path)
    data = {"$schema": LATEST, **json.loads(json.dumps(document.data))}
    for _, schema in walk(data):
        if "$ref" in schema:
            schema["$ref"] = _reference(path, schema["$ref"], place)
    return Document(path, json_text(data), data)


def _reference(path: str, target: str, place: Callable[[str], str]) -> str:
    """A canonical reference, as a URI reference from the file at `path`."""
    to, _, pointer = target.partition("#")
    if is_official(Document(to, "", None)):
        return _official_reference(to, pointer)
    to = place(to)
    relative = "" if to == path else posixpath.relpath(to, posixpath.dirname(path))
    return f"{quote(relative)}#{quote(pointer, safe='/$~')}"


def _official_reference(path: str, pointer: str) -> str:
    """A reference into a schema of JSON Schema itself, which is as its authors wrote it, and not normalised."""
    known = ((uri, official(uri)) for uri in (f"http://{path}", f"https://{path}"))
    uri, data = next((uri, document.data) for uri, document in known if document is not None)
    older = pointer.replace("/$defs/", "/definitions/")
    there = any(at == older for at, _ in walk(data))
    return f"{uri}#{quote(older if there else pointer, safe='/$~')}"


def mend(tree: SpecTree, names: Mapping[tuple[str, str], str]) -> Iterator[Diagnostic]:
    """Mend in place what the linter finds poor in a tree and what only takes a name; say what, and where in the tree.

    `names` are what classes are called for want of a title, by the path and pointer of their schemas.
    """
    from ..normalize.style_rules import check_style

    found = Report()
    check_style(tree, found)
    schemas = {(document.path, at): schema for document in tree.documents for at, schema in walk(document.data)}
    tasks = {document.path: task.id for task in tree.tasks for document in task.documents}
    for d in sorted((d for d in found if d.code in _MENDED), key=lambda d: d.code):
        at, _, key = (d.pointer, "", "title") if d.code == _UNTITLED else d.pointer.rpartition("/")
        schema = schemas[d.path, at]
        text = str(schema.get(key, ""))
        if d.code == _UNTITLED:  # what an `allOf` adds has no class of its own
            text = "" if at.rpartition("/")[0].endswith("/allOf") else names.get((d.path, at), "")
        elif d.code == _LOWER:
            text = text[:1].upper() + text[1:]
        elif d.code == _SHARED:
            text = pascal(tasks[d.path]) + text
        else:
            text = text.strip()
        if text:
            said = f"{key} is now {text[:60]!r}" if key in schema else f"{key} {text[:60]!r} added"
            rest = dict(schema)
            schema.clear()
            schema |= rest | {key: text} if key in rest else {key: text} | rest
            yield replace(d, message=said, repaired=True)
