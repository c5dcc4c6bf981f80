"""The languages that programs are printed in: how each writes strings, JSON values, and requests with files in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..escape import go, java, js, json_text, php, php_array, py_literal, shell

HOLE: Final = "\x00"
"""Stands in JSON text for the base64 of a file; no JSON text has this character."""

Members = dict[str, str]
"""The members of an object, already written in the language."""


def _inline(members: Members) -> str:
    return f"{{{', '.join(f'{json_text(key)}: {item}' for key, item in members.items())}}}"


def _lines(members: Members, step: int = 2, comma: str = "") -> str:
    lines = [f"{' ' * step}{json_text(key)}: {item}" for key, item in members.items()]
    return "{\n" + ",\n".join(lines) + f"{comma}\n}}"


def _code_lines(members: Members) -> str:
    return _lines(members, comma=",")


def _python_lines(members: Members) -> str:
    return _lines(members, 4, ",")


def _php_lines(members: Members) -> str:
    return php_array(members, ",\n    ", "\n    ").removesuffix("\n    ]") + ",\n]"


def _hole(_: str) -> str:
    return f'"{HOLE}"'


def _expression(text: str, _: Sequence[str]) -> str:
    return text


def _shell_text(text: str, files: Sequence[str]) -> str:
    if not files:
        return shell(text)
    first, *rest = (f"printf '%s' {shell(piece)}" for piece in text.split(HOLE))
    pairs = zip(files, rest, strict=True)
    return "\n".join([first, *(f"base64 < {file} | tr -d '\\n'\n{piece}" for file, piece in pairs)])


def _java_text(text: str, files: Sequence[str]) -> str:
    if not files:
        return java(text)
    return f"{java(_format(text))}.formatted({', '.join(f'base64({file})' for file in files)})"


def _go_text(text: str, files: Sequence[str]) -> str:
    if not files:
        return go(text)
    return f"fmt.Sprintf({go(_format(text))}, {', '.join(f'encoded({file})' for file in files)})"


def _format(text: str) -> str:
    return text.replace("%", "%%").replace(HOLE, "%s")


@dataclass(frozen=True)
class Language:
    """`suffix` ends the name of a program's file, `fence` names the language of its code block.

    `literal` writes a string, `value` a JSON value, `variable` the use of a variable. `object` writes an object of
    finished members on one line, `lines` one with a line for each, `indent` blanks further in. `base64` is the base64
    of the file whose name an expression gives. Where requests are JSON text that is a :data:`HOLE`, and `text` makes an
    expression of the text and of those for the names of the files; the shell's is a word, or commands that print the
    text with the files.
    """

    id: str
    label: str
    suffix: str
    fence: str
    literal: Callable[[str], str]
    value: Callable[[Any], str]
    base64: Callable[[str], str] = _hole
    text: Callable[[str, Sequence[str]], str] = _expression
    object: Callable[[Members], str] = _inline
    lines: Callable[[Members], str] = _lines
    indent: int = 2
    variable: Callable[[str], str] = str

    @property
    def is_text(self) -> bool:
        """Whether requests are JSON text, not objects of the language."""
        return self.base64 is _hole


CURL: Final = Language(
    "curl", "cURL", ".curl.sh", "bash", shell, json_text, text=_shell_text, variable=lambda name: f'"${name}"'
)
CLIENT: Final = Language(
    "client", "Python, with this client", ".client.py", "python", py_literal, py_literal, base64=str
)
HTTPX: Final = Language(
    "httpx",
    "Python, with httpx",
    ".httpx.py",
    "python",
    py_literal,
    py_literal,
    base64=lambda file: f"base64.b64encode(Path({file}).read_bytes()).decode()",
    lines=_python_lines,
    indent=4,
)
BROWSER: Final = Language(
    "browser",
    "JavaScript, in a browser",
    ".html",
    "html",
    js,
    js,
    base64=lambda file: f"await base64({file})",
    lines=_code_lines,
)
NODE: Final = Language(
    "javascript",
    "JavaScript, with Node",
    ".mjs",
    "js",
    js,
    js,
    base64=lambda file: f'await readFile({file}, "base64")',
    lines=_code_lines,
)
JAVA: Final = Language("java", "Java", ".java", "java", java, json_text, text=_java_text)
PHP: Final = Language(
    "php",
    "PHP",
    ".php",
    "php",
    php,
    php,
    base64=lambda file: f"base64_encode(file_get_contents({file}))",
    object=php_array,
    lines=_php_lines,
    indent=4,
    variable=lambda name: f"${name}",
)
GO: Final = Language("go", "Go", ".go", "go", go, json_text, text=_go_text)
LANGUAGES: Final = (CURL, CLIENT, HTTPX, NODE, JAVA, PHP, GO)
"""Those of every call to a task."""
PREDICT_LANGUAGES: Final = (CURL, HTTPX, BROWSER, NODE, JAVA, PHP)
"""Those of predict calls (see :mod:`.predict`): the ones that Clarifai's own pages have."""
