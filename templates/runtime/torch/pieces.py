"""Tokens as text: pieces of whole characters, of which a client may see each at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

UNFINISHED = "\ufffd"
CONTEXT = 6


class Pieces:
    """Turns tokens into text one by one. Bytes that do not make a character yet wait for those that follow.

    Tokenizers write some tokens differently at the beginning of a text; `context` are the tokens before the first.
    """

    def __init__(self, tokenizer: Any, context: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._ids = list(context[-CONTEXT:])
        self._from = 0
        """The first token that is decoded again, for what follows it."""
        self._done = len(self._ids)
        """The first token whose text was not given completely."""
        self._given = 0
        """How many characters of the tokens from there on were given."""

    def add(self, token: int) -> str:
        """The characters that `token` completes."""
        self._ids.append(token)
        before = self._decoded(self._ids[self._from : self._done])
        text = self._decoded(self._ids[self._from :])[len(before) :]
        whole = text.rstrip(UNFINISHED)
        piece = whole[self._given :]
        self._given = max(self._given, len(whole))
        if whole == text and text:
            self._from, self._done, self._given = self._done, len(self._ids), 0
        return piece

    def _decoded(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


class Held:
    """Gives text on but for an end that could be the beginning of one of `marks`, which waits for what follows."""

    def __init__(self, marks: Sequence[str]) -> None:
        self._marks = marks
        self.given = 0
        """How many characters were given on."""

    def safe(self, text: str) -> str:
        """What can be given on of `text`, which begins as it did before and has grown."""
        end = len(text)
        for mark in self._marks:
            for size in range(min(len(mark) - 1, len(text)), 0, -1):
                if mark.startswith(text[-size:]):
                    end = min(end, len(text) - size)
                    break
        return self.rest(text[: max(end, self.given)])

    def rest(self, text: str) -> str:
        """All of `text` that was not given on yet."""
        piece = text[self.given :]
        self.given = max(self.given, len(text))
        return piece
