"""visual-question-answering with ViLT, which picks an answer of a list, and BLIP, which writes one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..server.handler import RequestProblem
from .alike import alike
from .base import ModelDirectoryError
from .labels import LabelledModel
from .pages import IMAGE, QUESTION, read_page
from .pictures import prepared
from .texts import token_limit

DEFAULT_PICKED = 5
DEFAULT_WRITTEN = 1
MAX_WRITTEN = 16
"""Each answer is a beam more, all of which are in memory for each question of a batch."""

BEAMS = 3
MAX_NEW_TOKENS = 20


class VisualQuestionAnswering(LabelledModel):
    """Images with questions in, answers out, best first: the five best of ViLT, one of BLIP unless ``top_k`` says so.

    ViLT scores each answer on its own. BLIP finds ``top_k`` answers (up to 16) of up to 20 tokens by beam search; their
    score is the probability of the whole text.
    """

    def auto_class(self) -> Any:
        from transformers import AutoModelForVisualQuestionAnswering

        return AutoModelForVisualQuestionAnswering

    def load_processors(self) -> None:
        from transformers import AutoImageProcessor, AutoTokenizer

        config = self.model.config
        if config.model_type not in ("vilt", "blip"):
            message = f"a model of type {config.model_type!r} is not supported, only vilt and blip"
            raise ModelDirectoryError(f"{self.directory}: {message}")
        self._writes = config.model_type == "blip"
        self._processor = self.processor(AutoImageProcessor)
        self._tokenizer = self.processor(AutoTokenizer)
        self._max_tokens = token_limit(self._tokenizer, self.model)

    def choices(self) -> Iterable[str]:
        return () if self._writes else super().choices()

    def infer(self, inputs: Sequence[Any], parameters: Any) -> Sequence[Any]:
        if self._writes and (parameters.top_k or 0) > MAX_WRITTEN:
            message = f"must be at most {MAX_WRITTEN}: this model writes its answers"
            return [RequestProblem(message, field="parameters.top_k")] * len(inputs)
        answers: list[Any] = [None] * len(inputs)
        features: list[Any] = [None] * len(inputs)
        for index, item in enumerate(inputs):
            try:
                features[index] = self._prepared(item)
            except RequestProblem as problem:
                answers[index] = problem
        if not self._writes:
            features = self._padded(features)
        answer = self._written if self._writes else self._picked
        for batch in alike(features, self.device):
            for position, found in zip(batch.positions, answer(batch.features, parameters.top_k), strict=True):
                answers[position] = found
        return answers

    def _prepared(self, item: Any) -> dict[str, Any]:
        """The question and the image of `item` as tensors. Raises RequestProblem."""
        page = read_page(item, self.limits)
        tokens = self._tokenizer([page.question], return_tensors="pt", verbose=False)
        length = tokens["input_ids"].shape[1]
        if length > self._max_tokens:
            message = f"is {length} tokens long; this model reads at most {self._max_tokens}"
            raise RequestProblem(message, field=QUESTION)
        return {**tokens, **prepared(self._processor, page.image, IMAGE)}

    def _padded(self, features: Sequence[Any]) -> list[Any]:
        """`features` with questions of one length: ViLT has a mask for the rest."""
        import torch.nn.functional as functional

        padding = {"input_ids": self._tokenizer.pad_token_id, "attention_mask": 0, "token_type_ids": 0}
        longest = max((item["input_ids"].shape[1] for item in features if item is not None), default=0)
        return [
            item
            and {
                name: functional.pad(tensor, (0, longest - tensor.shape[1]), value=padding[name])
                if name in padding
                else tensor
                for name, tensor in item.items()
            }
            for item in features
        ]

    def _picked(self, features: dict[str, Any], top_k: int | None) -> list[list[dict[str, Any]]]:
        scores = self.model(**features).logits.sigmoid()
        best = scores.topk(min(top_k or DEFAULT_PICKED, scores.shape[-1]), dim=-1)
        names = self.model.config.id2label
        return [
            [{"answer": str(names[index]), "score": score} for index, score in zip(indices, values, strict=True)]
            for indices, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    def _written(self, features: dict[str, Any], top_k: int | None) -> list[list[dict[str, Any]]]:
        count = top_k or DEFAULT_WRITTEN
        tokens = {name: features[name] for name in ("input_ids", "attention_mask", "pixel_values")}
        written = self.model.generate(
            **tokens,
            do_sample=False,
            num_beams=max(BEAMS, count),
            num_return_sequences=count,
            max_new_tokens=MAX_NEW_TOKENS,
            length_penalty=0.0,  # so that scores are plain sums of the tokens' log-probabilities
            return_dict_in_generate=True,
            output_scores=True,
        )
        texts = self._tokenizer.batch_decode(written.sequences, skip_special_tokens=True)
        scores = written.sequences_scores.exp().tolist()
        found = [{"answer": text.strip(), "score": score} for text, score in zip(texts, scores, strict=True)]
        return [found[start : start + count] for start in range(0, len(found), count)]
