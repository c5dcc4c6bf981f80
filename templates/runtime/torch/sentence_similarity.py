"""sentence-similarity with any text model of AutoModel, compared as its directory says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .base import ModelDirectoryError
from .embedding import Embedder
from .sentence_transformers import Pooling
from .texts import Row

if TYPE_CHECKING:
    import torch

Similarity = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]


class SentenceSimilarity(Embedder):
    """A text and others in, a score for each of the others out: the cosine, unless the directory says otherwise.

    A model whose directory says no pooling gets the mean over its tokens.
    """

    def load_processors(self) -> None:
        super().load_processors()
        self._pooling = self.about.pooling or Pooling(("mean",))
        known = _similarities()
        if self.about.similarity not in known:
            message = f"compares by {self.about.similarity!r}, which this server does not know: {', '.join(known)}"
            raise ModelDirectoryError(f"{self.directory}: {message}")
        self._similarity = known[self.about.similarity]
        self._skipped = self.prompt_tokens(self.about.default_prompt)

    def answer(self, request: Any, vectors: Sequence[torch.Tensor]) -> Any:
        import torch

        one, *others = (self.dense(self._pooling(tokens, min(self._skipped, len(tokens) - 1))) for tokens in vectors)
        return self._similarity(one, torch.stack(others)).tolist()

    def rows(self, request: Any) -> list[Row]:
        named = [("inputs.source_sentence", request.source_sentence)]
        named += [(f"inputs.sentences.{index}", text) for index, text in enumerate(request.sentences)]
        return [self.row(text, field, prompt=self.about.default_prompt) for field, text in named]


def _similarities() -> dict[str, Similarity]:
    """How one vector compares with others (rows of a matrix); more is more alike."""
    import torch

    return {
        "cosine": lambda one, others: torch.nn.functional.cosine_similarity(one[None], others),
        "dot": lambda one, others: others @ one,
        "euclidean": lambda one, others: -(others - one).norm(dim=-1),
        "manhattan": lambda one, others: -(others - one).abs().sum(-1),
    }
