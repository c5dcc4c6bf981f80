"""Texts for models that read a whole text at once: how long it may be, and many of them through the model together."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..server.handler import RequestProblem
from .base import LocalModel

SANE_LENGTH = 1_000_000
"""Tokenizers that know no limit say 1e30."""

DEFAULT_TOKENS = 8192
"""What a model that sets itself no limit is given to read."""

MAX_CHUNKS = 256
"""The most pieces in which one long text is read."""

PASS_TOKENS = 16_384
PASS_ROWS = 64
PASS_COST = 128
"""What starting a pass through the model costs, in tokens that could be read instead."""

PADDING = 0.25
"""The share of padding in a row that is never too much."""

Row = Mapping[str, Sequence[int]]
"""What the model reads of one text: ``input_ids`` and their companions, all of one length."""


class TextModel(LocalModel):
    """A model with a tokenizer that reads rows of tokens."""

    padding_side = "right"

    def load_processors(self) -> None:
        from transformers import AutoTokenizer

        self.tokenizer: Any = self.processor(AutoTokenizer)
        self.max_tokens = token_limit(self.tokenizer, self.model)
        self._takes = frozenset(inspect.signature(self.model.forward).parameters)

    def passes(self, rows: Sequence[Row]) -> Iterator[tuple[list[int], Any]]:
        """All `rows` through the model: for each batch the indices of its rows, and what the model says to them.

        Rows go together in :func:`batches`, padded on the `padding_side`; without a padding token only those of one
        length do.
        """
        import torch

        def filled(values: Sequence[int], fill: int, longest: int) -> list[int]:
            missing = [fill] * (longest - len(values))
            return [*missing, *values] if self.padding_side == "left" else [*values, *missing]

        padding = {"input_ids": self.tokenizer.pad_token_id, "token_type_ids": self.tokenizer.pad_token_type_id}
        lengths = [len(row["input_ids"]) for row in rows]
        for batch in batches(lengths, can_pad=padding["input_ids"] is not None):
            longest = max(lengths[index] for index in batch)
            tensors = {}
            for name in rows[batch[0]]:
                if name in self._takes:
                    values = [filled(rows[index][name], padding.get(name) or 0, longest) for index in batch]
                    tensors[name] = torch.tensor(values, device=self.device)
            if "attention_mask" in self._takes:
                ones = [filled([1] * lengths[index], 0, longest) for index in batch]
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


def too_many_tokens(count: int, limit: int, field: str, hint: str = "") -> RequestProblem:
    """The problem with a text of `count` tokens."""
    return RequestProblem(f"is {count} tokens long; this model reads at most {limit}{hint}", field=field)


def chunk_count(tokens: int, room: int, stride: int) -> int:
    """In how many pieces of at most `room` tokens a text of `tokens` is read, if each repeats `stride` of the last."""
    if tokens <= room:
        return 1
    return 1 + -(-(tokens - room) // (room - stride))


def batches(lengths: Sequence[int], can_pad: bool = True, steps: int = 1) -> Iterator[list[int]]:
    """The indices of rows of `lengths` tokens in batches of like length, at most 16,384 padded tokens or 64 rows each.

    Longest first. A row that is shorter than three quarters of the longest begins a batch of its own if padding it and
    those after it would cost more than that: 128 tokens for each of the `steps` that the model takes for a batch.
    Unless the model `can_pad`, a batch has rows of one length only.
    """
    batch: list[int] = []
    for done, index in enumerate(sorted(range(len(lengths)), key=lambda i: -lengths[i])):
        if batch:
            longest = max(lengths[batch[0]], 1)
            missing = longest - lengths[index]
            room = min(PASS_ROWS, PASS_TOKENS // longest) - len(batch)
            padding = min(room, len(lengths) - done) * missing
            wasteful = missing > PADDING * longest and padding > PASS_COST * steps
            if room < 1 or (wasteful if can_pad else missing):
                yield batch
                batch = []
        batch.append(index)
    if batch:
        yield batch
