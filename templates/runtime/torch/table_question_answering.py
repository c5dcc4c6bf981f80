"""table-question-answering with TAPAS, which points at cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import RequestProblem
from .base import LocalModel
from .tapas import TABLE, Encoded, TableTokenizer
from .texts import batches

MAX_CELLS = 20_000
TABLE_FIELD = "inputs.table"
SELECTED = 0.5


class TableQuestionAnswering(LocalModel):
    """Tables and questions in; out the cells that answer, and what to do with them.

    A table that is too long is refused unless `truncation` is true; then its last rows are left out. A request holds
    one question, so nothing comes before it: `sequential` only keeps the requests of a batch apart.
    """

    def auto_class(self) -> Any:
        from transformers import AutoModelForTableQuestionAnswering

        return AutoModelForTableQuestionAnswering

    def load_processors(self) -> None:
        self._tokenizer = TableTokenizer(self.directory)
        config = self.model.config
        self._max_tokens = min(self._tokenizer.max_tokens, config.max_position_embeddings)
        self._max_columns, self._max_rows = (int(size) - 1 for size in config.type_vocab_sizes[1:3])

    def infer(self, inputs: Sequence[Any], parameters: Any) -> Sequence[Any]:
        answers: list[Any] = [None] * len(inputs)
        encoded: dict[int, Encoded] = {}
        for index, item in enumerate(inputs):
            try:
                encoded[index] = self._encoded(item, truncate=bool(parameters.truncation))
            except RequestProblem as problem:
                answers[index] = problem
        apart = parameters.sequential or parameters.padding == "do_not_pad"
        owners = list(encoded)
        together = batches([len(one.ids) for one in encoded.values()])
        for places in [[place] for place in range(len(owners))] if apart else together:
            batch = [owners[place] for place in places]
            length = self._max_tokens if parameters.padding == "max_length" else None
            output = self.model(**self._tensors([encoded[index] for index in batch], length))
            operations = output.logits_aggregation
            for row, index in enumerate(batch):
                operation = None if operations is None else int(operations[row].argmax())
                scores = output.logits[row].sigmoid().tolist()
                answers[index] = [self._answer(inputs[index].table, encoded[index], scores, operation)]
        return answers

    def _encoded(self, item: Any, truncate: bool) -> Encoded:
        """What the model reads. Raises RequestProblem."""
        headings = list(item.table)
        columns = list(item.table.values())
        self._check(headings, columns)
        if truncate:
            columns = [column[: self._max_rows] for column in columns]
        cells = list(zip(*columns, strict=True))
        asked = self._tokenizer.tokens(item.question)
        table = self._tokenizer.rows(headings, cells)
        while truncate and len(table) > 2 and self._tokenizer.length(asked, table) > self._max_tokens:
            table.pop()
        length = self._tokenizer.length(asked, table)
        if length > self._max_tokens or len(table) - 1 > self._max_rows:
            raise self._too_long(length, len(table) - 1, truncate)
        return self._tokenizer.encode(item.question, asked, cells[: len(table) - 1], table)

    def _too_long(self, length: int, rows: int, truncate: bool) -> RequestProblem:
        reads = f"this model reads at most {self._max_tokens} tokens and {self._max_rows} rows"
        if truncate:
            return RequestProblem(f"has a first row that does not fit: {reads}", field=TABLE_FIELD)
        hint = "`truncation` leaves out the last rows"
        return RequestProblem(f"is {length} tokens and {rows} rows long; {reads}; {hint}", field=TABLE_FIELD)

    def _check(self, headings: list[str], columns: list[list[str]]) -> None:
        if not columns:
            raise RequestProblem("has no columns", field=TABLE_FIELD)
        if len({len(column) for column in columns}) > 1:
            raise RequestProblem("has columns of different lengths", field=TABLE_FIELD)
        if len(columns) > self._max_columns:
            raise RequestProblem(f"has more than {self._max_columns} columns", field=TABLE_FIELD)
        if len(columns) * len(columns[0]) > MAX_CELLS:
            raise RequestProblem(f"has more than {MAX_CELLS} cells", field=TABLE_FIELD)
        # All its cells are read as one text.
        most = self.limits.max_characters
        if sum(map(len, headings)) + sum(len(cell) for column in columns for cell in column) > most:
            raise RequestProblem(f"is longer than {most} characters", field=TABLE_FIELD)

    def _tensors(self, batch: list[Encoded], length: int | None) -> dict[str, Any]:
        """The batch, filled up to its longest member or to `length`."""
        import torch

        longest = length or max(len(one.ids) for one in batch)
        gaps = [longest - len(one.ids) for one in batch]
        ids = [[*one.ids, *[self._tokenizer.padding] * gap] for one, gap in zip(batch, gaps, strict=True)]
        types = [[*one.types, *[(0,) * 7] * gap] for one, gap in zip(batch, gaps, strict=True)]
        return {
            "input_ids": torch.tensor(ids, device=self.device),
            "token_type_ids": torch.tensor(types, device=self.device),
            "attention_mask": torch.tensor([[1] * (longest - gap) + [0] * gap for gap in gaps], device=self.device),
        }

    def _answer(
        self, table: dict[str, list[str]], encoded: Encoded, scores: list[float], operation: int | None
    ) -> dict[str, Any]:
        """The cells whose tokens are likely to be the answer, on average; `scores` are those of the tokens."""
        columns = list(table.values())
        of_cells: dict[tuple[int, int], list[float]] = {}
        for (segment, column, row, *_), score in zip(encoded.types, scores, strict=False):
            if segment == TABLE and row > 0:
                of_cells.setdefault((row - 1, column - 1), []).append(score)
        coordinates = sorted(cell for cell, found in of_cells.items() if sum(found) / len(found) > SELECTED)
        cells = [columns[column][row] for row, column in coordinates]
        answer: dict[str, Any] = {
            "answer": ", ".join(cells),
            "coordinates": [list(place) for place in coordinates],
            "cells": cells,
        }
        names = self.model.config.aggregation_labels
        if operation is not None and names:
            answer["aggregator"] = str(names[operation])
            if operation != self.model.config.no_aggregation_label_index:
                answer["answer"] = f"{answer['aggregator']} > {answer['answer']}"
        return answer
