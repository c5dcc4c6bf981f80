"""From a class for each token to entities: words out of tokens, entities out of neighbours, one text out of chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Token:
    """One token: a probability for each class, and where it stands in the text (None if nobody knows)."""

    word: str
    scores: Sequence[float]
    start: int | None
    end: int | None
    continues: bool
    """Whether it is the rest of the word that the token before it began."""


@dataclass(frozen=True)
class Find:
    """A token, word or entity with its class."""

    label: str
    score: float
    word: str
    start: int | None
    end: int | None

    def answer(self, member: str) -> dict[str, Any]:
        """As JSON values, with the class in `member`."""
        return {member: self.label, "score": self.score, "word": self.word, "start": self.start, "end": self.end}


Join = Callable[[list[str]], str]
"""Makes text of tokens."""


def classified(tokens: Sequence[Token], labels: Sequence[str]) -> list[Find]:
    """Each token on its own."""
    return [_classified([token], token.word, "first", labels) for token in tokens]


def entity_label(label: str) -> str:
    """The class of an entity whose first token has the class `label`: ``B-PER`` begins a ``PER``."""
    return label.split("-", 1)[-1]


def entities(tokens: Sequence[Token], labels: Sequence[str], strategy: str, join: Join) -> list[Find]:
    """Neighbours of one class together; `strategy` is ``simple``, ``first``, ``average`` or ``max``."""
    if strategy == "simple":
        return _grouped(classified(tokens, labels), join)
    words: list[list[Token]] = []
    for token in tokens:
        if words and token.continues:
            words[-1].append(token)
        else:
            words.append([token])
    return _grouped([_classified(word, join([token.word for token in word]), strategy, labels) for word in words], join)


def without_overlaps(finds: Sequence[Find]) -> list[Find]:
    """Finds of several chunks in the order of the text; of those that overlap, the longest, or else the likeliest."""
    kept: list[Find] = []
    for find in sorted(finds, key=lambda find: _span(find)[0]):
        start, end = _span(find)
        if not kept or start >= _span(kept[-1])[1]:
            kept.append(find)
            continue
        rival_start, rival_end = _span(kept[-1])
        if (end - start, find.score) > (rival_end - rival_start, kept[-1].score):
            kept[-1] = find
    return kept


def _span(find: Find) -> tuple[int, int]:
    return find.start or 0, find.end or 0


def _classified(word: Sequence[Token], text: str, strategy: str, labels: Sequence[str]) -> Find:
    if strategy == "average":
        scores: Sequence[float] = [sum(column) / len(word) for column in zip(*(t.scores for t in word), strict=True)]
    elif strategy == "max":
        scores = max((token.scores for token in word), key=max)
    else:
        scores = word[0].scores
    best = max(range(len(scores)), key=scores.__getitem__)
    return Find(labels[best], scores[best], text, word[0].start, word[-1].end)


def _grouped(finds: Sequence[Find], join: Join) -> list[Find]:
    groups: list[list[Find]] = []
    for find in finds:
        if groups and not find.label.startswith("B-") and _kind(find.label) == _kind(groups[-1][-1].label):
            groups[-1].append(find)
        else:
            groups.append([find])
    return [
        Find(
            entity_label(group[0].label),
            sum(find.score for find in group) / len(group),
            join([find.word for find in group]),
            group[0].start,
            group[-1].end,
        )
        for group in groups
    ]


def _kind(label: str) -> str:
    """The class without the mark for the beginning or the inside of an entity."""
    return label[2:] if label[:2] in ("B-", "I-") else label
