"""Requests that say themselves which model is meant, as chat does."""

from __future__ import annotations

from typing import Any

import pytest

from inference_tasks import Client, NotFoundError
from inference_tasks.models.chat_completion import ChatCompletionInput, ChatCompletionOutput
from inference_tasks.server import ChatCompletionHandler

from .live import Serve

MESSAGES = [{"role": "user", "content": "Who are you?"}]


class Named(ChatCompletionHandler):
    """Answers with its own name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, inputs: ChatCompletionInput) -> ChatCompletionOutput:
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": self.name}}
        answer = {"id": "1", "created": 1, "model": self.name, "choices": [choice]}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return ChatCompletionOutput.model_validate({**answer, "system_fingerprint": "", "usage": usage})


def who(url: str, model: str | None = None, **options: Any) -> str | None:
    """Who answers."""
    with Client(url) as client:
        return client.chat_completion(MESSAGES, model=model, **options).choices[0].message.content


def test_the_named_model_answers(serve: Serve) -> None:
    live = serve(Named("first"), Named("org/second"))
    assert [who(live.url, name) for name in (None, "first", "org/second")] == ["first", "first", "org/second"]
    with pytest.raises(NotFoundError, match=r"no such model; served here: first, org/second") as caught:
        who(live.url, "org/third")
    assert [field.field for field in caught.value.fields] == ["model"]
    counted = live.client.get("/metrics").text
    assert 'model="org/second"' in counted
    assert "org/third" not in counted


def test_an_address_that_names_a_model_has_the_last_word(serve: Serve) -> None:
    live = serve(Named("first"), Named("org/second"))
    body = {"messages": MESSAGES, "model": "first"}
    answer = live.post("/models/org/second", json=body, headers={"x-wait-for-model": "true"}).json()
    assert answer["model"] == "org/second"


def test_the_only_model_answers_to_any_name(serve: Serve) -> None:
    assert who(serve(Named("only")).url, "gpt-9") == "only"
