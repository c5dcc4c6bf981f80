"""Labels of a request as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..server.handler import RequestProblem

FIELD = "parameters.candidate_labels"


def length_refusal(tokenizer: Any, texts: Sequence[str], limit: int, most: int) -> RequestProblem | None:
    """Why `texts`, made of one label each, are refused by a model that reads at most `limit` tokens, if they are.

    None may be longer than `most` characters, lest a long template be tokenized for every label.
    """
    for index, text in enumerate(texts):
        if len(text) > most:
            return RequestProblem(f"is longer than {most} characters with all around it", field=f"{FIELD}.{index}")
    for index, ids in enumerate(tokenizer(list(texts), verbose=False)["input_ids"]):
        if len(ids) > limit:
            message = f"is {len(ids)} tokens long with all that belongs to it; this model reads at most {limit}"
            return RequestProblem(message, field=f"{FIELD}.{index}")
    return None
