"""Writing token by token: several rows at once, each by its own rules, all of them in steps."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..server.handler import RequestProblem
from .base import ModelDirectoryError
from .picking import Picker
from .pieces import Pieces

if TYPE_CHECKING:
    import torch

SCORED_AT_ONCE = 256

Finish = Literal["length", "end", "stop"]


@dataclass(frozen=True)
class Token:
    """A token that was written: `text` are the characters it completes, and `start` their place in the row's text.

    `top` are the likeliest tokens at its place with their logarithmic probabilities, best first.
    """

    id: int
    text: str
    start: int
    logprob: float
    special: bool
    top: list[tuple[int, float]]


@dataclass
class Row:
    """A text that is being written after `prompt`, at most `max_tokens` long or until one of `stop` stands in it.

    `finish` says why it ended, and `stopped` where the first of `stop` begins; `problem` why it could not go on.
    """

    prompt: list[int]
    picker: Picker
    pieces: Pieces
    max_tokens: int
    stop: Sequence[str] = ()
    top: int = 0
    tokens: list[Token] = field(default_factory=list)
    text: str = ""
    finish: Finish | None = None
    stopped: int | None = None
    problem: RequestProblem | None = None

    @property
    def ids(self) -> list[int]:
        """The tokens that were written."""
        return [token.id for token in self.tokens]

    @property
    def ended(self) -> bool:
        """Whether nothing more will be written."""
        return self.finish is not None or self.problem is not None


@dataclass
class _State:
    """What the model remembers of rows: keys and values of their tokens, and which of these are padding."""

    cache: Any
    mask: torch.Tensor


class Decoder:
    """Writes with a model of AutoModelForCausalLM. `ends` are its end marks, `marks` all tokens that are no text."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        accepted = inspect.signature(model.forward).parameters
        if "past_key_values" not in accepted:
            raise ModelDirectoryError(f"{model.config.model_type} keeps no keys and values, which this server needs")
        self._positions = "position_ids" in accepted
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
        ends = model.generation_config.eos_token_id
        self.ends = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}
        added = {id for id, token in tokenizer.added_tokens_decoder.items() if token.special}
        self.marks = {*tokenizer.all_special_ids, *added, *self.ends}

    def steps(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        """Each step writes one token of every row that has not ended, and gives these rows.

        Between two steps nothing is held but memory, so that steps of other rows may come in between; closing the
        iterator frees it.
        """
        import torch

        for row in rows:
            if row.max_tokens == 0:
                row.finish = "length"
        going = [row for row in rows if not row.ended]
        # Padding is on the left, so a model that cannot be told positions would count it.
        groups = [going] if self._positions else [[row] for row in going]
        states: list[_State | None] = [None] * len(groups)
        while any(groups):
            written = [row for group in groups for row in group]
            with torch.inference_mode():
                for index, group in enumerate(groups):
                    if group:
                        groups[index], states[index] = self._step(group, states[index])
            yield written

    def _step(self, rows: list[Row], state: _State | None) -> tuple[list[Row], _State | None]:
        logits, state = self._first(rows) if state is None else self._next(rows, state)
        for row, scores in zip(rows, logits.float(), strict=True):
            try:
                self._write(row, scores)
            except RequestProblem as problem:
                row.problem = problem
        kept = [index for index, row in enumerate(rows) if not row.ended]
        if not kept:
            return [], None
        if len(kept) < len(rows):
            import torch

            chosen = torch.tensor(kept, device=state.mask.device)
            state.cache.batch_select_indices(chosen)
            state.mask = state.mask[chosen]
        return [rows[index] for index in kept], state

    def _first(self, rows: list[Row]) -> tuple[torch.Tensor, _State]:
        import torch
        from transformers import DynamicCache

        longest = max(len(row.prompt) for row in rows)
        ids = [[0] * (longest - len(row.prompt)) + row.prompt for row in rows]
        mask = [[0] * (longest - len(row.prompt)) + [1] * len(row.prompt) for row in rows]
        device = self._model.device
        state = _State(DynamicCache(config=self._model.config), torch.tensor(mask, device=device))
        return self._forward(torch.tensor(ids, device=device), state), state

    def _next(self, rows: list[Row], state: _State) -> tuple[torch.Tensor, _State]:
        import torch

        ids = torch.tensor([[row.tokens[-1].id] for row in rows], device=state.mask.device)
        state.mask = torch.cat([state.mask, torch.ones_like(ids)], dim=-1)
        return self._forward(ids, state), state

    def _forward(self, ids: torch.Tensor, state: _State, *, whole: bool = False) -> torch.Tensor:
        """The scores after the last token (rows x vocabulary), or after each of `ids` if `whole`."""
        options: dict[str, Any] = {} if whole else dict(self._last_only)
        if self._positions:
            positions = (state.mask.cumsum(dim=-1) - 1).clamp(min=0)
            options["position_ids"] = positions[:, -ids.shape[1] :]
        output = self._model(
            input_ids=ids, attention_mask=state.mask, past_key_values=state.cache, use_cache=True, **options
        )
        logits: torch.Tensor = output.logits
        return logits if whole else logits[:, -1]

    def _write(self, row: Row, scores: torch.Tensor) -> None:
        picked = row.picker.pick(scores, row.prompt, row.ids)
        likely = scores.log_softmax(dim=-1)
        special = picked in self.marks
        text = "" if special else row.pieces.add(picked)
        start = len(row.text)
        row.tokens.append(Token(picked, text, start, float(likely[picked]), special, best(likely, row.top)))
        row.text += text
        # A text of `stop` ends in this piece, but may begin in earlier ones.
        places = [row.text.find(stop, max(0, start - len(stop) + 1)) for stop in row.stop]
        if picked in self.ends:
            row.finish = "end"
        elif found := [place for place in places if place >= 0]:
            row.finish, row.stopped = "stop", min(found)
        elif len(row.tokens) >= row.max_tokens:
            row.finish = "length"

    def score(self, ids: Sequence[int]) -> list[float | None]:
        """The logarithmic probability of each of `ids` after those before it; None for the first."""
        import torch
        from transformers import DynamicCache

        device = self._model.device
        state = _State(DynamicCache(config=self._model.config), torch.zeros((1, 0), dtype=torch.long, device=device))
        found: list[float | None] = [None]
        # In parts, because all scores of a long text would be gigabytes.
        for start in range(0, len(ids) - 1, SCORED_AT_ONCE):
            end = min(start + SCORED_AT_ONCE, len(ids) - 1)
            part = torch.tensor([ids[start:end]], device=device)
            state.mask = torch.cat([state.mask, torch.ones_like(part)], dim=-1)
            likely = self._forward(part, state, whole=True)[0].float().log_softmax(dim=-1)
            following = torch.tensor(ids[start + 1 : end + 1], device=device)
            found += likely.gather(1, following[:, None])[:, 0].tolist()
        return found


def best(likely: torch.Tensor, count: int) -> list[tuple[int, float]]:
    """The `count` likeliest tokens, best first."""
    if not count:
        return []
    top = likely.topk(min(count, likely.shape[-1]))
    return list(zip(top.indices.tolist(), top.values.tolist(), strict=True))
