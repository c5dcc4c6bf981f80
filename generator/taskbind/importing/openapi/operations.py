"""The operations of a document that are tasks: what goes in, what comes out, and why the others are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

from ...diagnostics import TaskbindError
from ...ir import Source
from ...load.layout import MAX_ID, RESERVED
from ...load.wire import is_route
from ...names import words
from .codes import Unsayable
from .documents import Documents, inside

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_MOST: Final = 2_000
_GOOD: Final = ("200", "201", "202", "203", "2XX", "default")
_FILES: Final = ("audio", "image", "video")
_OTHER_FILES: Final = ("application/octet-stream", "application/pdf")
_SENT_OTHERWISE: Final = ("accept", "content-type", "authorization")
"""Headers that OpenAPI has other places for."""

NOT_ASKED: Final = "not asked for (--only)"
_MODEL: Final = (
    "if it is a model's name, write this task by hand with `models` in dialects.toml and `model_route` in wire.toml: "
    "docs/importing.md"
)
EVENTS: Final = "text/event-stream"
FORM: Final = "multipart/form-data"


@dataclass(frozen=True)
class Content:
    """One body: `types` are its media types (several only of a `file`), `place` that of the first one's object.

    `kind` says what it is: JSON, a form with files, or a file itself. `or_file`: JSON or a file itself.
    """

    kind: Literal["json", "form", "file"]
    types: tuple[str, ...]
    place: Source
    or_file: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation that becomes a task. `events` is the place of the media type of a streamed answer."""

    id: str
    route: str
    place: Source
    title: str
    summary: str
    description: str
    tag: str
    learn_more: str
    request: Content
    answer: Content
    events: Source | None
    errors: frozenset[Source]
    """The places of the schemas of its errors."""


@dataclass(frozen=True)
class LeftOut:
    """An operation that becomes none, and why."""

    name: str
    reason: str


def operations(documents: Documents, only: tuple[str, ...]) -> tuple[list[Operation], list[LeftOut]]:
    """Those that are tasks, and the others, each with its reason; which is reported as well.

    `only` are patterns as of a shell; where there are any, one of them fits the operation's id or its path.
    """
    found: list[Operation] = []
    others: list[LeftOut] = []
    taken: set[str] = set()
    for place, method, path in _all(documents):
        name = f"{method.upper()} {path}"
        try:
            about, _ = documents.followed(place)
            id = about.get("operationId") if isinstance(about, dict) else None
            if only and not any(fnmatchcase(text, pattern) for text in (path, id or path) for pattern in only):
                others.append(LeftOut(name, NOT_ASKED))
                continue
            if not isinstance(about, dict):
                raise Unsayable("is no object", place)
            if reason := _no_task(documents, place, method, about):
                others.append(LeftOut(name, reason))
                continue
            found.append(_operation(documents, place, path, about, taken))
        except Unsayable as problem:
            refuse(documents, name, problem)
            others.append(LeftOut(name, problem.message))
    return found, others


def refuse(documents: Documents, name: str, problem: Unsayable) -> None:
    """Report why an operation cannot be imported."""
    documents.tell(problem.code, problem.place, f"{name}: {problem.message}", problem.fix)


def _all(documents: Documents) -> Iterator[tuple[Source, str, str]]:
    """The place, method and path of each operation."""
    count = 0
    for path, place in documents.members(Source(documents.main, ""), "paths"):
        if path.startswith("x-"):
            continue
        try:
            item, place = documents.followed(place)
        except Unsayable as problem:
            refuse(documents, path, problem)
            continue
        for method in item if isinstance(item, dict) else ():
            if method in METHODS:
                count += 1
                if count > _MOST:
                    raise TaskbindError(f"{documents.main}: has more than {_MOST:,} operations; split it")
                yield inside(place, method), method, path


def _no_task(documents: Documents, place: Source, method: str, about: dict[str, Any]) -> str:
    """Why an operation is no task by its nature; empty if it may be one."""
    if method != "post":
        return f"is a {method.upper()}, and tasks are asked with POST"
    if "requestBody" not in about:
        return "has no body, and a task has an input"
    if not any(_answers(documents, place)):
        return "answers without content"
    return ""


def _operation(documents: Documents, place: Source, path: str, about: dict[str, Any], taken: set[str]) -> Operation:
    if "{" in path:
        raise Unsayable("has a part of its path to fill in", place, _MODEL)
    if not is_route(path):
        raise Unsayable(f"the path {path[:60]!r} is not one that a dialect can have", place)
    if "servers" in about or "servers" in documents.at(Source(place.path, place.pointer.rpartition("/")[0])):
        raise Unsayable("has a server of its own", place)
    request = _request(documents, inside(place, "requestBody"))
    answer, events = _answer(documents, place)
    _parameters(documents, place)
    id = _task_id(path, str(about.get("operationId") or ""), taken)
    title, summary, description = _texts(about, id)
    tags = about.get("tags")
    tag = tags[0] if isinstance(tags, list) and tags and isinstance(tags[0], str) else ""
    more = about.get("externalDocs")
    return Operation(
        id=id,
        route=path,
        place=place,
        title=title,
        summary=summary,
        description=description,
        tag=tag,
        learn_more=str(more.get("url") or "") if isinstance(more, dict) else "",
        request=request,
        answer=answer,
        events=events,
        errors=frozenset(_errors(documents, place)),
    )


def _task_id(path: str, operation: str, taken: set[str]) -> str:
    """A task's id from the operation's, without the path and the method that some frameworks put behind."""
    name, trail = words(operation), [*words(path), "post"]
    if name[-len(trail) :] == trail and len(name) > len(trail):
        name = name[: -len(trail)]
    if not name:
        steps = [step for step in path.split("/") if step != "api" and not re.fullmatch(r"v\d\w*", step)]
        name = words("/".join(steps)) or words(path)
    stem = "-".join(name)[: MAX_ID - 5].strip("-") or "operation"
    id, number = stem, 2
    while id in taken or id in RESERVED:
        id, number = f"{stem}-{number}", number + 1
    taken.add(id)
    return id


def _texts(about: dict[str, Any], id: str) -> tuple[str, str, str]:
    """Title, summary and description."""
    said, description = (_text(about.get(key)) for key in ("summary", "description"))
    summary = " ".join(said.split())
    first = " ".join(description.partition("\n\n")[0].split())
    if 0 < len(summary) <= 60 and not summary.endswith("."):
        title, summary = summary, re.split(r"(?<=[.!?]) ", first)[0][:200]
    else:
        title = " ".join(word.capitalize() for word in id.split("-"))
        summary = summary or re.split(r"(?<=[.!?]) ", first)[0][:200]
    return title, summary, description


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


# ------------------------------------------------------------------------------------------------------------- bodies


def _request(documents: Documents, place: Source) -> Content:
    _, place = documents.followed(place)
    types = _types(documents, place)
    if not types:
        raise Unsayable("the body has no media type", place)
    files = tuple(name for name in types if _is_file(name))
    for name, there in types.items():
        if _is_json(name):
            return Content("json", (name,), there, bool(files))
    if FORM in types:
        return Content("form", (FORM,), types[FORM])
    if files:
        return Content("file", files, types[files[0]])
    raise Unsayable(f"bodies of {', '.join(types)[:100]} are not spoken", place)


def _answers(documents: Documents, place: Source) -> Iterator[tuple[str, Source]]:
    """The media types of good answers, those of the first status with content."""
    known = dict(documents.members(place, "responses"))
    good = sorted((status for status in known if status in _GOOD), key=_GOOD.index)
    for status in good:
        _, there = documents.followed(known[status])
        if types := _types(documents, there):
            yield from types.items()
            return


def _answer(documents: Documents, place: Source) -> tuple[Content, Source | None]:
    types = dict(_answers(documents, place))
    events = types.get(EVENTS)
    where = inside(place, "responses")
    for name, there in types.items():
        if _is_json(name) or name == "*/*":
            return Content("json", (name,), there), events
    if files := tuple(name for name in types if _is_file(name)):
        return Content("file", files, types[files[0]]), events
    if events:
        raise Unsayable("answers with events only, and a task has a whole answer too", where)
    raise Unsayable(f"answers of {', '.join(types)[:100]} are not spoken", where)


def _types(documents: Documents, place: Source) -> dict[str, Source]:
    """The media types at a body or an answer, without their parameters."""
    return {name.partition(";")[0].strip().lower(): there for name, there in documents.members(place, "content")}


def _is_json(name: str) -> bool:
    return name == "application/json" or (name.startswith("application/") and name.endswith("+json"))


def _is_file(name: str) -> bool:
    return name.partition("/")[0] in _FILES or name in _OTHER_FILES


def _errors(documents: Documents, place: Source) -> Iterator[Source]:
    for status, there in documents.members(place, "responses"):
        if status not in _GOOD or status == "default":
            try:
                _, there = documents.followed(there)
                for name, body in _types(documents, there).items():
                    if _is_json(name):
                        yield documents.followed(inside(body, "schema"))[1]
            except Unsayable:
                continue  # what an error looks like is no part of a task


def _parameters(documents: Documents, place: Source) -> None:
    """Report the parameters beside the body; those of the path are known to be none."""
    holder = Source(place.path, place.pointer.rpartition("/")[0])
    names: set[tuple[str, str]] = set()
    for there in (place, holder):
        held = documents.at(there).get("parameters")
        for index in range(len(held)) if isinstance(held, list) else ():
            about, stands = documents.followed(inside(there, "parameters", index))
            if not isinstance(about, dict):
                continue
            name, where = str(about.get("name")), str(about.get("in"))
            if (name, where) in names or (where == "header" and name.lower() in _SENT_OTHERWISE):
                continue
            names.add((name, where))
            how = {"query": "extra_query=", "header": "extra_headers="}.get(where, "extra_headers={'cookie': …}")
            must = "required " if about.get("required") is True else ""
            message = f"{must}{where[:20]} parameter {name[:60]!r} is no part of the task's request"
            documents.tell("TB423", stands, message, f"pass it with {how}")
