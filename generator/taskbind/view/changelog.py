"""The changelog of the API: what changed on the wire from release to release, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

from .. import ir
from ..context import Context
from ..escape import code, json_text, markdown
from ..evolve.change import Change, Kind
from ..evolve.changes import changes
from ..evolve.releases import Release, read_releases
from ..plan import Plan
from .words import type_name

_SIDES: Final = {
    "request": "request",
    "response": "response",
    "stream": "event of a stream",
    "task": "task",
    "dialect": "dialect",
}
_BOUNDS: Final = {
    "minimum": "at least {}",
    "exclusive_minimum": "more than {}",
    "maximum": "at most {}",
    "exclusive_maximum": "less than {}",
    "multiple_of": "a multiple of {}",
    "min_length": "at least {} characters long",
    "max_length": "at most {} characters long",
    "min_items": "at least {} items",
    "max_items": "at most {} items",
    "unique": "without two items alike",
}
_FEW: Final = 3
"""More tasks than this are called "all tasks" where they are all."""


@dataclass(frozen=True)
class Row:
    """One change, of all the tasks that it is the same for. Every cell is finished Markdown."""

    field: str
    where: str
    change: str
    tasks: str


@dataclass(frozen=True)
class Version:
    """One version. `intro` and `wording` are sentences; either may be empty, and there may be no rows."""

    anchor: str
    title: str
    intro: str
    rows: tuple[Row, ...]
    wording: str


@dataclass(frozen=True)
class Changelog:
    """All versions, the newest first."""

    versions: tuple[Version, ...]


def changelog_view(api: ir.Api, plan: Plan, context: Context) -> Changelog:
    """The difference of each release to the one before, and of `api` to the last one.

    Raises TaskbindError for a file among the releases that is none.
    """
    releases = read_releases(context.config.releases)
    now = Release("", api)
    pages = {task.id for task in api.tasks}
    first, *_ = stages = [*releases, now]
    versions = [_first(first, pages)]
    versions += [_version(old.api, new, pages) for old, new in pairwise(stages)]
    if releases and changes(releases[-1].api, api) == ():
        del versions[-1]
    return Changelog(tuple(reversed(versions)))


def _first(release: Release, pages: set[str]) -> Version:
    tasks = release.api.tasks
    intro = f"The first version, with {_count(len(tasks), 'task')}: {_names(tasks, pages)}."
    return Version(*_heading(release), intro, (), "")


def _heading(release: Release) -> tuple[str, str]:
    """Its anchor and its title. The heading itself may get an anchor from its words, which must not be the same."""
    return f"version-{release.version or 'unreleased'}", release.version or "Unreleased"


def _version(old: ir.Api, release: Release, pages: set[str]) -> Version:
    new, found = release.api, changes(old, release.api)
    added = [c.after for c in found if isinstance(c.after, ir.Task) and c.kind is Kind.ADDED]
    removed = [c.before for c in found if isinstance(c.before, ir.Task) and c.kind is Kind.REMOVED]
    new_dialects = {c.path for c in found if not c.task and c.kind in (Kind.ADDED, Kind.REMOVED)}
    tasks = {task.id: task for task in (*old.tasks, *new.tasks)}
    common = {task.id for task in old.tasks} & {task.id for task in new.tasks}
    rows: dict[tuple[str, str, str], dict[str, ir.Task | None]] = {}
    for change in found:
        told = change.kind is Kind.DESCRIPTION or (change.side == "task" and change.kind in (Kind.ADDED, Kind.REMOVED))
        if told or (change.task and change.side == "dialect" and change.path in new_dialects):
            continue
        field = _dialect(change.path, old, new) if change.side == "dialect" else code(change.path or "(root)")
        key = field, _SIDES[change.side], _sentence(change, old, new)
        rows.setdefault(key, {})[change.task] = tasks.get(change.task)
    intro = [f"New: {_names(added, pages)}."] if added else []
    intro += [f"Removed: {_names(removed, pages)}."] if removed else []
    reworded = [c for c in found if c.kind is Kind.DESCRIPTION]
    if not found:
        intro = ["No change of the API."]
    return Version(
        *_heading(release),
        intro=" ".join(intro),
        rows=tuple(
            Row(*key, _all_or_names([task for task in tasks_of.values() if task], common, pages))
            for key, tasks_of in rows.items()
        ),
        wording=_wording(reworded),
    )


def _wording(reworded: Sequence[Change]) -> str:
    if not reworded:
        return ""
    places = len({(change.task, change.side, change.path) for change in reworded})
    tasks = len({change.task for change in reworded if change.task})
    of = f" of {_count(tasks, 'task')}" if tasks else ""
    return f"Worded anew, without a change of meaning: {_count(places, 'description')}{of}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _names(tasks: Sequence[ir.Task], pages: set[str]) -> str:
    """The titles of tasks, with a link to the page of each that still has one."""
    return ", ".join(
        f"[{markdown(task.title, links=False)}]({quote(task.id)}.md)" if task.id in pages else markdown(task.title)
        for task in tasks
    )


def _all_or_names(tasks: Sequence[ir.Task], common: set[str], pages: set[str]) -> str:
    if len(tasks) > _FEW and {task.id for task in tasks} == common:
        return "all tasks"
    return _names(tasks, pages) or "–"


def _dialect(name: str, old: ir.Api, new: ir.Api) -> str:
    titles = {dialect.name: dialect.title for dialect in (*old.dialects, *new.dialects)}
    return markdown(titles[name])


# ----------------------------------------------------------------------------------------------------------- sentences


def _sentence(change: Change, old: ir.Api, new: ir.Api) -> str:
    """What changed, in a few words."""
    before, after = change.before, change.after
    match change.kind:
        case Kind.ADDED:
            return _added(change, new)
        case Kind.REMOVED:
            return "spoken as in the spec again" if isinstance(before, ir.Wire) else "removed"
        case Kind.REQUIRED:
            return "required now"
        case Kind.OPTIONAL:
            return "optional now"
        case Kind.TYPE:
            return _type(change, old, new)
        case Kind.VALUES:
            return _values(before, after)
        case Kind.BOUNDS:
            return _turn(*(_bound(change.name, value) for value in (before, after)))
        case Kind.FORMAT:
            return f"{change.name.replace('_', ' ')} {_turn(*(code(v) if v else '' for v in (before, after)))}"
        case Kind.NULLABLE:
            return "may be null now" if after else "may no longer be null"
        case Kind.DEFAULT:
            return f"default {_turn(*('' if v is ir.ABSENT else code(json_text(v)) for v in (before, after)))}"
        case Kind.CLOSED | Kind.OPENED:
            return _others(change, new)
        case Kind.CHECK:
            return "what values must fulfil together changed; see the JSON Schema"
        case Kind.DEPRECATED:
            return "deprecated" if after else "no longer deprecated"
        case Kind.WIRE:
            return "spoken otherwise"
        case Kind.DESCRIPTION:
            return "worded anew"


def _turn(before: str, after: str) -> str:
    if before and after:
        return f"{after}, was {before}"
    return f"{after} now" if after else f"no longer {before}"


def _added(change: Change, new: ir.Api) -> str:
    match change.after:
        case ir.Wire():
            return "spoken in a way of its own"
        case ir.Dialect():
            return "new dialect"
        case ir.Field() as field:
            default = [] if field.default is ir.ABSENT else [f"default {code(json_text(field.default))}"]
            words = [markdown(type_name(new, field.type)), "required" if field.required else "optional", *default]
            return f"new: {', '.join(words)}"
        case type:
            return f"new: {markdown(type_name(new, type))}"


def _type(change: Change, old: ir.Api, new: ir.Api) -> str:
    if change.name:
        type = new.resolve(change.after)
        one = isinstance(type, ir.Union) and type.exclusive
        return f"{'exactly one' if one else 'more than one'} of its alternatives {'must' if one else 'may'} fit now"
    before, after = markdown(type_name(old, change.before)), markdown(type_name(new, change.after))
    return _turn(before, after) if before != after else f"{after}, with other alternatives"


def _values(before: tuple[str, ...] | None, after: tuple[str, ...] | None) -> str:
    def listed(values: Sequence[str]) -> str:
        return ", ".join(code(json_text(value)) for value in values)

    if before is None or after is None:
        return f"only {listed(after)} now" if after else f"any text now, was one of {listed(before or ())}"
    new, gone = ([v for v in one if v not in other] for one, other in ((after, before), (before, after)))
    said = [f"new values {listed(new)}"] if new else []
    return ", ".join([*said, *([f"no longer {listed(gone)}"] if gone else [])])


def _bound(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    return _BOUNDS[name].format(json_text(value))


def _others(change: Change, new: ir.Api) -> str:
    what = "further items" if change.path.endswith("[]") else "other members"
    if isinstance(change.after, bool):
        return f"{what} allowed now" if change.after else f"no {what} any more"
    return f"{what} must be {markdown(type_name(new, change.after))} now"
