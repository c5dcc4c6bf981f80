"""The verdict on each difference between two IRs: a rule gives the reason and the level.

A rule alone cannot know everything. Where it says *breaking*, a proof that all that is sent is taken lowers it; a
payload that shows the opposite is looked for; and without either it stays. Where it says *safe* of one of several
alternatives of which exactly one must fit, that has to be proved. At last the whole of each side is asked, and a
payload that shows a rule to be wrong overrules it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from typing import Final

from .. import ir
from . import wording
from .cases import Case, cases
from .change import Change, Kind
from .changes import differences
from .dialects import dialect_cases, task_cases
from .flow import Claim, Flow
from .place import Difference, Place
from .proof import Answer, Prover
from .rules import ENFORCED, RULES
from .verdict import Level, Verdict
from .witness import Witnesses

_SAID: Final = (Kind.DESCRIPTION, Kind.DEFAULT, Kind.DEPRECATED)
"""What is said about values; it decides about none."""


def judge(old: ir.Api, new: ir.Api) -> tuple[Verdict, ...]:
    """The verdicts on everything that differs on the wire, in the order of the changes; at least one for each."""
    found: list[Verdict] = []
    for (_, side), group in groupby(differences(old, new), _side):
        if side:
            placed = [each for each in group if isinstance(each, Difference)]
            found += _Side(Flow(side == "request", old, new), placed).verdicts()
        else:
            found += (verdict for each in group if isinstance(each, Change) for verdict in _whole(each, old, new))
    return tuple(found)


def _side(each: Change | Difference) -> tuple[str, str]:
    """The side of a task whose data differ; empty for a change of something else."""
    return (each.change.task, each.change.side) if isinstance(each, Difference) else (each.task, "")


def _whole(change: Change, old: ir.Api, new: ir.Api) -> Iterator[Verdict]:
    """The verdicts on a change of something else than data."""
    found = dialect_cases(change, old, new) if change.side == "dialect" else task_cases(change)
    for id, what in found:
        rule = RULES[id]
        request = id.startswith(
            ("dialect-request", "dialect-ignored", "dialect-route", "dialect-body", "task", "stream")
        )
        effect = wording.effect(request, rule.wire, rule.python)
        yield Verdict(change, rule.id, rule.wire, rule.python, what, effect)


class _Side:
    """The verdicts on one side of one task."""

    def __init__(self, flow: Flow, found: list[Difference]) -> None:
        self._flow, self._found = flow, found
        self._root = [*found[0].place.around()][-1]
        self._prover = Prover(flow)
        self._witnesses = Witnesses(flow, self._prover, self._root)
        self._overlaps: dict[int, Verdict] = {}

    def verdicts(self) -> list[Verdict]:
        """The verdicts, with the whole side asked at last."""
        made = [
            (self._built(self._verdict(difference, case), difference, case), difference, case)
            for difference in self._found
            for case in cases(self._flow, difference)
        ]
        found = [verdict for verdict, *_ in made]
        said = all(difference.change.kind in _SAID for difference in self._found)
        if said or any(verdict.witness is not ir.ABSENT for verdict in found):
            return found
        whole = self._prover.holds(self._flow.whole(self._root))
        breaks = any(verdict.wire is Level.BREAKING for verdict in found)
        if breaks and whole is Answer.YES:
            return [self._lowered(verdict, case) for verdict, _, case in made]
        if not breaks and whole is Answer.NO:
            return [self._overruled(*each) for each in made]
        return found

    def _overruled(self, verdict: Verdict, difference: Difference, case: Case) -> Verdict:
        """A rule that is wrong here, which a payload shows."""
        if difference.change.kind in _SAID:
            return verdict
        witness = self._witnesses.find(difference.place, case.claims, difference.member)
        if witness is ir.ABSENT:
            return verdict
        effect = self._effect(Level.BREAKING, verdict.python)
        return replace(verdict, wire=Level.BREAKING, effect=effect, witness=witness, proof="witness")

    def _lowered(self, verdict: Verdict, case: Case) -> Verdict:
        """A change that affects nobody, as is proved."""
        if verdict.wire is not Level.BREAKING:
            return verdict
        if case.otherwise:
            return replace(self._of_rule(case.otherwise, case), proof="covers")
        python = Level.SAFE if self._flow.request and case.rule in ENFORCED else verdict.python
        return replace(verdict, wire=Level.SAFE, python=python, effect=self._effect(Level.SAFE, python), proof="covers")

    def _built(self, verdict: Verdict, difference: Difference, case: Case) -> Verdict:
        """An answer is built by Python code, too: safe where models take all that they took, as is proved."""
        if self._flow.request or case.rule not in ENFORCED or not self._backwards.takes_all(difference, case.rule):
            return verdict
        proof = "covers" if verdict.proof == "rule" else verdict.proof
        return replace(verdict, python=Level.SAFE, effect=self._effect(verdict.wire, Level.SAFE), proof=proof)

    @cached_property
    def _backwards(self) -> _Side:
        """The way of an answer that code of OLD builds to a model of NEW."""
        return _Side(Flow(True, self._flow.old, self._flow.new), self._found)

    def takes_all(self, difference: Difference, rule: str) -> bool:
        """Whether it is proved that what a rule speaks of affects nobody."""
        place = difference.place
        twins = [case for case in cases(self._flow, difference) if case.rule == rule and case.claims]
        return any(self._holds(twin, place, self._flow.exclusive(place)) is Answer.YES for twin in twins)

    def _verdict(self, difference: Difference, case: Case) -> Verdict:
        verdict = self._of_rule(case.rule, case)
        place = difference.place
        exclusive = None if difference.change.kind in _SAID else self._flow.exclusive(place)
        if verdict.wire is not Level.BREAKING:
            if exclusive is None or self._prover.holds(self._flow.whole(exclusive)) is Answer.YES:
                return verdict
            name = "alternative-widened" if self._flow.request else "alternative-narrowed"
            return self._overlapping(self._of_rule(name, case), exclusive)
        if not case.claims:
            return verdict
        answer = self._holds(case, place, exclusive)
        if answer is Answer.YES:
            return self._lowered(verdict, case)
        return self._shown(verdict, place, case.claims, answer, difference.member)

    def _holds(self, case: Case, place: Place, exclusive: Place | None) -> Answer:
        """Whether a breaking case affects nobody: at its place, or at one around it, where other variants help."""
        if exclusive is not None:
            return self._prover.holds(self._flow.whole(exclusive))
        answers = [self._prover.holds(claim) for claim in case.claims]
        if all(answer is Answer.YES for answer in answers):
            return Answer.YES
        outer = (around.parent for around in place.around() if around.step == "value" and around.parent)
        wider = [place, *(around for around in outer if self._flow.mixed(around))]
        if any(self._prover.holds(self._flow.whole(around)) is Answer.YES for around in wider):
            return Answer.YES
        return Answer.NO if Answer.NO in answers else Answer.UNKNOWN

    def _shown(
        self, verdict: Verdict, place: Place, claims: tuple[Claim, ...], answer: Answer, member: str = ""
    ) -> Verdict:
        """A breaking verdict with a payload that shows it, if one is found."""
        witness = self._witnesses.find(place, claims, member)
        if witness is not ir.ABSENT:
            return replace(verdict, witness=witness, proof="witness")
        return replace(verdict, proof="covers" if answer is Answer.NO else "unknown")

    def _overlapping(self, verdict: Verdict, exclusive: Place) -> Verdict:
        """The same for what changed in alternatives of which exactly one must fit: one payload shows it for all."""
        if id(exclusive) not in self._overlaps:
            self._overlaps[id(exclusive)] = self._shown(verdict, exclusive, (), Answer.UNKNOWN)
        shown = self._overlaps[id(exclusive)]
        return replace(verdict, witness=shown.witness, proof=shown.proof)

    def _of_rule(self, name: str, case: Case) -> Verdict:
        rule = RULES[f"{self._flow.prefix}-{name}"]
        return Verdict(case.change, rule.id, rule.wire, rule.python, case.what, self._effect(rule.wire, rule.python))

    def _effect(self, wire: Level, python: Level) -> str:
        return wording.effect(self._flow.request, wire, python)
