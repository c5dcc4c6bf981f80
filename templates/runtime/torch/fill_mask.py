"""fill-mask with any model of AutoModelForMaskedLM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..server.handler import RequestProblem
from .base import ModelDirectoryError
from .texts import TextModel, too_many_tokens

if TYPE_CHECKING:
    import torch

DEFAULT_TOP_K = 5
TARGETS = "parameters.targets"


class FillMask(TextModel):
    """Texts with one mask in, the tokens that fit it out."""

    def auto_class(self) -> Any:
        from transformers import AutoModelForMaskedLM

        return AutoModelForMaskedLM

    def load_processors(self) -> None:
        super().load_processors()
        if self.tokenizer.mask_token_id is None:
            raise ModelDirectoryError(f"{self.directory}: its tokenizer has no mask token")
        self._vocabulary: dict[str, int] = self.tokenizer.get_vocab()

    def infer(self, inputs: Sequence[str], parameters: Any) -> Sequence[Any]:
        try:
            targets = self._targets(parameters.targets)
        except RequestProblem as problem:
            return [problem] * len(inputs)
        wanted = parameters.top_k or DEFAULT_TOP_K
        answers: list[Any] = [None] * len(inputs)
        rows = {}
        for index, text in enumerate(inputs):
            row = dict(self.tokenizer(text, verbose=False))
            answers[index] = self._refusal(row["input_ids"])
            if answers[index] is None:
                rows[index] = row
        owners = list(rows)
        for batch, output in self.passes(list(rows.values())):
            for position, logits in zip(batch, output.logits, strict=True):
                ids = rows[owners[position]]["input_ids"]
                place = ids.index(self.tokenizer.mask_token_id)
                answers[owners[position]] = self._answer(ids, place, logits[place].softmax(-1), targets, wanted)
        return answers

    def _refusal(self, ids: list[int]) -> RequestProblem | None:
        if len(ids) > self.max_tokens:
            return too_many_tokens(len(ids), self.max_tokens, self.binding.primary)
        masks = ids.count(self.tokenizer.mask_token_id)
        if masks == 1:
            return None
        message = f"must hold the mask token {self.tokenizer.mask_token} once; it holds it {masks} times"
        return RequestProblem(message, field=self.binding.primary)

    def _answer(
        self, ids: list[int], place: int, scores: torch.Tensor, targets: list[int] | None, wanted: int
    ) -> list[dict[str, Any]]:
        if targets is not None:
            scores = scores[targets]
        best = scores.topk(min(wanted, len(scores)))
        answer = []
        for score, index in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            token = targets[index] if targets is not None else index
            filled = [*ids[:place], token, *ids[place + 1 :]]
            answer.append(
                {
                    "sequence": self.tokenizer.decode(filled, skip_special_tokens=True),
                    "score": score,
                    "token": token,
                    "token_str": self.tokenizer.decode([token]),
                }
            )
        return answer

    def _targets(self, words: list[str] | None) -> list[int] | None:
        """The tokens to rate, each once, in the order of `words`. Raises RequestProblem for a word that has none."""
        if words is None:
            return None
        found: dict[int, None] = {}
        for index, word in enumerate(words):
            token = self._vocabulary.get(word)
            if token is None:
                # The first token is all that counts, and no token is longer than this.
                ids = self.tokenizer(word[:1000], add_special_tokens=False, verbose=False)["input_ids"]
                if not ids:
                    raise RequestProblem("holds nothing that this model reads", field=f"{TARGETS}.{index}")
                token = ids[0]
            found[token] = None
        return list(found)
