"""Rules on types: narrower, wider, other ones, alternatives, and members and items that nobody named."""

from __future__ import annotations

from typing import Final

from .rule import BREAKING, BUILT, DANGEROUS, SAFE, Rule, both, in_request, in_response, of_x

_INTEGER: Final = {"type": "integer"}
_NUMBER: Final = {"type": "number"}
_TEXT: Final = {"type": "string"}
_AS_BEFORE: Final = "What callers send is accepted as before."
_FEWER: Final = "Readers get fewer kinds of values than they had to be ready for."
_BUILT: Final = "Type checkers point out code that builds such an answer otherwise."

TYPE: Final[tuple[Rule, ...]] = (
    *both(
        "type-narrowed",
        "numbers must be whole now",
        _NUMBER,
        _INTEGER,
        request=(BREAKING, BREAKING, "Callers who send a fraction are refused."),
        response=(SAFE, DANGEROUS, f"{_FEWER} {_BUILT}"),
    ),
    *both(
        "type-widened",
        "numbers need not be whole any more",
        _INTEGER,
        _NUMBER,
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(BREAKING, DANGEROUS, "Readers in most languages keep whole numbers in a type that holds no others."),
    ),
    *both(
        "type-set",
        "only values of some type are allowed now, instead of any",
        {},
        _TEXT,
        request=(BREAKING, BREAKING, "Callers could send anything."),
        response=(SAFE, DANGEROUS, f"{_FEWER} {_BUILT}"),
    ),
    *both(
        "type-removed",
        "any value is allowed now",
        _TEXT,
        {},
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(BREAKING, DANGEROUS, "Readers know what to do with values of the old type, and of no other."),
    ),
    *both(
        "type-changed",
        "the type is another one",
        _TEXT,
        {"type": "array", "items": _TEXT},
        request=(BREAKING, BREAKING, "What callers send is refused. Take both for a while, as alternatives."),
        response=(BREAKING, BREAKING, "Readers know what to do with values of the old type, and of no other."),
    ),
)


def _having(*names: str) -> list[dict[str, object]]:
    return [{"type": "object", "properties": {name: _TEXT}, "required": [name]} for name in names]


def _needing(*names: str) -> list[dict[str, object]]:
    return [{"type": "object", "properties": dict.fromkeys(names, _TEXT), "required": [name]} for name in names]


ALTERNATIVES: Final[tuple[Rule, ...]] = (
    *both(
        "alternative-added",
        "an alternative was added",
        _TEXT,
        {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(BREAKING, DANGEROUS, "Readers know the old alternatives only."),
    ),
    *both(
        "alternative-removed",
        "an alternative was removed",
        {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
        _TEXT,
        request=(BREAKING, BREAKING, "Callers who send it are refused, unless another alternative takes all of it."),
        response=(SAFE, DANGEROUS, f"{_FEWER} {_BUILT}"),
    ),
    in_request(
        "exclusive-alternative-added",
        "an alternative was added to those of which exactly one must fit",
        of_x({"oneOf": _having("text", "url")}),
        of_x({"oneOf": [*_having("text", "url"), {"type": "object", "properties": {"language": _TEXT}}]}),
        (
            BREAKING,
            BREAKING,
            "A value that fits the new alternative too fits two of them now, and is refused. Where a proof "
            "shows that none does, the change is safe.",
        ),
    ),
    in_response(
        "exclusive-alternative-removed",
        "an alternative was removed from those of which exactly one must fit",
        of_x({"oneOf": [*_having("text", "url"), {"type": "object", "properties": {"language": _TEXT}}]}),
        of_x({"oneOf": _having("text", "url")}),
        (
            BREAKING,
            DANGEROUS,
            "A value that fitted two alternatives, and so was none, fits one now: readers were told "
            "that it never comes. Where a proof shows that there is none, the change is safe.",
        ),
    ),
    in_request(
        "alternative-widened",
        "one of several alternatives, of which exactly one must fit, takes more now",
        of_x({"oneOf": [{"type": "integer", "maximum": 4}, {"type": "number", "minimum": 5}]}),
        of_x({"oneOf": [{"type": "integer", "maximum": 9}, {"type": "number", "minimum": 5}]}),
        (
            BREAKING,
            BREAKING,
            "A value that only another alternative took may fit both now, and is refused. Where a proof "
            "shows that none does, the change is safe.",
        ),
    ),
    in_response(
        "alternative-narrowed",
        "one of several alternatives, of which exactly one must fit, allows less now",
        of_x({"oneOf": [{"type": "integer", "maximum": 9}, {"type": "number", "minimum": 5}]}),
        of_x({"oneOf": [{"type": "integer", "maximum": 4}, {"type": "number", "minimum": 5}]}),
        (
            BREAKING,
            SAFE,
            "A value that fitted two alternatives, and so was none, fits one now: readers were told that it "
            "never comes. Where a proof shows that there is none, the change is safe.",
        ),
    ),
    *both(
        "alternatives-exclusive",
        "exactly one of the alternatives must fit now",
        {"anyOf": _needing("text", "url")},
        {"oneOf": _needing("text", "url")},
        request=(BREAKING, BREAKING, "Callers who send what fits two of them are refused."),
        response=(SAFE, BREAKING, f"{_FEWER} {BUILT}"),
    ),
    *both(
        "alternatives-inclusive",
        "more than one of the alternatives may fit now",
        {"oneOf": _needing("text", "url")},
        {"anyOf": _needing("text", "url")},
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(BREAKING, SAFE, "Readers were told that exactly one fits, and may take the first that does."),
    ),
)

_OPEN: Final = {"type": "object", "properties": {"text": _TEXT}}
_CLOSED: Final = _OPEN | {"additionalProperties": False}
_TEXTS: Final = {"type": "object", "additionalProperties": _TEXT}
_FREE: Final = {"type": "object"}
_PAIR: Final = {"type": "array", "prefixItems": [_NUMBER, _NUMBER], "items": False}
_PAIR_AND_MORE: Final = {"type": "array", "prefixItems": [_NUMBER, _NUMBER], "items": _NUMBER}

OTHERS: Final[tuple[Rule, ...]] = (
    *both(
        "object-closed",
        "an object with members of its own takes no others now",
        _OPEN,
        _CLOSED,
        request=(
            DANGEROUS,
            SAFE,
            "Callers who send the declared members only are not affected, and that is what a "
            "caller is expected to do. Whoever sends more is refused now, instead of being ignored.",
        ),
        response=(SAFE, SAFE, "Readers get no other members than those that they know. From now on none can be added."),
    ),
    *both(
        "object-opened",
        "an object with members of its own may have others now",
        _CLOSED,
        _OPEN,
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(
            DANGEROUS,
            SAFE,
            "No new member comes yet. But readers who refuse unknown members should stop doing "
            "so: from now on adding one counts as safe.",
        ),
    ),
    *both(
        "others-restricted",
        "fewer values or names are allowed for members that are not named",
        _FREE,
        _TEXTS,
        request=(BREAKING, BREAKING, "Callers choose the names of these members, and could give them any value."),
        response=(SAFE, DANGEROUS, f"{_FEWER} {_BUILT}"),
    ),
    *both(
        "others-allowed",
        "more values or names are allowed for members that are not named",
        _TEXTS,
        _FREE,
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(BREAKING, DANGEROUS, "Readers know what to do with the old kind of values, and of no other."),
    ),
    *both(
        "items-refused",
        "a list may have fewer items than before",
        _PAIR_AND_MORE,
        _PAIR,
        request=(BREAKING, BREAKING, "Callers who send a longer list are refused."),
        response=(SAFE, DANGEROUS, f"{_FEWER} {_BUILT}"),
    ),
    *both(
        "items-allowed",
        "a list may have more items than before",
        _PAIR,
        _PAIR_AND_MORE,
        request=(SAFE, SAFE, _AS_BEFORE),
        response=(BREAKING, DANGEROUS, "Readers were told how many items come at most."),
    ),
)

TYPES: Final = (*TYPE, *ALTERNATIVES, *OTHERS)
