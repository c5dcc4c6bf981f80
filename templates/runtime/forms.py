"""The shapes that a value has in a dialect: what stands in another place there, moved there and back.

Paths are places in JSON values, forms pairs of them. Nothing here knows of tasks, servers or clients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from enum import Enum
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
"""One shape: for each value that stands elsewhere on the wire, its place in the spec and its place there."""


class _UnfitError(Exception):
    """A value that a form cannot hold."""


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


def _itself(error: ValidationError, form: Form) -> Exception:
    return error


def hear(
    forms: tuple[Form, ...],
    value: Any,
    validated: Callable[[Any], Any],
    *,
    nulls: bool = False,
    blame: Callable[[ValidationError, Form], Exception] = _itself,
) -> Any:
    """What `validated` makes of `value` in the spec's shape or in one of `forms`, whichever it accepts first.

    With `nulls`, members that are null or an empty object are left out where the spec has no such value. Raises the
    pydantic.ValidationError of the shape that comes closest, or what `blame` makes of it and of that shape.
    """
    from pydantic import ValidationError

    failures: list[ValidationError] = []
    shapes: list[Form] = []
    for form, reading in _readings(forms, value):
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


def _closeness(error: ValidationError) -> tuple[int, int, int]:
    """A wrong shape fails at the root of a value, a wrong member inside.

    Of two that fail alike it is the one that fails in less, or else because of fewer names.
    """
    items = error.errors(include_url=False, include_context=False, include_input=False)
    names = sum(item["type"] in ("extra_forbidden", "missing") for item in items)
    return min(len(item["loc"]) for item in items), -len(items), -names


def on_wire(form: Form, place: Sequence[int | str]) -> tuple[int | str, ...]:
    """The place on the wire of what stands at `place` in the spec."""
    for start, end in form:
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


def complete(defaults: tuple[tuple[Path, Any], ...], value: Any, facts: Mapping[str, Any] = NO_FACTS) -> None:
    """Give `value`, JSON values, the members that it lacks and that have a default.

    A default may be the name of one of `facts`, or ``{index}``, the place of an item in its list.
    """
    for (*way, name), default in defaults:
        for index, holder in enumerate(_at(value, tuple(way))):
            if not isinstance(holder, dict) or name in holder:
                continue
            if isinstance(default, str):
                holder[name] = index if default == INDEX else facts.get(default, default)
            elif not isinstance(default, tuple):
                holder[name] = default
            elif default[-1] in holder:
                holder[name] = holder[default[-1]]


def _at(value: Any, way: Path) -> Iterator[Any]:
    """What stands there: at most one value, or with EACH in the way any number."""
    if not way:
        yield value
        return
    step, *rest = way
    if isinstance(value, list) and not isinstance(step, str):
        inner = value if step is EACH else value[step : step + 1]
    else:
        inner = [value[step]] if isinstance(value, dict) and step in value else []
    for item in inner:
        yield from _at(item, tuple(rest))


def _moved(value: Any, form: Form) -> Any:
    """`value` with everything at the first path of a pair at the second; the rest stays where it is.

    A member that finds no place there is left out. Raises _UnfitError for an item of a list that finds none, and where
    there is nothing to move.
    """
    if not form:
        return value
    moved: list[tuple[Path, Any]] = []
    kept: list[tuple[Path, Any]] = []
    _sort(value, (), [(start, end, ()) for start, end in form], moved, kept)
    if not moved:
        raise _UnfitError
    box: list[Any] = [_NOTHING]
    for path, part in moved:
        if not _put(box, (0, *path), deepcopy(part) if kept else part):
            raise _UnfitError
    for path, part in kept:
        item = isinstance(path[-1], int)
        # An item has no place between those of a list that was moved here, either.
        inside = item and any(path[: len(start)] == start for start, _ in moved)
        if (inside or not _put(box, (0, *path), part)) and item:
            raise _UnfitError
    return box[0]


def _sort(
    value: Any,
    here: Path,
    ways: list[tuple[Path, Path, tuple[int, ...]]],
    moved: list[tuple[Path, Any]],
    kept: list[tuple[Path, Any]],
) -> None:
    """Sort the parts of `value`, which stands `here`: those at the end of a way, and the others.

    A way is the rest of a path, the place that it leads to, and the indexes that EACH has stood for so far.
    """
    for rest, target, indexes in ways:
        if not rest:
            numbers = iter(indexes)
            moved.append((tuple(next(numbers) if step is EACH else step for step in target), value))
            return
    children = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    if not ways or not children:
        kept.append((here, value))
        return
    for step, child in children:
        further = [
            (rest[1:], target, (*indexes, step) if rest[0] is EACH else indexes)
            for rest, target, indexes in ways
            if rest[0] == step or (rest[0] is EACH and isinstance(value, list))
        ]
        _sort(child, (*here, step), further, moved, kept)


_NOTHING: Final = object()


def _put(box: Any, path: Path, value: Any) -> bool:
    """Put `value` into `box` at `path`, making the lists and objects on the way; whether there was room."""
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
        return free
    if there is _NOTHING:
        there = slots[step] = [] if isinstance(rest[0], int) else {}
    return _put(there, tuple(rest), value)
