"""summarization and translation with models of AutoModelForSeq2SeqLM."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..server.handler import RequestProblem
from .base import LocalModel
from .generation import generate, length, refusal
from .texts import batches, token_limit

CUTS = ("longest_first", "only_first")
LANGUAGE = re.compile(r"[a-z]{2,3}_[A-Z][A-Za-z]{1,3}")
PAIR = re.compile(r"translation_(.+)_to_(.+)")
SHOWN = 8
STEPS = 32
"""About how many passes through the model a text takes that it writes."""


@dataclass(frozen=True)
class Instruction:
    """How the model is told what to do: `prefix` stands before each text, `options` go to `generate`."""

    prefix: str = ""
    options: dict[str, Any] = field(default_factory=dict)


class TextToText(LocalModel):
    """Texts in, texts out. A text longer than the model reads is refused unless ``truncation`` says to cut it."""

    answer: str
    """Name of the answer's member that holds the text."""

    def auto_class(self) -> Any:
        from transformers import AutoModelForSeq2SeqLM

        return AutoModelForSeq2SeqLM

    def load_processors(self) -> None:
        from transformers import AutoTokenizer

        self._tokenizer = self.processor(AutoTokenizer)
        self._positions = getattr(self.model.config, "max_position_embeddings", None)
        self._max_tokens = token_limit(self._tokenizer, self.model)
        # T5 and its kin learned their tasks by what stands before the text; their configurations say what.
        self._tasks: Mapping[str, Any] = getattr(self.model.config, "task_specific_params", None) or {}

    @abstractmethod
    def instruction(self, parameters: Any) -> Instruction:
        """How to tell the model what to do. May set up the tokenizer. Raises RequestProblem."""

    def infer(self, inputs: Sequence[str], parameters: Any) -> Sequence[Any]:
        problem = refusal(parameters, self.model.generation_config, self._positions)
        if problem is not None:
            return [problem] * len(inputs)
        try:
            instruction = self.instruction(parameters)
        except RequestProblem as found:
            return [found] * len(inputs)
        read = [self._read(instruction.prefix, text, parameters.truncation in CUTS) for text in inputs]
        rows = [ids for ids in read if not isinstance(ids, RequestProblem)]
        written = iter(self._written(rows, instruction, parameters) if rows else ())
        return [ids if isinstance(ids, RequestProblem) else {self.answer: next(written)} for ids in read]

    def _read(self, prefix: str, text: str, cut: bool) -> list[int] | RequestProblem:
        primary = self.binding.primary
        if not text.strip():
            return RequestProblem("holds nothing to read", field=primary)
        options = {"truncation": True, "max_length": self._max_tokens} if cut else {}
        ids: list[int] = self._tokenizer(prefix + text, verbose=False, **options)["input_ids"]
        if len(ids) > self._max_tokens:
            message = f"is {len(ids)} tokens long; this model reads at most {self._max_tokens} (truncation can cut it)"
            return RequestProblem(message, field=primary)
        return ids

    def _written(self, rows: Sequence[list[int]], instruction: Instruction, parameters: Any) -> list[str]:
        texts = [""] * len(rows)
        for batch in batches([len(ids) for ids in rows], steps=STEPS):
            written = self._written_together([rows[index] for index in batch], instruction, parameters)
            for index, text in zip(batch, written, strict=True):
                texts[index] = text
        return texts

    def _written_together(self, rows: Sequence[list[int]], instruction: Instruction, parameters: Any) -> list[str]:
        tensors = self._tokenizer.pad({"input_ids": rows}, padding=True, return_tensors="pt").to(self.device)
        ids = generate(
            self.model,
            parameters,
            input_ids=tensors["input_ids"],
            attention_mask=tensors["attention_mask"],
            **length(self.model.generation_config, self._positions),
            **instruction.options,
        )
        clean = parameters.clean_up_tokenization_spaces
        kept = None if clean is None else False
        texts: list[str] = self._tokenizer.batch_decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=kept
        )
        # Asked to clean up, the decoder would do so for some kinds of tokenizers only.
        return [self._tokenizer.clean_up_tokenization(text) for text in texts] if clean else texts


class Summarization(TextToText):
    """Texts in, short texts out."""

    answer = "summary_text"

    def instruction(self, parameters: Any) -> Instruction:
        return Instruction(self._tasks.get("summarization", {}).get("prefix", ""))


class Translation(TextToText):
    """Texts of one language in, of another out.

    ``src_lang`` and ``tgt_lang`` are for models that know several: those with a token for each language (mBART, NLLB,
    M2M100), with pairs of languages in their configuration (T5), or with marks before the text (``>>fra<<``, Marian).
    """

    answer = "translation_text"

    def load_processors(self) -> None:
        super().load_processors()
        tokenizer = self._tokenizer
        self._own_source = getattr(tokenizer, "src_lang", None)
        by_code = getattr(tokenizer, "lang_code_to_token", None)
        if by_code is not None:  # M2M100 writes fr as __fr__
            tokens = dict(by_code)
        elif hasattr(tokenizer, "src_lang"):
            tokens = {token: token for token in tokenizer.all_special_tokens if LANGUAGE.fullmatch(token)}
        else:
            tokens = {}
        self._languages = {code: tokenizer.convert_tokens_to_ids(token) for code, token in tokens.items()}
        self._pairs = {found.groups(): name for name in self._tasks if (found := PAIR.fullmatch(name))}
        self._marks = [mark.strip("<>") for mark in getattr(tokenizer, "supported_language_codes", ())]

    def instruction(self, parameters: Any) -> Instruction:
        source, target = parameters.src_lang, parameters.tgt_lang
        if self._languages:
            return self._by_token(source, target)
        if self._marks:
            if source is not None:
                raise RequestProblem("does not apply: this model finds out by itself", field="parameters.src_lang")
            return Instruction(f">>{_known(target, self._marks, 'tgt_lang')}<< ")
        if source is None and target is None:
            return Instruction()
        if self._pairs:
            _known(source, [pair[0] for pair in self._pairs], "src_lang")
            _known(target, [pair[1] for pair in self._pairs if pair[0] == source], "tgt_lang")
            return Instruction(self._tasks[self._pairs[source, target]].get("prefix", ""))
        name = "src_lang" if target is None else "tgt_lang"
        raise RequestProblem("does not apply: this model knows one pair of languages", field=f"parameters.{name}")

    def _by_token(self, source: str | None, target: str | None) -> Instruction:
        # A model that was trained on towards one language has it set, and may be used without saying it again.
        settled = getattr(self.model.generation_config, "forced_bos_token_id", None) is not None
        if source is not None or not settled:
            _known(source, self._languages, "src_lang")
        self._tokenizer.src_lang = source or self._own_source
        if target is None and settled:
            return Instruction()
        return Instruction(
            options={"forced_bos_token_id": self._languages[_known(target, self._languages, "tgt_lang")]}
        )


def _known(language: str | None, languages: Sequence[str] | Mapping[str, Any], name: str) -> str:
    """`language`, if it is one of `languages`. Raises RequestProblem."""
    shown = ", ".join(sorted(set(languages))[:SHOWN]) + (", …" if len(set(languages)) > SHOWN else "")
    if language is None:
        raise RequestProblem(f"is required by this model: {shown}", field=f"parameters.{name}")
    if language not in languages:
        raise RequestProblem(f"is not known to this model: {shown}", field=f"parameters.{name}")
    return language
