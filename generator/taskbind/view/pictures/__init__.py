"""A drawn picture of one example of a task: on the left what goes in, on the right the answer that came out.

An SVG of its own without scripts and outside references, light or dark as its reader likes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ... import ir
from ...escape import html, json_text
from ...plan import TaskPlan
from ..kinds import INPUT_WORDS, OUTPUT_WORDS, InputKind, input_kind, output_kind
from ..ways import sample_paths
from .answers import Given, draw_answer
from .drawing import HEIGHT as HIGH, LARGE, SMALL, WIDTH as INNER, Assets, Card, wrap
from .inputs import as_json, draw_input

WIDTH: Final = 720
HEIGHT: Final = 260
MAX_MEDIA: Final = 24_000
"""Bytes of files that are drawn in one picture; of those beyond there is an icon."""

_STYLE: Final = (
    'text{font:15px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;fill:#1f2328}'
    "text.small{font-size:14px}text.large{font-size:18px}text.title{font-size:16px}"
    ".page{fill:#fff}.card{fill:#f6f8fa;stroke:#d0d7de}.head,.mute{fill:#59636e}.middle{text-anchor:middle}"
    ".title,.strong{font-weight:600}.on{fill:#fff}"
    ".said{fill:#e4e8ed}.asked{fill:#d5e7ff}.rail{fill:#dfe4ea}.line{stroke:#d0d7de;fill:none}"
    ".arrow{stroke:#59636e;stroke-width:2.5;fill:none;stroke-linecap:round;stroke-linejoin:round}"
    ".icon{stroke:#59636e;stroke-width:2;fill:none}.tint{opacity:.65}.pale{opacity:.5}.faint{opacity:.55}"
    ".c0{fill:#0969da}.c1{fill:#bc4c00}.c2{fill:#1a7f37}.c3{fill:#8250df}.c4{fill:#bf3989}"
    ".s0,.s1,.s2,.s3,.s4{fill:none;stroke-width:2.5}"
    ".s0{stroke:#0969da}.s1{stroke:#bc4c00}.s2{stroke:#1a7f37}.s3{stroke:#8250df}.s4{stroke:#bf3989}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.card{fill:#161b22;stroke:#3d444d}"
    ".head,.mute{fill:#9198a1}.on{fill:#fff}.said{fill:#2a313c}.asked{fill:#12335c}.rail{fill:#30363d}"
    ".line{stroke:#3d444d}.arrow,.icon{stroke:#9198a1}}"
)


def picture_example(task: ir.Task) -> ir.Example | None:
    """The example of a task's picture: the first with an answer, but rather one that says what to do with a file.

    A task without an answer has no picture.
    """
    answered = [example for example in task.examples if example.response is not ir.ABSENT]
    return next((example for example in answered if _prompt(example)), next(iter(answered), None))


def _prompt(example: ir.Example) -> str:
    """The text beside a media file that says what to do with it: a first parameter of several words."""
    first = next((value for _, value in example.parameters), "") if example.media else ""
    return first if isinstance(first, str) and " " in first else ""


def has_picture(task: ir.Task) -> bool:
    """Whether there is a file ``pictures/<task>.svg``."""
    return picture_example(task) is not None


def alt_text(api: ir.Api, task: ir.Task) -> str:
    """The text that stands for a task's picture, in plain text: not yet escaped for any target."""
    return f"{task.title}: {INPUT_WORDS[input_kind(api, task)]} in, {OUTPUT_WORDS[output_kind(api, task)]} out"


def picture(api: ir.Api, plan: TaskPlan, example: ir.Example, samples: Mapping[str, bytes]) -> str | None:
    """The picture of an example, as SVG text; None if it has no answer.

    `samples` are the media files of the task by ``<task>/<file>``, as :func:`taskbind.view.samples.samples` has them.
    """
    if example.response is ir.ABSENT:
        return None
    task = plan.task
    takes, gives = input_kind(api, task), output_kind(api, task)
    paths = sample_paths(task, example)
    files = [("", example.media)] if example.media else example.files
    named = {member: (path.rsplit("/", 1)[-1], samples[paths[path]]) for member, path in files if path}
    assets = Assets(MAX_MEDIA)
    left, right = Card(assets), Card(assets)
    _request(left, takes, example, named, [parameter.wire for parameter in plan.parameters if parameter.required])
    draw_answer(right, gives, example.response, _given(example, named))
    said = f"{alt_text(api, task)}. In: {'; '.join(left.said)}. Out: {'; '.join(right.said)}."
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
            ' aria-labelledby="title desc">',
            f'<title id="title">{html(alt_text(api, task))}</title>',
            f'<desc id="desc">{html(said[:1000])}</desc>',
            f"<style>{_STYLE}</style>",
            f"<defs>{''.join(assets.definitions())}</defs>",
            f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="12"/>',
            *_card(12, INPUT_WORDS[takes], left),
            *_arrow(task.title),
            *_card(432, OUTPUT_WORDS[gives], right),
            "</svg>\n",
        )
    )


def _request(
    card: Card, kind: InputKind, example: ir.Example, files: Mapping[str, tuple[str, bytes]], required: list[str]
) -> None:
    parameters = dict(example.parameters)
    if example.inputs is ir.ABSENT and not example.media:
        as_json(card, parameters)
        return
    if note := "; ".join(f"{name}: {_words(parameters[name])}" for name in required if name in parameters):
        card.lines(note, 2, "mute", SMALL)
        card.y += 6
    draw_input(card, kind, example.inputs, files, _prompt(example))


def _words(value: Any) -> str:
    items = value if isinstance(value, list) else [value]
    return ", ".join(item if isinstance(item, str) else json_text(item) for item in items)


def _given(example: ir.Example, files: Mapping[str, tuple[str, bytes]]) -> Given:
    inputs = example.inputs
    members = list(inputs.values()) if isinstance(inputs, dict) else [inputs]
    lists = [item for item in (*members, inputs) if isinstance(item, list)]
    texts = next((tuple(item) for item in lists if all(isinstance(text, str) for text in item)), ())
    image = next((data for _, data in files.values()), None)
    return Given(image, inputs if isinstance(inputs, str) else "", texts)


def _card(x: int, head: str, card: Card) -> tuple[str, ...]:
    head = head.removeprefix("an ").removeprefix("a ")
    return (
        f'<rect class="card" x="{x}.5" y="12.5" width="275" height="235" rx="10"/>',
        f'<text class="head small" x="{x + 14}" y="36">{html(head[:1].upper() + head[1:])}</text>',
        # A drawing of its own: nothing of it is seen outside its card.
        f'<svg x="{x + 14}" y="46" width="{INNER}" height="194">',
        f'<g transform="translate(0 {max(0.0, 6 + (HIGH - card.y) / 2):.1f})">',
        *card.parts,
        "</g></svg>",
    )


def _arrow(title: str) -> tuple[str, ...]:
    lines = wrap(title, 140, 4, LARGE)
    top = 128 - len(lines) * 20
    texts = (
        f'<text class="title middle" x="360" y="{top + number * 20}">{html(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (*texts, '<path class="arrow" d="M306 136H414M402 124L414 136L402 148"/>')
