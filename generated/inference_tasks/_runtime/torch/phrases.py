"""Labels of a request as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import RequestProblem

FIELD = "parameters.candidate_labels"
MAX_CHARACTERS = 1_000


def labels_refusal(labels: Sequence[str]) -> RequestProblem | None:
    """Why `labels` are refused before anything is made of them, if they are."""
    for index, label in enumerate(labels):
        if len(label) > MAX_CHARACTERS:
            return RequestProblem(f"is longer than {MAX_CHARACTERS} characters", field=f"{FIELD}.{index}")
    return None


def length_refusal(tokenizer: Any, texts: Sequence[str], limit: int) -> RequestProblem | None:
    """Why `texts`, made of one label each, are refused by a model that reads at most `limit` tokens, if they are."""
    for index, ids in enumerate(tokenizer(list(texts), verbose=False)["input_ids"]):
        if len(ids) > limit:
            message = f"is {len(ids)} tokens long with all that belongs to it; this model reads at most {limit}"
            return RequestProblem(message, field=f"{FIELD}.{index}")
    return None
