"""What a model takes and answers, read off its task's wire, and the type of model that this is for Clarifai."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ...dialect import Wire
from .inputs import MEDIA

ANY: Final = "any-to-any"
"""The type of models that are of none of these."""

_TYPES: Final[Mapping[tuple[str, str], str]] = {
    ("audio", "concepts"): "audio-classifier",
    ("audio", "text"): "audio-to-text",
    ("image", "regions[...].region_info.bounding_box"): "visual-detector",
    ("image", "concepts"): "visual-classifier",
    ("image", "embeddings"): "visual-embedder",
    ("image", "regions[...].region_info.mask"): "visual-segmenter",
    ("image", "text"): "image-to-text",
    ("image+text", "concepts"): "multimodal-to-text",
    ("image+text", "image"): "text-to-image",
    ("image+text", "text"): "multimodal-to-text",
    ("text", "audio"): "text-to-audio",
    ("text", "concepts"): "text-classifier",
    ("text", "embeddings"): "text-embedder",
    ("text", "image"): "text-to-image",
    ("text", "regions[...].region_info.span"): "text-token-classifier",
    ("text", "text"): "text-to-text",
    ("video", "concepts"): "visual-classifier",
}
"""By the media that are taken together, and what is answered."""


@dataclass(frozen=True)
class Kind:
    """The type of a model (``model_type_id``), and the members of data that it takes and answers.

    What is inside of a list is written as Clarifai does: ``regions[...].data.concepts``.
    """

    type_id: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def takes(self, fields: Sequence[str]) -> bool:
        """Whether it takes all of `fields`."""
        return all(_has(self.inputs, field) for field in fields)

    def answers(self, fields: Sequence[str]) -> bool:
        """Whether it answers with all of `fields`: ``regions`` are any with whatever in them."""
        return all(_has(self.outputs, field) for field in fields)

    @property
    def names_concepts(self) -> bool:
        """Whether there are concepts in its answers."""
        return any(field.endswith("concepts") for field in self.outputs)


def _has(fields: Sequence[str], wanted: str) -> bool:
    return any(field == wanted or field.startswith((f"{wanted}[", f"{wanted}.")) for field in fields)


def kind_of(wire: Wire) -> Kind:
    """What a task with this `wire` takes and answers."""
    inputs = tuple(medium for medium in MEDIA if wire.takes("data", medium))
    outputs = tuple(dict.fromkeys(_outputs(wire)))
    told = (_TYPES.get(("+".join(inputs), field)) for field in outputs)
    return Kind(next(filter(None, told), ANY), inputs, outputs)


def _outputs(wire: Wire) -> Iterator[str]:
    for form in wire.answers:
        for _, place in form:
            names = [step for step in place if isinstance(step, str)]
            if names[0] == "regions":
                yield f"regions[...].{names[1]}.{names[2]}"
            elif names[0] != "parts":
                yield names[0]
