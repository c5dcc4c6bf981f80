"""Text from specs, made safe for each language it is printed in: one escaper per target.

Specs are untrusted text. Every literal and every sentence of theirs goes through here on its way into a file, so that
a description can close no string, comment, table cell or tag. Characters that nobody can see (control characters, the
ones that turn the direction of text around) are always spelled out: as an escape where the target has one, as
``⟨U+202E⟩`` elsewhere.
"""

from __future__ import annotations

import json
import math
import re
import shlex
import sys
from collections.abc import Iterable
from functools import cache
from html import escape
from inspect import cleandoc
from typing import Any, Final

from .indented import laid_out

# Fixed ranges rather than `unicodedata.category`, whose answers differ between Python versions.
_RANGES: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_INVISIBLE: Final = re.compile(f"[{_RANGES}]")
_JSON: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_IN_LITERAL: Final = re.compile(f'["\\\\\n\t{_RANGES}]')
_IN_SHELL: Final = re.compile(f"['\\\\{_RANGES}]")
_IN_JAVA: Final = re.compile('["\\\\\n\t]|[^ -~]')
_IN_PHP: Final = re.compile(f'["\\\\$\n\t{_RANGES}]')
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_NAMED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_HUGE: Final = 10**1000
_PRAGMA: Final = re.compile(
    r"\b(coding|flake8|fmt|isort|mypy|noqa|nosec|pragma|pylint|pyright|ruff|type|yapf)(?=\s*[:=])", re.IGNORECASE
)
_CODE: Final = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_LISTED: Final = re.compile(r"[ \t]*[-*][ \t]+(?=\S)")
_URL: Final = r"https?://[A-Za-z0-9][^\s<>()\[\]{}|\\^`\"'*]*"
_INLINE: Final = re.compile(rf"\[(?P<text>[^\[\]`\n]+)\]\((?P<url>{_URL})\)|(?P<bare>{_URL}(?<![.,:;!?]))")
_BLOCK_START: Final = re.compile(r"^(?:([#+!-])|([=?])|(\d+)([.)]))")
"""What begins a block: with a backslash, none; as an entity, since not every engine knows the backslash; a number."""


def visible(text: str) -> str:
    """`text` with ``\\n`` as its only line break and each invisible character as ``⟨U+XXXX⟩``."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _INVISIBLE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


# ------------------------------------------------------------------------------------------------------------ Python


def py_literal(value: Any) -> str:
    """A Python expression for a JSON value (or a tuple of some); evaluating it gives an equal value of the same type.

    NaN and the infinities come out as ``float("nan")`` and so on. Raises TypeError for anything else.
    """
    match value:
        case None | bool():
            return repr(value)
        case str():
            return f'"{_IN_LITERAL.sub(_python_escape, value)}"'
        case int():
            # Python refuses to read or print very long decimal numbers, but takes any length in hex.
            return hex(value) if abs(value) >= _HUGE else repr(value)
        case float():
            return repr(value) if math.isfinite(value) else f'float("{value}")'
        case list():
            return f"[{', '.join(map(py_literal, value))}]"
        case tuple():
            return f"({', '.join(map(py_literal, value))}{',' if len(value) == 1 else ''})"
        case dict():
            return f"{{{', '.join(f'{py_literal(key)}: {py_literal(item)}' for key, item in value.items())}}}"
    raise TypeError(f"no literal for a {type(value).__name__}")


def _python_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in _SHORT:
        return _SHORT[match[0]]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def docstring(text: str, indent: int) -> str:
    """A docstring literal, quotes included, for a body indented by `indent` spaces.

    The first line carries no indent. `inspect.cleandoc` gives the same for the compiled literal as for `text`, once
    that is made visible and has no blanks at the ends of its lines.
    """
    lines = cleandoc("\n".join(line.rstrip() for line in visible(text).split("\n"))).split("\n")
    quotes = re.compile('"{3,}|"+$' if len(lines) == 1 else '"{3,}')
    body = [quotes.sub(lambda run: '\\"' * len(run[0]), line.replace("\\", "\\\\")) for line in lines]
    if len(lines) == 1:
        return f'"""{body[0]}"""'
    margin = " " * indent
    rest = [margin + line if line else "" for line in body]
    # Where all but the first line are indented, cleandoc would take that indent for the margin; that of the first
    # line itself it drops.
    below = lines[0][:1].isspace() or all(line[:1].isspace() for line in lines[1:] if line)
    first = f"\n{rest[0]}" if below else body[0]
    return "\n".join([f'"""{first}', *rest[1:], f'{margin}"""'])


def docstring_text(text: str) -> str:
    """A passage inside a longer docstring: no closing quotes, no escapes, also where it stands first or last."""
    safe = visible(text).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    safe = f"\\{safe}" if safe.startswith('"') else safe
    return f'{safe[:-1]}\\"' if safe.endswith('"') and not safe.endswith('\\"') else safe


def comment(text: str, indent: int = 0) -> str:
    """Comment lines, ``# `` included, none of which a tool can mistake for an instruction to it.

    The first line carries no indent, the others `indent` spaces.
    """
    lines = (_PRAGMA.sub(r"\1 ", line).rstrip() for line in visible(text).strip("\n").split("\n"))
    return f"\n{' ' * indent}".join(f"# {line}".rstrip() for line in lines)


# ---------------------------------------------------------------------------------------------------------- Markdown


@cache  # the same sentences stand in many tables
def markdown(text: str, *, links: bool = True) -> str:
    """One line of Markdown that is safe in a table cell, and where a block could begin.

    Code spans and links to http(s) addresses keep their meaning; every other character stands for itself. A line
    break becomes a blank, an empty line ``<br>``. Without `links` it is fit for headings and inside links: addresses
    are text like any other, and so is ``#`` at the end. GFM and Python-Markdown read all of this alike.
    """
    paragraphs = re.split(r"\n\s*\n", visible(text).strip())
    line = "<br>".join(_inline(" ".join(paragraph.split()), links) for paragraph in paragraphs)
    return _guarded(line if links else re.sub("#+$", lambda run: "\\#" * len(run[0]), line))


@cache
def markdown_block(text: str) -> str:
    """Paragraphs and ``- `` lists of Markdown; inside their lines the rules of :func:`markdown` hold."""
    blocks = re.split(r"\n\s*\n", visible(text).strip())
    return "\n\n".join(_block(block) for block in blocks)


def _block(text: str) -> str:
    # A code span may go on over a line break, so lines of one paragraph or one list item are escaped together.
    first, *others = re.split(r"\n(?=[ \t]*[-*][ \t]+\S)", text)
    items = "\n".join(map(_item, others))
    # Python-Markdown takes no list for one that begins right below a paragraph.
    between = "" if not items else "\n" if _LISTED.match(first) else "\n\n"
    return f"{_item(first)}{between}{items}"


def _item(text: str) -> str:
    listed = _LISTED.match(text)
    safe = _guarded(_inline(" ".join(text[listed.end() if listed else 0 :].split())))
    return f"- {safe}" if listed else safe


def _guarded(line: str) -> str:
    """`line` without what would make something else than a paragraph of it."""
    return _BLOCK_START.sub(lambda m: f"\\{m[1]}" if m[1] else f"&#{ord(m[2])};" if m[2] else f"{m[3]}\\{m[4]}", line)


def code(text: str) -> str:
    """`text` as inline code, on one line, in a table cell or anywhere else in GFM."""
    text = " ".join(visible(text).split())
    if not text or re.search(r"[`|]|\{[{%#]|[}%#]\}", text):
        # No way of quoting a code span works both inside and outside of tables, and site engines expand {{ … }} in it.
        return html_code(text)
    return f"`{text}`"


def html_code(text: str, *, block: bool = False) -> str:
    """`text` as a code element: what :func:`code` gives, but fit for the inside of another element, such as a link.

    With `block` also for that of a block of HTML, where engines read no Markdown.
    """
    safe = _punctuation(" ".join(visible(text).split()))
    if block:
        safe = re.sub(r"\\(.)", lambda match: f"&#{ord(match[1])};", safe)
    return f"<code>{safe}</code>"


def _inline(text: str, links: bool = True) -> str:
    plain = _links if links else _punctuation
    out, position = [], 0
    for span in _CODE.finditer(text):
        out += [plain(text[position : span.start()]), code(span[2].strip() or span[2])]
        position = span.end()
    return "".join([*out, plain(text[position:])])


def _links(text: str) -> str:
    out, position = [], 0
    for link in _INLINE.finditer(text):
        before = _punctuation(text[position : link.start()])
        # An exclamation mark would make an image of the link, and readers' browsers would load it.
        out.append(f"{before[:-1]}\\!" if before.endswith("!") else before)
        url = link["url"]
        out.append(f"[{_punctuation(link['text'])}]({url.replace('&', '&amp;')})" if url else f"<{link['bare']}>")
        position = link.end()
    return "".join([*out, _punctuation(text[position:])])


def _punctuation(text: str) -> str:
    # An underscore inside a word is no emphasis, and names read better without a backslash.
    # Not every engine knows a backslash before ~ or $, which mean something to some.
    return re.sub(r"[\\`*\[\]]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\\g<0>", _entities(text))


def _entities(text: str) -> str:
    return re.sub(r"[&<>|{}~$]", lambda match: _NAMED.get(match[0], f"&#{ord(match[0])};"), text)


# -------------------------------------------------------------------------------------------------- the other targets


def html(text: str) -> str:
    """HTML text, also fit for a quoted attribute."""
    return escape(visible(text), quote=True)


def shell(text: str) -> str:
    """One word of bash, zsh or ksh that stands for exactly `text`.

    Raises ValueError for NUL and lone surrogates, which no command line can carry.
    """
    if re.search("[\x00\ud800-\udfff]", text):
        raise ValueError("a command line can carry neither NUL nor lone surrogates")
    if not _INVISIBLE.search(text):
        return shlex.quote(text)
    return f"$'{_IN_SHELL.sub(lambda match: ''.join(f'{chr(92)}{byte:03o}' for byte in match[0].encode()), text)}'"


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON with readable letters of every script, but each invisible character escaped. No ``</`` and ``<!`` in it.

    Raises ValueError for NaN and infinities, TypeError for what is not a JSON value.
    """
    text = _JSON.encode(value) if indent is None else laid_out(value, indent)
    text = re.sub("<(?=[/!])", "\\\\u003c", text)
    return _INVISIBLE.sub(lambda match: json.dumps(match[0])[1:-1], text)


def js(value: Any) -> str:
    """A JavaScript expression for a JSON value, also inside a ``<script>`` element. Raises as :func:`json_text`."""
    match value:
        case dict():
            return f"{{{', '.join(f'{_key(key)}: {js(item)}' for key, item in value.items())}}}"
        case list() | tuple():
            return f"[{', '.join(map(js, value))}]"
    return json_text(value)


def _key(key: str) -> str:
    # Written plainly, this one key sets the prototype instead of a member.
    return '["__proto__"]' if key == "__proto__" else json_text(key)


def jsdoc(text: str, tags: Iterable[tuple[str, str]] = (), indent: int = 0) -> str:
    """A JSDoc comment of Markdown `text` and `tags` by name, for TypeScript and JavaScript. Empty where all of it is.

    Nothing in it ends the comment, and no line of `text` is a tag, or an instruction to the compiler. The first line
    carries no indent, the others `indent` spaces.
    """
    safe = visible(text).strip().replace("*/", "*\\/")
    lines = [re.sub(r"^(\s*)@", r"\1\\@", line).rstrip() for line in safe.split("\n")] if safe else []
    told = [f"@{name} {' '.join(visible(value).split())}".rstrip().replace("*/", "*\\/") for name, value in tags]
    lines += ["", *told] if lines and told else told
    if not lines:
        return ""
    if len(lines) == 1:
        return f"/** {lines[0]} */"
    return f"\n{' ' * indent}".join(["/**", *(f" * {line}".rstrip() for line in lines), " */"])


def js_key(name: str) -> str:
    """The name of a member as JavaScript and TypeScript write it in front of a colon: in quotes only if need be."""
    return name if re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_$]*", name) and name != "__proto__" else _key(name)


def java(text: str) -> str:
    """A Java string for exactly `text`, of ASCII alone: Java 17 reads sources in the encoding of its machine.

    Text with quotes is a text block, which may be indented as a whole, where that leaves it as it is.
    """
    if '"' in text and "\r" not in text and text[0].strip() and not re.search(r"\s$", text, re.MULTILINE):
        block = _IN_JAVA.sub(lambda m: m[0] if m[0] in '"\n' else _java_escape(m), text)
        # Only a third quote could end the block, and only a last one would be taken for its end.
        return f'"""\n{re.sub(chr(34) + "(?=" + chr(34) * 2 + "|$)", chr(92) + chr(34), block)}"""'
    return f'"{_IN_JAVA.sub(_java_escape, text)}"'


def _java_escape(match: re.Match[str]) -> str:
    if match[0] in _SHORT:
        return _SHORT[match[0]]
    if match[0] < "\x80":
        return f"\\{ord(match[0]):03o}"  # what \u spells is read before anything else, quotes and line breaks too
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def php(value: Any) -> str:
    """A PHP expression for a JSON value; `json_encode` makes that value of it again.

    Integers beyond 64 bits become floats, which PHP would make of them anyway. Raises ValueError for what its JSON
    cannot carry: NaN, numbers beyond all floats, lone surrogates.
    """
    match value:
        case None | bool():
            return json_text(value)
        case str():
            return _php_text(value)
        case int() if abs(value) < 2**63:
            return repr(value)
        case int() | float():
            if not abs(value) <= sys.float_info.max:
                raise ValueError("PHP has no JSON for NaN and for numbers beyond all floats")
            return repr(float(value))
        case list() | tuple():
            return f"[{', '.join(map(php, value))}]"
        case dict():
            return php_array({key: php(item) for key, item in value.items()})
    raise TypeError(f"no literal for a {type(value).__name__}")


def php_array(members: dict[str, str], separator: str = ", ", ends: str = "") -> str:
    """A PHP expression for a JSON object of finished `members`; `separator` and `ends` lay it out."""
    body = separator.join(f"{_php_text(key)} => {item}" for key, item in members.items())
    # Of an empty array, and one whose keys count from 0, json_encode would make a list.
    counted = all(key == str(index) for index, key in enumerate(members))
    return f"{'(object) ' if counted else ''}[{ends}{body}{ends}]"


def _php_text(text: str) -> str:
    if re.search("[\ud800-\udfff]", text):
        raise ValueError("PHP has no text with a lone surrogate")
    if not _INVISIBLE.search(text) and not re.search(r"[\n\t]", text):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return f'"{_IN_PHP.sub(_php_escape, text)}"'


def _php_escape(match: re.Match[str]) -> str:
    return _SHORT.get(match[0]) or ("\\$" if match[0] == "$" else f"\\u{{{ord(match[0]):x}}}")


def go(text: str) -> str:
    """A Go string for exactly `text`, a raw one where that is easier to read. Raises ValueError for lone surrogates."""
    if re.search("[\ud800-\udfff]", text):
        raise ValueError("Go has no text with a lone surrogate")
    if re.search(r'["\\\n]', text) and "`" not in text and not _INVISIBLE.search(text):
        return f"`{text}`"
    return f'"{_IN_LITERAL.sub(_go_escape, text)}"'


def _go_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in _SHORT:
        return _SHORT[match[0]]
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
