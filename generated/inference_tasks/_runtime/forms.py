"""The shapes that a value has in a dialect: what stands in another place there, moved there and back.

Paths are places in JSON values, forms pairs of them. Nothing here knows of tasks, servers or clients.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic import ValidationError


class Each(Enum):
    """The step of a path that is every item of a list."""

    EACH = "[*]"


EACH: Final = Each.EACH

INDEX: Final = "{index}"

Step = str | int | Each
Path = tuple[Step, ...]
"""Where a value stands: names of members, indexes of items, EACH for all items. The empty path is the whole."""

Form = tuple[tuple[Path, Path], ...]
"""One shape: for each value that stands elsewhere on the wire, its place in the spec and its place there.

Of places inside one another the longer one holds, whatever the other says of the rest.
"""


@dataclass(frozen=True)
class Length:
    """How many items the list at a place has: ``length()`` of RFC 9535."""

    of: Path


class _UnfitError(Exception):
    """A value that a form cannot hold."""


class NoPlaceError(Exception):
    """A value with parts that no form has a place for: `places`, those that the closest form leaves."""

    def __init__(self, places: Sequence[Path]) -> None:
        super().__init__("no place")
        self.places = tuple(places)


def speak(forms: tuple[Form, ...], value: Any) -> Any:
    """`value`, which has the spec's shape, in the first of `forms` that can hold it, or else as it is.

    A form without pairs is the spec's own shape.
    """
    for form in forms:
        try:
            return _moved(value, form)
        except _UnfitError:
            continue
    return value


def speak_named(forms: tuple[Form, ...], value: Any, *, lossy: bool) -> Any:
    """`value` in the one of `forms` that has a place for most of it, without the rest; of equal ones the first.

    Raises NoPlaceError if none can hold it, or, unless that may be `lossy`, if there is a rest.
    """
    best: tuple[Any, list[Path]] | None = None
    for form in forms:
        try:
            said, rest = _named(value, form)
        except _UnfitError:
            continue
        if best is None or len(rest) < len(best[1]):
            best = said, rest
    if best is None or (best[1] and not lossy):
        raise NoPlaceError(best[1] if best else [()])
    return best[0]


def _itself(error: ValidationError, form: Form) -> Exception:
    return error


def hear(
    forms: tuple[Form, ...],
    value: Any,
    validated: Callable[[Any], Any],
    *,
    nulls: bool = False,
    named: bool = False,
    blame: Callable[[ValidationError, Form], Exception] = _itself,
) -> Any:
    """What `validated` makes of `value` in the spec's shape or in one of `forms`, whichever it accepts first.

    With `nulls`, members that are null or an empty object are left out where the spec has no such value. With `named`,
    what no form names is left out; then that form is tried first that leaves the fewest items of lists, and of equal
    ones the last. Raises the pydantic.ValidationError of the shape that comes closest, or what `blame` makes of it and
    of that shape.
    """
    from pydantic import ValidationError

    readings = _named_readings(forms, value) if named else _readings(forms, value)
    failures: list[ValidationError] = []
    shapes: list[Form] = []
    for form, reading in readings:
        for attempt in _without_nulls(reading, failures) if nulls else (reading,):
            try:
                return validated(attempt)
            except ValidationError as error:
                failures.append(error)
                shapes.append(form)
    closest = max(range(len(failures)), key=lambda index: _closeness(failures[index]))
    raise blame(failures[closest], shapes[closest])


def _readings(forms: tuple[Form, ...], value: Any) -> Iterator[tuple[Form, Any]]:
    yield (), value
    for form in forms:
        try:
            yield form, _moved(value, tuple((wire, spec) for spec, wire in form))
        except _UnfitError:
            continue


def _named_readings(forms: tuple[Form, ...], value: Any) -> Iterator[tuple[Form, Any]]:
    found: list[tuple[int, Form, Any]] = []
    for form in reversed(forms):
        try:
            reading, rest = _named(value, tuple((wire, spec) for spec, wire in form))
        except _UnfitError:
            continue
        found.append((sum(isinstance(path[-1], int) for path in rest if path), form, reading))
    if not found:
        yield (), value  # which nothing is made of, but to tell what is wrong with it
    for _, form, reading in sorted(found, key=lambda item: item[0]):
        yield form, reading


def _closeness(error: ValidationError) -> tuple[int, int, int]:
    """A wrong shape fails at the root of a value, a wrong member inside.

    Of two that fail alike it is the one that fails in less, or else because of fewer names.
    """
    items = error.errors(include_url=False, include_context=False, include_input=False)
    names = sum(item["type"] in ("extra_forbidden", "missing") for item in items)
    return min(len(item["loc"]) for item in items), -len(items), -names


def on_wire(form: Form, place: Sequence[int | str]) -> tuple[int | str, ...]:
    """The place on the wire of what stands at `place` in the spec, where that may be a list whose items are named."""
    for start, end in sorted(form, key=lambda pair: -len(pair[0])):
        if start == (*place, EACH) and EACH in end:
            return tuple(step for step in end[: end.index(EACH)] if step is not EACH)
        if len(start) <= len(place) and all(
            step == here or (step is EACH and isinstance(here, int)) for step, here in zip(start, place, strict=False)
        ):
            indexes = iter([here for step, here in zip(start, place, strict=False) if step is EACH])
            return (*(next(indexes) if step is EACH else step for step in end), *place[len(start) :])
    return tuple(place)


_MOST_ROUNDS: Final = 4


def _without_nulls(value: Any, failures: list[ValidationError]) -> Iterator[Any]:
    """`value`, and after each failure the same without the nulls and empty objects that were to blame."""
    yield value
    for _ in range(_MOST_ROUNDS):
        blamed = [item["loc"] for item in failures[-1].errors(include_url=False) if item["input"] in (None, {})]
        value = deepcopy(value) if blamed else value
        dropped = [_drop(value, loc) for loc in blamed]
        if not any(dropped):
            return
        yield value


def _drop(value: Any, loc: tuple[int | str, ...]) -> bool:
    """Leave out the member at `loc` that is null or an empty object; whether there was one.

    A `loc` also has names of variants, no part of it.
    """
    for step in loc:
        if isinstance(value, dict) and step in value:
            if value[step] in (None, {}):
                del value[step]
                return True
            value = value[step]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
    return False


NO_FACTS: Final[Mapping[str, Any]] = {}
_FACT: Final = re.compile(r"\{[a-z]+\}")


def complete(
    defaults: tuple[tuple[Path, Any], ...], value: Any, facts: Mapping[str, Any] = NO_FACTS, *, nulls: bool = False
) -> None:
    """Give `value`, JSON values, the members that it lacks and that have a default; with `nulls`, null is none.

    A default may be a text with names of `facts` in it, or ``{index}``, the place of an item in its list; the Path of a
    member that it is equal to, of the same items; or the Length of a list.
    """
    for (*way, name), default in defaults:
        for indexes, holder in at(value, tuple(way)):
            if not isinstance(holder, dict) or (name in holder and not (nulls and holder[name] is None)):
                continue
            said = _said(default, value, indexes, facts)
            if said is not _NOTHING:
                holder[name] = said


def _said(default: Any, value: Any, indexes: tuple[int, ...], facts: Mapping[str, Any]) -> Any:
    if isinstance(default, str):
        known = {**facts, INDEX: indexes[-1]} if indexes else facts
        return (
            known[default] if default in known else _FACT.sub(lambda found: str(known.get(found[0], found[0])), default)
        )
    if isinstance(default, tuple | Length):
        place = default.of if isinstance(default, Length) else default
        numbers = iter(indexes)
        found = [there for _, there in at(value, tuple(next(numbers) if step is EACH else step for step in place))]
        if not isinstance(default, Length):
            return found[0] if found else _NOTHING
        return len(found[0]) if found and isinstance(found[0], list) else _NOTHING
    return default


def at(value: Any, way: Path, indexes: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    """What stands there, each with the indexes that EACH has stood for: at most one value, or with EACH any number."""
    if not way:
        yield indexes, value
        return
    step, *rest = way
    if step is EACH:
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from at(item, tuple(rest), (*indexes, index))
        return
    inner: Any = value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else {}
    if step in inner:
        yield from at(inner[step], tuple(rest), indexes)


def _moved(value: Any, form: Form) -> Any:
    """`value` with everything at the first path of a pair at the second; the rest stays where it is.

    A member that finds no place there is left out. Raises _UnfitError for an item of a list that finds none, and where
    there is nothing to move.
    """
    if not form:
        return value
    moved, kept = _sorted(value, form)
    box = [_built(moved, nested=_nests(form), shared=bool(kept))]
    for path, part in kept:
        item = isinstance(path[-1], int)
        # An item has no place between those of a list that was moved here, either.
        inside = item and any(path[: len(start)] == start for start, _ in moved)
        if (inside or not _put(box, (0, *path), part)) and item:
            raise _UnfitError
    return box[0]


def _named(value: Any, form: Form) -> tuple[Any, list[Path]]:
    """The same without the rest, and the places of that. Raises _UnfitError where there is nothing to move."""
    moved, kept = _sorted(value, form)
    return _built(moved, nested=_nests(form)), [path for path, _ in kept]


_Parts = list[tuple[Path, Any]]


def _sorted(value: Any, form: Form) -> tuple[_Parts, _Parts]:
    moved: _Parts = []
    kept: _Parts = []
    _sort(value, (), [(start, end, ()) for start, end in form], moved, kept)
    if _numbers(form):
        # Members may come in any order, items only one after the other.
        moved.sort(key=lambda part: [step for step in part[0] if isinstance(step, int)])
    return moved, kept


def _built(moved: _Parts, *, nested: bool, shared: bool = False) -> Any:
    """The value of its parts, some of them `nested` in others; `shared`: more will be put there. Raises _UnfitError."""
    if not moved:
        raise _UnfitError
    box: list[Any] = [_NOTHING]
    for path, part in moved:
        if not _put(box, (0, *path), deepcopy(part) if nested or shared else part, joined=nested):
            raise _UnfitError
    return box[0]


@lru_cache(maxsize=1024)
def _numbers(form: Form) -> bool:
    """Whether a form moves members to be items of a list, of which one is not the first."""
    return any(isinstance(step, int) and step > 0 for _, end in form for step in end)


@lru_cache(maxsize=1024)
def _nests(form: Form) -> bool:
    """Whether one place that a form moves something to is inside another."""
    ends = [end for _, end in form]
    return any(len(one) < len(other) and other[: len(one)] == one for one in ends for other in ends)


def _sort(
    value: Any,
    here: Path,
    ways: list[tuple[Path, Path, tuple[int, ...]]],
    moved: _Parts,
    kept: _Parts,
) -> None:
    """Sort the parts of `value`, which stands `here`: those at the end of a way, and the others.

    A way is the rest of a path, the place that it leads to, and the indexes that EACH has stood for so far.
    """
    # Where several end here, the first is the one that was the longest in the form.
    ended = next((way for way in ways if not way[0]), None)
    longer = [way for way in ways if way[0]]
    children: list[tuple[Any, Any]] = []
    if longer:
        children = list(
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
    if not children:
        if ended is None:
            kept.append((here, value))
        else:
            numbers = iter(ended[2])
            moved.append((tuple(next(numbers) if step is EACH else step for step in ended[1]), value))
        return
    for step, child in children:
        further = [
            (rest[1:], target, (*indexes, step) if rest[0] is EACH else indexes)
            for rest, target, indexes in longer
            if rest[0] == step or (rest[0] is EACH and isinstance(value, list))
        ]
        if ended is not None:
            # What a longer way leaves goes with the shorter one, and there to its own place.
            further.append(((), (*ended[1], step), ended[2]))
        _sort(child, (*here, step), further, moved, kept)


_NOTHING: Final = object()


def _put(box: Any, path: Path, value: Any, *, joined: bool = False) -> bool:
    """Put `value` into `box` at `path`, making the lists and objects on the way; whether there was room.

    An object may be `joined` with one that is there.
    """
    step, *rest = path
    slots: Any = box  # of lists by index, of objects by name
    if isinstance(step, int):
        if not isinstance(box, list) or step > len(box):
            return False
        if step == len(box):
            box.append(_NOTHING)
        there = slots[step]
    else:
        if not isinstance(box, dict):
            return False
        there = box.get(step, _NOTHING)
    if not rest:
        free = there is _NOTHING
        if free:
            slots[step] = value
        elif joined and isinstance(value, dict) and isinstance(there, dict):
            return all(_put(there, (name,), inner, joined=True) for name, inner in value.items())
        return free
    if there is _NOTHING:
        there = slots[step] = [] if isinstance(rest[0], int) else {}
    return _put(there, tuple(rest), value, joined=joined)
