"""What speech models say, before it becomes a response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from ..server.handler import RequestProblem
from .sound import SoundBatch


@dataclass(frozen=True)
class Chunk:
    """A stretch of `text` from `start` to `end`, in seconds; `end` is None if the model did not say."""

    text: str
    start: float
    end: float | None


@dataclass(frozen=True)
class Transcript:
    """One recording's text; `chunks` only if timestamps were asked for."""

    text: str
    chunks: list[Chunk] | None = None


class Reader(Protocol):
    """One way from sound to text.

    `options` are what the feature extractor is to be told for a sound of that length. `refusal` says why requests with
    `parameters` cannot be answered by this model, if they cannot. `read` gives the transcripts of a batch, in order.
    """

    def options(self, seconds: float) -> dict[str, Any]: ...

    def refusal(self, parameters: Any) -> RequestProblem | None: ...

    def read(self, batch: SoundBatch, parameters: Any) -> list[Transcript]: ...
