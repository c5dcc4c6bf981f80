"""The rules that speak of changes of tasks as a whole, and of dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any as Json, Final

from .. import ir
from . import wording
from .change import Change, Kind

Case = tuple[str, str]
"""The id of a rule, and what happened."""


def task_cases(change: Change) -> Iterator[Case]:
    """The rules on a change of a task or of one whole side of it."""
    if change.side == "stream":
        added = change.kind is Kind.ADDED
        yield ("stream-added", "answers can be streamed") if added else ("stream-removed", "answers are not streamed")
    elif change.kind is Kind.RENAMED:
        yield "task-renamed", f"renamed, was {wording.value(change.before.id)}"
    elif change.kind is Kind.ADDED:
        yield "task-added", "a new task"
    elif change.kind is Kind.REMOVED:
        yield "task-removed", "the task is gone"
    else:
        yield "task-reworded", f"its {change.name} is worded anew"


def dialect_cases(change: Change, old: ir.Api, new: ir.Api) -> Iterator[Case]:
    """The rules on a change of a dialect, or of how it speaks a task."""
    if change.kind is Kind.DESCRIPTION:
        yield "dialect-reworded", f"its {change.name} is worded anew"
    elif change.kind is Kind.WIRE:
        yield from _ATTRIBUTES[change.name](change)
    elif not change.task:
        yield ("dialect-added", "a new dialect") if change.kind is Kind.ADDED else ("dialect-removed", "it is gone")
    else:
        yield _way(change, old, new)


def _way(change: Change, old: ir.Api, new: ir.Api) -> Case:
    """A task is spoken in a way of its own, or no longer."""
    added = change.kind is Kind.ADDED
    other = next((dialect for dialect in (old if added else new).dialects if dialect.name == change.path), None)
    task = any(task.id == change.task for task in old.tasks)
    if added and (other is None or other.closed or not task):
        return "dialect-task-added", "the task is spoken in this dialect now"
    if added:
        return "dialect-way-added", "the task is spoken in a way of its own now"
    return "dialect-way-removed", "the task is no longer spoken in a way of its own"


def _plain(rule: str) -> Callable[[Change], Iterator[Case]]:
    def case(change: Change) -> Iterator[Case]:
        yield rule, wording.turned(change.name, _said(change.before), _said(change.after))

    return case


def _said(value: Json) -> Json:
    return value or None


def _turned_on(on: str, off: str) -> Callable[[Change], Iterator[Case]]:
    def case(change: Change) -> Iterator[Case]:
        yield (on if change.after else off), f"`{change.name}` is {'on' if change.after else 'off'} now"

    return case


def _limit(change: Change) -> Iterator[Case]:
    lowered = change.before is None or (change.after is not None and change.after < change.before)
    what = wording.turned("the most bytes of a request", change.before, change.after)
    yield "dialect-body-limit-lowered" if lowered else "dialect-body-limit-raised", what


def _forms(kind: str) -> Callable[[Change], Iterator[Case]]:
    def case(change: Change) -> Iterator[Case]:
        before, after = (forms or ((),) for forms in (change.before, change.after))  # without any: as in the spec
        spoken = before[0] != after[0]
        if spoken and kind == "request":
            yield "dialect-request-form-spoken", "another form of requests is spoken"
        elif spoken:
            rule = "dialect-answer-form-known" if after[0] in before else "dialect-answer-form-spoken"
            yield rule, "servers answer in another form"
        if any(form not in after for form in (before if kind == "request" else before[1:])):
            yield f"dialect-{kind}-form-removed", f"a form of {change.name} is no longer understood"
        if any(form not in before for form in after[1:] or ()) or (kind == "request" and after[0] not in before):
            yield f"dialect-{kind}-form-added", f"another form of {change.name} is understood"

    return case


def _constants(change: Change) -> Iterator[Case]:
    before, after = dict(change.before), dict(change.after)
    gone = [name for name in before if name not in after]
    added = [name for name in after if name not in before]
    changed = [name for name in after if name in before and before[name] != after[name]]
    for rule, names in (("removed", gone), ("changed", changed), ("added", added)):
        if names:
            yield f"dialect-constant-{rule}", f"members that no model gives are {rule}: {wording.values(tuple(names))}"


def _ignored(change: Change) -> Iterator[Case]:
    before, after = (
        {(item, None) if isinstance(item, str) else (item[0], wording.value(item[1])) for item in items}
        for items in (change.before, change.after)
    )
    for rule, items in (("removed", before - after), ("added", after - before)):
        if items:
            names = tuple(sorted({name for name, _ in items}))
            fewer = "no longer ignored" if rule == "removed" else "ignored now"
            yield f"dialect-ignored-{rule}", f"members of requests that are {fewer}: {wording.values(names)}"


_ATTRIBUTES: Final[Mapping[str, Callable[[Change], Iterator[Case]]]] = {
    "url": _plain("dialect-address-changed"),
    "models": _plain("dialect-address-changed"),
    "token_env": _plain("dialect-token-renamed"),
    "max_body": _limit,
    "closed": _turned_on("dialect-closed", "dialect-opened"),
    "error": _plain("dialect-errors-moved"),
    "route": _plain("dialect-route-changed"),
    "model_route": _plain("dialect-route-changed"),
    "model": _plain("dialect-route-changed"),
    "body": _plain("dialect-route-changed"),
    "form": _turned_on("dialect-route-changed", "dialect-route-changed"),
    "accept": _plain("dialect-answer-type-changed"),
    "plain_for": _plain("dialect-answer-type-changed"),
    "file": _plain("dialect-answer-file-changed"),
    "rate": _plain("dialect-answer-file-changed"),
    "samples": _turned_on("dialect-answer-file-changed", "dialect-answer-file-changed"),
    "nulls": _turned_on("dialect-nulls-accepted", "dialect-nulls-refused"),
    "ignored": _ignored,
    "neutral": _ignored,
    "requests": _forms("request"),
    "answers": _forms("answer"),
    "events": _forms("answer"),
    "defaults": _constants,
    "added": _constants,
    "added_events": _constants,
}


def attributes() -> frozenset[str]:
    """The attributes of dialects and of ways to speak a task that rules speak of."""
    return frozenset(_ATTRIBUTES)
