"""Texts to vectors, for feature-extraction and sentence-similarity."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ..server.handler import RequestProblem
from .sentence_transformers import dense_layer, read_directory
from .texts import Row, TextModel, too_many_tokens

if TYPE_CHECKING:
    import torch


class Embedder(TextModel):
    """A model whose last hidden state is the answer, pooled as its directory says."""

    unused_weights = ("pooler.",)

    def auto_class(self) -> Any:
        from transformers import AutoModel, AutoModelForTextEncoding

        config = json.loads((self.directory / "config.json").read_bytes())
        return AutoModelForTextEncoding if config.get("is_encoder_decoder") else AutoModel

    def load_processors(self) -> None:
        super().load_processors()
        self.about = read_directory(self.directory)
        self.max_tokens = min(self.max_tokens, self.about.max_tokens or self.max_tokens)
        self._layers = [dense_layer(path, self.device) for path in self.about.layers]

    def infer(self, inputs: Sequence[Any], parameters: Any) -> Sequence[Any]:
        """Read all texts of all requests together."""
        answers: list[Any] = [None] * len(inputs)
        spans: dict[int, tuple[int, int]] = {}
        rows: list[Row] = []
        for index, request in enumerate(inputs):
            try:
                own = self.rows(request)
            except RequestProblem as problem:
                answers[index] = problem
                continue
            spans[index] = len(rows), len(rows) + len(own)
            rows += own
        vectors = self.vectors(rows)
        for index, (first, end) in spans.items():
            try:
                answers[index] = self.answer(inputs[index], vectors[first:end])
            except RequestProblem as problem:
                answers[index] = problem
        return answers

    @abstractmethod
    def rows(self, request: Any) -> list[Row]:
        """What the model reads for `request`, one row a text. Raises RequestProblem for what it cannot do."""

    @abstractmethod
    def answer(self, request: Any, vectors: Sequence[torch.Tensor]) -> Any:
        """The answer to `request` as JSON values, from the `vectors` of its rows. Raises RequestProblem."""

    def row(
        self, text: str, field: str, *, prompt: str = "", cut: Literal["left", "right"] | None = None, hint: str = ""
    ) -> Row:
        """What the model reads of `text` behind `prompt`. Raises RequestProblem at `field` if it is too long.

        `cut` is the side on which it may be made shorter; `hint` follows the message if there is none.
        """
        text = prompt + text
        if self.about.lower_case:
            text = text.lower()
        row: dict[str, list[int]] = dict(self.tokenizer(text, verbose=False))
        count = len(row["input_ids"])
        if count == 0:
            raise RequestProblem("holds nothing to read", field=field)
        if count > self.max_tokens:
            if cut is None:
                raise too_many_tokens(count, self.max_tokens, field, hint)
            self.tokenizer.truncation_side = cut
            row = dict(self.tokenizer(text, truncation=True, max_length=self.max_tokens))
        return row

    def vectors(self, rows: Sequence[Row]) -> list[torch.Tensor]:
        """For each of `rows` the vectors of its tokens (tokens x numbers)."""
        found: list[Any] = [None] * len(rows)
        for batch, output in self.passes(rows):
            for position, hidden in zip(batch, output.last_hidden_state, strict=True):
                found[position] = hidden[: len(rows[position]["input_ids"])]
        return found

    def prompt_tokens(self, prompt: str) -> int:
        """How many tokens at the start of a row are not for pooling, if `prompt` stands before its text."""
        pooling = self.about.pooling
        if not prompt or pooling is None or pooling.include_prompt:
            return 0
        ids = self.tokenizer(prompt.lower() if self.about.lower_case else prompt)["input_ids"]
        return len(ids) - (ids[-1] in self.tokenizer.all_special_ids)

    def dense(self, vector: torch.Tensor) -> torch.Tensor:
        """A pooled vector after the dense layers of the directory."""
        for layer in self._layers:
            vector = layer(vector)
        return vector
