"""The catalogue: what each change means, in each direction, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .dialects import DIALECTS
from .members import MEMBERS
from .python import PYTHON
from .rule import Example, Rule
from .tasks import TASKS
from .texts import TEXTS
from .types import TYPES
from .values import VALUES

__all__ = ["ENFORCED", "GROUPS", "RULES", "Example", "Rule"]

GROUPS: Final[Mapping[str, tuple[Rule, ...]]] = {
    "Tasks": TASKS,
    "Members": MEMBERS,
    "Types": TYPES,
    "Values": VALUES,
    "Texts and media": TEXTS,
    "Dialects": DIALECTS,
    "Names in Python": PYTHON,
}
"""All rules by what they are about, in the order of the docs."""

RULES: Final[Mapping[str, Rule]] = {rule.id: rule for rules in GROUPS.values() for rule in rules}

ENFORCED: Final = frozenset(
    {
        "alternative-widened",
        "alternatives-exclusive",
        "bound-set",
        "bound-tightened",
        "check-added",
        "exclusive-alternative-added",
        "items-unique",
        "pattern-changed",
        "pattern-set",
        "step-changed",
    }
)
"""Rules, without the prefix of the side, on what models enforce while the types of Python stay as they are. They break
Python only if a value that could be given is refused."""
