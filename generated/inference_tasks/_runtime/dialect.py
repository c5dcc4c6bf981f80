"""Dialects: how servers that are not ours speak a task, as data.

What is said here holds for client and server alike: of the shapes of a request or an answer the first is spoken, all of
them are understood, and so is the spec's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from math import inf, isfinite
from typing import Any, Final

from ._urls import joined, model_path, origin
from .errors import InputError
from .forms import EACH, NO_FACTS, Form, NoPlaceError, Path, at, complete, hear, speak, speak_named


@dataclass(frozen=True)
class Wire:
    """How one task is spoken.

    `route` follows the server's address, `model_route` a model's. Where `model` is given, that member of the request
    names the model, and the address does not. `form`: the request is a form with its media as files, instead of JSON.
    `body` is the only content type of requests, if there is only one: of JSON, also where a file alone would do, or of
    the file that is the whole request. `accept` is what is asked for. Where `file` is given, the body of an answer may
    be that member itself, a media file; `rate` is the member that takes the file's sampling rate in hertz where that is
    not said.
    `samples`: that `file` may also be a list of numbers in −1…1. `nulls`: a member that is null, or an empty object,
    means the same as none where the spec has neither. Clients whose user agent holds `plain_for` want answers in the
    spec's own shape. `ignored` are members of requests that change nothing in the answer, `neutral` those that do not
    if they have this value. `events` are the shapes of one event of a streamed answer. `defaults` are members that an
    answer is sent with even where the handler gave none: the place of each, and its value then, as a Path the member
    beside it that it is equal to, or the name of a fact that the server knows: ``{id}``, ``{model}``, ``{time}``,
    ``{index}`` of an item. `added` and `added_events` are the same for answers and events as they stand on the wire.
    """

    route: str = ""
    model_route: str = ""
    model: str | None = None
    form: bool = False
    body: str = ""
    accept: str = "application/json"
    file: str | None = None
    rate: str | None = None
    samples: bool = False
    nulls: bool = False
    plain_for: str = ""
    ignored: tuple[str, ...] = ()
    neutral: tuple[tuple[str, Any], ...] = ()
    requests: tuple[Form, ...] = ()
    answers: tuple[Form, ...] = ()
    events: tuple[Form, ...] = ()
    defaults: tuple[tuple[Path, Any], ...] = ()
    added: tuple[tuple[Path, Any], ...] = ()
    added_events: tuple[tuple[Path, Any], ...] = ()
    named_only: bool = False
    missing: tuple[str, ...] = ()
    scales: tuple[tuple[Path, str], ...] = ()

    @property
    def only_json(self) -> bool:
        """Whether every request is JSON."""
        return _is_json(self.body)

    def asked(self, request: Any, model: str | None = None) -> Any:
        """A request of the spec as it is sent to `model`. Raises InputError for what has no place on the wire."""
        spoken = self._spoken(request)
        return {**spoken, self.model: model} if self.model and model is not None else spoken

    def _spoken(self, request: Any) -> Any:
        if not self.named_only:
            return speak(self.requests, request)
        try:
            return speak_named(self.requests, request, lossy=False)
        except NoPlaceError as error:
            places = ", ".join(".".join(map(str, place)) for place in error.places if place)
            if places:
                message = f"{places}: there is no place for it in this dialect's requests; leave it out"
            else:
                message = "two members of this request have one place in this dialect's requests; leave one out"
            raise InputError(message) from None

    def takes(self, *way: str) -> bool:
        """Whether a request may say something at, or inside, this place on the wire."""
        return any(there[: len(way)] == way for form in self.requests for _, there in form)

    @property
    def measured(self) -> bool:
        """Whether answers go by the width and height of the input image: the facts ``{width}`` and ``{height}``."""
        return bool(self.scales)

    def telling(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The members of `request` that say something."""
        kept = dict(request)
        for name, value in self.neutral:
            if name in kept and _same(kept[name], value):
                del kept[name]
        return kept

    @property
    def answers_as_spec(self) -> bool:
        """Whether JSON answers are the spec's own."""
        return not (self.answers or self.defaults or self.added)

    @property
    def events_as_spec(self) -> bool:
        """Whether the events of a streamed answer are the spec's own."""
        return not (self.events or self.added_events)

    def answered(self, answer: Any, facts: Mapping[str, Any] = NO_FACTS) -> Any:
        """An answer of the spec, JSON values that may be changed, as it is sent by a server that knows `facts`."""
        complete(self.defaults, answer, facts, nulls=self.named_only)
        self._scale(answer, facts, lambda pixels, all_of_them: pixels / all_of_them)
        said = self._said(self.answers, answer)
        complete(self.added, said, facts)
        return said

    def _said(self, forms: tuple[Form, ...], answer: Any) -> Any:
        if not self.named_only:
            return speak(forms, answer)
        try:
            return speak_named(forms, answer, lossy=True)
        except NoPlaceError:
            return {}

    def _scale(self, answer: Any, facts: Mapping[str, Any], scaled: Callable[[float, int], float]) -> None:
        for (*way, name), fact in self.scales:
            for _, holder in at(answer, tuple(way)):
                number = holder.get(name) if isinstance(holder, dict) else None
                if isinstance(number, int | float) and not isinstance(number, bool):
                    holder[name] = scaled(number, facts[fact])

    def told(self, event: Any, facts: Mapping[str, Any] = NO_FACTS) -> Any:
        """The same for one event of a streamed answer."""
        said = self._said(self.events, event)
        complete(self.added_events, said, facts)
        return said

    def heard(self, answer: Any, validated: Callable[[Any], Any], facts: Mapping[str, Any] = NO_FACTS) -> Any:
        """What `validated` makes of an answer in any of its shapes, of which the client knows `facts`.

        Where `named_only`, JSON values that may be changed: servers leave out what is zero or empty. Raises
        pydantic.ValidationError.
        """

        def finished(reading: Any) -> Any:
            if self.scales:
                reading = deepcopy(reading)  # of which other readings have parts
                self._scale(reading, facts, _pixels)
            return validated(self._with_file(reading))

        if self.named_only and isinstance(answer, dict):
            complete(self.added, answer, facts)
            if not any(answer.values()) and any(spec[:1] == (EACH,) for form in self.answers for spec, _ in form):
                answer = []
        return hear(self.answers, answer, finished, nulls=self.nulls, named=self.named_only)

    def heard_event(self, event: Any, validated: Callable[[Any], Any]) -> Any:
        """The same for one event of a streamed answer."""
        return hear(self.events, event, validated, nulls=self.nulls, named=self.named_only)

    def is_file(self, content: bytes, content_type: str) -> bool:
        """Whether the body of an answer is a media file."""
        from ._sniff import sniff

        kind = content_type.partition(";")[0].strip().lower()
        media = kind.partition("/")[0] in ("audio", "image", "video") or (kind == self.accept and not _is_json(kind))
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
        """`answer` with a sound file in place of a list of samples, and with the file's rate where that is missing."""
        if not isinstance(answer, dict) or self.file is None or self.rate is None:
            return answer
        samples, rate = answer.get(self.file), answer.get(self.rate)
        if isinstance(samples, str) and rate is None:
            known = _rate_of(samples)
            return answer if known is None else {**answer, self.rate: known}
        if not self.samples:
            return answer
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


def _rate_of(text: str) -> int | None:
    from ._waveform import sampling_rate
    from .encoded import Base64

    try:
        return sampling_rate(Base64(text).data)
    except ValueError:
        return None


def _pixels(part: float, all_of_them: int) -> float:
    try:
        number = float(part) * all_of_them
    except OverflowError:
        return inf  # an integer beyond all floats: no number of pixels either
    return round(number) if isfinite(number) else number


def _is_json(content_type: str) -> bool:
    return content_type == "application/json" or content_type.endswith("+json")


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same: 1 and true are not."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


_SPEC: Final = Wire()


@dataclass(frozen=True)
class Dialect:
    """How a service or a kind of server speaks. `title` is its name for people.

    `url` is the hosted service, `models` the path of a model there (``{model}`` in it; without one, its addresses name
    no models), `token_env` the environment variable with its token. `max_body` is the most bytes it takes in one
    request, where that is known. `wires` are the tasks that are spoken otherwise than in their specs; where it is
    `closed`, no other task is spoken at all. `error` is the place of the message in an answer that is an error: names
    of members. `auth` is the word before the token in the header Authorization. `protocol` names the way that calls
    travel, where a request is not simply one call: ``"clarifai"``.
    """

    name: str
    title: str
    url: str | None = None
    models: str = ""
    token_env: str = ""
    max_body: int | None = None
    closed: bool = False
    error: tuple[str, ...] = ("error",)
    auth: str = "Bearer"
    protocol: str = ""
    wires: Mapping[str, Wire] = field(default_factory=dict)

    def speaks(self, task: str) -> bool:
        """Whether there is a way to speak a task."""
        return not self.closed or task in self.wires

    def wire(self, task: str) -> Wire:
        """How a task is spoken. Raises InputError if it is not."""
        if not self.speaks(task):
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

        A server at an address of its own has one model, so that no model need be named there. One that may be named has
        an address as our own server has them, unless the dialect speaks of one service alone: `closed`, no `models`.
        """
        hosted = self.hosts(base)
        if names_model or (model is None and not (hosted and self.models)):
            return joined(base, wire.route)
        if model is None:
            raise InputError(f"model: {self.title} has many; say which: model=… here or for the client")
        if not self.models and (hosted or self.closed):
            raise InputError(f"model: {self.title} takes none for this task; leave it out")
        if hosted:
            return base + self.models.format(model=model_path(model)) + (wire.model_route or wire.route)
        return f"{base}/models/{model_path(model)}{wire.route}"
