"""What one request may ask for, whatever its schema allows: caps that an operator sets, checked before any handler.

They are known by the names of members (`LIMITED`), so that they hold for the handlers of one's own, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from ..binding import TaskBinding
from .problems import RequestProblem, TooLarge
from .settings import Limits

LIMITED: Mapping[str, str] = {
    "top_k": "max_top_k",
    "top_n_tokens": "max_top_k",
    "top_logprobs": "max_top_k",
    "candidate_labels": "max_labels",
    "ignore_labels": "max_labels",
    "n": "max_answers",
    "best_of": "max_answers",
    "num_return_sequences": "max_answers",
    "num_beams": "max_beams",
    "num_beam_groups": "max_beams",
    "max_tokens": "max_new_tokens",
    "max_completion_tokens": "max_new_tokens",
    "max_new_tokens": "max_new_tokens",
    "min_new_tokens": "max_new_tokens",
    "max_length": "max_new_tokens",
    "min_length": "max_new_tokens",
    "num_inference_steps": "max_steps",
    "width": "max_side",
    "height": "max_side",
    "num_frames": "max_frames",
}
"""The limit of a member by its name: of a number, or of how many items a list has. Other lists of texts: max_texts."""


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of a request: a value that has a limit itself, an object with limited `members`, or either."""

    attribute: str
    field: str
    most: int | None = None
    characters: int | None = None
    members: tuple[_Member, ...] = ()


class Caps:
    """The limits of one task's requests."""

    def __init__(self, binding: TaskBinding, limits: Limits) -> None:
        media = {name for name, _ in binding.media_members} | ({binding.primary} if binding.media else set())
        self._members = tuple(_limited(binding.input_class, limits, media, (), ()))

    def check(self, request: Any) -> None:
        """Raises RequestProblem (422) for a member of the validated `request` that is beyond its limit."""
        _check(request, self._members)


def _limited(
    model: Any, limits: Limits, media: set[str], path: tuple[str, ...], above: tuple[Any, ...]
) -> Iterator[_Member]:
    for attribute, info in model.model_fields.items():
        name = info.alias or attribute
        field = ".".join((*path, name))
        kinds = list(_kinds(info.annotation))
        most = getattr(limits, LIMITED[name]) if name in LIMITED else None
        if list[str] in kinds and most is None:
            most = limits.max_texts
        parts = [kind for kind in kinds if hasattr(kind, "model_fields") and kind not in above]
        characters = limits.max_characters if {str, list[str]} & set(kinds) and name not in media else None
        below = (_limited(part, limits, media, (*path, name), (*above, model)) for part in parts)
        members = tuple(dict.fromkeys(chain.from_iterable(below)))
        if members or most is not None or characters is not None:
            yield _Member(attribute, field, most, characters, members)


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that a value of `annotation` may have, constraints left out; of lists only those of texts."""
    origin = get_origin(annotation)
    if origin is list:
        yield list[str] if str in _kinds(get_args(annotation)[0]) else list
    elif origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _kinds(member)
    elif origin is None:
        yield annotation


def _check(parent: Any, members: tuple[_Member, ...]) -> None:
    for member in members:
        value = getattr(parent, member.attribute, None)
        if value is None:
            continue
        if isinstance(value, str):
            check_text(value, member.characters, member.field)
        elif isinstance(value, list):
            if member.most is not None and len(value) > member.most:
                message = f"holds {len(value)} items; this server takes at most {member.most}"
                raise RequestProblem(message, field=member.field)
            for index, item in enumerate(value):
                if isinstance(item, str):
                    check_text(item, member.characters, f"{member.field}.{index}")
        elif isinstance(value, int | float):
            if member.most is not None and value > member.most:
                raise RequestProblem(f"must be at most {member.most} on this server", field=member.field)
        else:
            _check(value, member.members)


def check_text(text: str, most: int | None, field: str) -> None:
    """Raises TooLarge at `field` for a `text` of more than `most` characters; None is no limit."""
    if most is not None and len(text) > most:
        raise TooLarge(f"is longer than {most} characters", field=field)
