"""Specs are untrusted text: whatever a description says, it must end up as text in every target."""

from __future__ import annotations

import ast
import inspect
import io
import json
import os
import re
import shutil
import subprocess
import tokenize
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st
from markdown_it import MarkdownIt

from taskbind import escape
from tests.support.engines import ENGINES, STARTERS, python_markdown

HOSTILE = (
    'a"""b',
    'ends with "',
    "ends with \\",
    "'''\\'''",
    "a | b || \\| c \\",
    "`code | pipe` and `` two ` ticks `` and ` one",
    "<script>alert(1)</script> <!-- --> <img src=x onerror=y>",
    "{{ config }} {% raw %} {# x #} `{{ x }}`",
    "line\nbreak\r\nand\rreturn\n\nparagraph",
    "| :--- | :--- |\n| a | b |",
    "[x](javascript:alert(1)) ![y](http://e.x/p.png) [z](https://e.x/a?b=1&copy=2) https://e.x/_a_b.",
    "# head\n> quote\n1. one\n- two\n    code\n===\n---\n~~~\n```\nfence",
    "*em* _em_ **b** ~~s~~ $x$ a_b_c \\*",
    "a\u202eb\u2066c\u200bd\u2028e\x00f\x1bg\x7fh\u0085i\ufeffj\U000e0041k",
    "\ud800 lone",
    "type: ignore # noqa: F401 coding: latin-1\n-*- coding=utf-16 -*-",
    "a\n    b\n      c",
    "  \n\n x\n",
    "\u3000wide\n\u3000wide",
    "&lt; &amp; &#124;",
    "`",
    "",
    "$(touch x) `id` ${HOME} !! \\",
    "</table></td>",
)
texts = st.one_of(
    st.text(),
    st.text(alphabet=st.sampled_from("ab \n|`<>{}[]()\\\"'*_~#-+=.:/&$!%\u202e\x00")),
    st.lists(st.sampled_from(HOSTILE), max_size=3).map("".join),
)


def nested(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Lists and objects of these values."""
    return st.recursive(
        scalars | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=12,
    )


json_values = nested(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
values = nested(st.none() | st.booleans() | st.integers() | st.floats())
gfm = MarkdownIt("gfm-like", {"html": True, "linkify": False})
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def hostile(test: Any) -> Any:
    """Run a test of one text on drawn texts and on every text of HOSTILE."""
    for text in HOSTILE:
        test = example(text=text)(test)
    return settings(deadline=None)(given(text=texts)(test))


def same(a: Any, b: Any) -> bool:
    """Equality that tells 1 from True and 1.0, and takes NaN for itself."""
    return repr(a) == repr(b)


@hostile
def test_visible(text: str) -> None:
    shown = escape.visible(text)
    assert not INVISIBLE.search(shown)
    shown.encode()
    assert escape.visible(shown) == shown


# ------------------------------------------------------------------------------------------------------------ Python


@settings(deadline=None)
@given(values)
def test_py_literal_evaluates_to_the_value(value: Any) -> None:
    literal = escape.py_literal(value)
    assert not INVISIBLE.search(literal)
    assert "\n" not in literal
    assert same(eval(literal), value)


def test_py_literal_of_odd_values() -> None:
    huge = 7**9000
    assert eval(escape.py_literal(huge)) == huge
    assert eval(escape.py_literal(-huge)) == -huge
    assert escape.py_literal((1,)) == "(1,)"
    assert escape.py_literal(float("-inf")) == 'float("-inf")'
    with pytest.raises(TypeError):
        escape.py_literal(object())


@pytest.mark.parametrize("indent", [0, 4, 8])
@hostile
def test_docstring_compiles_to_its_text(indent: int, text: str) -> None:
    source = f"{'class A:' if indent else ''}\n{' ' * indent}{escape.docstring(text, indent)}\n"
    tree = ast.parse(source)
    node = tree.body[0] if indent else tree
    assert isinstance(node, ast.ClassDef | ast.Module)
    lines = (line.rstrip() for line in escape.visible(text).split("\n"))
    assert ast.get_docstring(node) == inspect.cleandoc("\n".join(lines))
    assert len(tree.body) == 1


@hostile
def test_comment_is_nothing_but_comments(text: str) -> None:
    source = escape.comment(text, 0) + "\nx = 1\n"
    kinds = {token.type for token in tokenize.generate_tokens(io.StringIO(source).readline)}
    assert len(ast.parse(source).body) == 1
    assert tokenize.COMMENT in kinds
    compile(source.encode(), "<test>", "exec")  # a coding cookie would change how the bytes are read
    assert not re.search(r"#.*\b(coding[:=]|(type|noqa|ruff|mypy|fmt):)", source, re.IGNORECASE)


# ---------------------------------------------------------------------------------------------------------- Markdown


class Text(HTMLParser):
    """The text of HTML, and the names of its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags = "", []
        self.addresses: list[str] = []
        self.feed(html)
        self.close()

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]

    tags: list[str]


def squeezed(text: str) -> str:
    return " ".join(text.split())


@hostile
def test_markdown_never_breaks_a_table_row(text: str) -> None:
    cell = escape.markdown(text)
    assert "\n" not in cell
    html = gfm.render(f"| A | B | C |\n| :-- | :-- | :-- |\n| x | {cell} | z |\n\nafter\n")
    parsed = Text(html)
    assert html.count("<tr>") == 2
    assert html.count("<td") == 3
    assert re.search(r"<td[^>]*>z</td>\s*</tr>\s*</tbody>\s*</table>\s*<p>after</p>", html)
    assert set(parsed.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "p", "br", "code", "a"}
    assert all(address.startswith(("http://", "https://")) for address in parsed.addresses)
    assert "{{" not in cell
    assert "{%" not in cell


@hostile
def test_markdown_shows_the_text(text: str) -> None:
    if re.search(r"`|\]\(https?:", text):
        return  # code spans and links are markup on purpose
    shown = Text(gfm.renderInline(escape.markdown(text)).replace("<br>", " ")).text
    assert squeezed(shown) == squeezed(escape.visible(text))


def test_markdown_keeps_code_and_links() -> None:
    html = gfm.renderInline(
        escape.markdown("set `top_k | x` and `top_k`, [see](https://e.x/a_b?c=1&d=2), https://e.x/y.")
    )
    assert html == (
        "set <code>top_k &#124; x</code> and <code>top_k</code>, "
        '<a href="https://e.x/a_b?c=1&amp;d=2">see</a>, <a href="https://e.x/y">https://e.x/y</a>.'
    ).replace("&#124;", "|")


@hostile
def test_markdown_block_is_paragraphs_and_lists(text: str) -> None:
    html = gfm.render(escape.markdown_block(text))
    assert set(Text(html).tags) <= {"p", "ul", "li", "code", "a", "br"}


@hostile
def test_the_site_reads_it_alike(text: str) -> None:
    html = python_markdown(escape.markdown_block(text))
    assert set(Text(html).tags) <= {"p", "ul", "li", "code", "a", "br"}
    line = python_markdown(escape.markdown(text))
    assert line.count("<p>") == line.count("<p") == (1 if line else 0)
    if not re.search(r"`|\]\(https?:", text):  # code spans and links are markup on purpose
        assert squeezed(Text(line.replace("<br>", " ").replace("<br />", " ")).text) == squeezed(escape.visible(text))


@pytest.mark.parametrize("starter", STARTERS)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_line_is_a_paragraph_whatever_it_begins_with(engine: Callable[[str], str], starter: str) -> None:
    for text in (starter, f"{starter} y", f"{starter}\n    y"):
        html = engine(escape.markdown(text))
        assert re.fullmatch(r"<p>[^<]*</p>\s*", html)
        assert squeezed(Text(html).text) == squeezed(text)
        html = engine(f"# {escape.markdown(text, links=False)}\n\nz")
        assert squeezed(Text(html.replace("&para;", "")).text) == f"{squeezed(text)} z"
        listed = engine(escape.markdown_block(f"x\n- {text}\n- {text}"))
        item = rf"<li>{re.escape(html.partition('>')[2].partition('<')[0])}</li>\s*"
        assert re.fullmatch(rf"<p>x</p>\s*<ul>\s*{item * 2}</ul>\s*", listed)


@pytest.mark.parametrize("engine", ENGINES)
def test_text_for_headings_and_links_holds_no_link_and_loses_nothing(engine: Callable[[str], str]) -> None:
    for text in (
        "C #",
        "C ##",
        "C#",
        "#",
        "C \\#",
        "C \\\\##",
        "see https://e.x/y",
        "[x](https://e.x) ![i](https://e.x/i)",
    ):
        safe = escape.markdown(text, links=False)
        parsed = Text(engine(f"# {safe}\n\n[{safe}](page.md)").replace("&para;", ""))
        assert squeezed(parsed.text) == f"{text} {text}"
        assert [address for address in parsed.addresses if not address.startswith("#")] == ["page.md"]


@hostile
def test_code_is_one_code_span(text: str) -> None:
    html = gfm.render(f"| A |\n| :-- |\n| {escape.code(text)} |\n")
    found = re.search(r"<td[^>]*>(.*)</td>", html)
    assert found
    parsed = Text(found[1])
    assert parsed.tags == ["code"]
    assert squeezed(parsed.text) == squeezed(escape.visible(text))


@hostile
def test_code_in_html_is_read_alike_in_blocks_and_lines(text: str) -> None:
    shown = squeezed(escape.visible(text))
    for html in (
        gfm.render(f"<summary>{escape.html_code(text, block=True)}</summary>"),
        python_markdown(f'??? example "{escape.html_code(text, block=True)}"\n\n    x').replace("<p>x</p>", ""),
        gfm.render(f'<a href="#x">{escape.html_code(text)}</a>'),
        python_markdown(f'<a href="#x">{escape.html_code(text)}</a>'),
    ):
        parsed = Text(html)
        assert parsed.tags[-1] == "code"
        assert squeezed(parsed.text) == shown


# -------------------------------------------------------------------------------------------------- the other targets


@hostile
def test_html(text: str) -> None:
    parsed = Text(f'<p title="{escape.html(text)}">{escape.html(text)}</p>')
    assert parsed.tags == ["p"]
    assert parsed.text == escape.visible(text)


@settings(deadline=None, max_examples=40)
@given(st.lists(texts.filter(lambda t: not re.search("[\x00\ud800-\udfff]", t)), max_size=8))
@example([text for text in HOSTILE if not re.search("[\x00\ud800-\udfff]", text)])
def test_shell_words_come_back(words: list[str]) -> None:
    quoted = [escape.shell(word) for word in words]
    assert not any(INVISIBLE.search(word) for word in quoted)
    # `printf` without arguments would print one empty line.
    script = "".join(f"printf '%s\\0' {word}\n" for word in quoted)
    done = subprocess.run(["bash", "-ec", script], stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode().split("\0")[:-1] == words


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_shell_refuses_what_no_command_line_carries(text: str) -> None:
    with pytest.raises(ValueError, match="command line"):
        escape.shell(text)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
        max_leaves=8,
    )
)
def test_json_text_is_the_value(value: Any) -> None:
    for indent in (None, 2):
        text = escape.json_text(value, indent)
        assert same(json.loads(text), value)
        assert not INVISIBLE.search(text)
        assert "</" not in text
        assert "<!" not in text


def test_js_is_the_value_in_node(tmp_path: Any) -> None:
    encodable = [text for text in HOSTILE if not re.search("[\ud800-\udfff]", text)]
    value = {"__proto__": {"a": 1}, "texts": [*encodable, "</script>", "<!--"], "n": [1, 2.5, None, True]}
    program = tmp_path / "value.mjs"
    program.write_text(f"process.stdout.write(JSON.stringify({escape.js(value)}));\n", encoding="utf-8")
    done = subprocess.run(["node", str(program)], stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout) == value
    assert "</script" not in escape.js(value)
    with pytest.raises(ValueError, match="JSON"):
        escape.js(float("nan"))


@hostile
def test_jsdoc_is_one_comment_without_tags_of_the_text(text: str) -> None:
    for shown in (text, f"*/{text}*/", f"@type {text}\n @ts-ignore\n*/ @x"):
        comment = escape.jsdoc(shown, [("default", shown)], indent=2)
        assert re.fullmatch(r"/\*\*(?:(?!\*/).)* \*/", comment, re.DOTALL)
        assert not INVISIBLE.search(comment)
        tags = [line for line in comment.split("\n") if re.match(r"[\s/*]*@", line)]
        assert len(tags) == 1, "the one that was asked for"
        assert tags[0].lstrip("/* ").startswith("@default")


def test_jsdoc() -> None:
    assert escape.jsdoc("") == ""
    assert escape.jsdoc("A text.") == "/** A text. */"
    assert escape.jsdoc("", [("deprecated", "")]) == "/** @deprecated */"
    told = escape.jsdoc("A\n\n  b", [("deprecated", ""), ("default", "1")], indent=2)
    assert told == "/**\n   * A\n   *\n   *   b\n   *\n   * @deprecated\n   * @default 1\n   */"


def test_js_key() -> None:
    keys = {name: escape.js_key(name) for name in ("top_k", "$a1", "new", "top-k", "1", "", "é", "__proto__")}
    assert keys.pop("__proto__") == '["__proto__"]'
    assert keys == {name: name if name in ("top_k", "$a1", "new") else f'"{name}"' for name in keys}


CARRIED = [text for text in HOSTILE if not re.search("[\ud800-\udfff]", text)]
IN_STRINGS = [
    *CARRIED,
    "</script> ?> */ // %s %n {$x} ${x} $x",
    'quote at the end "',
    'three """ and four """" quotes',
    'a\n  "indented"\n\ttab',
    '{\n  "json": "\\u202e \\\\u0041 \\""\n}',
    '{"blank": 1} \nat the end of a line',
    ' "blank" first',
    "back` ticks",
    "\ufffe \U0001f600 é €",
]
"""Texts that have broken a string literal of some language."""


def test_java_strings_come_back(tmp_path: Path) -> None:
    texts = [*IN_STRINGS, '\ud800 "lone"']
    # A text block may be indented: as much as the templates do it, and more.
    literals = [escape.java(text).replace("\n", f"\n{' ' * (index % 5)}") for index, text in enumerate(texts)]
    source = "\n".join(
        [
            "public class Main {",
            "    public static void main(String[] args) {",
            f"        for (String text : new String[] {{{', '.join(literals)}}}) {{",
            '            text.chars().forEach(unit -> System.out.printf("%04x", unit));',
            "            System.out.println();",
            "        }",
            "    }",
            "}",
        ]
    )
    assert source.isascii()
    program = tmp_path / "text.java"
    program.write_text(source, encoding="ascii")
    lines = ran("java", str(program)).split("\n")[:-1]
    assert [bytes.fromhex(line).decode("utf-16-be", "surrogatepass") for line in lines] == texts


@settings(deadline=None)
@given(texts)
def test_a_java_string_is_one_literal_of_ascii(text: str) -> None:
    literal = escape.java(text)
    assert re.fullmatch(r'"(?:[^"\\\n]|\\[^\n])*"|"""\n(?:(?!""")[^\\]|\\[^\n])*"""', literal)
    assert literal.isascii()


def test_php_values_come_back(tmp_path: Path) -> None:
    value = {
        "texts": IN_STRINGS,
        "numbers": [0, -1, 2**63 - 1, 1.5, 1e300, -0.25],
        "others": [None, True, False, [], {}, {"": 1}, {"0": 1, "1": 2}, {"5": 1}, [[], {}]],
        "keys": dict.fromkeys(IN_STRINGS, 1),
    }
    program = tmp_path / "value.php"
    program.write_text(f"<?php echo json_encode({escape.php(value)});\n", encoding="utf-8")
    assert json.loads(ran("php", str(program))) == value
    assert not INVISIBLE.search(escape.php(value))


def test_php_refuses_what_its_json_cannot_carry() -> None:
    assert escape.php(2**70) == "1.1805916207174113e+21"
    for value in (float("nan"), float("inf"), 10**400, "\ud800"):
        with pytest.raises(ValueError, match="PHP"):
            escape.php(value)
    with pytest.raises(TypeError):
        escape.php(object())


def test_go_strings_come_back(tmp_path: Path) -> None:
    program = tmp_path / "text.go"
    items = "".join(f"\t\t{escape.go(text)},\n" for text in IN_STRINGS)
    program.write_text(
        'package main\n\nimport "fmt"\n\nfunc main() {\n\tfor _, text := range []string{\n'
        f'{items}\t}} {{\n\t\tfmt.Printf("%x\\n", text)\n\t}}\n}}\n',
        encoding="utf-8",
    )
    lines = ran("go", "run", str(program), GO111MODULE="off").split("\n")[:-1]
    assert [bytes.fromhex(line).decode() for line in lines] == IN_STRINGS
    assert not any(INVISIBLE.search(escape.go(text)) for text in IN_STRINGS)
    with pytest.raises(ValueError, match="Go"):
        escape.go("\ud800")


def ran(*command: str, **variables: str) -> str:
    """What a command prints; the test is skipped where it is missing, or fails where CI is set."""
    if not shutil.which(command[0]):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{command[0]} is not installed")
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | variables)
    return done.stdout.decode()
