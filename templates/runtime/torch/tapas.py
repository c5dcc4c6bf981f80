"""Tables as TAPAS reads them: tokens that know their row and column, and how the numbers in a column compare.

transformers' own tokenizer for these models works on pandas tables; this one reads the same files and gives the same
numbers without pandas. It differs where a table is too long: there it leaves out whole rows, and cuts no cell.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .base import ModelDirectoryError

QUESTION, TABLE = 0, 1
EMPTY = "[EMPTY]"
CONSOLIDATED = 0.7
"""The share of the cells of a column that must hold a number, or a date, for it to be a column of such."""


@dataclass(frozen=True)
class Encoded:
    """A question and a table: the numbers of the tokens, and for each token seven more.

    Those are the segment, column, row (both counted from 1, 0 for the question and the headings' row), 0, rank of the
    cell's value in its column, rank from the other end, and how it compares with the numbers in the question.
    """

    ids: list[int]
    types: list[tuple[int, ...]]


class TableTokenizer:
    """Reads ``vocab.txt`` and ``tokenizer_config.json`` of a TAPAS directory. Raises ModelDirectoryError."""

    def __init__(self, directory: Path) -> None:
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

        try:
            lines = (directory / "vocab.txt").read_text(encoding="utf-8").splitlines()
            config = json.loads((directory / "tokenizer_config.json").read_bytes())
        except (OSError, ValueError):
            message = "has no readable vocab.txt and tokenizer_config.json of a TAPAS tokenizer"
            raise ModelDirectoryError(f"{directory}: {message}") from None
        self._vocabulary = {token: index for index, token in enumerate(lines)}
        missing = [token for token in ("[CLS]", "[SEP]", "[UNK]", "[PAD]", EMPTY) if token not in self._vocabulary]
        if missing:
            raise ModelDirectoryError(f"{directory}: its vocab.txt lacks {', '.join(missing)}")
        self.padding = self._vocabulary["[PAD]"]
        self.max_tokens = int(min(config.get("model_max_length") or 512, 512))
        self._without_headings = bool(config.get("strip_column_names"))
        self._tokenizer = Tokenizer(models.WordPiece(self._vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
        lower = config.get("do_lower_case", True)
        chinese = config.get("tokenize_chinese_chars", True)
        self._tokenizer.normalizer = normalizers.BertNormalizer(
            handle_chinese_chars=chinese, strip_accents=config.get("strip_accents"), lowercase=lower
        )
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def tokens(self, text: str) -> list[int]:
        """The numbers of the tokens of one text: none of "", the token for an empty cell if it says nothing else."""
        from transformers.models.tapas import tokenization_tapas

        untyped: Any = tokenization_tapas
        if text and untyped.format_text(text) == untyped.EMPTY_TEXT:
            return [self._vocabulary[EMPTY]]
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def length(self, question: list[int], table: Sequence[Sequence[list[int]]]) -> int:
        """How many tokens a question and the rows of a table (headings first) are together."""
        return 2 + len(question) + sum(len(cell) for row in table for cell in row)

    def rows(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[list[list[int]]]:
        """The tokens of each cell: the row of the headings first."""
        top = [self.tokens("" if self._without_headings else text) for text in headings]
        return [top, *([self.tokens(cell) for cell in row] for row in rows)]

    def encode(self, question: str, asked: list[int], cells: Sequence[Sequence[str]], table: Any) -> Encoded:
        """What the model reads: `asked` and `table` are the tokens of `question` and of headings and `cells`."""
        ids = [self._vocabulary["[CLS]"], *asked, self._vocabulary["[SEP]"]]
        types: list[tuple[int, ...]] = [(QUESTION, 0, 0, 0, 0, 0, 0)] * len(ids)
        numbers = _Numbers(question, cells)
        for row, tokens_of_cells in enumerate(table):
            for column, tokens in enumerate(tokens_of_cells):
                ids += tokens
                place = (row - 1, column)
                ranks = numbers.ranks.get(place, (0, 0))
                types += [(TABLE, column + 1, row, 0, *ranks, numbers.relations.get(place, 0))] * len(tokens)
        return Encoded(ids, types)


class _Numbers:
    """The numbers and dates in a table, compared with each other and with those in a question.

    `ranks` maps (row, column) to the rank of a cell's value in its column, from below and from above, both from 1.
    `relations` maps (row, column) to a set of bits: 1 a value of the question equals the cell's, 2 it is less, 4 more.
    """

    def __init__(self, question: str, cells: Sequence[Sequence[str]]) -> None:
        from transformers.models.tapas import tokenization_tapas as tapas

        self._tapas: Any = tapas
        self.ranks: dict[tuple[int, int], tuple[int, int]] = {}
        self.relations: dict[tuple[int, int], int] = defaultdict(int)
        asked = self._values(question)
        for column in range(len(cells[0])):
            values = self._column([row[column] for row in cells])
            self._rank(column, values)
            for value in asked:
                self._relate(column, values, value)

    def _values(self, text: str) -> list[Any]:
        spans = self._tapas.parse_text(self._tapas.normalize_for_match(text))
        return [value for span in spans for value in span.values]

    def _column(self, texts: Sequence[str]) -> dict[int, Any]:
        """Row → value, of the kind (number or date) that most cells have; empty if too few have it."""
        values = {row: self._values(text) for row, text in enumerate(texts)}
        dates = {row: next((v for v in found if v.date is not None), None) for row, found in values.items()}
        numbers = {row: next((v for v in found if v.float_value is not None), None) for row, found in values.items()}
        kinds = [{row: value for row, value in kind.items() if value is not None} for kind in (dates, numbers)]
        column = max(kinds, key=len)
        return column if len(column) >= CONSOLIDATED * len(texts) else {}

    def _rank(self, column: int, values: dict[int, Any]) -> None:
        key = self._key(values.values())
        if key is None:
            return
        ordered = sorted({key(value) for value in values.values()})
        for row, value in values.items():
            rank = ordered.index(key(value))
            self.ranks[row, column] = rank + 1, len(ordered) - rank

    def _relate(self, column: int, values: dict[int, Any], asked: Any) -> None:
        key = self._key([*values.values(), asked]) if values else None
        if key is None:
            return
        own = key(asked)
        for row, value in values.items():
            cell = key(value)
            self.relations[row, column] |= 1 if own == cell else 2 if own < cell else 4

    def _key(self, values: Iterable[Any]) -> Any:
        """What values of one kind are compared by; None for values that cannot be."""
        try:
            return self._tapas.get_numeric_sort_key_fn(list(values))
        except ValueError:
            return None
