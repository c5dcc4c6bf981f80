"""What a rule is, what it is shown, and what it answers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..diagnostics import Code, Severity
from ..documents import Document
from ..load.positions import unescape

if TYPE_CHECKING:
    from .work import Work

ANNOTATIONS: Final = frozenset(("title", "description", "default", "examples", "deprecated"))
"""The keywords that say nothing about validity and are kept."""
ASSERTIONS: Final = frozenset(
    """
    type enum const
    minimum maximum exclusiveMinimum exclusiveMaximum multipleOf
    minLength maxLength pattern format contentEncoding contentMediaType
    items prefixItems minItems maxItems uniqueItems contains minContains maxContains unevaluatedItems
    properties required additionalProperties patternProperties propertyNames minProperties maxProperties
    dependentRequired dependentSchemas unevaluatedProperties
    $ref anyOf oneOf allOf not if then else
    """.split()
)
"""The keywords of 2020-12 that decide validity. Together with `$defs` and the annotations: all that may be left."""
TRANSLATED: Final = frozenset(("dependencies", "$dynamicRef", "$recursiveRef"))
"""The keywords that decide validity in some dialect, and that rules translate to others."""
COMMENTS: Final = frozenset(
    ("$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$schema", "$vocabulary", "$comment")
)
"""The keywords that only say what a schema is called and what it is written in. None is left."""


@dataclass(frozen=True)
class Finding:
    """One application of a rule. `at` is the keyword to blame (or deeper), relative to the schema, as in the file."""

    message: str
    fix: str
    at: str = ""
    repaired: bool = True


@dataclass(frozen=True)
class Place:
    """One schema as a rule sees it. `schema` is a working copy that the rule changes in place.

    `pointer` is where the schema stands in the file as it was written, whatever rules have moved since.
    """

    schema: dict[str, Any]
    document: Document
    pointer: str
    dialect: int
    task: str
    work: Work

    @property
    def name(self) -> str:
        """The member that this schema types: the last property name on the way to it, or an empty string."""
        steps = self.pointer.split("/")
        return next(
            (unescape(s) for before, s in zip(steps[-2::-1], steps[:0:-1], strict=False) if before == "properties"), ""
        )


Apply = Callable[[Place], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """A code with the function that applies it to one schema. It is shown schemas with one of `keys` (none: all)."""

    code: Code
    keys: frozenset[str]
    apply: Apply


def rule(code: str, severity: Severity, title: str, *keys: str) -> Callable[[Apply], Rule]:
    """Make a rule of a function; its docstring is the explanation that users read."""

    def make(apply: Apply) -> Rule:
        text = " ".join((inspect.getdoc(apply) or title).split())
        return Rule(Code(code, severity, title, text), frozenset(keys), apply)

    return make


def type_names(schema: dict[str, Any]) -> set[str]:
    """The names in `type`; empty where there is none."""
    declared = schema.get("type")
    if isinstance(declared, str):
        return {declared}
    return {name for name in declared if isinstance(name, str)} if isinstance(declared, list) else set()


def short(value: Any) -> str:
    """A value for a message, at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
