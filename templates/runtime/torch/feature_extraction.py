"""feature-extraction with any text model of AutoModel, pooled if its directory is one of sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..server.handler import RequestProblem
from .embedding import Embedder
from .texts import Row

if TYPE_CHECKING:
    import torch

MAX_TOKENS_ANSWERED = 8192
HINT = ", and cuts it if `truncate` is true"


class FeatureExtraction(Embedder):
    """Texts in; out one vector a text, or one a token for a model whose directory says no pooling.

    A text that is too long is refused unless `truncate` is true. `dimensions` is for models whose config.json names
    `matryoshka_dimensions` or `is_matryoshka`.
    """

    def answer(self, request: Any, vectors: Sequence[torch.Tensor]) -> Any:
        found = [self._finished(request, tokens).tolist() for tokens in vectors]
        return found[0] if isinstance(request.inputs, str) else found

    def rows(self, request: Any) -> list[Row]:
        if request.encoding_format == "base64":
            raise RequestProblem("is not supported: this server answers with numbers", field="encoding_format")
        self._check_dimensions(request.dimensions)
        prompt = self._prompt(request.prompt_name)
        alone = isinstance(request.inputs, str)
        texts = [request.inputs] if alone else request.inputs
        cut = request.truncation_direction if request.truncate else None
        rows = [
            self.row(text, "inputs" if alone else f"inputs.{index}", prompt=prompt, cut=cut, hint=HINT)
            for index, text in enumerate(texts)
        ]
        if self.about.pooling is None and sum(len(row["input_ids"]) for row in rows) > MAX_TOKENS_ANSWERED:
            message = f"is more than {MAX_TOKENS_ANSWERED} tokens long in all, and each gets a vector of its own"
            raise RequestProblem(message, field="inputs")
        return rows

    def _prompt(self, name: str | None) -> str:
        if name is None:
            return ""
        if name in self.about.prompts:
            return self.about.prompts[name]
        known = ", ".join(map(repr, sorted(self.about.prompts))) or "none"
        raise RequestProblem(f"is no prompt of this model; its prompts: {known}", field="prompt_name")

    def _check_dimensions(self, dimensions: int | None) -> None:
        if dimensions is None:
            return
        config = self.model.config
        trained = getattr(config, "matryoshka_dimensions", None)
        if trained and dimensions not in trained:
            known = ", ".join(map(str, trained))
            raise RequestProblem(f"must be one of {known} for this model", field="dimensions")
        if not trained and not getattr(config, "is_matryoshka", False):
            raise RequestProblem("is not supported: this model was trained for one length only", field="dimensions")

    def _finished(self, request: Any, tokens: torch.Tensor) -> torch.Tensor:
        """The answer for one text, a vector or a vector for each token, out of the vectors of its `tokens`.

        Raises RequestProblem for more `dimensions` than there are.
        """
        import torch

        vectors = tokens
        if self.about.pooling is not None:
            skipped = self.prompt_tokens(self._prompt(request.prompt_name))
            vectors = self.dense(self.about.pooling(tokens, min(skipped, len(tokens) - 1)))
        if (request.dimensions or 0) > vectors.shape[-1]:
            raise RequestProblem(f"must be at most {vectors.shape[-1]} for this model", field="dimensions")
        vectors = vectors[..., : request.dimensions]
        return torch.nn.functional.normalize(vectors, dim=-1) if request.normalize else vectors
