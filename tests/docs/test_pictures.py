"""The drawn pictures of the tasks: well formed, small, closed to the outside, and said in words, too."""

from __future__ import annotations

import base64
import json
import re
import struct
import wave
import zlib
from io import BytesIO
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given, strategies as st

from taskbind import ir, ir_json
from taskbind.config import Config, load_config
from taskbind.context import Context
from taskbind.plan import plan
from taskbind.render.pictures import render
from taskbind.view.kinds import InputKind, OutputKind, output_kind
from taskbind.view.pictures import MAX_MEDIA, alt_text, has_picture, picture
from taskbind.view.pictures.answers import Given, draw_answer
from taskbind.view.pictures.drawing import WIDTH, Assets, Card, short, width, wrap
from taskbind.view.pictures.inputs import draw_input
from taskbind.view.pictures.media import image_size, loudness, seconds
from taskbind.view.samples import samples

from .pages import GENERATED, ROOT

CONFIG = load_config(ROOT)
CONTEXT = Context(CONFIG)
API = ir_json.from_json(json.loads((GENERATED / "api.json").read_text(encoding="utf-8")))
PLAN = plan(API, CONFIG)
SAMPLES = samples(API, PLAN, CONTEXT)
DRAWN = [(task, example) for task in PLAN.tasks for example in task.task.examples]
NASTY = "<script>alert(1)</script>\"'&amp;]]>\x00\x1b\u202e\ud800\uffff\U0001f980 " + "Wörter ohne Ende " * 400
SVG = "{http://www.w3.org/2000/svg}"


def check(text: str) -> ElementTree.Element:
    """The root of a picture that is a well-formed SVG, with nothing from outside in it and nothing that runs."""
    assert len(text.encode()) <= 40_000
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("viewBox") == "0 0 720 260"
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in (
            "svg title desc style defs image rect text g use path circle mask".split()
        )
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert name in ("href",) or "href" not in name
            assert "nan" not in value or name in ("id", "aria-labelledby", "href")
            if name == "href":
                assert value.removeprefix("#") in ids or re.match(r"data:image/(png|jpeg|gif|webp);base64,", value)
            elif "url(" in value:
                assert value in {f"url(#{id})" for id in ids}
    assert "url(" not in str(root.findtext(f"{SVG}style"))
    assert "@import" not in str(root.findtext(f"{SVG}style"))
    assert root.get("aria-labelledby", "").split() == ["title", "desc"]
    assert all(root.findtext(f"{SVG}{name}") for name in ("title", "desc"))
    return root


def texts(root: ElementTree.Element) -> str:
    return " ".join(element.text or "" for element in root.iter(f"{SVG}text"))


@pytest.mark.parametrize(("task", "example"), DRAWN, ids=lambda one: getattr(one, "name", getattr(one, "method", "")))
def test_every_example_can_be_drawn(task: Any, example: ir.Example) -> None:
    drawn = picture(API, task, example, SAMPLES)
    assert drawn is not None
    root = check(drawn)
    title = " ".join(root.itertext())
    assert alt_text(API, task.task) in title
    assert 'class="c' in drawn or texts(root)


@pytest.mark.parametrize("task", API.tasks, ids=lambda task: task.id)
def test_every_task_has_a_picture(task: ir.Task) -> None:
    assert has_picture(task)
    path = GENERATED / "docs" / "pictures" / f"{task.id}.svg"
    root = check(path.read_text(encoding="utf-8"))
    assert root.findtext(f"{SVG}title") == alt_text(API, task)


def test_pictures_are_the_same_each_time() -> None:
    first = render(API, PLAN, CONTEXT)
    assert render(API, plan(API, CONFIG), Context(CONFIG)) == first
    assert len(first) == len(API.tasks)


@pytest.mark.parametrize(
    ("task", "shown"),
    [
        ("text-classification", ["POSITIVE", "0.9756"]),
        ("token-classification", ["Marie Curie", "PER"]),
        ("table-question-answering", ["Which mountain is in", "Kilimanjaro"]),
        ("tabular-classification", ["virginica"]),
        ("zero-shot-object-detection", ["candidate_labels: apple, banana,", "mug"]),
        ("question-answering", ["Ingrid Dahl"]),
        ("image-to-image", ["The lighthouse at night, its"]),
    ],
)
def test_what_is_shown_is_the_example(task: str, shown: list[str]) -> None:
    root = check((GENERATED / "docs" / "pictures" / f"{task}.svg").read_text(encoding="utf-8"))
    for text in shown:
        assert text in texts(root)


def test_the_sample_and_the_masks_are_in_the_drawing() -> None:
    drawn = (GENERATED / "docs" / "pictures" / "image-segmentation.svg").read_text(encoding="utf-8")
    (task,) = (task for task in API.tasks if task.id == "image-segmentation")
    root = check(drawn)
    wanted = [base64.b64encode(SAMPLES["image-segmentation/boat.png"]).decode()]
    wanted += [item["mask"] for item in task.examples[0].response]
    shown = [str(image.get("href")).partition(",")[2] for image in root.iter(f"{SVG}image")]
    assert shown == wanted
    assert len([*root.iter(f"{SVG}mask")]) == 3


# ------------------------------------------------------------------------------------------------------- hostile specs

TEXT, NUMBER = ir.Scalar("string"), ir.Scalar("number")
ITEMS: dict[str, dict[str, Any]] = {
    "scores": {"label": NASTY, "score": 10**299},
    "boxes": {"label": NASTY, "box": {"xmin": -(10**299), "ymin": 1e300, "xmax": 5, "ymax": -7}},
    "masks": {"label": NASTY, "mask": NASTY},
    "transcript": {"text": NASTY, "chunks": [{"text": NASTY, "timestamp": [0, None]}]},
    "spans": {"word": NASTY, "entity": NASTY, "start": 3, "end": 900},
    "answers": {"answer": NASTY, "score": -1e308},
    "text": {"anything": NASTY},
    "chat": {"role": NASTY, "content": NASTY},
    "object": {NASTY: NASTY, "list": [NASTY] * 50},
}


def made_up(output: Any, inputs: Any = NASTY, media: str | None = None) -> tuple[ir.Api, Any, ir.Example]:
    """A task that answers `output`, by a schema that says what `output` looks like."""
    request = ir.Object((ir.Field("inputs", ir.Media("image", "image/*") if media else schema(inputs), True),))
    example = ir.Example("e", NASTY, media, ir.ABSENT if media else inputs, response=output)
    task = ir.Task("x", NASTY, "in", "out", examples=(example,))
    api = ir.Api((task,), (ir.Definition("in", "In", request), ir.Definition("out", "Out", schema(output))))
    return api, plan(api, Config(ROOT, ROOT)).tasks[0], example


def schema(value: Any) -> ir.Type:
    match value:
        case dict():
            return ir.Object(tuple(ir.Field(name, schema(item), True) for name, item in value.items()))
        case list():
            return ir.Array(schema(value[0]) if value else TEXT)
        case str() | None:
            return TEXT
    return NUMBER


@pytest.mark.parametrize("kind", ITEMS)
def test_hostile_texts_and_numbers(kind: str) -> None:
    for output in (ITEMS[kind], [ITEMS[kind]] * 40):
        api, task, example = made_up(output)
        if isinstance(output, list) or kind not in ("text", "spans"):
            assert output_kind(api, task.task) == ("list" if kind == "object" and isinstance(output, list) else kind)
        root = check(picture(api, task, example, {}) or "")
        assert "alert(1)" in " ".join(root.itertext())


@pytest.mark.parametrize("wrong", [None, [], {}, [[]], [None], 3, "x", [{}], [{"label": None, "score": None}], [[1]]])
@pytest.mark.parametrize("kind", ITEMS)
def test_answers_of_another_form_are_drawn_as_json(kind: str, wrong: Any) -> None:
    api, task, _ = made_up([ITEMS[kind]])
    check(picture(api, task, ir.Example("e", "E", None, "x", response=wrong), {}) or "")


@pytest.mark.parametrize(
    "inputs",
    [
        {"question": NASTY, "context": NASTY},
        {"question": "", "context": ""},
        {"source": NASTY, "others": [NASTY] * 9},
        {"table": {NASTY: [NASTY] * 30, "b": []}},
        [[1, 2], [3], []],
        [[], [1, 2]],
        [{"role": "user", "content": [{"text": NASTY}, {"image_url": {"url": NASTY}}]}, {"tool_calls": [None, {}]}],
        {},
        3,
        None,
    ],
)
def test_hostile_inputs(inputs: Any) -> None:
    for typed in (inputs, NASTY):
        api, task, _ = made_up("fine", typed)
        check(picture(api, task, ir.Example("e", "E", None, inputs, response="fine"), {}) or "")


NAMES = st.sampled_from(
    "answer arguments box choices chunks content context data end entity function image label mask message name "
    "question role score start table text timestamp tool_calls word xmax xmin ymax ymin".split()
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=15
)


@given(JSON, JSON, st.sampled_from(get_args(InputKind)), st.sampled_from(get_args(OutputKind)))
def test_any_value_can_be_drawn_as_any_kind(inputs: Any, output: Any, takes: InputKind, gives: OutputKind) -> None:
    left, right = Card(Assets(100)), Card(Assets(100))
    draw_input(left, takes, inputs, {})
    draw_answer(right, gives, output, Given(png(3, 2), "a text of some words", ("one",)))
    for card in (left, right):
        ElementTree.fromstring(f"<g>{''.join(card.parts)}</g>")


def png(wide: int, high: int, padding: int = 0) -> bytes:
    """A white image."""
    rows = zlib.compress(b"".join(b"\0" + b"\xff" * wide for _ in range(high)))
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)), (b"tEXt", b"x" * padding), (b"IDAT", rows))
    body = (
        struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in (*chunks, (b"IEND", b""))
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


@pytest.mark.parametrize(
    ("data", "is_shown"),
    [
        (png(3, 2), True),
        (png(1, 50_000), True),
        (png(3, 2, MAX_MEDIA), False),
        (png(3, 2)[:20], False),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", False),
        (b"", False),
    ],
)
def test_only_small_images_are_shown_themselves(data: bytes, is_shown: bool) -> None:
    api, task, example = made_up(
        [{"label": "a", "box": dict.fromkeys(("xmin", "ymin", "xmax", "ymax"), 1)}], None, "x/a.png"
    )
    root = check(picture(api, task, example, {"x/a.png": data}) or "")
    assert bool([*root.iter(f"{SVG}image")]) is is_shown


def test_a_task_without_an_answer_has_no_picture() -> None:
    api, task, _ = made_up("x")
    example = ir.Example("e", "E", None, "x")
    assert picture(api, task, example, {}) is None
    assert not has_picture(ir.Task("x", "X", "in", "out", examples=(example,)))


# -------------------------------------------------------------------------------------------------------------- pieces


def sound(peaks: list[int], rate: int = 8000) -> bytes:
    """A WAV file with a thousand samples of each of these levels."""
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", peak) * 1000 for peak in peaks))
    return out.getvalue()


def test_waves() -> None:
    data = sound([0, 100, -200, 50])
    assert loudness(data, 4) == [0, 0.5, 1, 0.25]
    assert loudness(sound([0, 0]), 2) == [0, 0]
    assert seconds(data) == 0.5
    flac = (ROOT / "specs/audio-classification/examples/clicks.flac").read_bytes()
    assert seconds(flac) == pytest.approx(1.0, abs=0.1)
    assert loudness(flac, 4) is None
    for end in range(0, len(data), 7):
        loudness(data[:end], 4)
        seconds(data[:end])
        seconds(flac[:end])


def test_sizes() -> None:
    assert image_size(png(7, 5)) == (7, 5)
    assert image_size(b"GIF89a\x07\x00\x05\x00") == (7, 5)
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x05\x00\x07\x03"
    assert image_size(jpeg) == (7, 5)
    for end in range(len(jpeg) - 1):
        assert image_size(jpeg[:end]) in (None, (7, 5))
    assert image_size(png(0, 5)) is None


@pytest.mark.parametrize(
    "text", ["", "one", "one two three four five six seven", "x" * 500, "深" * 90, "a " * 3000, NASTY]
)
def test_wrapping_keeps_within_the_room(text: str) -> None:
    for most in (1, 2, 5):
        lines = wrap(text, 120, most)
        assert len(lines) <= most
        assert all(width(line) <= 120 for line in lines)
    if width(text) <= WIDTH:
        assert short(text, WIDTH) == text
    assert "".join(wrap("x" * 30, 60, 99)) == "x" * 30
    assert " ".join(wrap("one two three four five six seven", 60, 99)) == "one two three four five six seven"
