"""Which rule speaks of a change of data, and what has to hold for it to affect nobody.

A change that goes two ways at once (a value added and another one removed) is two cases, one for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from .. import ir
from . import wording
from .change import Change, Kind, equal
from .flow import Claim, Flow
from .media import narrower
from .place import Difference, Place

_LOWER: Final = ("minimum", "exclusive_minimum", "min_length", "min_items")
"""Bounds that are tightened when they rise."""
_LENGTHS: Final = ("min_length", "max_length", "pattern")


@dataclass(frozen=True)
class Case:
    """One rule that speaks of a change, without the prefix of the side, and in words what happened.

    If all `claims` hold, nobody is affected: then the rule `otherwise` speaks, or this one as a safe one. `change` is
    the part of the change that the rule is about.
    """

    rule: str
    what: str
    change: Change
    claims: tuple[Claim, ...] = ()
    otherwise: str = ""


def cases(flow: Flow, difference: Difference) -> Iterator[Case]:
    """The cases of one difference, at least one."""
    yield from _CASES[difference.change.kind](flow, difference)


_Cases = Callable[[Flow, Difference], Iterator[Case]]


# ------------------------------------------------------------------------------------------------------------- members


def _others(flow: Flow, place: Place) -> ir.Object:
    """What is sent besides the declared members."""
    return ir.Object((), flow.sent_object(place).additional)


def _one(field: ir.Field) -> ir.Object:
    """An object of which one member is known; any others go."""
    return ir.Object((field,))


def _alone(field: ir.Field) -> ir.Object:
    """An object that has one member, and no others."""
    return ir.Object((field,), False)


def _unnamed(flow: Flow, place: Place) -> ir.Object:
    """What is taken besides the declared members."""
    taken = flow.taken_object(place)
    return ir.Object(tuple(ir.Field(field.name, ir.Any(), False) for field in taken.fields), taken.additional)


def _added(flow: Flow, difference: Difference) -> Iterator[Case]:
    change, place = difference.change, difference.place
    field = change.after
    if not isinstance(field, ir.Field):
        yield _item(flow, difference, "items-allowed", "there may be one more item now")
        return
    what = f"a new member ({_type(flow.new, field.type)}) that {'must' if field.required else 'may'} be there"
    if flow.request:
        sent = _others(flow, place)
        claim = Claim(sent, _one(field))
        if field.required:
            yield Case("required-member-added", what, change, (claim,))
        elif sent.additional is False:
            yield Case("member-added", what, change)
        else:
            what = f"it could have any name and value so far, and must be {_type(flow.new, field.type)} now"
            yield Case("free-member-typed", what, change, (claim,), "member-added")
        return
    plain = "required-member-added" if field.required else "member-added"
    if flow.taken_object(place).additional is True:
        yield Case(plain, what, change)
    else:
        yield Case("member-added-to-closed", what, change, (Claim(_alone(field), _unnamed(flow, place)),), plain)


def _removed(flow: Flow, difference: Difference) -> Iterator[Case]:
    change, place = difference.change, difference.place
    field = change.before
    if not isinstance(field, ir.Field):
        yield _item(flow, difference, "items-refused", "there may no longer be such an item")
        return
    what = "the member is gone"
    if flow.request:
        if flow.taken_object(place).additional is True:
            yield Case("member-removed", what, change)
        else:
            claim = Claim(_alone(field), _unnamed(flow, place))
            yield Case("member-refused", what, change, (claim,), "member-removed")
        return
    sent = _others(flow, place)
    claim = Claim(sent, _one(field))
    if field.required:
        yield Case("member-removed", f"{what}, which was always there", change, (claim,))
    elif sent.additional is False:
        yield Case("optional-member-removed", what, change)
    else:
        what = "it may have any value now that other members may have"
        yield Case("free-member-untyped", what, change, (claim,), "optional-member-removed")


def _renamed(flow: Flow, difference: Difference) -> Iterator[Case]:
    change, place = difference.change, difference.place
    before, after = change.before, change.after
    sent, taken = (before, after) if flow.request else (after, before)
    others = _others(flow, place)
    claims = (Claim(_alone(sent), _unnamed(flow, place)), Claim(others, _one(taken)))
    what = f"renamed, was {wording.value(before.name)}"
    if taken.required or flow.taken_object(place).additional is not True or others.additional is not False:
        yield Case("member-renamed", what, change, claims, "optional-member-renamed")
    else:
        yield Case("optional-member-renamed", what, change)


def _presence(flow: Flow, difference: Difference) -> Iterator[Case]:
    required = difference.change.kind is Kind.REQUIRED
    sure = required is not flow.request  # whether the sender always sends it
    sent = _alone(ir.Field(difference.member, ir.Any(), sure))
    taken = _one(ir.Field(difference.member, ir.Any(), not sure))
    rule, what = (
        ("member-required", "it must be there now") if required else ("member-optional", "it may be missing now")
    )
    yield Case(rule, what, difference.change, (Claim(sent, taken),))


def _default(flow: Flow, difference: Difference) -> Iterator[Case]:
    change = difference.change
    if change.before is ir.ABSENT:
        yield Case("default-set", f"the default is {wording.value(change.after)}; there was none", change)
    elif change.after is ir.ABSENT:
        yield Case("default-removed", f"the default is no longer {wording.value(change.before)}", change)
    else:
        what = f"the default is {wording.value(change.after)}, was {wording.value(change.before)}"
        yield Case("default-changed", what, change)


def _deprecated(flow: Flow, difference: Difference) -> Iterator[Case]:
    if difference.change.after:
        yield Case("member-deprecated", "deprecated now", difference.change)
    else:
        yield Case("member-undeprecated", "no longer deprecated", difference.change)


def _description(flow: Flow, difference: Difference) -> Iterator[Case]:
    yield Case("reworded", "worded anew", difference.change)


# --------------------------------------------------------------------------------------------------------------- types


def _type(api: ir.Api, type: ir.Type) -> str:
    return wording.type_words(api, type)


def _typed(flow: Flow, difference: Difference) -> Iterator[Case]:
    change, place = difference.change, difference.place
    whole = flow.whole(place)
    what = f"{_type(flow.new, change.after)}, was {_type(flow.old, change.before)}"
    if change.name:
        if change.after and _is_exclusive(flow.new, change.after):
            yield Case("alternatives-exclusive", "exactly one of the alternatives must fit now", change, (whole,))
        else:
            yield Case("alternatives-inclusive", "more than one of the alternatives may fit now", change, (whole,))
    elif not (difference.gone or difference.added):
        yield _narrower(flow, change, whole, what)
    else:
        yield from _alternatives(flow, difference, whole, what)


def _narrower(flow: Flow, change: Change, whole: Claim, what: str) -> Case:
    """One type became another where no alternative came or went."""
    numbers = [type.type if isinstance(type, ir.Scalar) else "" for type in (change.before, change.after)]
    if set(numbers) == {"integer", "number"}:
        taken = flow.taker.resolve(whole.taken)
        assert isinstance(taken, ir.Scalar)
        claim = Claim(whole.sent, ir.Scalar(taken.type))
        return Case("type-narrowed" if numbers[1] == "integer" else "type-widened", what, change, (claim,))
    if isinstance(flow.new.resolve(change.after), ir.Media):
        return Case("type-changed", what, change, (whole,))
    freed = _takes_any(flow.taker, whole.taken) is flow.request
    return Case("type-removed" if freed else "type-set", what, change, (whole,))


def _alternatives(flow: Flow, difference: Difference, whole: Claim, what: str) -> Iterator[Case]:
    change = difference.change
    gone, added = difference.gone, difference.added
    exclusive = _is_exclusive(flow.taker, whole.taken)
    alone = not exclusive or _is_exclusive(flow.sender, whole.sent)  # whether the others are taken as they were
    if gone and added and not difference.matched:
        yield Case("type-changed", what, change, (whole,))
        return
    if gone:
        what = f"no longer {' or '.join(_type(flow.old, type) for type in gone)}"
        part = replace(change, after=None) if added else change
        if flow.request:
            yield Case("alternative-removed", what, part, _each(gone, whole) if alone else (whole,))
        else:
            yield Case("exclusive-alternative-removed" if exclusive else "alternative-removed", what, part, (whole,))
    if added:
        what = f"may be {' or '.join(_type(flow.new, type) for type in added)} now"
        part = replace(change, before=None) if gone else change
        if flow.request:
            yield Case("exclusive-alternative-added" if exclusive else "alternative-added", what, part, (whole,))
        else:
            yield Case("alternative-added", what, part, _each(added, whole) if alone else (whole,))


def _each(types: tuple[ir.Type, ...], whole: Claim) -> tuple[Claim, ...]:
    return tuple(Claim(type, whole.taken) for type in types)


def _is_exclusive(api: ir.Api, type: ir.Type) -> bool:
    found = api.resolve(type)
    return isinstance(found, ir.Union) and found.exclusive


def _takes_any(api: ir.Api, type: ir.Type) -> bool:
    found = api.resolve(type)
    if isinstance(found, ir.Union) and not found.exclusive:
        return any(_takes_any(api, variant) for variant in found.variants)
    return isinstance(found, ir.Any)


def _nullable(flow: Flow, difference: Difference) -> Iterator[Case]:
    claim = Claim(ir.NULL, flow.taken(difference.place))
    if difference.change.after:
        yield Case("null-allowed", "may be null now", difference.change, (claim,))
    else:
        yield Case("null-refused", "may no longer be null", difference.change, (claim,))


def _checks(flow: Flow, difference: Difference) -> Iterator[Case]:
    change, sent = difference.change, flow.sent(difference.place)
    both = bool(difference.gone and difference.added)

    def claims(checks: tuple[ir.Type, ...]) -> tuple[Claim, ...]:
        return tuple(Claim(sent, ir.Checked(ir.Any(), c.schema)) for c in checks if isinstance(c, ir.Checked))

    if difference.added:
        part = replace(change, before=()) if both else change
        needed = claims(difference.added) if flow.request else ()
        what = f"values must fulfil {_conditions(difference.added, difference.gone)} now"
        yield Case("check-added", what, part, needed)
    if difference.gone:
        part = replace(change, after=()) if both else change
        needed = () if flow.request else claims(difference.gone)
        what = f"values need not fulfil {_conditions(difference.gone, difference.added)} any more"
        yield Case("check-removed", what, part, needed)


def _conditions(checks: tuple[ir.Type, ...], others: tuple[ir.Type, ...]) -> str:
    """Conditions in words; where they would read like the other ones they are taken for, the keywords that differ."""
    mine, its = ([check.data for check in each if isinstance(check, ir.Checked)] for each in (checks, others))
    said, instead = (" and ".join(map(wording.value, each)) for each in (mine, its))
    known = [item for data in its if isinstance(data, dict) for item in data.items()]
    items = [item for data in mine if isinstance(data, dict) for item in data.items()]
    differing = dict.fromkeys(key for key, value in items if not any(equal((key, value), other) for other in known))
    return f"another {' and '.join(map(wording.value, differing))}" if said == instead and differing else said


def _closed(flow: Flow, difference: Difference) -> Iterator[Case]:
    change, place = difference.change, difference.place
    closed = change.kind is Kind.CLOSED
    if isinstance(flow.new.resolve(place.new), ir.Array):
        what = f"further items are {'no longer ' if closed else ''}allowed{'' if closed else ' now'}"
        yield _item(flow, difference, "items-refused" if closed else "items-allowed", what)
        return
    if change.after is True or change.after is False:
        what = "any other members are allowed now" if change.after else "no other members are allowed now"
    else:
        what = f"other members must be {_type(flow.new, change.after)} now"
    sent = _others(flow, place)
    claim = Claim(sent, _unnamed(flow, place))
    declared = flow.sent_object(place).fields and sent.additional is False
    if closed:
        yield Case("object-closed" if declared else "others-restricted", what, change, (claim,))
    else:
        yield Case("object-opened" if declared else "others-allowed", what, change, (claim,))


# -------------------------------------------------------------------------------------------------------------- values


def _values(flow: Flow, difference: Difference) -> Iterator[Case]:
    change, place = difference.change, difference.place
    before, after = change.before, change.after
    if before is None:
        claim = Claim(flow.sent(place), ir.Enum(after))
        yield Case("values-listed", f"only {wording.values(after)} now", change, (claim,))
        return
    if after is None:
        claim = Claim(flow.sent(place), ir.Enum(before))
        yield Case("values-freed", f"any text now, was one of {wording.values(before)}", change, (claim,))
        return
    added, gone = (tuple(v for v in one if v not in other) for one, other in ((after, before), (before, after)))
    if added:
        part = replace(change, before=(), after=added) if gone else change
        claim = Claim(ir.Enum(added), flow.taken(place))
        yield Case("value-added", f"new values: {wording.values(added)}", part, (claim,))
    if gone:
        part = replace(change, before=gone, after=()) if added else change
        claim = Claim(ir.Enum(gone), flow.taken(place))
        yield Case("value-removed", f"values that are gone: {wording.values(gone)}", part, (claim,))


def _bounds(flow: Flow, difference: Difference) -> Iterator[Case]:
    change, name = difference.change, difference.change.name
    before, after = change.before, change.after
    if name == "unique":
        rule = "items-unique" if after else "items-repeatable"
        what = "no two items may be alike now" if after else "items may be alike now"
    else:
        what = wording.bound(name, before, after)
        if before is None:
            rule = "bound-set"
        elif after is None:
            rule = "bound-removed"
        elif name == "multiple_of":
            rule = "step-changed"
        else:
            rule = "bound-tightened" if (after > before) == (name in _LOWER) else "bound-loosened"
    yield Case(rule, what, change, _attribute(flow, difference))


def _attribute(flow: Flow, difference: Difference) -> tuple[Claim, ...]:
    """That what is sent fulfils the one attribute that changed, as it is taken."""
    name = difference.change.name
    sent, taken = flow.whole(difference.place).sent, flow.taker.resolve(flow.taken(difference.place))
    limit = getattr(taken, name, None)
    if not limit and limit != 0:
        return ()
    if isinstance(taken, ir.Array):
        return (Claim(sent, replace(ir.Array(ir.Any()), **{name: limit})),)
    scalar = ir.Scalar("string") if name in _LENGTHS else ir.Scalar("number")
    return (Claim(sent, replace(scalar, **{name: limit})),)


def _format(flow: Flow, difference: Difference) -> Iterator[Case]:
    change = difference.change
    before, after = change.before, change.after
    if change.name == "content_type":
        what = f"{after}, was {before}"
        if narrower(before, after):
            yield Case("media-widened", what, change)
        else:
            yield Case("media-narrowed" if narrower(after, before) else "media-changed", what, change)
        return
    turn = "set" if not before else "changed" if after else "removed"
    claims = _attribute(flow, difference) if change.name == "pattern" else ()
    yield Case(f"{change.name}-{turn}", wording.turned(f"the {change.name}", before, after), change, claims)


def _item(flow: Flow, difference: Difference, rule: str, what: str) -> Case:
    """A list has more or fewer items than before."""
    place, taken = difference.place, flow.taker.resolve(flow.taken(difference.place))
    assert isinstance(taken, ir.Array)
    untyped = ir.Array(taken.items, tuple(ir.Any() for _ in taken.prefix))
    return Case(rule, what, difference.change, (Claim(flow.sent(place), untyped),))


_CASES: Final[Mapping[Kind, _Cases]] = {
    Kind.ADDED: _added,
    Kind.REMOVED: _removed,
    Kind.RENAMED: _renamed,
    Kind.REQUIRED: _presence,
    Kind.OPTIONAL: _presence,
    Kind.TYPE: _typed,
    Kind.VALUES: _values,
    Kind.BOUNDS: _bounds,
    Kind.FORMAT: _format,
    Kind.NULLABLE: _nullable,
    Kind.DEFAULT: _default,
    Kind.CLOSED: _closed,
    Kind.OPENED: _closed,
    Kind.CHECK: _checks,
    Kind.DEPRECATED: _deprecated,
    Kind.DESCRIPTION: _description,
}


def data_kinds() -> frozenset[Kind]:
    """The kinds of changes that a side of a task can have."""
    return frozenset(_CASES)
