"""The languages that programs are printed in: how each writes strings, JSON values and objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..escape import js, json_text, py_literal, shell


@dataclass(frozen=True)
class Language:
    """`suffix` ends the name of a program's file, `fence` names the language of its code block.

    `literal` writes a string, `value` a JSON value. A request's members are indented by `step` blanks more than the
    `margin` at which its braces stand in the template; `comma` may follow the last.
    """

    id: str
    label: str
    suffix: str
    fence: str
    literal: Callable[[str], str]
    value: Callable[[Any], str]
    margin: int = 0
    step: int = 2
    comma: str = ""

    def object(self, members: dict[str, str]) -> str:
        """An object of finished members, one a line."""
        pad = " " * (self.margin + self.step)
        lines = [f"{pad}{json_text(key)}: {value}" for key, value in members.items()]
        return "{\n" + ",\n".join(lines) + f"{self.comma}\n{' ' * self.margin}}}"


LANGUAGES: Final = (
    Language("curl", "cURL", ".curl.sh", "bash", shell, json_text),
    Language("client", "Python, with this client", ".client.py", "python", py_literal, py_literal),
    Language("httpx", "Python, with httpx", ".httpx.py", "python", py_literal, py_literal, 4, 4, ","),
    Language("javascript", "JavaScript", ".mjs", "js", js, js, 2, 2, ","),
)
