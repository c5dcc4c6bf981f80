"""zero-shot-classification with a model of AutoModelForSequenceClassification that judges what follows from a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..server.handler import RequestProblem
from ..server.limits import check_text
from .base import ModelDirectoryError
from .texts import Row, TextModel, too_many_tokens

if TYPE_CHECKING:
    import torch

DEFAULT_TEMPLATE = "This example is {}."
LABELS = "parameters.candidate_labels"
TEMPLATE = "parameters.hypothesis_template"


class ZeroShotClassification(TextModel):
    """Texts in, the classes of the request out, each with how well the text implies it."""

    def auto_class(self) -> Any:
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification

    def load_processors(self) -> None:
        super().load_processors()
        numbers = {str(label).lower(): number for label, number in self.model.config.label2id.items()}
        entailment = [number for label, number in numbers.items() if label.startswith("entail")]
        if not entailment or len(numbers) < 2:
            message = "none of its labels is an entailment, so it cannot judge what follows from a text"
            raise ModelDirectoryError(f"{self.directory}: {message}")
        self._entailment = entailment[0]
        contradiction = [number for label, number in numbers.items() if label.startswith("contradict")]
        self._contradiction = contradiction[0] if contradiction else (-1 if self._entailment == 0 else 0)

    def infer(self, inputs: Sequence[str], parameters: Any) -> Sequence[Any]:
        labels = parameters.candidate_labels
        try:
            hypotheses = _hypotheses(labels, parameters.hypothesis_template, self.limits.max_characters)
        except RequestProblem as problem:
            return [problem] * len(inputs)
        answers: list[Any] = [None] * len(inputs)
        rows: list[tuple[int, Row]] = []
        for index, text in enumerate(inputs):
            try:
                rows += [(index, row) for row in self._pairs(text, hypotheses)]
            except RequestProblem as problem:
                answers[index] = problem
        logits: list[Any] = [None] * len(rows)
        for batch, output in self.passes([row for _, row in rows]):
            for position, row_logits in zip(batch, output.logits, strict=True):
                logits[position] = row_logits
        owners = dict.fromkeys(index for index, _ in rows)
        for number, index in enumerate(owners):
            of_text = logits[number * len(labels) : (number + 1) * len(labels)]
            answers[index] = self._answer(of_text, labels, parameters.multi_label)
        return answers

    def _pairs(self, text: str, hypotheses: list[str]) -> list[Row]:
        """What the model reads: `text` with each of `hypotheses`. Raises RequestProblem."""
        encoded: Any = {}
        # Alone first: a text that is too long is not worth reading again for every class.
        for texts, others in (([text], None), ([text] * len(hypotheses), hypotheses)):
            encoded = self.tokenizer(texts, others, verbose=False)
            longest = max(map(len, encoded["input_ids"]))
            if longest > self.max_tokens:
                hint = ", the sentence about the class included"
                raise too_many_tokens(longest, self.max_tokens, self.binding.primary, hint)
        return [{name: encoded[name][i] for name in encoded} for i in range(len(hypotheses))]

    def _answer(self, logits: list[torch.Tensor], labels: list[str], multi_label: bool) -> list[dict[str, Any]]:
        """The classes, best first, from `logits` (one row a class)."""
        import torch

        table = torch.stack(logits)
        if multi_label or len(labels) == 1:
            scores = table[:, [self._contradiction, self._entailment]].softmax(-1)[:, 1]
        else:
            scores = table[:, self._entailment].softmax(-1)
        order = scores.argsort(descending=True, stable=True).tolist()
        return [{"label": labels[index], "score": float(scores[index])} for index in order]


def _hypotheses(labels: list[str], template: str | None, most: int) -> list[str]:
    """What the model holds against the text for each of `labels`, of at most `most` characters.

    Raises RequestProblem.
    """
    template = DEFAULT_TEMPLATE if template is None else template
    if "{}" not in template:
        raise RequestProblem("must hold {} in the place of the class", field=TEMPLATE)
    # Not str.format: a template is a stranger's text.
    hypotheses = [template.replace("{}", label) for label in labels]
    for index, hypothesis in enumerate(hypotheses):
        check_text(hypothesis, most, f"{LABELS}.{index}")
    return hypotheses
