"""The examples of a document as examples of a task: those that are valid, and that task.toml can hold."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ... import ir
from ...documents import SpecTree
from ...ir import Source
from ...load.walk import walk
from ...mismatch import Schemas
from ...names import words
from ...plan import primary_field
from ...spec_text import json_text
from .codes import Unsayable
from .documents import Documents, inside
from .operations import Operation

_MOST: Final = 5
_LARGEST: Final = 20_000  # characters of JSON


def examples(
    documents: Documents, tree: SpecTree, api: ir.Api, operation: Operation, wrapped: bool
) -> tuple[list[dict[str, Any]], dict[str, str | bytes]]:
    """The examples of a task, and their responses and sample files by their path in its folder."""
    if operation.request.kind != "json":
        return [], {}
    media = _Media.of(api, operation.id)
    schemas = Schemas({f"{d.path}#{at}": schema for d in tree.documents for at, schema in walk(d.data)})
    answers = {name: (value, place) for name, _, value, place in _given(documents, operation.answer.place)}
    shown: list[dict[str, Any]] = []
    beside: dict[str, str | bytes] = {}
    names: set[str] = set()
    for name, title, value, place in _given(documents, operation.request.place):
        if len(shown) == _MOST:
            break
        slug = "-".join(words(name))[:60].strip("-") or "example"
        value = {"inputs": value} if wrapped else value
        problem = _problem(schemas, f"{operation.id}/input.json#", value)
        split = None if problem or slug in names else _split(schemas, f"{operation.id}/input.json#", value)
        found = media.taken_out(split, f"examples/{slug}") if split else None
        if split is None or found is None:
            message = f"example {name[:60]!r} is left out: {problem or 'task.toml cannot hold it'}"
            documents.tell("TB427", place, message)
            continue
        names.add(slug)
        beside |= found
        shown.append({"name": slug, "title": title or " ".join(words(name)).capitalize() or "Example", **split})
        answer, there = answers.get(name, (None, place))
        if name in answers and operation.answer.kind == "json":
            if problem := _problem(schemas, f"{operation.id}/output.json#", answer):
                documents.tell("TB427", there, f"example {name[:60]!r} is left out: {problem}")
            else:
                beside[f"examples/{slug}.written.json"] = json_text(answer)
    return shown, beside


@dataclass(frozen=True)
class _Media:
    """Where the files of a request are: the primary input itself, or members of it."""

    itself: ir.Media | None
    members: dict[str, ir.Media]

    @classmethod
    def of(cls, api: ir.Api, id: str) -> _Media:
        root = api.resolve(ir.Ref(next(task.input for task in api.tasks if task.id == id)))
        assert isinstance(root, ir.Object), "all others were refused"
        type = api.resolve(ir.split_null(primary_field(root).type)[0])
        fields = type.fields if isinstance(type, ir.Object) else ()
        kinds = {field.name: api.resolve(ir.split_null(field.type)[0]) for field in fields}
        members = {name: kind for name, kind in kinds.items() if isinstance(kind, ir.Media)}
        return cls(type if isinstance(type, ir.Media) else None, members)

    def taken_out(self, example: dict[str, Any], stem: str) -> dict[str, str | bytes] | None:
        """The sample files that take the place of base64 in an example, by their path; None for what is no base64."""
        found: dict[str, str | bytes] = {}
        try:
            if self.itself is not None and "inputs" in example:
                example["media"] = _file(found, stem, self.itself, example.pop("inputs"))
            elif isinstance(inputs := example.get("inputs"), dict) and (names := self.members.keys() & inputs.keys()):
                order = [name for name in inputs if name in names]
                paths = {
                    name: _file(found, f"{stem}-{n}", self.members[name], inputs[name]) for n, name in enumerate(order)
                }
                example["inputs"] = {name: value for name, value in inputs.items() if name not in names}
                example["files"] = paths
        except (ValueError, TypeError):
            return None
        return found


def _file(found: dict[str, str | bytes], stem: str, media: ir.Media, text: str) -> str:
    """Keep the file that a text in base64 is; its path. Raises ValueError or TypeError for any other value."""
    kind = re.sub(r"[^a-z0-9]", "", media.content_type.partition("/")[2].partition("+")[0].removeprefix("x-"))
    path = f"{stem}.{kind if kind and kind != 'octetstream' else 'bin'}"
    found[path] = b64decode(text, validate=True)
    return path


def _given(documents: Documents, place: Source) -> Iterator[tuple[str, str, Any, Source]]:
    """The examples at a media type: name, title, value and place."""
    about = documents.at(place)
    if not isinstance(about, dict):
        return
    if "example" in about:
        yield "example", "", about["example"], inside(place, "example")
    for name, there in documents.members(place, "examples"):
        try:
            example, there = documents.followed(there)
        except Unsayable as problem:
            documents.tell("TB427", there, f"example {name[:60]!r} is left out: {problem.message}")
            continue
        if isinstance(example, dict):
            key = next((key for key in ("dataValue", "value") if key in example), None)
            if key:
                title = " ".join(str(example.get("summary") or "").split())[:100]
                yield name, title, example[key], inside(there, key)


def _problem(schemas: Schemas, where: str, value: Any) -> str:
    """Why a value is no example; empty if it is one."""
    if len(json.dumps(value)) > _LARGEST:
        return "it is too large"
    mismatch = next(schemas.mismatches(where, value), None)
    return f"{mismatch.pointer or 'it'} {mismatch.message}" if mismatch else ""


def _split(schemas: Schemas, where: str, request: Any) -> dict[str, Any] | None:
    """A request as the keys of an example; None where these cannot say it."""
    members = schemas.members(where)
    if not isinstance(request, dict) or not members or _holds_null(request):
        return None
    required = [name for name, member in members.items() if member.required]
    primary = "inputs" if "inputs" in members else next(iter([*required, *members]))
    box = request.get("parameters")
    inside_box = box if "parameters" in members and isinstance(box, dict) and primary != "parameters" else {}
    beside = {
        name: value for name, value in request.items() if name != primary and (name != "parameters" or not inside_box)
    }
    if "parameters" in beside or inside_box.keys() & (beside.keys() | members.keys()) or beside.keys() - members.keys():
        return None
    if primary not in request and not (inside_box or beside):
        return None
    out = {"inputs": request[primary]} if primary in request else {}
    return out | ({"parameters": {**inside_box, **beside}} if inside_box or beside else {})


def _holds_null(value: Any) -> bool:
    todo = [value]
    for item in todo:
        if item is None:
            return True
        todo += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return False
