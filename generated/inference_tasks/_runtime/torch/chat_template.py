"""A conversation as the prompt that a chat model was trained on: by the template in its directory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..server.handler import RequestProblem

MAX_MESSAGE = 300


class ChatTemplate:
    """Fills the chat template of a tokenizer.

    What a template does not look at would be ignored without a word, so it is refused: two renderings, with and without
    it, tell.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._text: str = tokenizer.get_chat_template()

    def prompt(self, messages: Sequence[Any], tools: Sequence[Any] | None, effort: str | None) -> str:
        """The prompt for the request's `messages`. Raises RequestProblem."""
        told = [self._message(index, message) for index, message in enumerate(messages)]
        shown = None if tools is None else [tool.model_dump(by_alias=True, exclude_unset=True) for tool in tools]
        options = self._effort(effort)
        prompt = self._render(told, shown, options)
        if shown is not None and prompt == self._render(told, None, options):
            raise RequestProblem("is not supported: this model's chat template shows no tools", field="tools")
        for name in options:
            if prompt == self._render(told, shown, {**options, name: None}):
                message = "is not supported: this model's chat template does not look at it"
                raise RequestProblem(message, field="reasoning_effort")
        self._check_names(told, lambda messages: prompt == self._render(messages, shown, options))
        return prompt

    def _check_names(self, told: list[dict[str, Any]], same: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Raises RequestProblem for names whose absence leaves the prompt the `same`."""
        first: dict[str, int] = {}
        for index, message in enumerate(told):
            if message.get("name"):
                first.setdefault(message["role"], index)
        first.pop("tool", None)  # by its tool_call_id, a tool's message says whose it is
        for role, index in first.items():
            if same([{**message, "name": None} if message["role"] == role else message for message in told]):
                problem = "is not supported: this model's chat template shows no names"
                raise RequestProblem(problem, field=f"messages.{index}.name")

    def _render(self, messages: list[dict[str, Any]], tools: Any, options: Mapping[str, Any]) -> str:
        import jinja2

        try:
            given = {name: value for name, value in options.items() if value is not None}
            rendered: str = self._tokenizer.apply_chat_template(
                [{name: value for name, value in message.items() if value is not None} for message in messages],
                tools=tools,
                add_generation_prompt=True,
                tokenize=False,
                **given,
            )
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            message = f"do not fit this model's chat template: {error}"[:MAX_MESSAGE]
            raise RequestProblem(message, field="messages") from None
        return rendered

    def _effort(self, effort: str | None) -> dict[str, Any]:
        if effort is None:
            return {}
        if effort == "none" and "enable_thinking" in self._text:
            return {"enable_thinking": False}
        return {"reasoning_effort": effort}

    def _message(self, index: int, message: Any) -> dict[str, Any]:
        field = f"messages.{index}"
        told: dict[str, Any] = {**message.model_dump(by_alias=True, exclude_unset=True)}
        told["content"] = _content(told.get("content"), f"{field}.content")
        if told["role"] == "developer" and "developer" not in self._text:
            told["role"] = "system"
        if calls := told.get("tool_calls"):
            told["tool_calls"] = [_call(call, f"{field}.tool_calls.{n}") for n, call in enumerate(calls)]
        else:
            told.pop("tool_calls", None)
        return told


def _content(content: Any, field: str) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    for index, part in enumerate(content):
        if part["type"] != "text":
            raise RequestProblem("is not supported: this model reads text only", field=f"{field}.{index}")
    return "\n".join(part["text"] for part in content)


def _call(call: dict[str, Any], field: str) -> dict[str, Any]:
    """A tool call with its arguments as an object, as templates want them."""
    try:
        arguments = json.loads(call["function"]["arguments"])
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise RequestProblem("must be a JSON object as text", field=f"{field}.function.arguments")
    return {**call, "function": {**call["function"], "arguments": arguments}}
