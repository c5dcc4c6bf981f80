"""Picking the next token: penalties and biases, what a grammar forbids, then the likeliest or a random one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..server.handler import RequestProblem

if TYPE_CHECKING:
    import torch

    from .grammar import Matcher

NEVER = float("-inf")
DECISIVE = {100.0: 1e4, -100.0: NEVER}
"""What stands for the biases that force a token or rule it out."""

EXTREME = 1e4
"""Beyond it, and below its inverse, a factor changes nothing but the danger of overflow."""


@dataclass(frozen=True)
class Sampling:
    """How to draw a token at random; None for a limit that is off."""

    seed: int
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    typical_p: float | None = None


@dataclass(frozen=True)
class Rules:
    """How to pick a token: the likeliest, unless there is a `sampling`.

    `repetition` divides the scores of tokens that prompt or text hold. `frequency` is taken from a token's score as
    often as it stands in the text, and `presence` once; `counts_prompt` says whether the prompt is part of that text.
    `bias` is added to single tokens' scores, with -100 to forbid and 100 to force them.
    """

    sampling: Sampling | None = None
    repetition: float = 1.0
    frequency: float = 0.0
    presence: float = 0.0
    counts_prompt: bool = False
    bias: Mapping[int, float] = field(default_factory=dict)


class Picker:
    """Picks one row's tokens, in order. Raises RequestProblem at `blame` where the rules leave none."""

    def __init__(self, rules: Rules, *, watermark: Any = None, matcher: Matcher | None = None, blame: str = "") -> None:
        self._rules = rules
        self._watermark = watermark
        self._matcher = matcher
        self._blame = blame

    def pick(self, scores: torch.Tensor, prompt: Sequence[int], written: Sequence[int]) -> int:
        """The next token by the model's `scores` (one for each token of the vocabulary)."""
        scores = self._weighed(scores.clone(), prompt, written)
        if self._matcher is not None:
            scores[~self._matcher.allowed(len(scores)).to(scores.device)] = NEVER
        if not scores.isfinite().any():
            raise RequestProblem("leave no token to go on with", field=self._blame)
        picked = self._drawn(scores) if self._rules.sampling else int(scores.argmax())
        if self._matcher is not None:
            self._matcher.accept(picked)
        return picked

    def _weighed(self, scores: torch.Tensor, prompt: Sequence[int], written: Sequence[int]) -> torch.Tensor:
        import torch

        rules = self._rules
        if rules.repetition != 1:
            from transformers import RepetitionPenaltyLogitsProcessor

            seen: Any = torch.tensor([[*prompt, *written]], device=scores.device)
            scores = RepetitionPenaltyLogitsProcessor(rules.repetition)(seen, scores[None])[0]
        counted = [*prompt, *written] if rules.counts_prompt else [*written]
        if counted and (rules.frequency or rules.presence):
            counts = torch.bincount(torch.tensor(counted, device=scores.device), minlength=len(scores))
            scores = scores - rules.frequency * counts - rules.presence * (counts > 0)
        for token, bias in rules.bias.items():
            scores[token] += DECISIVE.get(bias, bias)
        if self._watermark is not None:
            scores = self._watermark(torch.tensor([[*prompt, *written]], device=scores.device), scores[None])[0]
        return scores

    def _drawn(self, scores: torch.Tensor) -> int:
        import torch

        assert self._rules.sampling is not None
        scores = scores[None] / self._rules.sampling.temperature
        for warper in self._warpers:
            scores = warper(None, scores)
        # On the CPU, so that a seed gives the same text on any device.
        return int(torch.multinomial(scores[0].softmax(dim=-1).cpu(), 1, generator=self._generator))

    @cached_property
    def _generator(self) -> torch.Generator:
        import torch

        assert self._rules.sampling is not None
        return torch.Generator().manual_seed(self._rules.sampling.seed)

    @cached_property
    def _warpers(self) -> list[Any]:
        import transformers

        sampling = self._rules.sampling
        assert sampling is not None
        warpers: list[Any] = []
        if sampling.top_k is not None:
            warpers.append(transformers.TopKLogitsWarper(sampling.top_k))
        if sampling.top_p is not None and sampling.top_p < 1:
            warpers.append(transformers.TopPLogitsWarper(float(sampling.top_p)))
        if sampling.typical_p is not None and sampling.typical_p < 1:
            warpers.append(transformers.TypicalLogitsWarper(float(sampling.typical_p)))
        return warpers


def factor(value: float | None) -> float:
    """A temperature or penalty as a float that overflows nothing; 1 for None."""
    return 1.0 if value is None else float(min(max(value, 1 / EXTREME), EXTREME))
