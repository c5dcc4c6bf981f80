"""What a change means for those who call a task, and for those who use the Python that is generated from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any as Json, Literal

from .. import ir
from .change import Change

Proof = Literal["rule", "covers", "witness", "unknown"]


class Level(StrEnum):
    """How much a change asks of its users, in rising order of :attr:`rank`."""

    SAFE = "safe"
    """Nothing that worked stops working."""
    DANGEROUS = "dangerous"
    """What worked is accepted still, and may behave otherwise than it did."""
    BREAKING = "breaking"
    """Something that worked is refused, or is no longer found."""

    @property
    def rank(self) -> int:
        """0 for safe, 1 for dangerous, 2 for breaking."""
        return list(Level).index(self)


@dataclass(frozen=True)
class Verdict:
    """The verdict on one change: `wire` for callers, `python` for users of the generated code.

    `rule` is an id of :data:`taskbind.evolve.rules.RULES`. `what` happened, and the `effect` that it has on whom, are
    plain text without an end, the latter empty where there is none. `witness` is the
    data of one call that worked and no longer does: a request that OLD takes and NEW refuses, or an answer (an event of
    a stream) of NEW that a reader of OLD refuses; :data:`ir.ABSENT` where none was found, or none is needed.

    `proof` says what `wire` stands on: the rule alone; `covers`, where the schemas were proved to fit or not to;
    `witness`; `unknown`, where nothing was proved and the worse is assumed.
    """

    change: Change
    rule: str
    wire: Level
    python: Level
    what: str
    effect: str = ""
    witness: Json = ir.ABSENT
    proof: Proof = "rule"

    @property
    def message(self) -> str:
        """Both in one sentence, which does not say where."""
        return f"{'; '.join(filter(None, (self.what, self.effect)))}."

    @property
    def level(self) -> Level:
        """The worse of both levels."""
        return max(self.wire, self.python, key=lambda level: level.rank)
