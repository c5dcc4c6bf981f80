"""Dialects: how servers that are not ours speak a task, as data.

A dialect says where a member of the spec's request or answer stands on the wire. What is said here holds for client and
server alike: the first form is the one to speak, all of them are understood, and so is the spec's own shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ._urls import model_path, origin
from .errors import InputError

if TYPE_CHECKING:
    from pydantic import ValidationError


class Each(Enum):
    """The step of a path that is every item of a list."""

    EACH = "[*]"


EACH: Final = Each.EACH

Step = str | int | Each
Path = tuple[Step, ...]
"""Where a value stands: names of members, indexes of items, EACH for all items. The empty path is the whole."""

Form = tuple[tuple[Path, Path], ...]
"""One shape: for each value that stands elsewhere on the wire, its place in the spec and its place there."""


@dataclass(frozen=True)
class Wire:
    """How one task is spoken.

    `route` follows the server's address, `model_route` a model's. Where `model` is given, that member of the request
    names the model, and the address does not. `form`: the request is a form with its media as files, instead of JSON.
    `accept` is what is asked for. Where `file` is given, the body of an answer may be that member itself, a media file;
    `rate` is the member that then takes the file's sampling rate in hertz. `samples`: that `file` may also be a list of
    numbers in −1…1. `nulls`: a member that is null, or an empty object, means the same as none where the spec has
    neither.
    """

    route: str = ""
    model_route: str = ""
    model: str | None = None
    form: bool = False
    accept: str = "application/json"
    file: str | None = None
    rate: str | None = None
    samples: bool = False
    nulls: bool = False
    requests: tuple[Form, ...] = ()
    answers: tuple[Form, ...] = ()

    def asked(self, request: Any, model: str | None = None) -> Any:
        """A request of the spec as it is sent to `model`."""
        spoken = speak(self.requests, request)
        return {**spoken, self.model: model} if self.model and model is not None else spoken

    def heard(self, answer: Any, validated: Callable[[Any], Any]) -> Any:
        """What `validated` makes of an answer in any of its shapes. Raises pydantic.ValidationError."""
        return hear(self.answers, self._with_file(answer), validated, nulls=self.nulls)

    def heard_event(self, event: Any, validated: Callable[[Any], Any]) -> Any:
        """The same for one event of a streamed answer, which has the spec's own shape everywhere."""
        return hear((), event, validated, nulls=self.nulls)

    def is_file(self, content: bytes, content_type: str) -> bool:
        """Whether the body of an answer is a media file."""
        from ._sniff import sniff

        media = content_type.partition("/")[0].strip().lower() in ("audio", "image", "video")
        return self.file is not None and (media or sniff(content) is not None)

    def of_file(self, content: bytes) -> dict[str, Any]:
        """The answer that a media file stands for."""
        from ._waveform import sampling_rate
        from .encoded import Base64

        assert self.file is not None, "is_file says whether there is one"
        answer: dict[str, Any] = {self.file: str(Base64.of(content))}
        rate = sampling_rate(content) if self.rate else None
        return answer if self.rate is None or rate is None else {**answer, self.rate: rate}

    def _with_file(self, answer: Any) -> Any:
        """`answer` with a sound file in place of a list of samples."""
        if not self.samples or not isinstance(answer, dict) or self.file is None or self.rate is None:
            return answer
        samples, rate = answer.get(self.file), answer.get(self.rate)
        if isinstance(samples, list) and len(samples) == 1 and isinstance(samples[0], list):
            samples = samples[0]
        if not isinstance(rate, int) or not isinstance(samples, list):
            return answer
        from ._waveform import wav
        from .encoded import Base64

        try:
            sound = wav(samples, rate)
        except ValueError:  # no samples, or no rate of any
            return answer
        return {**answer, self.file: str(Base64.of(sound))}


_SPEC: Final = Wire()


@dataclass(frozen=True)
class Dialect:
    """How a service or a kind of server speaks. `title` is its name for people.

    `url` is the hosted service, `models` the path of a model there (``{model}`` in it), `token_env` the environment
    variable with its token. `max_body` is the most bytes it takes in one request, where that is known. `wires` are
    the tasks that are spoken otherwise than in their specs; where it is `closed`, no other task is spoken at all.
    """

    name: str
    title: str
    url: str | None = None
    models: str = "/models/{model}"
    token_env: str = ""
    max_body: int | None = None
    closed: bool = False
    wires: Mapping[str, Wire] = field(default_factory=dict)

    def wire(self, task: str) -> Wire:
        """How a task is spoken. Raises InputError if it is not."""
        if self.closed and task not in self.wires:
            known = ", ".join(self.wires) or "(none)"
            raise InputError(f"{task}: {self.title} does not speak this task, but {known}")
        return self.wires.get(task, _SPEC)

    @cached_property
    def _origin(self) -> object:
        return origin(self.url) if self.url else None

    def hosts(self, base: str) -> bool:
        """Whether `base` is the hosted service."""
        return origin(base) == self._origin

    def address(self, base: str, wire: Wire, model: str | None, *, names_model: bool = False) -> str:
        """Where a request goes; where `names_model`, the request says itself which model is meant. Raises InputError.

        A server at an address of its own has one model, so that no model need be named there.
        """
        if names_model or (model is None and not self.hosts(base)):
            return _joined(base, wire.route)
        if model is None:
            raise InputError(f"model: {self.title} has many; say which: model=… here or for the client")
        if self.hosts(base):
            return base + self.models.format(model=model_path(model)) + (wire.model_route or wire.route)
        return f"{base}/models/{model_path(model)}{wire.route}"


def _joined(base: str, route: str) -> str:
    """`route` after `base`, which may end with the beginning of it: ``…/v1`` and ``/v1/chat`` are ``…/v1/chat``."""
    path = urlsplit(base).path
    cuts = [end for end, letter in enumerate(route + "/") if letter == "/" and end]
    return base + next((route[end:] for end in reversed(cuts) if path.endswith(route[:end])), route)


# ------------------------------------------------------------------------------------------------------------- forms


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


def hear(forms: tuple[Form, ...], value: Any, validated: Callable[[Any], Any], *, nulls: bool = False) -> Any:
    """What `validated` makes of `value` in the spec's shape or in one of `forms`, whichever it accepts first.

    With `nulls`, members that are null or an empty object are left out where the spec has no such value. Raises the
    pydantic.ValidationError of the shape that comes closest.
    """
    from pydantic import ValidationError

    failures: list[ValidationError] = []
    for reading in _readings(forms, value):
        for attempt in _without_nulls(reading, failures) if nulls else (reading,):
            try:
                return validated(attempt)
            except ValidationError as error:
                failures.append(error)
    raise max(failures, key=_depth)


def _readings(forms: tuple[Form, ...], value: Any) -> Iterator[Any]:
    yield value
    for form in forms:
        try:
            yield _moved(value, tuple((wire, spec) for spec, wire in form))
        except _UnfitError:
            continue


def _depth(error: ValidationError) -> int:
    """How far into a value an error lies: a wrong shape fails at its root, a wrong member inside."""
    return max(len(item["loc"]) for item in error.errors(include_url=False, include_context=False, include_input=False))


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
