"""Holding a text to a form: which tokens a grammar lets follow. Needs the package ``llguidance``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..server.handler import RequestProblem
from ..server.limits import check_text

if TYPE_CHECKING:
    import torch

BLANKS = r"\n? {0,16}"
"""What may stand between the tokens of JSON text: without a limit, a model can write blanks for ever."""

MAX_MESSAGE = 300


class Matcher:
    """One text's way through a grammar."""

    def __init__(self, matcher: Any, ends: set[int], field: str) -> None:
        self._matcher = matcher
        self._ends = ends
        self._field = field

    def allowed(self, vocabulary: int) -> torch.Tensor:
        """Which of the first `vocabulary` tokens may come next."""
        import numpy as np
        import torch

        bits = np.unpackbits(np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8), bitorder="little")
        if self._matcher.is_error():
            raise RequestProblem(_shown("cannot be followed", self._matcher.get_error()), field=self._field)
        mask = torch.zeros(vocabulary, dtype=torch.bool)
        mask[: len(bits)] = torch.from_numpy(bits[:vocabulary].astype(bool))
        return mask

    def accept(self, token: int) -> None:
        """Go on after `token`."""
        if token not in self._ends:
            self._matcher.consume_token(token)


class Grammars:
    """Makes matchers for a model's vocabulary, whose end marks are `ends`, of grammars of at most `most` characters."""

    def __init__(self, model: Any, tokenizer: Any, ends: set[int], most: int) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._ends = ends
        self._most = most

    def regex(self, expression: str, field: str) -> Matcher:
        """Of texts that match `expression` from beginning to end. Raises RequestProblem at `field`, as the others."""
        return self._matcher(lambda maker: maker.grammar_from_regex(expression), expression, field)

    def json(self, schema: Mapping[str, Any] | str, field: str) -> Matcher:
        """Of JSON text that is valid under `schema`, an object or its JSON text."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        options = {"whitespace_pattern": BLANKS}
        return self._matcher(lambda maker: maker.grammar_from_json_schema(text, overrides=options), text, field)

    def lark(self, grammar: str, field: str) -> Matcher:
        """Of texts of a grammar in Lark's notation."""
        return self._matcher(lambda maker: maker.grammar_from_lark(grammar), grammar, field)

    def _matcher(self, compiled: Any, text: str, field: str) -> Matcher:
        check_text(text, self._most, field)
        try:
            import llguidance
        except ModuleNotFoundError:
            message = "is not supported by this server: it needs the package llguidance"
            raise RequestProblem(message, field=field) from None
        try:
            matcher = llguidance.LLMatcher(self._vocabulary, compiled(llguidance.LLMatcher), log_level=0)
        except ValueError as error:
            raise RequestProblem(_shown("is not valid", str(error)), field=field) from None
        if matcher.is_error():
            raise RequestProblem(_shown("cannot be followed", matcher.get_error()), field=field)
        return Matcher(matcher, self._ends, field)

    @cached_property
    def _vocabulary(self) -> Any:
        from llguidance.hf import from_tokenizer

        if not self._ends:
            raise ValueError("this model has no end mark")
        size = max(self._model.config.get_text_config().vocab_size, len(self._tokenizer))
        return from_tokenizer(self._tokenizer, n_vocab=size, eos_token=sorted(self._ends))


def _shown(message: str, reason: str) -> str:
    return f"{message}: {' '.join(reason.split())}"[:MAX_MESSAGE]
