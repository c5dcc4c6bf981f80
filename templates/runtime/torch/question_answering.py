"""question-answering with any model of AutoModelForQuestionAnswering: the answer is a piece of the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..server.handler import RequestProblem
from .base import ModelDirectoryError
from .texts import MAX_CHUNKS, TextModel, chunk_count, too_many_characters

if TYPE_CHECKING:
    import torch

DEFAULT_TOP_K = 1
DEFAULT_ANSWER = 15
DEFAULT_QUESTION = 64
DEFAULT_CHUNK = 384
DEFAULT_STRIDE = 128
MAX_TOP_K = 100
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
        chunks: list[tuple[int, Chunk]] = []
        for index, item in enumerate(inputs):
            try:
                encodings[index] = self._encoded(item, parameters)
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
                found = self._spans(inputs[index].context, encodings[index], chunk, starts, ends, parameters)
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

    def _encoded(self, item: Any, parameters: Any) -> Any:
        """The question with each piece of the text. Raises RequestProblem."""
        for name in ("question", "context"):
            problem = too_many_characters(getattr(item, name), f"inputs.{name}")
            if problem is not None:
                raise problem
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
        tokens = len(self.tokenizer(item.context, add_special_tokens=False, verbose=False)["input_ids"])
        if tokens == 0 or item.context.isspace():
            raise RequestProblem("holds nothing to read", field="inputs.context")
        if tokens > room:
            if stride >= room:
                message = f"must be below {room}, which is the room that max_seq_len leaves beside this question"
                raise RequestProblem(message, field="parameters.doc_stride")
            if chunk_count(tokens, room, stride) > MAX_CHUNKS:
                message = f"is too long: it takes more than {MAX_CHUNKS} chunks with this max_seq_len and doc_stride"
                raise RequestProblem(message, field="inputs.context")
        return self.tokenizer(
            [question],
            [item.context],
            truncation="only_second",
            max_length=longest,
            stride=min(stride, room - 1),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )

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

    def _spans(
        self, text: str, encoding: Any, chunk: Chunk, starts: torch.Tensor, ends: torch.Tensor, parameters: Any
    ) -> Iterator[Span]:
        """The answers in `chunk`, likeliest first. `starts` and `ends` are the probabilities of its tokens of text."""
        align = parameters.align_to_words is not False
        offsets = encoding["offset_mapping"][chunk.place]
        for first, last, score in _pairs(starts, ends, parameters.max_answer_len or DEFAULT_ANSWER):
            if score <= 0:
                return
            start, end = offsets[chunk.context[first]][0], offsets[chunk.context[last]][1]
            if align:
                start = self._word(encoding, chunk, first)[0]
                end = self._word(encoding, chunk, last)[1]
            piece = text[start:end]
            start, end = start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
            if start < end:
                yield Span(start, end, score)

    def _word(self, encoding: Any, chunk: Chunk, token: int) -> tuple[int, int]:
        """Where the word of a token of the text begins and ends, by characters."""
        position = chunk.context[token]
        word = encoding.token_to_word(chunk.place, position)
        if word is None:
            offset: tuple[int, int] = encoding["offset_mapping"][chunk.place][position]
            return offset
        span = encoding.word_to_chars(chunk.place, word, 1)
        return span.start, span.end


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
