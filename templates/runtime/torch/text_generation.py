"""text-generation with models of AutoModelForCausalLM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..server.handler import RequestProblem
from .decoding import Row, Token
from .picking import Picker, Rules, Sampling, factor
from .pieces import Pieces
from .writer import Writer, check_seed, random_seed

DEFAULT_TOKENS = 100
MAX_TOP_TOKENS = 20
SAMPLERS = ("temperature", "top_k", "top_p", "typical_p")
FINISH = {"length": "length", "end": "eos_token", "stop": "stop_sequence"}


class TextGeneration(Writer):
    """Texts in, their continuations out: the likeliest token each time, unless a parameter switches sampling on.

    A text ends with the token in which one of ``stop`` appears. Probabilities are the model's own, before penalties,
    temperature and limits.
    """

    def job(self, request: Any) -> TextJob:
        parameters = request.parameters or self.binding.parameters_class()
        self._check(parameters, request.stream is True)
        prompt = self._prompt(request.inputs, parameters.truncate)
        stop = self.stops(parameters.stop, "parameters.stop")
        most = self.room(prompt, parameters.max_new_tokens, DEFAULT_TOKENS, "parameters.max_new_tokens", "inputs")
        if most == 0 and request.stream is True:
            raise RequestProblem("must be at least 1 with stream", field="parameters.max_new_tokens")
        count = parameters.best_of or 1
        seeds: list[int | None] = [None] * count
        if _samples(parameters):
            seeds = [parameters.seed or random_seed() for _ in range(count)]
        rows = [
            Row(
                prompt,
                Picker(
                    _rules(parameters, seed),
                    watermark=self.watermark if parameters.watermark else None,
                    matcher=self._matcher(parameters.grammar),
                    blame="parameters.grammar",
                ),
                Pieces(self.tokenizer, prompt),
                most,
                stop,
                parameters.top_n_tokens or 0,
            )
            for seed in seeds
        ]
        return TextJob(self, request.inputs, parameters, rows, seeds)

    def _check(self, parameters: Any, stream: bool) -> None:
        if parameters.adapter_id is not None:
            raise RequestProblem("is not known: this server has no adapters", field="parameters.adapter_id")
        for name in ("decoder_input_details", "top_n_tokens"):
            if getattr(parameters, name) and not parameters.details:
                raise RequestProblem("needs details", field=f"parameters.{name}")
        if (parameters.top_n_tokens or 0) > MAX_TOP_TOKENS:
            message = f"must be at most {MAX_TOP_TOKENS} on this server"
            raise RequestProblem(message, field="parameters.top_n_tokens")
        if stream and parameters.decoder_input_details:
            raise RequestProblem("does not work with stream", field="parameters.decoder_input_details")
        check_seed(parameters.seed, "parameters.seed")
        if (parameters.best_of or 1) > 1:
            wrong = (
                (stream, "does not work with stream"),
                (not _samples(parameters), "needs sampling: set do_sample"),
                (parameters.seed is not None, "does not work with seed"),
            )
            for applies, message in wrong:
                if applies:
                    raise RequestProblem(message, field="parameters.best_of")

    def _prompt(self, text: str, truncate: int | None) -> list[int]:
        ids: list[int] = self.tokenizer(text, verbose=False)["input_ids"]
        if truncate is None or len(ids) <= truncate:
            return ids
        if truncate == 0:
            raise RequestProblem("must be at least 1 on this server", field="parameters.truncate")
        plain: list[int] = self.tokenizer(text, verbose=False, add_special_tokens=False)["input_ids"]
        marks = ids[: len(ids) - len(plain)]  # which models want at the beginning of any text
        kept = truncate - len(marks)
        return marks + plain[-kept:] if kept > 0 else ids[-truncate:]

    def _matcher(self, grammar: Any) -> Any:
        if grammar is None:
            return None
        field = "parameters.grammar.value"
        if grammar.type == "regex":
            return self.grammars.regex(grammar.value, field)
        if grammar.type == "json":
            return self.grammars.json(grammar.value, field)
        return self.grammars.json(grammar.value.schema_, f"{field}.schema")


class TextJob:
    """One request for text generation."""

    def __init__(
        self, writer: TextGeneration, inputs: str, parameters: Any, rows: list[Row], seeds: list[int | None]
    ) -> None:
        self._writer = writer
        self._start = inputs if parameters.return_full_text else ""
        self._parameters = parameters
        self.rows = rows
        self._seeds = seeds

    def answer(self) -> Any:
        ranked = sorted(range(len(self.rows)), key=lambda index: -_likelihood(self.rows[index]))
        chosen = self.rows[ranked[0]]
        answer: dict[str, Any] = {"generated_text": self._start + chosen.text}
        if self._parameters.details:
            prefill = self._prefill(chosen.prompt) if self._parameters.decoder_input_details else []
            answer["details"] = self._details(ranked[0], prefill)
            if len(ranked) > 1:
                answer["details"]["best_of_sequences"] = [
                    {"generated_text": self._start + self.rows[index].text, **self._details(index, prefill)}
                    for index in ranked[1:]
                ]
        return answer

    def events(self, written: list[Row]) -> Iterator[Any]:
        for row in written:
            event: dict[str, Any] = {"index": len(row.tokens), "token": self._token(row.tokens[-1])}
            if self._parameters.top_n_tokens:
                event["top_tokens"] = self._top(row.tokens[-1])
            if row.ended:
                event["generated_text"] = self._start + row.text
                if self._parameters.details:
                    event["details"] = {**self._end(0), "input_length": len(row.prompt)}
            yield event

    def ending(self) -> Iterator[Any]:
        return iter(())

    def _details(self, index: int, prefill: list[Any]) -> dict[str, Any]:
        row = self.rows[index]
        details = {**self._end(index), "prefill": prefill, "tokens": [self._token(token) for token in row.tokens]}
        if self._parameters.top_n_tokens:
            details["top_tokens"] = [self._top(token) for token in row.tokens]
        return details

    def _end(self, index: int) -> dict[str, Any]:
        row = self.rows[index]
        finish = FINISH[row.finish or "length"]
        return {"finish_reason": finish, "generated_tokens": len(row.tokens), "seed": self._seeds[index]}

    def _prefill(self, prompt: list[int]) -> list[dict[str, Any]]:
        logprobs = self._writer.decoder.score(prompt)
        return [
            {"id": token, "text": self._writer.token_text(token), "logprob": logprob}
            for token, logprob in zip(prompt, logprobs, strict=True)
        ]

    def _token(self, token: Token) -> dict[str, Any]:
        text = self._writer.token_text(token.id) if token.special else token.text
        return {"id": token.id, "text": text, "logprob": token.logprob, "special": token.special}

    def _top(self, token: Token) -> list[dict[str, Any]]:
        return [
            {
                "id": id,
                "text": self._writer.token_text(id),
                "logprob": logprob,
                "special": id in self._writer.decoder.marks,
            }
            for id, logprob in token.top
        ]


def _samples(parameters: Any) -> bool:
    if parameters.temperature == 0:
        return False
    return parameters.do_sample is True or any(getattr(parameters, name) is not None for name in SAMPLERS)


def _rules(parameters: Any, seed: int | None) -> Rules:
    sampling = None
    if seed is not None:
        limits = parameters.top_k, parameters.top_p, parameters.typical_p
        sampling = Sampling(seed, factor(parameters.temperature), *limits)
    return Rules(
        sampling,
        repetition=factor(parameters.repetition_penalty),
        frequency=float(parameters.frequency_penalty or 0),
        counts_prompt=True,
    )


def _likelihood(row: Row) -> float:
    """The mean over tokens, so that a text does not lose by being longer."""
    return sum(token.logprob for token in row.tokens) / max(1, len(row.tokens))
