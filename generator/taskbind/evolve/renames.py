"""Which of the things that are gone became which of the new ones, under another name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import Final, TypeVar

from .. import ir
from ..names import words

T = TypeVar("T")

_SIMILAR: Final = 0.6
_MOST: Final = 50
"""Beyond so many names on both sides, comparing each with each tells nothing that people would follow."""


def similarity(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1."""
    first, second = ("".join(words(name)) for name in (one, other))
    return SequenceMatcher(None, first, second).ratio()


def similar(one: str, other: str) -> bool:
    """Whether two names look like one in two spellings: ``top_k`` and ``topK``, ``words`` and ``max_words``."""
    first, second = (set(words(name)) for name in (one, other))
    return similarity(one, other) >= _SIMILAR or bool(first and second and (first < second or second < first))


def same_but_for_name(old: ir.Field, new: ir.Field) -> bool:
    """Whether two members say all the same, and say something."""
    mine, its = (
        (field.required, field.doc, repr(field.default), repr(field.examples), field.deprecated) for field in (old, new)
    )
    return bool(old.doc) and mine == its


def renamed(gone: Sequence[T], added: Sequence[T], likeness: Callable[[T, T], float]) -> list[tuple[T, T]]:
    """The pairs that are most alike, each thing in one pair at most. `likeness` is 0 for those that are not alike."""
    if len(gone) > _MOST or len(added) > _MOST:
        return []
    scored = [
        (-score, i, j) for i, one in enumerate(gone) for j, other in enumerate(added) if (score := likeness(one, other))
    ]
    pairs, left, right = [], set(range(len(gone))), set(range(len(added)))
    for _, i, j in sorted(scored):
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            pairs.append((gone[i], added[j]))
    return pairs
