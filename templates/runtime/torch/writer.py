"""What text generation and chat completion have in common: a causal language model that writes rows of tokens."""

from __future__ import annotations

import secrets
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Protocol

from ..server.handler import RequestProblem
from .base import LocalModel
from .decoding import Decoder, Row
from .grammar import Grammars
from .texts import token_limit

MAX_ROWS = 32
"""How many texts are written at once."""

SEEDS = 1 << 64

NOBODY = RequestProblem("nobody waits for the answer any more", status=499)


class Job(Protocol):
    """A request under way: the rows that are written for it, and what becomes of them."""

    rows: list[Row]

    def answer(self) -> Any:
        """The answer as JSON values, once all rows have ended."""

    def events(self, written: list[Row]) -> Iterator[Any]:
        """The events of a step that wrote a token of each of the rows `written`."""
        ...

    def ending(self) -> Iterator[Any]:
        """The events after the last step."""
        ...


class Writer(LocalModel):
    """Writes with a model of AutoModelForCausalLM. No answer is kept: it is random, or has an id of its own."""

    deterministic = False

    def auto_class(self) -> Any:
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM

    def load_processors(self) -> None:
        from transformers import AutoTokenizer

        self.tokenizer = self.processor(AutoTokenizer)
        self.decoder = Decoder(self.model, self.tokenizer)
        self.grammars = Grammars(self.model, self.tokenizer, self.decoder.ends, self.limits.max_grammar)
        self.context = token_limit(self.tokenizer, self.model)
        """How many tokens prompt and text may have together."""

    @abstractmethod
    def job(self, request: Any) -> Job:
        """What to do for `request`. Raises RequestProblem."""

    def infer(self, inputs: Sequence[Any], parameters: Any) -> Sequence[Any]:
        jobs = [self._job(request) for request in inputs]
        rows = [row for job in jobs if not isinstance(job, RequestProblem) for row in job.rows]
        for start in range(0, len(rows), MAX_ROWS):
            for _ in self.decoder.steps(rows[start : start + MAX_ROWS]):
                for index in self.pause():
                    for row in getattr(jobs[index], "rows", ()):
                        row.problem = NOBODY
        return [job if isinstance(job, RequestProblem) else _problem(job) or job.answer() for job in jobs]

    def stream(self, request: Any) -> Iterator[Any]:
        """The events of the answer; each step but the last computes one token (of each of several texts)."""
        job = self.job(request)
        for written in self.decoder.steps(job.rows):
            problem = _problem(job)
            if problem is not None:
                raise problem
            yield from job.events(written)
        yield from job.ending()

    def _job(self, request: Any) -> Job | RequestProblem:
        try:
            return self.job(request)
        except RequestProblem as problem:
            return problem

    def room(self, prompt: Sequence[int], asked: int | None, default: int, field: str, prompt_field: str) -> int:
        """How many tokens to write after `prompt`, if the request asks for `asked`. Raises RequestProblem."""
        if not prompt:
            raise RequestProblem("holds nothing to go on from", field=prompt_field)
        left = self.context - len(prompt)
        if left < 1:
            message = f"is {len(prompt)} tokens long; this model reads at most {self.context - 1}"
            raise RequestProblem(message, field=prompt_field)
        if asked is None:
            return min(default, left)
        if asked > left:
            message = f"must be at most {left} here, where the prompt has {len(prompt)} tokens"
            raise RequestProblem(message, field=field)
        return int(asked)

    def stops(self, stop: Sequence[str] | None, field: str) -> tuple[str, ...]:
        """The texts of `stop`. Raises RequestProblem for one that stands in every text."""
        for index, text in enumerate(stop or ()):
            if not text:
                raise RequestProblem("must not be empty", field=f"{field}.{index}")
        return tuple(stop or ())

    @cached_property
    def watermark(self) -> Any:
        """Favours a quarter of the vocabulary, chosen by the token before (Kirchenbauer et al., 2023)."""
        from transformers import WatermarkLogitsProcessor

        size = self.model.config.get_text_config().vocab_size
        return WatermarkLogitsProcessor(vocab_size=size, device=str(self.device))

    def token_text(self, token: int) -> str:
        """The characters of one token, marks of the model included."""
        text: str = self.tokenizer.decode([token], clean_up_tokenization_spaces=False)
        return text


def _problem(job: Job) -> RequestProblem | None:
    return next((row.problem for row in job.rows if row.problem is not None), None)


def random_seed() -> int:
    """A seed for a request that has none."""
    return secrets.randbelow(1 << 53)


def check_seed(seed: int | None, field: str) -> None:
    """Raises RequestProblem for a seed that generators of random numbers do not take."""
    if seed is not None and seed >= SEEDS:
        raise RequestProblem(f"must be below {SEEDS} on this server", field=field)
