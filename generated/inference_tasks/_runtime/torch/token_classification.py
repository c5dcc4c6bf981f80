"""token-classification with any model of AutoModelForTokenClassification."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ..server.handler import RequestProblem
from .entities import Find, Token, classified, entities, entity_label, without_overlaps
from .labels import LabelledModel
from .texts import MAX_CHUNKS, Row, TextModel, chunk_count

DEFAULT_STRATEGY = "simple"
DEFAULT_IGNORED = ("O",)
BY_WORD = ("first", "average", "max")
STRIDE = "parameters.stride"


class TokenClassification(TextModel, LabelledModel):
    """Texts in, entities out; single tokens with the strategy ``none``."""

    def auto_class(self) -> Any:
        from transformers import AutoModelForTokenClassification

        return AutoModelForTokenClassification

    def load_processors(self) -> None:
        super().load_processors()
        names = self.model.config.id2label
        self._labels = [str(names[index]) for index in range(len(names))]
        self._special = self.tokenizer.num_special_tokens_to_add()
        self._prefix = _subword_prefix(self.tokenizer)

    def choices(self) -> Iterable[str]:
        """Those of entities, and those that only single tokens have."""
        return [*map(entity_label, self._labels), *self._labels]

    def infer(self, inputs: Sequence[str], parameters: Any) -> Sequence[Any]:
        strategy = parameters.aggregation_strategy or DEFAULT_STRATEGY
        refusal = self._refusal(parameters.stride, strategy)
        if refusal is not None:
            return [refusal] * len(inputs)
        answers: list[Any] = [None] * len(inputs)
        rows: list[tuple[int, dict[str, Any]]] = []
        for index, text in enumerate(inputs):
            try:
                rows += [(index, row) for row in self._rows(text, parameters.stride)]
            except RequestProblem as problem:
                answers[index] = problem
        chunks: list[Any] = [None] * len(rows)
        readable: list[Row] = [row["model"] for _, row in rows]
        for batch, output in self.passes(readable):
            for position, scores in zip(batch, output.logits.softmax(-1).tolist(), strict=True):
                index, row = rows[position]
                chunks[position] = self._finds(self._tokens(inputs[index], row, scores), strategy)
        ignored = DEFAULT_IGNORED if parameters.ignore_labels is None else frozenset(parameters.ignore_labels)
        member = "entity" if strategy == "none" else "entity_group"
        for index, answer in enumerate(answers):
            if answer is None:
                of_text = [chunk for (owner, _), chunk in zip(rows, chunks, strict=True) if owner == index]
                kept = [find for chunk in of_text for find in chunk if find.label not in ignored]
                kept = without_overlaps(kept) if len(of_text) > 1 else kept
                answers[index] = [find.answer(member) for find in kept]
        return answers

    def _refusal(self, stride: int | None, strategy: str) -> RequestProblem | None:
        if strategy in BY_WORD and not self.tokenizer.is_fast:
            message = "is not supported by this model, whose tokenizer does not say where words end"
            return RequestProblem(message, field="parameters.aggregation_strategy")
        if stride is None:
            return None
        if strategy == "none":
            return RequestProblem("does not go with the aggregation strategy 'none'", field=STRIDE)
        if not self.tokenizer.is_fast:
            return RequestProblem("is not supported by this model, whose tokenizer keeps no positions", field=STRIDE)
        room = self.max_tokens - self._special
        if stride >= room:
            return RequestProblem(f"must be below {room} for this model", field=STRIDE)
        return None

    def _rows(self, text: str, stride: int | None) -> list[dict[str, Any]]:
        """What the model reads of `text`: all of it, its beginning, or all of it in chunks. Raises RequestProblem."""
        options: dict[str, Any] = {"truncation": True, "max_length": self.max_tokens}
        if stride is not None:
            whole = len(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
            if chunk_count(whole, self.max_tokens - self._special, stride) > MAX_CHUNKS:
                raise RequestProblem(f"cuts this text into more than {MAX_CHUNKS} chunks", field=STRIDE)
            options |= {"stride": stride, "return_overflowing_tokens": True}
        encoded = self.tokenizer(
            [text], return_special_tokens_mask=True, return_offsets_mapping=self.tokenizer.is_fast, **options
        )
        return [
            {
                "model": {name: encoded[name][i] for name in self.tokenizer.model_input_names if name in encoded},
                "special": encoded["special_tokens_mask"][i],
                "offsets": encoded["offset_mapping"][i] if self.tokenizer.is_fast else None,
            }
            for i in range(len(encoded["input_ids"]))
            if encoded["input_ids"][i]
        ]

    def _tokens(self, text: str, row: dict[str, Any], scores: list[list[float]]) -> list[Token]:
        words = self.tokenizer.convert_ids_to_tokens(row["model"]["input_ids"])
        tokens = []
        for index, (word, special) in enumerate(zip(words, row["special"], strict=True)):
            if special:
                continue
            start, end = row["offsets"][index] if row["offsets"] is not None else (None, None)
            unknown = row["model"]["input_ids"][index] == self.tokenizer.unk_token_id
            if unknown and start is not None:
                word = text[start:end]
            continues = not unknown and self._continues(word, text, start)
            tokens.append(Token(word, scores[index], start, end, continues))
        return tokens

    def _continues(self, word: str, text: str, start: int | None) -> bool:
        if start is None:
            return False
        if self._prefix:
            return word.startswith(self._prefix)
        # Tokenizers without a mark for the rest of a word: it begins where there is no blank.
        return start > 0 and not any(character.isspace() for character in text[start - 1 : start + 1])

    def _finds(self, tokens: list[Token], strategy: str) -> list[Find]:
        if strategy == "none":
            return classified(tokens, self._labels)
        return entities(tokens, self._labels, strategy, self.tokenizer.convert_tokens_to_string)


def _subword_prefix(tokenizer: Any) -> str:
    """What tokens that continue a word begin with, as ``##``; empty if nothing marks them."""
    if not tokenizer.is_fast:
        return ""
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    return str(model.get("continuing_subword_prefix") or "")
