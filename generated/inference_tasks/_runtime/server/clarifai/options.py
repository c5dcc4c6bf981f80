"""What a call asks for beside its inputs: options for all models that answer with concepts, and the task's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

from ...clarifai.codes import Code
from ...dialect import Wire
from ..settings import Limits
from .inputs import member
from .problems import Problem

DEFAULT_CONCEPTS: Final = 20
MAX_CONCEPTS: Final = 200
MIN_SAMPLE_MS: Final = 100
MAX_SAMPLE_MS: Final = 60_000
DEFAULT_SAMPLE_MS: Final = 1000

Selected = tuple[str, ...]
"""What one selected concept goes by: its name and its id, or the one that is said."""


@dataclass(frozen=True)
class Options:
    """The options of one call.

    `max_concepts` is how many at most are wanted, None if that is not said; of those, `min_value` is the least that
    one may have, and `select`, if there are any, are the only ones. `language` is that of their names, empty if it is
    not said: one that others are known for and not this one is refused, and where none are known they keep what the
    model calls them. A video is looked at every `sample_ms` milliseconds, None if that is not said. `params` are all
    others, which the task itself may have.
    """

    max_concepts: int | None = None
    min_value: float | None = None
    select: tuple[Selected, ...] = ()
    language: str = ""
    sample_ms: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def selected(self) -> Set[str]:
        """All names and ids of the concepts that are selected."""
        return frozenset(text for texts in self.select for text in texts)

    def asked(self, wire: Wire, labels: int, most: int) -> dict[str, Any]:
        """The params as a request of `wire` holds them, to a model of so many `labels` (0: nobody knows).

        Where the model itself does not select, all its labels are asked for, up to `most`. How many a model without a
        list of them answers is up to it, unless that is said. Raises Problem for what has another name there.
        """
        params = dict(self.params)
        for name, there in _renamed(wire):
            if name in params:
                raise _wrong(name, f"is called {there} here")
        own = {name for name in READ if wire.takes("params", name)}
        if "max_concepts" in own:
            if self.select and "select_concepts" not in own:
                params["max_concepts"] = min(labels or most, most)
            elif self.max_concepts or labels:
                params["max_concepts"] = self.max_concepts or DEFAULT_CONCEPTS
        if "min_value" in own and self.min_value is not None:
            # A model leaves out what scores its threshold or less, and what equals `min_value` is wanted.
            params["min_value"] = math.nextafter(self.min_value, 0)
        if "select_concepts" in own and self.select:
            params["select_concepts"] = [{"name": name} for name in dict.fromkeys(texts[0] for texts in self.select)]
        if "language" in own and self.language:
            params["language"] = self.language
        if "sample_ms" in own and self.sample_ms is not None:
            params["sample_ms"] = self.sample_ms
        return params


def options(request: Mapping[str, Any], wire: Wire, limits: Limits) -> Options:
    """The options that a `request` to a task of this `wire` has, in either of the places they are published in.

    What is said of the version wins, and at one place what ``params`` say. A zero in ``output_config`` is nothing, as
    everywhere in the protocol; in ``params``, which are JSON, it is what holds by default, whatever was said before.
    Of labels to choose from there may be as many as the `limits` say, and of a model's own as many as it may answer.
    Raises Problem for what none of them can be.
    """
    said: dict[str, Any] = {}
    params: dict[str, Any] = {}
    choice = limits.max_labels if wire.takes("params", "select_concepts") else MAX_CONCEPTS
    for info, place in _infos(request):
        config, free = member(info, "output_config", place), member(info, "params", place)
        said |= {name: value for name, value in _read(config, choice) if value}
        said |= dict(_read(free, choice))
        params |= {name: value for name, value in free.items() if name not in READ}
    return Options(
        max_concepts=said.get("max_concepts") or None,
        min_value=said.get("min_value"),
        select=said.get("select_concepts", ()),
        language=said.get("language", ""),
        sample_ms=said.get("sample_ms") or None,
        params=params,
    )


def _read(holder: Mapping[str, Any], choice: int) -> Iterator[tuple[str, Any]]:
    """The options in `holder`, each as it is meant. Raises Problem, also for more than `choice` selected concepts."""
    for name, read in READ.items():
        value = holder.get(name)
        if value is None:
            continue
        if name == "select_concepts" and isinstance(value, list) and len(value) > choice:
            raise _wrong(name, f"there are {len(value)}, and {choice} at most can be selected")
        yield name, read(name, value)


def _infos(request: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    model = member(request, "model")
    version = member(model, "model_version", "model.")
    yield member(model, "output_info", "model."), "model.output_info."
    yield member(version, "output_info", "model.model_version."), "model.model_version.output_info."


def _renamed(wire: Wire) -> Iterator[tuple[str, str]]:
    """The parameters of the task that have another name on the wire, and that."""
    for form in wire.requests:
        for spec, there in form:
            if len(there) == 2 and there[0] == "params" and spec[-1] != there[1]:
                yield str(spec[-1]), str(there[1])


def _wrong(name: str, message: str) -> Problem:
    return Problem(Code.MODEL_INVALID_ARGUMENT, f"{name}: {message}")


def _number(name: str, value: Any, least: float, most: float) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or (value and not least <= value <= most):
        raise _wrong(name, f"must be a number from {least} to {most}")
    return float(value)


def _integer(name: str, value: Any, least: int, most: int) -> int:
    number = _number(name, value, least, most)
    if number != math.floor(number):
        raise _wrong(name, "must be a whole number")
    return int(number)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(name, "must be a text")
    return value


def _selection(name: str, value: Any) -> tuple[Selected, ...]:
    if not isinstance(value, list):
        raise _wrong(name, "must be a list of objects with an id or a name")
    return tuple(dict.fromkeys(_selected(f"{name}.{index}", concept) for index, concept in enumerate(value)))


def _selected(place: str, concept: Any) -> Selected:
    said = (concept.get("name"), concept.get("id")) if isinstance(concept, dict) else ()
    texts = tuple(text for text in said if text not in (None, ""))
    if not texts or not all(isinstance(text, str) for text in texts):
        raise _wrong(place, "must be an object with an id or a name")
    return texts


READ: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "max_concepts": partial(_integer, least=1, most=MAX_CONCEPTS),
    "min_value": partial(_number, least=0, most=1),
    "select_concepts": _selection,
    "language": _text,
    "sample_ms": partial(_integer, least=MIN_SAMPLE_MS, most=MAX_SAMPLE_MS),
}
"""The options by name, with what tells from a value what it means; of numbers, 0 is what holds by default."""
