"""chat-completion with models of AutoModelForCausalLM that have a chat template."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..server.handler import RequestProblem
from ..server.limits import check_text
from . import tool_calls
from .base import ModelDirectoryError
from .chat_template import ChatTemplate
from .decoding import Row, Token
from .picking import Picker, Rules, Sampling, factor
from .pieces import Held, Pieces
from .tool_calls import Call, ToolReader
from .writer import SEEDS, Writer, check_seed, random_seed

DEFAULT_TOKENS = 1024
FINISH = {"length": "length", "end": "stop", "stop": "stop"}
FORCED = "required"


class ChatCompletion(Writer):
    """Conversations in, the next message out.

    Sampling is on with a `temperature` above 0, a `top_p` or an `n` above 1; else each token is the likeliest.
    Penalties count the tokens of the answer. Probabilities are the model's own, before any of this.
    """

    def load_processors(self) -> None:
        super().load_processors()
        if not self.tokenizer.chat_template:
            raise ModelDirectoryError(f"{self.directory}: has no chat template, so it is no model for conversations")
        self._template = ChatTemplate(self.tokenizer)
        self._calls_tools = tool_calls.written_by(self.tokenizer.get_chat_template())

    def job(self, request: Any) -> ChatJob:
        self._check(request)
        tools = self._tools(request)
        text = self._template.prompt(request.messages, tools, request.reasoning_effort)
        check_text(text, self.limits.max_characters, "messages")
        prompt: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        stop = self.stops(request.stop, "stop")
        most = self.room(prompt, request.max_tokens, DEFAULT_TOKENS, "max_tokens", "messages")
        count = request.n or 1
        rows = [
            Row(
                prompt,
                Picker(self._rules(request, index), matcher=self._matcher(request, tools), blame="logit_bias"),
                Pieces(self.tokenizer),
                most,
                stop,
                (request.top_logprobs or 0) if request.logprobs else 0,
            )
            for index in range(count)
        ]
        return ChatJob(self, request, [tool.function.name for tool in tools or ()], rows)

    def _check(self, request: Any) -> None:
        if request.top_logprobs and not request.logprobs:
            raise RequestProblem("needs logprobs", field="top_logprobs")
        if request.stream_options is not None and not request.stream:
            raise RequestProblem("needs stream", field="stream_options")
        if request.tool_prompt is not None:
            message = "is not supported: this model's chat template has its own words before the tools"
            raise RequestProblem(message, field="tool_prompt")
        check_seed(request.seed, "seed")
        vocabulary = self.model.config.get_text_config().vocab_size
        for token in request.logit_bias or {}:
            if not (token.isdecimal() and token.isascii() and len(token) < 10 and int(token) < vocabulary):
                message = f"is no token of this model, which are numbered from 0 to {vocabulary - 1}"
                raise RequestProblem(message, field=f"logit_bias.{token[:20]}")

    def _tools(self, request: Any) -> Sequence[Any] | None:
        """The tools that the model is to know. Raises RequestProblem for those it cannot be trusted to call."""
        choice = request.tool_choice
        tools = request.tools or None
        if tools is None:
            if choice is not None and choice not in ("auto", "none"):
                raise RequestProblem("needs tools", field="tool_choice")
            return None
        if choice == "none":
            return None
        if not self._calls_tools:
            message = "is not supported: how this model writes calls is not known for certain"
            raise RequestProblem(message, field="tools")
        if request.response_format is not None and request.response_format.type != "text":
            raise RequestProblem("does not work with tools on this server", field="response_format")
        if choice is None or choice == "auto":
            for index, tool in enumerate(tools):
                if tool.function.strict:
                    message = "needs tool_choice to be required or a function on this server"
                    raise RequestProblem(message, field=f"tools.{index}.function.strict")
        elif choice != FORCED and choice.function.name not in {tool.function.name for tool in tools}:
            raise RequestProblem("is none of tools", field="tool_choice.function.name")
        return list(tools)

    def _rules(self, request: Any, index: int) -> Rules:
        """The rules for the answer `index`; the first one's seed is the request's."""
        drawn = request.top_p is not None or (request.n or 1) > 1
        if request.temperature is not None:
            drawn = request.temperature > 0
        sampling = None
        if drawn:
            seed = random_seed() if request.seed is None else (request.seed + index) % SEEDS
            sampling = Sampling(seed, factor(request.temperature), top_p=request.top_p)
        return Rules(
            sampling,
            frequency=float(request.frequency_penalty or 0),
            presence=float(request.presence_penalty or 0),
            bias={int(token): float(bias) for token, bias in (request.logit_bias or {}).items()},
        )

    def _matcher(self, request: Any, tools: Sequence[Any] | None) -> Any:
        choice = request.tool_choice
        if tools is not None and choice is not None and choice != "auto":
            every = choice == FORCED
            called = [tool for tool in tools if every or tool.function.name == choice.function.name]
            return self.grammars.lark(tool_calls.grammar(called, several=every), "tools")
        form = request.response_format
        if form is None or form.type == "text":
            return None
        field = "response_format"
        if form.type == "json_object":
            return self.grammars.json({"type": "object", **(form.value or {})}, f"{field}.value")
        config = form.json_schema
        if config.strict is False:
            message = "must not be false: this server can only force the model to follow the schema"
            raise RequestProblem(message, field=f"{field}.json_schema.strict")
        if config.description is not None:
            message = "is not shown to this model; say it in a message"
            raise RequestProblem(message, field=f"{field}.json_schema.description")
        return self.grammars.json(config.schema_ or {}, f"{field}.json_schema.schema")


@dataclass
class Delta:
    """What a step adds to an answer: words, calls of tools, and the tokens that are settled by it."""

    content: str
    calls: list[Call]
    tokens: list[Token]


class Answer:
    """One of the answers to a request, as it grows: what `row` writes, up to the first text of `stop`."""

    def __init__(self, row: Row, tools: Sequence[str]) -> None:
        self.row = row
        self._held = Held(row.stop)
        self._reader = ToolReader(tools) if tools else None
        self._settled = 0
        self.calls = 0

    def grown(self) -> Delta:
        """What has come since the last time."""
        row = self.row
        piece = self._held.rest(row.text[: row.stopped]) if row.ended else self._held.safe(row.text)
        calls: list[Call] = []
        if self._reader is not None:
            found = list(self._reader.add(piece))
            found += self._reader.end() if row.ended else ()
            calls = [part for part in found if isinstance(part, Call)]
            piece = "".join(part for part in found if isinstance(part, str))
        self.calls += len(calls)
        return Delta(piece, calls, self._tokens())

    def _tokens(self) -> list[Token]:
        """The tokens that begin in what has been given on, or stand before it."""
        written = self.row.tokens
        first = self._settled
        while self._settled < len(written) and (
            written[self._settled].start < self._held.given or (self.row.ended and self.row.stopped is None)
        ):
            self._settled += 1
        return [token for token in written[first : self._settled] if not token.special]

    @property
    def finish(self) -> str:
        """Why the answer ended."""
        if self.calls and self.row.finish == "end":
            return "tool_calls"
        return FINISH[self.row.finish or "length"]


class ChatJob:
    """One request for chat completion."""

    def __init__(self, writer: ChatCompletion, request: Any, tools: Sequence[str], rows: list[Row]) -> None:
        self._writer = writer
        self._request = request
        self.rows = rows
        self._answers = [Answer(row, tools) for row in rows]
        self._head = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": writer.name or writer.binding.id,
        }
        self._begun = False

    def answer(self) -> Any:
        choices = []
        for index, answer in enumerate(self._answers):
            delta = answer.grown()
            message: dict[str, Any] = {"role": "assistant", "content": delta.content or (None if delta.calls else "")}
            if delta.calls:
                message["tool_calls"] = [call.json for call in delta.calls]
            choice = {"index": index, "message": message, "finish_reason": answer.finish}
            choices.append(choice | self._logprobs(delta.tokens))
        return {**self._head, "choices": choices, "usage": self._usage()}

    def events(self, written: list[Row]) -> Iterator[Any]:
        choices = []
        for index, answer in enumerate(self._answers):
            if answer.row not in written:
                continue
            called = answer.calls
            delta = answer.grown()
            added: dict[str, Any] = {} if self._begun else {"role": "assistant"}
            added["content"] = delta.content
            if delta.calls:
                added["tool_calls"] = [{"index": called + n, **call.json} for n, call in enumerate(delta.calls)]
            choice: dict[str, Any] = {"index": index, "delta": added}
            if answer.row.ended:
                choice["finish_reason"] = answer.finish
            choices.append(choice | self._logprobs(delta.tokens))
        self._begun = True
        yield {**self._head, "choices": choices}

    def ending(self) -> Iterator[Any]:
        if not self._begun:  # there was no token to write
            yield from self.events(self.rows)
        options = self._request.stream_options
        if options is not None and options.include_usage:
            yield {**self._head, "choices": [], "usage": self._usage()}

    def _usage(self) -> dict[str, int]:
        prompt, written = len(self.rows[0].prompt), sum(len(row.tokens) for row in self.rows)
        return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}

    def _logprobs(self, tokens: Sequence[Token]) -> dict[str, Any]:
        if not self._request.logprobs:
            return {}
        text = self._writer.token_text
        content = [
            {
                "token": text(token.id),
                "logprob": token.logprob,
                "top_logprobs": [{"token": text(id), "logprob": logprob} for id, logprob in token.top],
            }
            for token in tokens
        ]
        return {"logprobs": {"content": content}}
