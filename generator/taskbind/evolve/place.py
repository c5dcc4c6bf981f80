"""Where two types are compared: the same place in the data of OLD and of NEW, and how to get there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .. import ir
from .change import Change

Step = Literal["value", "member", "item", "items", "others"]


@dataclass(frozen=True, eq=False)
class Place:
    """The types of a place in both IRs. `step` leads here from `parent`, whose types are around these.

    A ``member`` is called `key`; an ``item`` is the one at the index `key`, ``items`` are those after the ones with
    types of their own; ``others`` are the members that nobody named; and a ``value`` is a variant: the same data.
    `old_source` and `new_source` are where the specs say so.
    """

    old: ir.Type
    new: ir.Type
    parent: Place | None = None
    step: Step = "value"
    key: str | int = ""
    old_source: ir.Source | None = None
    new_source: ir.Source | None = None

    def around(self) -> Iterator[Place]:
        """This place and those around it, up to the root."""
        place: Place | None = self
        while place is not None:
            yield place
            place = place.parent

    def same_data(self) -> Iterator[Place]:
        """This place and those around it of the same data: the type that it is a variant of, and so on."""
        for place in self.around():
            yield place
            if place.step != "value":
                return


@dataclass(frozen=True)
class Difference:
    """A change of the data of a task, and the place whose types differ in it.

    `member` is set where it is about whether an object has that member: then the place is the object's. `gone` and
    `added` are the variants or the checks that only one of both types has, and `matched` is whether they share others.
    """

    change: Change
    place: Place
    member: str = ""
    gone: tuple[ir.Type, ...] = ()
    added: tuple[ir.Type, ...] = ()
    matched: bool = False
