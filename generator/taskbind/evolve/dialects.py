"""The rules that speak of changes of tasks as a whole, and of dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any as Json, Final

from .. import ir
from ..jsonpath import Path, parse
from ..places import NoSuchPlaceError, find
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
        if change.name in _FORMS:
            yield from _FORMS[change.name](change, old, new)
        else:
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


def _forms(kind: str, side: str) -> Callable[[Change, ir.Api, ir.Api], Iterator[Case]]:
    def case(change: Change, old: ir.Api, new: ir.Api) -> Iterator[Case]:
        before, after = (
            tuple(map(frozenset, forms)) or (frozenset[tuple[str, str]](),)  # without any: as in the spec
            for forms in (change.before, change.after)
        )
        reader = _Reader(old, new, change, side)
        spoken = before[0] != after[0]
        if spoken and kind == "request":
            yield "dialect-request-form-spoken", "another form of requests is spoken"
        elif spoken:
            rule = "dialect-answer-form-known" if after[0] in before else "dialect-answer-form-spoken"
            yield rule, "servers answer in another form"
        heard = before if kind == "request" else before[1:]
        if any(not any(reader.reads(one, form) for one in after) for form in heard):
            yield f"dialect-{kind}-form-removed", f"a form of {change.name} is no longer understood"
        if any(form not in before for form in after[1:]) or (kind == "request" and after[0] not in before):
            yield f"dialect-{kind}-form-added", f"another form of {change.name} is understood"

    return case


Pairs = frozenset[tuple[str, str]]
"""A form, whose pairs have no order: the longest place wins."""


class _Reader:
    """Tells whether what one form says is read to the same places by another one."""

    def __init__(self, old: ir.Api, new: ir.Api, change: Change, side: str) -> None:
        self._old = old
        task = next((task for task in old.tasks if task.id == change.task), None)
        self._root: str | None = getattr(task, side, None)
        self._named = all(
            any(dialect.name == change.path and dialect.named_only for dialect in api.dialects) for api in (old, new)
        )

    def reads(self, form: Pairs, of: Pairs) -> bool:
        """Whether `form` reads what the form `of` of OLD says to the same places."""
        if form == of or not form or not of:  # a form without pairs is the spec's own shape, and no other one
            return form == of
        one, other = self._pairs(form), self._pairs(of)
        inner = (wire for wire in one if wire not in other)
        return all(_read(one, wire) == spec for wire, spec in other.items()) and all(
            _read(one, wire) == (said := _read(other, wire)) or said is None or not self._is_said(said)
            for wire in inner
        )

    def _pairs(self, form: Pairs) -> dict[Path, Path]:
        whole: dict[Path, Path] = {} if self._named else {(): ()}  # what no form names stays where it is
        return whole | {parse(wire): parse(spec) for spec, wire in form}

    def _is_said(self, place: Path) -> bool:
        """Whether the specs of OLD have this place, so that somebody may send it."""
        if self._root is None:
            return True
        try:
            return bool(find(self._old, ir.Ref(self._root), place))
        except NoSuchPlaceError:
            return False


def _read(pairs: Mapping[Path, Path], wire: Path) -> Path | None:
    """Where in the spec a place on the wire is, by the longest one around it; None if nothing names it."""
    around = max((start for start in pairs if wire[: len(start)] == start), key=len, default=None)
    return None if around is None else pairs[around] + wire[len(around) :]


def _constants(change: Change) -> Iterator[Case]:
    before, after = dict(change.before), dict(change.after)
    gone = [name for name in before if name not in after]
    added = [name for name in after if name not in before]
    changed = [name for name in after if name in before and before[name] != after[name]]
    for rule, names in (("removed", gone), ("changed", changed), ("added", added)):
        if names:
            yield f"dialect-constant-{rule}", f"members that no model gives are {rule}: {wording.values(tuple(names))}"


def _scales(change: Change) -> Iterator[Case]:
    before, after = dict(change.before), dict(change.after)
    changed = [place for place in {**before, **after} if before.get(place) != after.get(place)]
    if changed:
        yield "dialect-scale-changed", f"numbers of answers are in other units: {wording.values(tuple(changed))}"


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
    "protocol": _plain("dialect-protocol-changed"),
    "auth": _plain("dialect-auth-changed"),
    "named_only": _turned_on("dialect-named-only", "dialect-named-and-more"),
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
    "scales": _scales,
    "defaults": _constants,
    "added": _constants,
    "added_events": _constants,
}


_FORMS: Final[Mapping[str, Callable[[Change, ir.Api, ir.Api], Iterator[Case]]]] = {
    "requests": _forms("request", "input"),
    "answers": _forms("answer", "output"),
    "events": _forms("answer", "stream"),
}


def attributes() -> frozenset[str]:
    """The attributes of dialects and of ways to speak a task that rules speak of."""
    return frozenset((*_ATTRIBUTES, *_FORMS))
