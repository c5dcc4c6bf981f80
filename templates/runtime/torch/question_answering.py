"""question-answering with any model of AutoModelForQuestionAnswering: the answer is a piece of the text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..server.handler import RequestProblem
from .base import ModelDirectoryError
from .texts import MAX_CHUNKS, TextModel, chunk_count

if TYPE_CHECKING:
    import torch

DEFAULT_TOP_K = 1
DEFAULT_ANSWER = 15
DEFAULT_QUESTION = 64
DEFAULT_CHUNK = 384
DEFAULT_STRIDE = 128
MAX_TOP_K = 100
"""So many of the best spans are kept of each piece of a text."""

MAX_ANSWER = 512


@dataclass(frozen=True)
class Span:
    """A piece of the text, by characters, and how likely it is the answer."""

    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Chunk:
    """A question with a piece of the text, as the model reads it."""

    row: dict[str, list[int]]
    place: int
    """Which chunk of the encoding it is."""
    context: list[int]
    """Places of the tokens that are of the text."""
    empty: int | None
    """Place of the token that stands for no answer."""


class QuestionAnswering(TextModel):
    """Questions and texts in, answers out, likeliest first.

    The score of an answer is the probability that it begins where it does times the one that it ends there, among the
    tokens of its chunk and the token that stands for no answer.
    """

    def auto_class(self) -> Any:
        from transformers import AutoModelForQuestionAnswering

        return AutoModelForQuestionAnswering

    def load_processors(self) -> None:
        super().load_processors()
        if not self.tokenizer.is_fast:
            raise ModelDirectoryError(f"{self.directory}: its tokenizer does not say where in the text a token stands")

    def infer(self, inputs: Sequence[Any], parameters: Any) -> Sequence[Any]:
        refusal = self._refusal(parameters)
        if refusal is not None:
            return [refusal] * len(inputs)
        answers: list[Any] = [None] * len(inputs)
        encodings: dict[int, Any] = {}
        words: dict[int, list[tuple[int, int]]] = {}
        chunks: list[tuple[int, Chunk]] = []
        for index, item in enumerate(inputs):
            try:
                encodings[index], words[index] = self._encoded(item, parameters)
            except RequestProblem as problem:
                answers[index] = problem
                continue
            chunks += [(index, chunk) for chunk in self._chunks(encodings[index])]
        spans: dict[int, list[Span]] = {index: [] for index in encodings}
        impossible = dict.fromkeys(encodings, 1.0)
        top_k = parameters.top_k or DEFAULT_TOP_K
        for batch, output in self.passes([chunk.row for _, chunk in chunks]):
            for position, start, end in zip(batch, output.start_logits, output.end_logits, strict=True):
                index, chunk = chunks[position]
                starts, ends, no_answer = _probabilities(start, end, chunk)
                impossible[index] = min(impossible[index], no_answer)
                aligned = words[index] if parameters.align_to_words is not False else []
                offsets = encodings[index]["offset_mapping"][chunk.place]
                pairs = _pairs(starts, ends, parameters.max_answer_len or DEFAULT_ANSWER)
                found = _spans(inputs[index].context, [offsets[token] for token in chunk.context], aligned, pairs)
                spans[index] += _first(found, top_k)
        for index, item in enumerate(inputs):
            if index in spans:
                candidates = spans[index]
                if parameters.handle_impossible_answer:
                    candidates.append(Span(0, 0, impossible[index]))
                best = sorted(candidates, key=lambda span: -span.score)
                answers[index] = [
                    {"answer": item.context[s.start : s.end], "score": s.score, "start": s.start, "end": s.end}
                    for s in _first(iter(best), top_k)
                ]
        return answers

    def _refusal(self, parameters: Any) -> RequestProblem | None:
        limits = {"top_k": MAX_TOP_K, "max_answer_len": MAX_ANSWER}
        for name, limit in limits.items():
            if (getattr(parameters, name) or 0) > limit:
                return RequestProblem(f"must be at most {limit} on this server", field=f"parameters.{name}")
        if (parameters.max_seq_len or 0) > self.max_tokens:
            message = f"must be at most {self.max_tokens}, which is what this model reads"
            return RequestProblem(message, field="parameters.max_seq_len")
        if (parameters.doc_stride or 0) >= self._longest(parameters):
            message = f"must be less than max_seq_len, here {self._longest(parameters)}"
            return RequestProblem(message, field="parameters.doc_stride")
        if parameters.handle_impossible_answer and self.tokenizer.cls_token_id is None:
            message = "is not supported by this model, which knows no empty answer"
            return RequestProblem(message, field="parameters.handle_impossible_answer")
        return None

    def _longest(self, parameters: Any) -> int:
        return int(parameters.max_seq_len or min(self.max_tokens, DEFAULT_CHUNK))

    def _encoded(self, item: Any, parameters: Any) -> tuple[Any, list[tuple[int, int]]]:
        """The question with each piece of the text, and where the words of the text are. Raises RequestProblem."""
        question = self._question(item.question, parameters.max_question_len or DEFAULT_QUESTION)
        longest = self._longest(parameters)
        asked = len(self.tokenizer(question, add_special_tokens=False, verbose=False)["input_ids"])
        room = longest - asked - self.tokenizer.num_special_tokens_to_add(pair=True)
        if room < 1:
            message = f"is too small: the question alone takes {longest - room} of {longest} tokens"
            raise RequestProblem(message, field="parameters.max_seq_len")
        stride = parameters.doc_stride
        if stride is None:
            stride = min(DEFAULT_STRIDE, room // 2)
        # Pieces end in the middle of words, so where those are can be seen in the whole text only.
        whole = self.tokenizer(item.context, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        tokens = len(whole["input_ids"])
        if tokens == 0 or item.context.isspace():
            raise RequestProblem("holds nothing to read", field="inputs.context")
        if tokens > room:
            if stride >= room:
                message = f"must be below {room}, which is the room that max_seq_len leaves beside this question"
                raise RequestProblem(message, field="parameters.doc_stride")
            if chunk_count(tokens, room, stride) > MAX_CHUNKS:
                message = f"is too long: it takes more than {MAX_CHUNKS} chunks with this max_seq_len and doc_stride"
                raise RequestProblem(message, field="inputs.context")
        encoding = self.tokenizer(
            [question],
            [item.context],
            truncation="only_second",
            max_length=longest,
            stride=min(stride, room - 1),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        return encoding, _words(whole)

    def _question(self, question: str, limit: int) -> str:
        """The first `limit` tokens of `question`."""
        offsets = self.tokenizer(question, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        if len(offsets["input_ids"]) <= limit:
            return question
        return question[: offsets["offset_mapping"][limit - 1][1]]

    def _chunks(self, encoding: Any) -> Iterator[Chunk]:
        for place, ids in enumerate(encoding["input_ids"]):
            context = [i for i, part in enumerate(encoding.sequence_ids(place)) if part == 1]
            if context:
                special = self.tokenizer.cls_token_id
                empty = ids.index(special) if special in ids else None
                row = {name: encoding[name][place] for name in self.tokenizer.model_input_names if name in encoding}
                yield Chunk(row, place, context, empty)


def _words(encoding: Any) -> list[tuple[int, int]]:
    """Where each word of an encoded text begins and ends, by characters; nothing for tokenizers that know no words."""
    spans: dict[int, tuple[int, int]] = {}
    for word, (start, end) in zip(encoding.word_ids(0), encoding["offset_mapping"], strict=True):
        if word is not None and start < end:
            before = spans.get(word, (start, end))
            spans[word] = min(start, before[0]), max(end, before[1])
    return sorted(spans.values())


def _spans(
    text: str,
    offsets: Sequence[tuple[int, int]],
    words: Sequence[tuple[int, int]],
    pairs: Iterator[tuple[int, int, float]],
) -> Iterator[Span]:
    """The answers that `pairs` of tokens with `offsets` mean, widened to whole `words`."""
    for first, last, score in pairs:
        if score <= 0:
            return
        start, end = _widened(offsets[first], words)[0], _widened(offsets[last], words)[1]
        piece = text[start:end]
        start, end = start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
        if start < end:
            yield Span(start, end, score)


def _widened(offset: tuple[int, int], words: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The word that the token at `offset` is a part of; `offset` if there is none."""
    place = bisect_right(words, offset[0], key=lambda word: word[0]) - 1
    return words[place] if place >= 0 and offset[0] < words[place][1] else offset


def _probabilities(start: torch.Tensor, end: torch.Tensor, chunk: Chunk) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Of each token of the text that the answer begins and ends there, and of no answer at all."""
    places = chunk.context if chunk.empty is None else [chunk.empty, *chunk.context]
    starts, ends = start[places].softmax(-1), end[places].softmax(-1)
    if chunk.empty is None:
        return starts, ends, 0.0
    return starts[1:], ends[1:], float(starts[0] * ends[0])


def _pairs(starts: torch.Tensor, ends: torch.Tensor, longest: int) -> Iterator[tuple[int, int, float]]:
    """First token, last token and score of every span of at most `longest` tokens, best score first."""
    import torch

    width = min(longest, len(ends))
    padded = torch.nn.functional.pad(ends, (0, width - 1))
    scores = (starts[:, None] * padded.unfold(0, width, 1)).flatten()
    order = scores.argsort(descending=True, stable=True)
    for index, score in zip(order.tolist(), scores[order].tolist(), strict=True):
        yield index // width, index // width + index % width, score


def _first(spans: Iterator[Span], count: int) -> list[Span]:
    """The first `count` spans that differ."""
    found: dict[tuple[int, int], Span] = {}
    for span in spans:
        if len(found) == count:
            break
        found.setdefault((span.start, span.end), span)
    return list(found.values())
