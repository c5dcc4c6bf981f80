"""Rules of style that compare schemas with each other: the members and titles of one task, or of all of them."""

from __future__ import annotations

import inspect
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..diagnostics import Code, Severity
from .rule import Finding, Place, short, type_names
from .work import Work

Apply = Callable[[Work], Iterator[tuple[Place, Finding]]]


@dataclass(frozen=True)
class Across:
    """A code with the function that finds it in a whole tree."""

    code: Code
    apply: Apply


def across(code: str, severity: Severity, title: str) -> Callable[[Apply], Across]:
    """Make a rule of a function over a tree; its docstring is the explanation that users read."""

    def make(apply: Apply) -> Across:
        return Across(Code(code, severity, title, " ".join((inspect.getdoc(apply) or title).split())), apply)

    return make


@across("TB267", Severity.WARNING, "parameter with another type elsewhere")
def type_drift(work: Work) -> Iterator[tuple[Place, Finding]]:
    """The same parameter has another type in most other tasks, so who knows one task is wrong about the next. The odd
    one out is reported; where there is no majority, the last by the order of tasks."""
    uses: dict[str, list[tuple[Place, str, str]]] = defaultdict(list)
    places = {id(place.schema): place for place in work.places}
    for task in work.tree.tasks:
        box = _parameters(work, work.roots[task.input.path])
        for name, schema in _members(box).items():
            where, said = places.get(id(schema)), _type(work, schema)
            if where is not None and said:
                uses[name].append((where, said, task.id))
    for name, found in uses.items():
        counts = Counter(said for _, said, _ in found)
        usual = counts.most_common(1)[0][0]
        like = next(task for _, said, task in found if said == usual)
        for place, said, _ in found:
            if said != usual:
                message = f"{short(name)} is {said} here and {usual} in {like}"
                yield place, Finding(message, "use one type, or two names", "", repaired=False)


def _parameters(work: Work, root: dict[str, Any]) -> dict[str, Any]:
    """The schema of a request's `parameters`."""
    schema = _members(root).get("parameters")
    while isinstance(schema, dict) and (target := work.target(schema)) is not None:
        schema = target
    return schema if isinstance(schema, dict) else {}


def _members(schema: dict[str, Any]) -> dict[str, Any]:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _type(work: Work, schema: Any) -> str:
    """The JSON types of a schema that says them itself or by reference; empty where it does not."""
    while isinstance(schema, dict) and (target := work.target(schema)) is not None:
        schema = target
    return " or ".join(sorted(type_names(schema) - {"null"})) if isinstance(schema, dict) else ""


@across("TB268", Severity.WARNING, "description in another spelling")
def other_spelling(work: Work) -> Iterator[tuple[Place, Finding]]:
    """A description names a member in another spelling than the schema, such as `returnTimestamps` for
    `return_timestamps`, or `topk` for `top_k`. Readers copy what they read, and that name is not known."""
    known: dict[str, dict[str, str]] = defaultdict(dict)  # task → spelling without underscores → name
    exact: dict[str, set[str]] = defaultdict(set)
    for place in work.places:
        for name in _members(place.schema):
            exact[place.task].add(name)
            if "_" in name:
                known[place.task].setdefault(name.replace("_", "").lower(), name)
    for place in work.places:
        text, names = place.schema.get("description"), known[place.task]
        if not names or not isinstance(text, str):
            continue
        for word in dict.fromkeys(re.findall(r"[A-Za-z][A-Za-z0-9]+", text)):
            meant = names.get(word.lower())
            if meant is None or word in exact[place.task]:
                continue
            # Words joined without a hump may be a word of their own ("timestamp"), unless one is a single letter.
            if re.search(r"[a-z][A-Z]", word) or any(len(part) == 1 for part in meant.split("_")):
                message = f"{short(word)} is called {short(meant)} in the schema"
                yield place, Finding(message, f"write {meant[:60]}", "/description", repaired=False)


@across("TB272", Severity.WARNING, "one title in two tasks")
def shared_title(work: Work) -> Iterator[tuple[Place, Finding]]:
    """Schemas of two tasks have one title, which does not begin with the name of either. Titles become class names, and
    one of two equal names has to be changed. Begin it with the task's name, or let both tasks refer to one shared
    definition."""
    titled: dict[str, list[Place]] = defaultdict(list)
    for place in work.places:
        title = place.schema.get("title")
        if place.task and isinstance(title, str) and isinstance(place.schema.get("type"), str):
            titled[title].append(place)
    for title, places in titled.items():
        tasks = sorted({place.task for place in places})
        for place in places if len(tasks) > 1 else ():
            if not title.startswith("".join(word.capitalize() for word in place.task.split("-"))):
                other = next(task for task in tasks if task != place.task)
                message = f"{short(title)} is a title in {other} too"
                yield place, Finding(message, "begin it with the task's name", "/title", repaired=False)


ACROSS: Final = (type_drift, other_spelling, shared_title)
