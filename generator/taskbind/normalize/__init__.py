"""Normalise a spec tree: every dialect and habit becomes one plain JSON Schema 2020-12.

The rules are the linter too. They run in the order of :data:`RULES`, each over every schema of the tree; what a rule
does is in its docstring, which is also what ``taskbind explain CODE`` prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..diagnostics import Report, Severity
from ..documents import SpecTree
from . import dialect_rules, refuse_rules, shape_rules, value_rules
from .dynamic import dynamic_refs, too_many_scopes, write_out
from .overlap import overlap
from .rule import ANNOTATIONS, ASSERTIONS, Finding, Place, Rule, rule
from .work import Work

__all__ = ["KEYWORDS", "RULES", "normalize"]

KEYWORDS: Final = ANNOTATIONS | ASSERTIONS | {"$defs"}
"""The keywords that a normalised schema may hold."""


@rule("TB235", Severity.INFO, "target of a reference moved to $defs")
def lost_target(place: Place) -> Iterator[Finding]:
    """A reference points into a part of a schema that another rule dropped, because it has no effect there, or to a
    copy that was made for a dynamic reference. The schema is kept under `$defs`."""
    yield Finding("only references use this schema; it is kept under `$defs`", "move it to `$defs`")


@rule("TB248", Severity.ERROR, "schema is not valid after normalisation")
def invalid_result(place: Place) -> Iterator[Finding]:
    """The document is no valid JSON Schema 2020-12 after all rules: a keyword has a value of the wrong type."""
    problem = place.work.problem(place)
    if problem is not None:
        yield Finding(problem[:200], "correct the keyword", "", repaired=False)


_BEFORE: Final = (*dialect_rules.RULES, *shape_rules.RULES, *refuse_rules.RULES, overlap)
RULES: Final[tuple[Rule, ...]] = (
    dynamic_refs,
    too_many_scopes,
    *_BEFORE,
    lost_target,
    *value_rules.RULES,
    invalid_result,
)
"""Every rule, in the order in which they run."""


def normalize(tree: SpecTree, report: Report, *, comments: bool = False) -> SpecTree:
    """The tree with every schema in JSON Schema 2020-12, definitions under ``$defs``, references canonical.

    `tree` is not changed. Every repair, and everything that cannot be repaired, is in the report; what is left holds
    only :data:`KEYWORDS`, and with `comments` also ``$comment``, for whoever writes the schemas down again. Normalising
    a normalised tree changes nothing.
    """
    work = Work(tree, report, comments=comments)
    write_out(work)
    for each in _BEFORE:
        work.run(each)
    while work.run(shape_rules.single_all_of):  # possible now that others have dropped what stood beside
        for each in shape_rules.RULES:
            work.run(each)
    for place in work.write_refs():
        for finding in lost_target.apply(place):
            work.note(lost_target.code, place, finding)
    for each in (*value_rules.RULES, invalid_result):
        work.run(each)
    return work.result()
