"""The changelog of the API: what changed from release to release, and for whom it breaks, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from .. import ir, version
from ..context import Context
from ..escape import code, markdown
from ..evolve.change import Kind
from ..evolve.releases import Release, baseline, read_releases
from ..evolve.verdict import Level, Verdict
from ..evolve.wording import are_all
from ..plan import Plan, plan as planned

if TYPE_CHECKING:
    from ..evolve.compare import Comparison

_SIDES: Final = {
    "request": "request",
    "response": "response",
    "stream": "event of a stream",
    "task": "task",
    "dialect": "dialect",
    "python": "Python package",
}


@dataclass(frozen=True)
class Row:
    """One change, of all the tasks that it is the same for. Every cell is finished Markdown."""

    field: str
    where: str
    change: str
    level: str
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
    """The difference of each release to its baseline, and of `api` to the last one.

    Raises TaskbindError for a file among the releases that is none.
    """
    releases = read_releases(context.config.releases)
    pages = frozenset(task.id for task in api.tasks)
    if not releases:
        return Changelog((_first("", api.tasks, pages),))
    known = {release.version: release for release in releases}
    versions = [_released(release, known, pages, plan, context) for release in releases]
    last = releases[-1].api
    unreleased = _version("", _judged(last, api, plan, context), last, api, pages)
    if unreleased.rows or unreleased.wording or unreleased.intro != _UNCHANGED:
        versions.append(unreleased)
    return Changelog(tuple(reversed(versions)))


def _released(
    release: Release, known: Mapping[str, Release], pages: frozenset[str], plan: Plan, context: Context
) -> Version:
    """One release; what is known of two releases cannot change, and is kept."""
    base = baseline(version.Version(release.version), map(version.Version, known))
    if base is None:
        return _first(release.version, release.api.tasks, pages)
    old = known[base.name]
    key = context.key("changelog", old.digest, release.digest, release.version, pages, plan.package)
    if (kept := context.memo.get(key)) is not None:
        return _read(kept.note)
    verdicts = _judged(old.api, release.api, planned(release.api, context.config), context)
    found = _version(release.version, verdicts, old.api, release.api, pages)
    context.memo.put(key, "", asdict(found))
    return found


_UNCHANGED: Final = "No change of the API."


def _judged(old: ir.Api, new: ir.Api, plan: Plan, context: Context) -> tuple[Verdict, ...]:
    from ..evolve.surface import Planned, judge_all  # not at the top: a project without releases judges nothing

    return judge_all(Planned(old, planned(old, context.config)), Planned(new, plan))


def _read(data: Any) -> Version:
    return Version(**{**data, "rows": tuple(Row(**row) for row in data["rows"])})


def _first(name: str, tasks: Sequence[ir.Task], pages: frozenset[str]) -> Version:
    intro = f"The first version, with {_count(len(tasks), 'task')}: {_names(tasks, pages)}."
    return Version(*_heading(name), intro, (), "")


def _heading(name: str) -> tuple[str, str]:
    """Its anchor and its title. The heading itself may get an anchor from its words, which must not be the same."""
    return f"version-{name or 'unreleased'}", name or "Unreleased"


def _version(name: str, found: Sequence[Verdict], old: ir.Api, new: ir.Api, pages: frozenset[str]) -> Version:
    added = [c.after for c in _whole_tasks(found) if c.kind is Kind.ADDED]
    removed = [c.before for c in _whole_tasks(found) if c.kind is Kind.REMOVED]
    intro = [f"New: {_names(added, pages)}."] if added else []
    intro += [f"Removed: {_names(removed, pages)}."] if removed else []
    return Version(
        *_heading(name),
        intro=" ".join(intro) if found else _UNCHANGED,
        rows=tuple(_rows(found, old, new, pages)),
        wording=_wording(found),
    )


def _whole_tasks(found: Iterable[Verdict]) -> Iterator[Any]:
    """The changes by which tasks come and go."""
    for verdict in found:
        if verdict.change.side == "task" and verdict.change.kind in (Kind.ADDED, Kind.REMOVED):
            yield verdict.change


def _rows(found: Sequence[Verdict], old: ir.Api, new: ir.Api, pages: frozenset[str]) -> Iterator[Row]:
    """A row for what is the same for several tasks, the worst first."""
    whole = {id(change) for change in _whole_tasks(found)}
    new_dialects = {v.change.path for v in found if not v.change.task and v.change.kind in (Kind.ADDED, Kind.REMOVED)}
    titles = {dialect.name: markdown(dialect.title) for dialect in (*old.dialects, *new.dialects)}
    tasks = {task.id: task for task in (*old.tasks, *new.tasks)}
    common = {task.id for task in old.tasks} & {task.id for task in new.tasks}
    rows: dict[tuple[str, str, str, str], dict[str, ir.Task]] = {}
    for verdict in sorted(found, key=lambda verdict: -verdict.level.rank):
        change = verdict.change
        told = change.kind is Kind.DESCRIPTION or id(change) in whole
        if told or (change.task and change.side == "dialect" and change.path in new_dialects):
            continue
        field = titles[change.path] if change.side == "dialect" else code(change.path or "(root)")
        key = field, _SIDES[change.side], markdown(verdict.what), _level(verdict)
        own = rows.setdefault(key, {})
        if change.task in tasks:
            own[change.task] = tasks[change.task]
    for key, own in rows.items():
        yield Row(*key, _all_or_names([*own.values()], common, pages))


def _level(verdict: Verdict) -> str:
    """Both levels, in one word where they are the same."""
    wire, python = (
        f"**{level}**" if level is Level.BREAKING else level.value for level in (verdict.wire, verdict.python)
    )
    return wire if wire == python else f"{wire} on the wire, {python} in Python"


def _wording(found: Iterable[Verdict]) -> str:
    reworded = [verdict.change for verdict in found if verdict.change.kind is Kind.DESCRIPTION]
    if not reworded:
        return ""
    places = len({(change.task, change.side, change.path) for change in reworded})
    tasks = len({change.task for change in reworded if change.task})
    of = f" of {_count(tasks, 'task')}" if tasks else ""
    return f"Worded anew, without a change of meaning: {_count(places, 'description')}{of}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _names(tasks: Sequence[ir.Task], pages: frozenset[str]) -> str:
    """The titles of tasks, with a link to the page of each that still has one."""
    return ", ".join(
        f"[{markdown(task.title, links=False)}]({quote(task.id)}.md)" if task.id in pages else markdown(task.title)
        for task in tasks
    )


def _all_or_names(tasks: Sequence[ir.Task], common: set[str], pages: frozenset[str]) -> str:
    if are_all([task.id for task in tasks], common):
        return "all tasks"
    return _names(tasks, pages) or "–"


def section(api: ir.Api, comparison: Comparison | None) -> list[str]:
    """The lines of a `CHANGELOG.md` on what changed in the API, with their heading; None: this is the first release."""
    if comparison is None:
        version = _first("", api.tasks, frozenset())
    else:
        found = [finding.verdict for finding in comparison.findings]
        version = _version("", found, comparison.old.api, comparison.new.api, frozenset())
    lines = [f"- {version.intro}"] if version.intro else []
    for row in version.rows:
        about = "" if row.tasks == "–" else f" ({row.tasks})"
        lines.append(f"- {row.level}: {row.where} {row.field}: {row.change}{about}")
    lines += [f"- {version.wording}"] if version.wording else []
    return ["### API", "", *lines]
