"""What is picked from the concepts of an answer, in the whole of it and in its regions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from typing import Any

from .options import DEFAULT_CONCEPTS, Options

Data = dict[str, Any]
Concept = dict[str, Any]


def pick(data: Data, options: Options, names: Mapping[str, str]) -> None:
    """Leave in `data`, an answer as the wire has it, what the `options` want, named as `names` has it for an id.

    Concepts are told by value, the highest first. Regions stay in their order, as words do in theirs: those whose
    concepts are all left out go, and if it is said how many are wanted, all but the ones of the highest values.
    """
    if "concepts" in data:
        data["concepts"] = _picked(data["concepts"], options, names)
    if "regions" not in data:
        return
    regions = [region for region in data["regions"] if _stays(region, options, names)]
    if options.max_concepts is not None:
        best = sorted(range(len(regions)), key=lambda index: -_worth(regions[index]))[: options.max_concepts]
        regions = [regions[index] for index in sorted(best)]
    data["regions"] = regions


def unknown(answers: Sequence[Data], options: Options, known: Set[str]) -> list[str]:
    """What the selected concepts are called that are neither `known`, by id or name, nor in any of the `answers`.

    Where nothing is known and answers have regions, nobody can tell: there need not be every concept in a picture.
    """
    if not known and any("regions" in data for data in answers):
        return []
    found = {concept.get(key) for data in answers for concept in data.get("concepts", ()) for key in ("id", "name")}
    return [texts[0] for texts in options.select if known.isdisjoint(texts) and found.isdisjoint(texts)]


def _picked(concepts: Sequence[Concept], options: Options, names: Mapping[str, str]) -> list[Concept]:
    found = [_named(concept, options, names) for concept in concepts]
    kept = [concept for concept in found if _wanted(concept, options)]
    kept.sort(key=lambda concept: -_value(concept))
    return kept[: options.max_concepts or DEFAULT_CONCEPTS]


def _stays(region: Data, options: Options, names: Mapping[str, str]) -> bool:
    inner = region.get("data", {})
    if not inner.get("concepts"):
        return not options.select and _worth(region) >= (options.min_value or 0)
    inner["concepts"] = _picked(inner["concepts"], options, names)
    return bool(inner["concepts"])


def _named(concept: Concept, options: Options, names: Mapping[str, str]) -> Concept:
    label = concept.get("id", "")
    return {**concept, "name": names[label], "language": options.language} if label in names else concept


def _wanted(concept: Concept, options: Options) -> bool:
    if options.select and options.selected.isdisjoint((concept.get("id"), concept.get("name"))):
        return False
    return options.min_value is None or _value(concept) >= options.min_value


def _value(concept: Concept) -> float:
    """How sure it is; what nobody has put a value on is never the worst."""
    value: float | None = concept.get("value")
    return math.inf if value is None else value


def _worth(region: Data) -> float:
    """The region's value, or that of its best concept."""
    value: float | None = region.get("value")
    return max(map(_value, region.get("data", {}).get("concepts", ())), default=math.inf) if value is None else value
