"""Rendering docs of specs that are hostile, incomplete or wrong: right pages or a clear error, no broken page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from taskbind import ir
from taskbind.config import Config
from taskbind.context import Context
from taskbind.diagnostics import TaskbindError
from taskbind.plan import plan
from taskbind.render import docs, snippets
from tests.support.engines import ENGINES, STARTERS, python_markdown

from . import pages

NASTY = (
    'a | b\n\n| c | ``` {{ x }} {% y %} <script>alert(1)</script> --> """ \\ \u202e `k | l` ![i](https://e.x/i) '
    "[j](javascript:x) # not a heading"
)
PNG = b"\x89PNG\r\n\x1a\n rest"
Render = Callable[..., dict[str, str | bytes]]

PARAMETERS = ir.Object(
    (
        ir.Field("k", ir.Scalar("integer", minimum=1), False, NASTY, default=3),
        ir.Field("mode", ir.Enum(("a|b", "`c`", NASTY)), False, NASTY),
        ir.Field("never", ir.Union((ir.Scalar("boolean"), ir.Enum(("never",)))), False, "When."),
        ir.Field("a|`b", ir.Map(ir.Scalar("number")), False),
    ),
    False,
)
INPUT = ir.Object(
    (ir.Field("inputs", ir.Media("image", "image/*"), True, NASTY), ir.Field("parameters", ir.Ref("p"), False)), False
)
OUTPUT = ir.Array(ir.Ref("o"), ())
ITEM = ir.Object((ir.Field("label", ir.Scalar("string"), True, NASTY), ir.Field("next", ir.Ref("o"), False)))
DEFINITIONS = (
    ir.Definition("i", "XInput", INPUT, NASTY),
    ir.Definition("o", "XOutputElement", ITEM, NASTY),
    ir.Definition("out", "XOutput", OUTPUT, NASTY),
    ir.Definition("p", "XParameters", PARAMETERS, NASTY),
)
DOCS = ir.TaskDocs(
    NASTY, NASTY, (NASTY,), NASTY, (NASTY,), (ir.Recommended("owner/name", NASTY),), "https://huggingface.co/tasks/x"
)
EXAMPLES = (
    ir.Example("file", NASTY, "x/a.png", response=[{"label": NASTY}]),
    ir.Example("all", "All", "x/a.png", parameters=(("mode", NASTY), ("k", 2)), response=[]),
)
TASK = ir.Task("x", NASTY, "i", "out", docs=DOCS, examples=EXAMPLES)


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Renders the docs of one task into ``tmp_path/out`` and returns the files."""
    (tmp_path / "specs" / "x").mkdir(parents=True)
    (tmp_path / "specs" / "x" / "a.png").write_bytes(PNG)
    (tmp_path / "specs" / "x" / "b.png").write_bytes(b"GIF it is not, nor anything else")
    (tmp_path / "specs" / "x" / "c.flac").write_bytes(b"fLaC")

    def run(
        task: ir.Task, definitions: tuple[ir.Definition, ...] = DEFINITIONS, summary: str = "All."
    ) -> dict[str, str | bytes]:
        config = Config(tmp_path / "specs", tmp_path / "out", summary=summary)
        api = ir.Api((task,), definitions)
        names = plan(api, config)
        files = docs.render(api, names, Context(config)) | snippets.render(api, names, Context(config))
        for path, content in files.items():
            target = tmp_path / "out" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return files

    return run


def anchored(cell: str) -> str:
    """The name in the first cell of a row, as Markdown."""
    found = re.fullmatch(r'<a id="([\w.:-]+)" href="#\1"><code>(.*)</code></a>', cell)
    assert found, cell
    return found[2]


def test_hostile_text_stays_text(render: Render, tmp_path: Path) -> None:
    text = str(render(TASK)["docs/x.md"])
    page = tmp_path / "out" / "docs" / "x.md"
    found = pages.tables(page)
    assert len(found) == 5
    assert len(pages.tables_under(page, "Payload")) == len(pages.tables_under(page, "Response")) == 1
    assert all(len(row) == len(table.header) for table in found for row in table.rows)
    assert [anchored(row[0]) for row in found[0].rows][:2] == ["inputs", "parameters"]
    # The recursive type is opened once.
    assert [anchored(row[0]) for row in found[3].rows] == ["(root)", r"\[\].label", r"\[\].next"]
    outside_code = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "<script" not in outside_code
    assert "{{" not in outside_code
    assert "\u202e" not in text
    assert all(
        re.match(
            r"https://|samples/|pictures/x\.svg|(index|limits|errors)\.md|#|\.\./(openapi\.json|inference_tasks/schemas/)",
            link,
        )
        for link in pages.links(page)
    )


def test_values_keep_their_types(render: Render, tmp_path: Path) -> None:
    render(TASK)
    rows = {anchored(row[0]): row for row in pages.tables(tmp_path / "out" / "docs" / "x.md")[0].rows}
    assert rows["parameters.k"][1:5] == ("integer", "no", "`3`", "≥ 1")
    assert rows["parameters.never"][1:5] == ("boolean or string", "no", "–", '`true`, `false`, `"never"`')


def test_programs_carry_hostile_values(render: Render) -> None:
    listed = {row["id"]: row for row in json.loads(str(render(TASK)["docs/snippets.json"]))}
    python = listed["x/all/httpx"]["code"]
    sent: dict[str, Any] = {}
    stub = "class _R:\n is_error = False\n raise_for_status = lambda s: None\n json = lambda s: 1\n"
    program = python.replace(
        "import httpx\n", f"{stub}class httpx:\n post = lambda *a, **k: (sent.update(k), _R())[1]\n"
    )
    program = program.replace('Path("a.png").read_bytes()', "b''").replace("os.environ['INFERENCE_TASKS_TOKEN']", "''")
    exec(compile(program, "<program>", "exec"), {"sent": sent})
    assert sent["json"] == {"inputs": "", "parameters": {"mode": NASTY, "k": 2}}
    assert all("\u202e" not in row["code"] for row in listed.values())


@pytest.mark.parametrize("starter", STARTERS)
def test_texts_open_no_blocks(render: Render, starter: str) -> None:
    """Pages are built alike whether their texts begin with what begins a block or with a plain word."""

    def structures(text: str) -> Iterator[list[str]]:
        paragraph = "x" if starter[:2] in ("- ", "-", "*") else text  # a description may have lists
        prose = replace(
            DOCS,
            summary=text,
            description=f"{paragraph}\n\nx\n- {text}\n- {text}\n\n{paragraph}",
            applications=(text, text),
            also=(text,),
            category=text,
            models=(ir.Recommended("owner/name", text),),
        )
        examples = tuple(replace(example, title=text) for example in EXAMPLES)
        definitions = tuple(replace(definition, doc=text) for definition in DEFINITIONS)
        files = render(replace(TASK, title=text, docs=prose, examples=examples), definitions, text)
        for engine, folder in ENGINES.items():
            for page in ("x", "index"):
                html = engine(str(files[f"{folder}/{page}.md"]))
                yield re.findall(r"<(/?\w+)", html.replace("<br>", " "))

    plain = structures("Breakout `code`.")
    for found, expected in zip(structures(f"{starter} `code`."), plain, strict=True):
        assert found == expected


def test_a_title_holds_no_link_and_keeps_its_end(render: Render) -> None:
    title = "C [x](https://e.x) https://e.x/y #"
    files = render(replace(TASK, title=title, docs=replace(DOCS, category=title)))
    for engine, folder in ENGINES.items():
        page, index = (engine(str(files[f"{folder}/{name}.md"])) for name in ("x", "index"))
        assert re.search(rf"<h1[^>]*>{re.escape(title)}<", page)
        assert re.search(rf'<a href="x.md">{re.escape(title)}</a>', index)


def test_every_member_has_an_anchor_of_its_own(render: Render) -> None:
    """Whatever members are called, and whatever headings say."""
    names = ["topK", "topk", *"a.b a|b a-b a_b ü 漢 items 0 or1 any :any root :root :7C: *".split(), "", " "]
    number = ir.Scalar("integer")
    members = ir.Object(tuple(ir.Field(name, number, False) for name in names), number)
    either = ir.Union((members, ir.Array(members, ()), ir.Map(members)))
    nested = [ir.Field(name, ir.Array(members, (number,)), False) for name in ("items", "a", "")]
    answer = ir.Object((*nested, ir.Field("either", either, False)))
    definitions = (*DEFINITIONS[:2], replace(DEFINITIONS[2], type=answer), replace(DEFINITIONS[3], type=members))
    titles = {"a": "Request inputs", "b": "Request.inputs", "c": "Response", "d": "Request.parameters"}
    examples = tuple(replace(EXAMPLES[0], name=name, title=title) for name, title in titles.items())
    files = render(replace(TASK, examples=examples), definitions)
    ids = re.findall('<a id="([^"]+)"', str(files["docs/x.md"]))
    assert {"request.inputs", "request.parameters.topK", "response.items.items.a_b"} < set(ids)
    assert all(re.fullmatch("[A-Za-z0-9_.:-]+", id) for id in ids)
    every = re.findall(r'<(?:h\d|a) id="([^"]+)"', python_markdown(str(files["site/docs/x.md"])))
    assert len(set(every)) == len(every) > len(ids) > 80
    # A member more changes no other anchor.
    fewer = replace(members, fields=members.fields[1:])
    files = render(replace(TASK, examples=examples), (*definitions[:3], replace(definitions[3], type=fewer)))
    ids.remove("request.parameters.topK")
    assert re.findall('<a id="([^"]+)"', str(files["docs/x.md"])) == ids


def test_task_without_prose_has_no_empty_section(render: Render, tmp_path: Path) -> None:
    text = str(render(replace(TASK, title="X", docs=ir.TaskDocs(), examples=()))["docs/x.md"])
    assert "Recommended models" not in text
    assert "Using the API" not in text
    assert "\n\n\n" not in text
    assert all(table.rows for table in pages.tables(tmp_path / "out" / "docs" / "x.md"))


def test_example_without_a_recorded_answer_shows_its_programs_only(render: Render) -> None:
    text = str(render(replace(TASK, examples=(replace(EXAMPLES[0], response=ir.ABSENT),)))["docs/x.md"])
    assert "<!-- snippet: " in text
    assert "<!-- response: " not in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"examples": (replace(EXAMPLES[0], media="x/gone.png"),)}, "no file x/gone.png"),
        ({"examples": (replace(EXAMPLES[0], media="x/b.png"),)}, "no media format"),
        ({"examples": (replace(EXAMPLES[0], media="x/c.flac"),)}, "audio/flac, but the task takes image"),
        ({"examples": (replace(EXAMPLES[0], name="../up"),)}, "lower-case letters"),
        ({"examples": (replace(EXAMPLES[0], media=None),)}, "needs `media` or `inputs`"),
        ({"examples": (replace(EXAMPLES[0], parameters=(("topk", 1),)),)}, "no parameter 'topk'"),
        ({"docs": replace(DOCS, learn_more="javascript:alert(1)")}, "no https address"),
        ({"docs": replace(DOCS, models=(ir.Recommended("a) [b](c", ""),))}, "no model id"),
    ],
)
def test_wrong_task_is_an_error_that_says_where(render: Render, change: dict[str, Any], message: str) -> None:
    with pytest.raises(TaskbindError, match=re.escape(message)) as error:
        render(replace(TASK, **change))
    assert str(error.value).startswith("x/")
