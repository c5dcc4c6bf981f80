"""Texts for models that read a whole text at once: how long it may be, and many of them through the model together."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..server.handler import RequestProblem
from .base import LocalModel

MAX_CHARACTERS = 100_000
"""The longest text that is tokenized at all."""

SANE_LENGTH = 1_000_000
"""Tokenizers that know no limit say 1e30."""

DEFAULT_TOKENS = 8192
"""What a model that sets itself no limit is given to read."""

MAX_CHUNKS = 256
"""The most pieces in which one long text is read."""

PASS_TOKENS = 16_384
PASS_ROWS = 64

Row = Mapping[str, Sequence[int]]
"""What the model reads of one text: ``input_ids`` and their companions, all of one length."""


class TextModel(LocalModel):
    """A model with a tokenizer that reads rows of tokens."""

    def load_processors(self) -> None:
        from transformers import AutoTokenizer

        self.tokenizer: Any = self.processor(AutoTokenizer)
        self.max_tokens = token_limit(self.tokenizer, self.model)
        self._takes = frozenset(inspect.signature(self.model.forward).parameters)

    def passes(self, rows: Sequence[Row]) -> Iterator[tuple[list[int], Any]]:
        """All `rows` through the model: for each batch the indices of its rows, and what the model says to them.

        Rows go together in :func:`batches`, padded on the right; without a padding token only those of one length do.
        """
        import torch

        padding = {"input_ids": self.tokenizer.pad_token_id, "token_type_ids": self.tokenizer.pad_token_type_id}
        lengths = [len(row["input_ids"]) for row in rows]
        for batch in batches(lengths, can_pad=padding["input_ids"] is not None):
            longest = max(lengths[index] for index in batch)
            tensors = {}
            for name in rows[batch[0]]:
                if name in self._takes:
                    fill = [padding.get(name) or 0]
                    filled = [[*rows[index][name], *fill * (longest - lengths[index])] for index in batch]
                    tensors[name] = torch.tensor(filled, device=self.device)
            if "attention_mask" in self._takes:
                ones = [[1] * lengths[index] + [0] * (longest - lengths[index]) for index in batch]
                tensors["attention_mask"] = torch.tensor(ones, device=self.device)
            yield batch, self.model(**tensors)


def token_limit(tokenizer: Any, model: Any) -> int:
    """How many tokens `model` reads, special ones included: what its tokenizer says, and no more than it has room for.

    8192 if neither sets a limit. Of a model that reads images too, the part that reads texts counts.
    """
    positions = getattr(getattr(model.config, "text_config", model.config), "max_position_embeddings", None)
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            # RoBERTa and its kin count positions from behind that of the padding.
            positions = module.num_embeddings - module.padding_idx - 1
    limits = [n for n in (tokenizer.model_max_length, positions) if n and 0 < n < SANE_LENGTH]
    return int(min(limits, default=DEFAULT_TOKENS))


def too_many_characters(text: str, field: str) -> RequestProblem | None:
    """The problem with a text that is too long even to be counted in tokens."""
    if len(text) <= MAX_CHARACTERS:
        return None
    return RequestProblem(f"is longer than {MAX_CHARACTERS} characters", field=field)


def too_many_tokens(count: int, limit: int, field: str, hint: str = "") -> RequestProblem:
    """The problem with a text of `count` tokens."""
    return RequestProblem(f"is {count} tokens long; this model reads at most {limit}{hint}", field=field)


def chunk_count(tokens: int, room: int, stride: int) -> int:
    """In how many pieces of at most `room` tokens a text of `tokens` is read, if each repeats `stride` of the last."""
    if tokens <= room:
        return 1
    return 1 + -(-(tokens - room) // (room - stride))


def batches(lengths: Sequence[int], can_pad: bool = True) -> Iterator[list[int]]:
    """The indices of rows of `lengths` tokens in batches of like length, at most 16,384 padded tokens or 64 rows each.

    Unless the model `can_pad`, a batch has rows of one length only.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        longest = lengths[batch[0]] if batch else 0
        full = len(batch) >= PASS_ROWS or (len(batch) + 1) * longest > PASS_TOKENS
        if batch and (full or not (can_pad or lengths[index] == longest)):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
