"""Calls of tools in what a model writes: ``<tool_call>{"name": …, "arguments": {…}}</tool_call>``.

Many models write them so (Hermes, Qwen, SmolLM, …), and their chat templates say it; others have forms of their own,
which this does not guess at.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .grammar import BLANKS
from .pieces import Held

BEGIN, END = "<tool_call>", "</tool_call>"


def written_by(template: str) -> bool:
    """Whether models with this chat template write calls in this form."""
    return all(part in template for part in (BEGIN, END, "arguments")) and "<function=" not in template


def grammar(tools: Sequence[Any], *, several: bool) -> str:
    """What a model may write that must call one of `tools`, or `several`, in Lark's notation."""
    lines = ['start: call ("\\n" call)*' if several else "start: call"]
    lines.append("call: " + " | ".join(f"call{index}" for index in range(len(tools))))
    for index, tool in enumerate(tools):
        before = f'{BEGIN}\n{{"name": {json.dumps(tool.function.name)}, "arguments": '
        # The numbers keep a tool's name out of the grammar's own names.
        lines.append(f"call{index}: {json.dumps(before)} arguments{index} {json.dumps('}' + chr(10) + END)}")
        lines.append(f"arguments{index}: %json {json.dumps(_arguments(tool.function))}")
    return "\n".join(lines)


def _arguments(function: Any) -> dict[str, Any]:
    """The schema of a function's arguments, with what may stand between them."""
    none = {"properties": {}, "additionalProperties": False}
    schema = none if function.parameters is None else function.parameters
    return {"type": "object", **schema, "x-guidance": {"whitespace_pattern": BLANKS}}


@dataclass(frozen=True)
class Call:
    """A call of the tool `name` with `arguments` in JSON text."""

    id: str
    name: str
    arguments: str

    @property
    def json(self) -> dict[str, Any]:
        """The call as JSON values."""
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


class ToolReader:
    """Parts a growing text into words and calls of the tools `names`. What is no such call for certain stays words."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = set(names)
        self._text = ""
        self._blanks = ""
        """Blanks between words and calls, which belong to neither."""
        self._called = False

    def add(self, piece: str) -> Iterator[str | Call]:
        """The words and calls that are certain once `piece` has been written."""
        self._text += piece
        while BEGIN in self._text:
            before, _, rest = self._text.partition(BEGIN)
            yield from self._words(before)
            if END not in rest:
                self._text = BEGIN + rest
                return
            inside, _, self._text = rest.partition(END)
            call = self._call(inside)
            if call is None:
                yield from self._words(BEGIN + inside + END)
            else:
                self._blanks, self._called = "", True
                yield call
        held = Held([BEGIN])
        yield from self._words(held.safe(self._text))
        self._text = self._text[held.given :]

    def end(self) -> Iterator[str]:
        """The words that are left once nothing more will be written."""
        yield from self._words(self._text)
        self._text = ""
        if self._blanks and not self._called:
            yield self._blanks

    def _words(self, text: str) -> Iterator[str]:
        text = self._blanks + text
        words = text.rstrip()
        self._blanks = text[len(words) :]
        if words:
            self._called = False
            yield words

    def _call(self, text: str) -> Call | None:
        try:
            found = json.loads(text)
        except ValueError:
            return None
        if not isinstance(found, dict) or found.keys() != {"name", "arguments"} or found["name"] not in self._names:
            return None
        if not isinstance(found["arguments"], dict):
            return None
        return Call(f"call_{secrets.token_hex(8)}", found["name"], json.dumps(found["arguments"], ensure_ascii=False))
