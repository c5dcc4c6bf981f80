"""Searches a payload that one side sends and the other refuses.

No payload is taken on trust: each is a try, made of the least that the sender's schema allows and of a value at the
place of the change, and only what a validator accepts under the one schema and refuses under the other is a witness.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, islice
from typing import Any as Json, Final

from .. import ir
from .flow import Claim, Flow
from .place import Place
from .proof import Prover, too_deep
from .tries import fitting, least, tries

_MOST_TRIES: Final = 400
_MORE_TRIES: Final = 40
"""How many more values are tried for a shorter payload once one is found."""
_DEEPEST: Final = 200
"""Places around each other; what is nested deeper makes no small payload."""
_LONGEST: Final = 2000
"""Characters of JSON: a longer payload shows nothing."""


class Witnesses:
    """Finds witnesses on one side of a task, whose `root` is the place of all its data."""

    def __init__(self, flow: Flow, prover: Prover, root: Place) -> None:
        self._flow, self._prover, self._root = flow, prover, root

    def find(self, place: Place, claims: Iterable[Claim], member: str = "") -> Json:
        """The shortest payload that shows at a place that a claim does not hold; :data:`ir.ABSENT` if none is found.

        If it is about whether there is a `member`, none is made up. Payloads that are refused for nothing else come
        first.
        """
        if self._validators is None or len([*islice(place.around(), _DEEPEST)]) == _DEEPEST:
            return ir.ABSENT
        found = self._search(place, claims, member, full=False)
        return self._search(place, claims, member, full=True) if found is ir.ABSENT else found

    def _search(self, place: Place, claims: Iterable[Claim], member: str, *, full: bool) -> Json:
        """The same; the data around the place are `full` if they have what only conditions ask for."""
        whole = self._flow.whole(place)
        found = chain.from_iterable(self._values(claim) for claim in (*claims, whole))
        known: set[str] = set()
        best: Json = ir.ABSENT
        cost, left = (True, _LONGEST + 1), _MOST_TRIES
        for value in found:
            payload, path = self._around(place, value, member, full)
            text = json.dumps(payload, ensure_ascii=False)
            if text not in known and (False, len(text)) < cost and self.shows(payload):
                mine = self._refused_elsewhere(payload, path), len(text)
                best, cost = (payload, mine) if mine < cost else (best, cost)
                left = left if cost[0] else min(left, _MORE_TRIES)
            known.add(text)
            left -= 1
            if not left:
                break
        return best

    def shows(self, payload: Json) -> bool:
        """Whether a payload is sent by a closed sender, and refused."""
        if self._validators is None:
            return False
        sent, taken = self._validators
        return bool(sent.is_valid(payload) and not taken.is_valid(payload))

    def _refused_elsewhere(self, payload: Json, path: list[str | int]) -> bool:
        """Whether something else than what stands at a path, or around it, is refused too."""
        assert self._validators is not None
        found = (list(error.instance_path) for error in self._validators[1].iter_errors(payload))
        return any(where[: len(path)] != path[: len(where)] for where in found)

    @cached_property
    def _validators(self) -> tuple[Json, Json] | None:
        import jsonschema_rs

        schemas = self._prover.schemas(self._flow.whole(self._root))
        if any(map(too_deep, schemas)):
            return None
        try:
            options = jsonschema_rs.RegexOptions()
            sent, taken = (
                jsonschema_rs.Draft202012Validator(schema, offline=True, pattern_options=options) for schema in schemas
            )
        except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
            return None  # a pattern that looks ahead, for one
        return sent, taken

    def _values(self, claim: Claim) -> Iterator[Json]:
        """Values that are sent and may be refused: the edges of both types."""
        yield from tries(self._flow.sender, claim.sent, self._flow.taker, claim.taken)

    def _around(self, place: Place, value: Json, member: str, full: bool) -> tuple[Json, list[str | int]]:
        """The least data that has a value at a place, and the path of that place in it."""
        path: list[str | int] = []
        sent = self._flow.sender.resolve(self._flow.sent(place))
        if isinstance(value, dict) and isinstance(sent, ir.Object):  # of several alternatives, a value is one already
            made = self._least(place, full)
            value = {name: made[name] for name in made if name != member} | value
        for inner in place.around():
            if inner.parent is None or inner.step == "value":
                continue
            made = self._least(inner.parent, full)
            if inner.step in ("member", "others"):
                path.insert(0, inner.key or "other")
                value = {**made, path[0]: value}
            else:
                index = int(inner.key)
                path.insert(0, index)
                made += [value] * (index - len(made))
                value = [*made[:index], value, *made[index + 1 :]]
        return value, path

    def _least(self, place: Place, full: bool) -> Json:
        """A small value of what is sent at a place, such that nothing but a change is refused in it."""
        flow = self._flow
        sent, taken = (flow.sender.resolve(flow.sent(place)), flow.taker.resolve(flow.taken(place)))
        if isinstance(sent, ir.Array):
            prefix = [least(flow.sender, item) for item in sent.prefix]
            rest = least(flow.sender, sent)
            return [*prefix, *rest[len(prefix) :]]
        made = fitting(flow.sender, sent, flow.taker, taken)
        if full and isinstance(sent, ir.Object):
            names = {name for same in place.same_data() for name in flow.asked_for(same)}
            made |= {f.name: least(flow.sender, f.type) for f in sent.fields if f.name in names - made.keys()}
        return made
