"""Rules on values: listed ones, null, bounds of numbers, lengths and lists, and what no type can say."""

from __future__ import annotations

from typing import Final

from .rule import BREAKING, BUILT, DANGEROUS, SAFE, Rule, both

_AB: Final = {"enum": ["fast", "good"]}
_ABC: Final = {"enum": ["fast", "good", "best"]}
_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}
_AS_BEFORE: Final = "What callers send is accepted as before."
_FEWER: Final = "Readers get fewer kinds of values than they had to be ready for."

LISTED: Final[tuple[Rule, ...]] = (
    *both(
        "value-added",
        "a listed value was added",
        _AB,
        _ABC,
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(
            BREAKING,
            DANGEROUS,
            "A reader that knows the listed values only has no answer to another one. The "
            "generated client keeps unknown values, unless it is told to be strict.",
        ),
    ),
    *both(
        "value-removed",
        "a listed value was removed",
        _ABC,
        _AB,
        request=(BREAKING, BREAKING, "Callers who send it are refused."),
        response=(SAFE, BREAKING, f"{_FEWER} Python code that builds such an answer may not use the value any more."),
    ),
    *both(
        "values-listed",
        "only listed values are allowed now",
        _TEXT,
        _AB,
        request=(BREAKING, BREAKING, "Callers could send any text."),
        response=(SAFE, DANGEROUS, f"{_FEWER} Type checkers refuse any other text in code that builds such an answer."),
    ),
    *both(
        "values-freed",
        "any text is allowed now, instead of listed values",
        _AB,
        _TEXT,
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(BREAKING, DANGEROUS, "A reader that knows the listed values only has no answer to another one."),
    ),
)

NULL: Final[tuple[Rule, ...]] = (
    *both(
        "null-allowed",
        "null is allowed now",
        _NUMBER,
        {"type": ["number", "null"]},
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(BREAKING, DANGEROUS, "Readers got a value so far. In Python the attribute may hold `None` now."),
    ),
    *both(
        "null-refused",
        "null is no longer allowed",
        {"type": ["number", "null"]},
        _NUMBER,
        request=(BREAKING, BREAKING, "Callers who send null are refused."),
        response=(SAFE, DANGEROUS, f"{_FEWER} Type checkers refuse `None` in code that builds such an answer."),
    ),
)

BOUNDS: Final[tuple[Rule, ...]] = (
    *both(
        "bound-set",
        "a bound was set where there was none",
        {"type": "integer"},
        {"type": "integer", "minimum": 1},
        request=(
            BREAKING,
            BREAKING,
            "Callers could send what is beyond the bound. It counts as breaking even where no "
            "sensible caller did: nothing in OLD said so.",
        ),
        response=(SAFE, BREAKING, f"{_FEWER} {BUILT}"),
    ),
    *both(
        "bound-tightened",
        "a bound was tightened",
        {"type": "array", "maxItems": 10},
        {"type": "array", "maxItems": 5},
        request=(BREAKING, BREAKING, "Callers who send what lies between both bounds are refused."),
        response=(SAFE, BREAKING, f"{_FEWER} {BUILT}"),
    ),
    *both(
        "bound-loosened",
        "a bound was loosened",
        {"type": "string", "maxLength": 5},
        {"type": "string", "maxLength": 10},
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(
            BREAKING,
            SAFE,
            "Readers were told that nothing comes from beyond the old bound: columns, buffers and "
            "scales are sized by that.",
        ),
    ),
    *both(
        "bound-removed",
        "a bound was removed",
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "number", "minimum": 0},
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(
            BREAKING,
            SAFE,
            "Readers were told that nothing comes from beyond it: columns, buffers and scales are sized by that.",
        ),
    ),
    *both(
        "step-changed",
        "numbers are multiples of another step",
        {"type": "integer", "multipleOf": 4},
        {"type": "integer", "multipleOf": 6},
        request=(
            BREAKING,
            BREAKING,
            "A multiple of the old step need not be one of the new step. Where it always is, the change is safe.",
        ),
        response=(
            BREAKING,
            BREAKING,
            "A multiple of the new step need not be one of the old step. Where it always is, the change is safe.",
        ),
    ),
    *both(
        "items-unique",
        "no two items may be alike now",
        {"type": "array", "items": _TEXT},
        {"type": "array", "items": _TEXT, "uniqueItems": True},
        request=(BREAKING, BREAKING, "Callers who send two items alike are refused."),
        response=(SAFE, BREAKING, f"{_FEWER} {BUILT}"),
    ),
    *both(
        "items-repeatable",
        "items may be alike now",
        {"type": "array", "items": _TEXT, "uniqueItems": True},
        {"type": "array", "items": _TEXT},
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(BREAKING, SAFE, "Readers may use items as keys, since OLD said that no two are alike."),
    ),
)

_NOT: Final = {"type": "string", "not": {"const": ""}}

CHECKS: Final[tuple[Rule, ...]] = (
    *both(
        "check-added",
        "a condition was added that no type can say",
        _TEXT,
        _NOT,
        request=(
            BREAKING,
            BREAKING,
            "Values that do not fulfil it (`not`, `if`, `dependentRequired`, listed numbers, …) "
            "were accepted. Where a proof shows that all values fulfil it, the change is safe.",
        ),
        response=(SAFE, BREAKING, f"{_FEWER} {BUILT}"),
    ),
    *both(
        "check-removed",
        "a condition was removed that no type can say",
        _NOT,
        _TEXT,
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(
            BREAKING,
            SAFE,
            "Readers were told that values fulfil it (`not`, `if`, `dependentRequired`, listed "
            "numbers, …). Where a proof shows that all values still do, the change is safe.",
        ),
    ),
)

VALUES: Final = (*LISTED, *NULL, *BOUNDS, *CHECKS)
