"""document-question-answering with LayoutLM, from the words of the page, and Donut, from its picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..server.handler import RequestProblem
from .base import LocalModel, ModelDirectoryError
from .donut import DonutReader
from .layoutlm import LayoutLmReader
from .pages import Page, PageReader, read_page

KINDS = ("layoutlm", "vision-encoder-decoder")


class DocumentQuestionAnswering(LocalModel):
    """Pages with questions in, answers out, best first; one unless ``top_k`` says so."""

    max_batch = 8

    def auto_class(self) -> Any:
        from transformers import AutoModelForDocumentQuestionAnswering, VisionEncoderDecoderModel

        kind = json.loads((self.directory / "config.json").read_bytes()).get("model_type")
        if kind not in KINDS:
            known = " and Donut (".join(KINDS)
            raise ModelDirectoryError(f"{self.directory}: a model of type {kind!r} is not supported, only {known})")
        return AutoModelForDocumentQuestionAnswering if kind == "layoutlm" else VisionEncoderDecoderModel

    def load_processors(self) -> None:
        from transformers import AutoImageProcessor, AutoTokenizer

        tokenizer = self.processor(AutoTokenizer)
        self._reader: PageReader
        if self.model.config.model_type == "layoutlm":
            self._reader = LayoutLmReader(self.model, tokenizer, self.device)
        else:
            self._reader = DonutReader(self.model, tokenizer, self.processor(AutoImageProcessor), self.device)

    def infer(self, inputs: Sequence[Any], parameters: Any) -> Sequence[Any]:
        refusal = self._reader.refusal(parameters)
        if refusal is not None:
            return [refusal] * len(inputs)
        problems: list[Any] = [None] * len(inputs)
        pages: list[Page | None] = [None] * len(inputs)
        for index, item in enumerate(inputs):
            try:
                pages[index] = read_page(item, self.limits)
            except RequestProblem as problem:
                problems[index] = problem
        answers = self._reader.read(pages, parameters)
        return [answer if problem is None else problem for answer, problem in zip(answers, problems, strict=True)]
