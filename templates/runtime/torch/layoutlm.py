"""Questions about pages for LayoutLM, which points at words of the page by what they say and where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..server.handler import RequestProblem
from .pages import QUESTION, Page
from .texts import token_limit

DEFAULT_ANSWER_TOKENS = 15
DEFAULT_TOP_K = 1
DEFAULT_STRIDE = 256
MAX_WORDS = 10_000
MAX_PIECES = 256
PIECES_AT_ONCE = 32
START_BOX: tuple[int, ...] = (0, 0, 0, 0)
END_BOX: tuple[int, ...] = (1000, 1000, 1000, 1000)
OUTSIDE = -10_000.0


class Piece(NamedTuple):
    """A question with as much of the page as the model reads at once; `words` numbers the word of each token, or None.

    `ids`, `kinds` (0 question, 1 page) and `boxes` are as long as `words`.
    """

    item: int
    ids: list[int]
    kinds: list[int]
    boxes: list[tuple[int, ...]]
    words: list[int | None]


class Found(NamedTuple):
    """An answer: the numbers of its first and last word, and its probability."""

    score: float
    start: int
    end: int


class LayoutLmReader:
    """The page has to come with its words: there is no text recognition here, so `lang`, which is meant for that, has
    nothing to do.

    Unless the request says otherwise, there is one answer of at most 15 tokens, the model reads as many tokens at once
    as it can, and half as many, at most 256, twice. No two answers are the same words.
    """

    def __init__(self, model: Any, tokenizer: Any, device: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._device = device
        self._special = tokenizer.num_special_tokens_to_add(pair=True)
        self._max_tokens = token_limit(tokenizer, model)

    def refusal(self, parameters: Any) -> RequestProblem | None:
        boxes, field = parameters.word_boxes, "parameters.word_boxes"
        if boxes is None:
            message = (
                "is needed: this server has no text recognition (OCR); send the words of the page with their boxes"
            )
            return RequestProblem(message, field=field)
        if len(boxes) > MAX_WORDS:
            return RequestProblem(f"holds {len(boxes)} words; this server takes at most {MAX_WORDS}", field=field)
        if (parameters.max_seq_len or 0) > self._max_tokens:
            message = f"must be at most {self._max_tokens}: this model reads no more tokens at once"
            return RequestProblem(message, field="parameters.max_seq_len")
        return None

    def read(self, pages: Sequence[Page | None], parameters: Any) -> list[Any]:
        answers: list[Any] = [None] * len(pages)
        pieces: list[Piece] = []
        for index, page in enumerate(pages):
            if page is None:
                continue
            try:
                pieces.extend(self._pieces(index, page.question, parameters))
            except RequestProblem as problem:
                answers[index] = problem
        found: list[list[Found]] = [[] for _ in pages]
        nowhere = [1.0] * len(pages)
        top_k = parameters.top_k or DEFAULT_TOP_K
        longest = parameters.max_answer_len or DEFAULT_ANSWER_TOKENS
        for piece, start, end in self._likelihoods(pieces):
            nowhere[piece.item] = min(nowhere[piece.item], float(start[0] * end[0]))
            found[piece.item].extend(_best(piece, start, end, longest, top_k))
        words = [word for word, _ in parameters.word_boxes]
        for index, answer in enumerate(answers):
            if answer is None:
                impossible = nowhere[index] if parameters.handle_impossible_answer else None
                answers[index] = _answers(found[index], words, impossible, top_k)
        return answers

    def _pieces(self, item: int, question: str, parameters: Any) -> Iterator[Piece]:
        """The question with one stretch of the page after the other. Raises RequestProblem."""
        asked = self._asked(question, parameters.max_question_len)
        length = parameters.max_seq_len or self._max_tokens
        taken = len(self._tokens(asked)["input_ids"])
        room = length - taken - self._special
        if room < 1:
            message = f"leaves no room for the page: it takes {taken} of {length} tokens (see max_question_len)"
            raise RequestProblem(message, field=QUESTION)
        stride = parameters.doc_stride
        if stride is None:
            stride = min(length // 2, DEFAULT_STRIDE)
            if stride >= room:
                stride = room // 2
        elif stride >= room:
            message = f"must be less than {room}, the tokens of the page that are read at once"
            raise RequestProblem(message, field="parameters.doc_stride")
        words = [word for word, _ in parameters.word_boxes]
        if not words:
            return
        count = (len(self._tokens(words)["input_ids"]) - stride - 1) // (room - stride) + 1
        if count > MAX_PIECES:
            message = f"is too much to read: it would take {count} pieces, this server reads {MAX_PIECES}"
            raise RequestProblem(message, field="parameters.word_boxes")
        encoded = self._tokenizer(
            asked,
            words,
            is_split_into_words=True,
            truncation="only_second",
            max_length=length,
            stride=stride,
            return_overflowing_tokens=True,
            return_token_type_ids=True,
            verbose=False,
        )
        for index, ids in enumerate(encoded["input_ids"]):
            parts = zip(encoded.sequence_ids(index), encoded.word_ids(index), strict=True)
            numbers = [word if part == 1 else None for part, word in parts]
            yield Piece(item, ids, encoded["token_type_ids"][index], self._boxes(ids, numbers, parameters), numbers)

    def _boxes(self, ids: list[int], numbers: list[int | None], parameters: Any) -> list[tuple[int, ...]]:
        """The box of each token as LayoutLM knows it: its word's, or a fixed one for what is not on the page."""
        separator = self._tokenizer.sep_token_id
        outside = [END_BOX if token == separator else START_BOX for token in ids]
        return [
            box if word is None else parameters.word_boxes[word][1] for word, box in zip(numbers, outside, strict=True)
        ]

    def _asked(self, question: str, longest: int | None) -> list[str]:
        """The words of the question, cut to `longest` tokens. Raises RequestProblem."""
        words = question.split()
        encoded = self._tokens(words)
        if longest is None or len(encoded["input_ids"]) <= longest:
            return words
        last = encoded.word_ids()[longest - 1]
        return [*words[:last], words[last][: encoded["offset_mapping"][longest - 1][1]]]

    def _tokens(self, words: list[str]) -> Any:
        return self._tokenizer(
            words, is_split_into_words=True, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )

    def _likelihoods(self, pieces: Sequence[Piece]) -> Iterator[tuple[Piece, Any, Any]]:
        """For each piece, how likely the answer starts and ends at each token; token 0 says that it is not there."""
        for first in range(0, len(pieces), PIECES_AT_ONCE):
            together = pieces[first : first + PIECES_AT_ONCE]
            outputs = self._model(**self._tensors(together))
            for piece, start, end in zip(together, outputs.start_logits, outputs.end_logits, strict=True):
                yield piece, _likelihood(piece, start), _likelihood(piece, end)

    def _tensors(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        import torch

        longest = max(len(piece.ids) for piece in pieces)

        def padded(rows: Sequence[list[Any]], fill: Any) -> torch.Tensor:
            return torch.tensor([row + [fill] * (longest - len(row)) for row in rows], device=self._device)

        return {
            "input_ids": padded([piece.ids for piece in pieces], self._tokenizer.pad_token_id),
            "attention_mask": padded([[1] * len(piece.ids) for piece in pieces], 0),
            "token_type_ids": padded([piece.kinds for piece in pieces], 0),
            "bbox": padded([piece.boxes for piece in pieces], START_BOX),
        }


def _likelihood(piece: Piece, logits: Any) -> Any:
    """The probability of each token that may be answered: those of the page, and the first for no answer."""
    import torch

    own = logits[: len(piece.ids)].float().cpu()
    allowed = torch.tensor([index == 0 or word is not None for index, word in enumerate(piece.words)])
    return own.masked_fill(~allowed, OUTSIDE).softmax(dim=-1).numpy()


def _best(piece: Piece, start: Any, end: Any, longest: int, top_k: int) -> list[Found]:
    """The `top_k` likeliest stretches of at most `longest` tokens in one piece, no two of the same words."""
    import numpy as np

    page = [index for index, word in enumerate(piece.words) if word is not None]
    scores = np.outer(start[page], end[page])
    firsts, lasts = np.nonzero(np.tril(np.triu(np.ones(scores.shape, bool)), min(longest, len(page)) - 1))
    best: dict[tuple[Any, Any], float] = {}
    for candidate in np.argsort(-scores[firsts, lasts], kind="stable"):
        first, last = int(firsts[candidate]), int(lasts[candidate])
        best.setdefault((piece.words[page[first]], piece.words[page[last]]), float(scores[first, last]))
        if len(best) == top_k:
            break
    return [Found(score, *span) for span, score in best.items()]


def _answers(found: list[Found], words: list[str], impossible: float | None, top_k: int) -> list[dict[str, Any]]:
    """What was found in all pieces as the response has it; `impossible` is how likely the page does not say."""
    best: dict[tuple[int, int], float] = {}
    for score, start, end in sorted(found, key=lambda one: -one.score):
        best.setdefault((start, end), score)
    answers: list[dict[str, Any]] = [
        {"answer": " ".join(words[start : end + 1]), "score": score, "start": start, "end": end}
        for (start, end), score in best.items()
    ]
    if impossible is not None:
        answers.append({"answer": "", "score": impossible, "start": 0, "end": 0})
    return sorted(answers, key=lambda answer: -answer["score"])[:top_k]
