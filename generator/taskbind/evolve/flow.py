"""Who sends and who takes the data of one side of a task, and what has to hold for both to go on as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .. import ir
from ..load.walk import walk
from .place import Place
from .typewise import as_object, opened


@dataclass(frozen=True)
class Claim:
    """Every value of `sent` is one of `taken`: the first is a type of the sender's IR, the other of the taker's."""

    sent: ir.Type
    taken: ir.Type


@dataclass(frozen=True)
class Flow:
    """The way of the data: a request comes from a caller of OLD to a server of NEW, an answer goes the other way.

    A sender is closed: it sends the declared members of an object and no others, unless none are declared.
    """

    request: bool
    old: ir.Api
    new: ir.Api

    @property
    def prefix(self) -> str:
        """What the ids of its rules begin with."""
        return "request" if self.request else "response"

    @property
    def sender(self) -> ir.Api:
        """The IR that senders follow."""
        return self.old if self.request else self.new

    @property
    def taker(self) -> ir.Api:
        """The IR that takers follow."""
        return self.new if self.request else self.old

    def sent(self, place: Place) -> ir.Type:
        """What is sent at a place."""
        return place.old if self.request else place.new

    def taken(self, place: Place) -> ir.Type:
        """What is taken at a place."""
        return place.new if self.request else place.old

    def whole(self, place: Place) -> Claim:
        """That all that is sent at a place is taken there."""
        named = self._names_members(place)
        return Claim(self.sent(named or place), self.taken(place))

    def sent_object(self, place: Place) -> ir.Object:
        """The object that is sent at a place; `additional` is what a closed sender adds to its members."""
        type = self.sender.resolve(self.sent(place))
        if not isinstance(type, ir.Object | ir.Map):
            return ir.Object(())
        made = as_object(type)
        if made.fields and made.additional is True and not self._names_members(place):
            return ir.Object(made.fields, False)
        return made

    def _names_members(self, place: Place) -> Place | None:
        """The place of the same data where a check of what is sent declares members by patterns of their names."""
        for same in place.same_data():
            checks, _ = opened(self.sender, self.sent(same))
            if any(map(names_patterns, checks)):
                return same
        return None

    def asked_for(self, place: Place) -> Iterator[str]:
        """The names of members that the checks of what is sent at a place ask for, under some condition or other."""
        checks, _ = opened(self.sender, self.sent(place))
        for check in checks:
            for _, schema in walk(check.data):
                yield from schema.get("required", ())

    def taken_object(self, place: Place) -> ir.Object:
        """The object that is taken at a place."""
        type = self.taker.resolve(self.taken(place))
        return as_object(type) if isinstance(type, ir.Object | ir.Map) else ir.Object(())

    def mixed(self, place: Place) -> bool:
        """Whether what is sent or taken at a place has alternatives, or checks around it."""
        pairs = ((self.sender, self.sent(place)), (self.taker, self.taken(place)))
        found = [opened(api, type) for api, type in pairs]
        return any(checks or isinstance(type, ir.Union) for checks, type in found)

    def exclusive(self, place: Place) -> Place | None:
        """The outermost place around this one where exactly one of several alternatives must fit what is taken."""
        found = None
        below = place
        for around in place.around():
            union = self.taker.resolve(self.taken(around))
            if around is not below and below.step == "value" and isinstance(union, ir.Union) and union.exclusive:
                found = around
            below = around
        return found


def names_patterns(check: ir.Checked) -> bool:
    """Whether a check declares members by patterns of their names."""
    return isinstance(check.data, dict) and "patternProperties" in check.data
