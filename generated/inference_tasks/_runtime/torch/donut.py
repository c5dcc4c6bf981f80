"""Questions about pages for Donut, which looks at the picture of the page and writes its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import RequestProblem
from .alike import alike
from .pages import IMAGE, QUESTION, Page
from .pictures import prepared

BEFORE, AFTER, END = "<s_docvqa><s_question>", "</s_question><s_answer>", "</s_answer>"
DEFAULT_TOP_K = 1
MAX_TOP_K = 16
"""Each answer is a beam more, all of which are in memory for each page of a batch."""

MAX_ANSWER_TOKENS = 256
USELESS = ("word_boxes", "lang", "doc_stride", "max_seq_len", "handle_impossible_answer")


class DonutReader:
    """Answers have no score and no place, since the model has none to give. `top_k` answers are found by beam search.

    Unless the request says otherwise, there is one of up to 256 tokens.
    """

    def __init__(self, model: Any, tokenizer: Any, processor: Any, device: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._processor = processor
        self._device = device
        self._max_tokens = model.config.decoder.max_position_embeddings

    def refusal(self, parameters: Any) -> RequestProblem | None:
        for name in USELESS:
            if getattr(parameters, name) is not None:
                message = "does not apply: this model looks at the picture of the whole page and needs no words"
                return RequestProblem(message, field=f"parameters.{name}")
        for name, limit in (("top_k", MAX_TOP_K), ("max_answer_len", MAX_ANSWER_TOKENS)):
            if (getattr(parameters, name) or 0) > limit:
                return RequestProblem(f"must be at most {limit}: this model writes answers", field=f"parameters.{name}")
        return None

    def read(self, pages: Sequence[Page | None], parameters: Any) -> list[Any]:
        answers: list[Any] = [None] * len(pages)
        features: list[Any] = [None] * len(pages)
        for index, page in enumerate(pages):
            try:
                features[index] = None if page is None else self._features(page, parameters.max_question_len)
            except RequestProblem as problem:
                answers[index] = problem
        count = parameters.top_k or DEFAULT_TOP_K
        for batch in alike(features, self._device):
            written = self._written(batch.features, count, parameters.max_answer_len or MAX_ANSWER_TOKENS)
            for row, position in enumerate(batch.positions):
                answers[position] = [{"answer": text} for text in written[row * count : (row + 1) * count]]
        return answers

    def _features(self, page: Page, longest: int | None) -> dict[str, Any]:
        """The picture and what the answer begins with, as tensors. Raises RequestProblem."""
        import torch

        asked = self._tokens(page.question)[:longest]
        prompt = [*self._tokens(BEFORE), *asked, *self._tokens(AFTER)]
        if len(prompt) >= self._max_tokens:
            message = f"is {len(asked)} tokens long, which leaves no room for an answer (see max_question_len)"
            raise RequestProblem(message, field=QUESTION)
        pixels = prepared(self._processor, page.image, IMAGE)["pixel_values"]
        return {"pixel_values": pixels, "decoder_input_ids": torch.tensor([prompt])}

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def _written(self, features: dict[str, Any], count: int, longest: int) -> list[str]:
        """The `count` best answers for each row, best first."""
        begun = features["decoder_input_ids"].shape[1]
        ids = self._model.generate(
            **features,
            do_sample=False,
            num_beams=count,
            num_return_sequences=count,
            max_new_tokens=min(longest, self._max_tokens - begun),
        )
        texts = self._tokenizer.batch_decode(ids[:, begun:])
        return [self._answer(text) for text in texts]

    def _answer(self, text: str) -> str:
        text = text.partition(END)[0]
        for token in (self._tokenizer.eos_token, self._tokenizer.pad_token):
            text = text.replace(token, "")
        return str(text).strip()
