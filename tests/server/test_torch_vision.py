"""The torch tasks on pictures, pages and videos: alone and together, and beside transformers' own pipelines."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import av
import numpy as np
import PIL.Image
import torch
import transformers

from inference_tasks import Client, UnprocessableEntityError
from inference_tasks._runtime.server import video as decoding_module
from inference_tasks._runtime.torch import (
    create_handler,
    depth_estimation as depth_module,
    image_segmentation as segmentation_module,
    video as video_module,
)
from inference_tasks._runtime.torch.base import ModelDirectoryError
from inference_tasks._runtime.torch.demo.weights import SMALL, save
from inference_tasks._tasks import TASKS
from inference_tasks.server import Limits, RequestProblem

from . import tiny_vision as tiny
from .live import Serve, b64

DETECT, ZERO_DETECT = "object-detection", "zero-shot-object-detection"
SEGMENT, DEPTH = "image-segmentation", "depth-estimation"
ZERO_CLASSIFY, VIDEO = "zero-shot-image-classification", "video-classification"
VQA, DOCUMENT = "visual-question-answering", "document-question-answering"
TASK_OF = {
    **dict.fromkeys(("yolos", "detr"), DETECT),
    **dict.fromkeys(("owlvit", "grounding_dino"), ZERO_DETECT),
    **dict.fromkeys(("segformer", "detr_panoptic", "mask2former"), SEGMENT),
    **dict.fromkeys(("dpt", "zoedepth"), DEPTH),
    **dict.fromkeys(("clip", "siglip"), ZERO_CLASSIFY),
    **dict.fromkeys(("vilt", "blip"), VQA),
    **dict.fromkeys(("layoutlm", "layoutlm_of_bytes", "donut"), DOCUMENT),
    **dict.fromkeys(("videomae", "timesformer"), VIDEO),
}
PICTURES = [tiny.picture(0), tiny.picture(1, (40, 64)), tiny.picture(2), tiny.picture(3, (90, 70))]
LABELS = ["cat", "red dog", "this photo"]
LOOSE = {"threshold": 0.1, "overlap_mask_area_threshold": 0.1}

Load = Callable[[str], Any]


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The directory of a tiny model, made when it is first asked for."""
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            made[name] = getattr(tiny, name)(tmp_path_factory.mktemp(name))
        return made[name]

    return make


@pytest.fixture(scope="session")
def load(directory: Callable[[str], Path]) -> Load:
    """The loaded handler of a tiny model."""
    loaded: dict[str, Any] = {}

    def handler(name: str) -> Any:
        if name not in loaded:
            loaded[name] = create_handler(TASKS[TASK_OF[name]], directory(name))
            loaded[name].load()
        return loaded[name]

    return handler


@pytest.fixture(scope="session")
def pipeline(directory: Callable[[str], Path]) -> Load:
    """transformers' own pipeline on a tiny model."""
    loaded: dict[str, Any] = {}

    def make(name: str) -> Any:
        if name not in loaded:
            task: Any = TASK_OF[name]
            loaded[name] = transformers.pipeline(task, model=str(directory(name)))
        return loaded[name]

    return make


def parameters(task: str, **values: Any) -> Any:
    return TASKS[task].parameters_class(**values)


def ask(name: str, load: Load, item: Any, **values: Any) -> Any:
    """The answer of the model `name` to one request, as JSON values."""
    answer = load(name)(item, parameters(TASK_OF[name], **values))
    return [element.model_dump() for element in answer]


def asked(name: str, image: PIL.Image.Image | bytes, question: str) -> Any:
    """The `inputs` of a question about an image."""
    data = tiny.png(image) if isinstance(image, PIL.Image.Image) else image
    return TASKS[TASK_OF[name]].input_class(inputs={"image": b64(data), "question": question}).inputs


def refused(name: str, load: Load, item: Any, **values: Any) -> tuple[str, str]:
    """The field and the message of the problem with a request."""
    with pytest.raises(RequestProblem) as caught:
        load(name)(item, parameters(TASK_OF[name], **values))
    assert caught.value.status == 422
    return caught.value.fields[0].field, caught.value.message


def points(mask: str) -> Any:
    """The points of a mask as an array of 0 and 255."""
    return np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(mask))))


def same(one: Any, other: Any) -> None:
    """Assert that answers are equal but for rounding."""
    if isinstance(one, float):
        assert one == pytest.approx(other, abs=1e-4, rel=1e-4)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            same(one[name], other[name])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            same(left, right)
    elif isinstance(one, str) and one.startswith("iVBOR"):
        left, right = points(one).astype(int), points(other).astype(int)
        assert left.shape == right.shape
        assert np.abs(left - right).mean() < 2
    else:
        assert one == other


def clips() -> list[bytes]:
    return [tiny.video([tiny.picture(10 * v + i, (64, 48)) for i in range(12)]) for v in range(2)]


# ------------------------------------------------------------------------------------------------ alone and together

WORD_BOXES = [
    [word, [40 * i, 30, 40 * i + 30, 60]] for i, word in enumerate("invoice total 12 cat dog red green blue a".split())
]
REQUESTS: dict[str, dict[str, Any]] = {
    "yolos": {"threshold": 0.2},
    "detr": {"threshold": 0.2},
    "owlvit": {"candidate_labels": LABELS, "threshold": 0.3},
    "grounding_dino": {"candidate_labels": LABELS, "threshold": 0.3},
    "segformer": {},
    "detr_panoptic": {"mask_threshold": 0.2, **LOOSE},
    "mask2former": {"mask_threshold": 0.2, **LOOSE},
    "dpt": {},
    "zoedepth": {},
    "clip": {"candidate_labels": LABELS},
    "siglip": {"candidate_labels": LABELS},
    "vilt": {"top_k": 7},
    "blip": {"top_k": 2},
    "layoutlm": {"word_boxes": WORD_BOXES, "top_k": 5},
    "layoutlm_of_bytes": {"word_boxes": WORD_BOXES, "top_k": 5},
    "donut": {"top_k": 2, "max_answer_len": 6},
    "videomae": {"top_k": 7},
    "timesformer": {"top_k": 7, "num_frames": 6},
}


def items(name: str) -> list[Any]:
    """Different requests, the last of them a bad one where one can be bad."""
    if TASK_OF[name] in (VQA, DOCUMENT):
        questions = ["what is this?", "how many dogs are there", "is this a cat", "cat?"]
        good = [asked(name, image, question) for image, question in zip(PICTURES, questions, strict=True)]
        return [*good, asked(name, b"no image", "what is this?")]
    if TASK_OF[name] == VIDEO:
        return [*clips(), b"no video"]
    return PICTURES


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_answered_alike_alone_and_together(name: str, load: Load) -> None:
    handler, task = load(name), TASK_OF[name]
    shared = parameters(task, **REQUESTS[name]) if TASKS[task].parameters_model else None
    together = handler.batch(items(name), shared)
    answers = []
    for item, answer in zip(items(name), together, strict=True):
        alone = handler.batch([item], shared)[0]
        assert type(alone) is type(answer)
        if isinstance(answer, RequestProblem):
            assert (answer.status, answer.fields) == (422, alone.fields)
            continue
        one, other = ([element.model_dump() for element in a] if isinstance(a, list) else a.model_dump()
                      for a in (answer, alone))  # fmt: skip
        assert one
        same(one, other)
        answers.append(one)
    assert all(answers[0] != answer for answer in answers[1:])
    assert sum(isinstance(answer, RequestProblem) for answer in together) == len(together) - len(answers)
    assert len(answers) == len(together) - (task in (VQA, DOCUMENT, VIDEO))


@pytest.mark.parametrize("name", ["yolos", "detr", "segformer", "dpt", "clip", "owlvit", "mask2former"])
def test_images_of_any_shape_are_answered_or_refused(name: str, load: Load) -> None:
    handler, task = load(name), TASK_OF[name]
    shared = parameters(task, **REQUESTS[name]) if TASKS[task].parameters_model else None
    images = [PIL.Image.new("RGB", size, "red") for size in ((1, 1), (900, 1), (1, 900), (60, 40))]
    answers = handler.batch(images, shared)
    assert not isinstance(answers[3], Exception)
    for answer in answers:
        assert not isinstance(answer, Exception) or (isinstance(answer, RequestProblem) and answer.fields)


# ------------------------------------------------------------------------------------------------ detection


@pytest.mark.parametrize("name", ["yolos", "detr"])
def test_objects_are_those_of_the_pipeline(name: str, load: Load, pipeline: Load) -> None:
    for image in PICTURES:
        for threshold in (0, 0.4, 0.55):
            same(ask(name, load, image, threshold=threshold), pipeline(name)(image, threshold=threshold))
        same(ask(name, load, image), pipeline(name)(image))


def test_only_objects_above_the_threshold_are_told(load: Load) -> None:
    every = ask("yolos", load, PICTURES[0], threshold=0)
    assert len(every) == 10
    middle = sorted(found["score"] for found in every)[4]
    assert ask("yolos", load, PICTURES[0], threshold=middle) == [found for found in every if found["score"] > middle]
    assert ask("yolos", load, PICTURES[0], threshold=1) == []


@pytest.mark.parametrize("name", ["owlvit", "grounding_dino"])
def test_found_labels_are_those_of_the_pipeline(name: str, load: Load, pipeline: Load) -> None:
    # The full stop is what this server adds where Grounding DINO expects one.
    labels = [f"{label}." for label in LABELS] if name == "grounding_dino" else LABELS
    for image in PICTURES:
        for options in ({}, {"threshold": 0.5}, {"threshold": 0.0, "top_k": 7}):
            ours = ask(name, load, image, candidate_labels=labels, **options)
            same(ours, pipeline(name)(image, candidate_labels=labels, **options))


def test_grounding_dino_reads_labels_as_sentences(load: Load) -> None:
    ours, theirs = (ask("grounding_dino", load, PICTURES[0], candidate_labels=[label]) for label in ("cat", "cat."))
    same([found | {"label": ""} for found in ours], [found | {"label": ""} for found in theirs])
    assert {found["label"] for found in ours} == {"cat"}


def test_top_k_and_threshold_limit_what_is_found(load: Load) -> None:
    every = ask("owlvit", load, PICTURES[0], candidate_labels=LABELS, threshold=0)
    scores = [found["score"] for found in every]
    assert len(every) == 16 * len(LABELS)
    assert scores == sorted(scores, reverse=True)
    assert {found["label"] for found in every} == set(LABELS)
    for top_k in (1, 5, 10**30):
        assert ask("owlvit", load, PICTURES[0], candidate_labels=LABELS, threshold=0, top_k=top_k) == every[:top_k]
    sure = ask("owlvit", load, PICTURES[0], candidate_labels=LABELS, threshold=scores[4])
    assert sure == [found for found in every if found["score"] > scores[4]]


@pytest.mark.parametrize("name", ["owlvit", "grounding_dino", "clip", "siglip"])
def test_labels_that_are_too_long_are_refused(name: str, load: Load) -> None:
    image = PICTURES[0]
    field = "parameters.candidate_labels"
    for long in ("cat " * 50, "x" * 200_001):
        assert refused(name, load, image, candidate_labels=["cat", long])[0] == f"{field}.1"


# ------------------------------------------------------------------------------------------------ segmentation


def with_masks(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pipeline's segments with masks as files."""
    return [segment | {"mask": b64(tiny.png(segment["mask"]))} for segment in segments]


def in_order(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(({"score": s["score"], "label": s["label"], "mask": s["mask"]} for s in segments), key=str)


SUBTASKS = {
    "segformer": [{}, {"subtask": "semantic"}],
    "detr_panoptic": [
        {**LOOSE},
        {},
        {"subtask": "panoptic", "mask_threshold": 0, **LOOSE},
        {"subtask": "instance", **LOOSE},
        {"subtask": "semantic"},
    ],
    "mask2former": [
        {**LOOSE},
        {"subtask": "panoptic", "mask_threshold": 0, **LOOSE},
        {"subtask": "instance", "threshold": 0.4},
        {"subtask": "semantic"},
    ],
}


@pytest.mark.parametrize("name", SUBTASKS)
def test_segments_are_those_of_the_pipeline(name: str, load: Load, pipeline: Load) -> None:
    for options in SUBTASKS[name]:
        for image in PICTURES[:2]:
            ours = ask(name, load, image, **options)
            same(in_order(ours), in_order(with_masks(pipeline(name)(image, **options))))
            for segment in ours:
                assert points(segment["mask"]).shape == (image.height, image.width)
                assert set(np.unique(points(segment["mask"]))) <= {0, 255}


@pytest.mark.parametrize("name", ["detr_panoptic", "mask2former"])
def test_a_higher_mask_threshold_makes_segments_smaller(name: str, load: Load) -> None:
    def covered(threshold: float) -> Any:
        segments = ask(name, load, PICTURES[0], threshold=0, overlap_mask_area_threshold=0, mask_threshold=threshold)
        return sum((points(segment["mask"]) > 0 for segment in segments), start=np.zeros((40, 60), int))

    maps = [covered(threshold) for threshold in (0, 0.2, 0.3, 0.4, 0.5, 0.6, 1)]
    assert (maps[0] == 1).all()  # without a threshold each point has one owner
    areas = [int(covered.sum()) for covered in maps]
    assert areas == sorted(areas, reverse=True)
    assert areas[-1] == 0
    assert len(set(areas)) > 2
    for larger, smaller in pairwise(maps):
        assert (larger >= smaller).all()


def test_thresholds_drop_segments(load: Load) -> None:
    every = ask("mask2former", load, PICTURES[0], threshold=0, overlap_mask_area_threshold=0)
    assert len(every) > 1
    least = min(segment["score"] for segment in every)
    sure = ask("mask2former", load, PICTURES[0], threshold=least + 1e-6, overlap_mask_area_threshold=0)
    assert len(sure) < len(every)
    assert all(segment["score"] > least for segment in sure)
    alone = {"threshold": max(segment["score"] for segment in every) - 1e-6, "mask_threshold": 0.1}
    # The only segment loses no point to another, so its share is 1.
    assert len(ask("mask2former", load, PICTURES[0], **alone, overlap_mask_area_threshold=0.99)) == 1
    assert ask("mask2former", load, PICTURES[0], **alone, overlap_mask_area_threshold=1) == []


@pytest.mark.parametrize(
    ("name", "options", "field"),
    [
        ("segformer", {"subtask": "panoptic"}, "subtask"),
        ("segformer", {"subtask": "instance"}, "subtask"),
        ("segformer", {"threshold": 0.5}, "threshold"),
        ("segformer", {"mask_threshold": 0}, "mask_threshold"),
        ("mask2former", {"subtask": "semantic", "overlap_mask_area_threshold": 0}, "overlap_mask_area_threshold"),
        ("mask2former", {"subtask": "instance", "mask_threshold": 0.5}, "mask_threshold"),
        ("mask2former", {"subtask": "instance", "overlap_mask_area_threshold": 1}, "overlap_mask_area_threshold"),
    ],
)
def test_what_a_subtask_has_no_use_for_is_refused(name: str, options: dict[str, Any], field: str, load: Load) -> None:
    assert refused(name, load, PICTURES[0], **options)[0] == f"parameters.{field}"


def test_masks_of_large_images_are_computed_small_and_enlarged(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    full = ask("segformer", load, PICTURES[3])
    monkeypatch.setattr(segmentation_module, "MAX_VALUES", 3 * 30 * 30)
    small = ask("segformer", load, PICTURES[3])
    assert [segment["label"] for segment in small] == [segment["label"] for segment in full]
    for one, other in zip(full, small, strict=True):
        assert points(one["mask"]).shape == points(other["mask"]).shape == (70, 90)
        assert 0 < np.mean(points(one["mask"]) != points(other["mask"])) < 0.1


# ------------------------------------------------------------------------------------------------ depth


def test_depth_is_that_of_the_pipeline(load: Load, pipeline: Load) -> None:
    for image in PICTURES:
        ours, theirs = load("dpt")(image), pipeline("dpt")(image)
        expected = theirs["predicted_depth"].numpy()
        assert np.asarray(ours.predicted_depth).shape == (image.height, image.width)
        assert np.asarray(ours.predicted_depth) == pytest.approx(expected, abs=1e-4, rel=1e-4)
        assert np.abs(points(ours.depth).astype(int) - np.asarray(theirs["depth"]).astype(int)).max() <= 1
        assert {0, 255} <= set(np.unique(points(ours.depth)))


def test_zoedepth_is_that_of_its_processor(load: Load, pipeline: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.zoedepth import image_processing_pil_zoedepth as theirs

    def resize(depth: Any, size: list[int], **_: Any) -> Any:
        return torch.nn.functional.interpolate(depth[None], size=size, mode="bicubic", align_corners=False)[0]

    # All that transformers takes from torchvision, which is not installed here.
    borrowed = SimpleNamespace(resize=resize, InterpolationMode=SimpleNamespace(BICUBIC="bicubic"))
    monkeypatch.setattr(theirs, "tvF", borrowed, raising=False)
    for image in PICTURES:
        expected = pipeline("zoedepth")(image)["predicted_depth"].numpy()
        ours = load("zoedepth")(image)
        assert np.asarray(ours.predicted_depth) == pytest.approx(expected.reshape(image.height, -1), abs=1e-4, rel=1e-4)
        assert points(ours.depth).shape == (image.height, image.width)


def test_depth_of_large_images_is_a_coarser_grid(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth_module, "MAX_POINTS", 600)
    for size, grid in (((90, 60), (20, 30)), ((700, 1), (1, 600)), ((1, 700), (600, 1)), ((20, 10), (10, 20))):
        answer = load("dpt")(PIL.Image.new("RGB", size, "red"))
        assert np.asarray(answer.predicted_depth).shape == grid
        assert points(answer.depth).shape == size[::-1]


def test_depth_without_any_is_black(load: Load) -> None:
    handler = load("dpt")
    flat = handler._answer(np.full((3, 4), 0.0, np.float32), PIL.Image.new("RGB", (4, 3)))
    assert flat["predicted_depth"] == [[0.0] * 4] * 3
    assert not points(flat["depth"]).any()


# ------------------------------------------------------------------------------------------------ zero-shot images


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_label_scores_are_those_of_the_pipeline(name: str, load: Load, pipeline: Load) -> None:
    for image in PICTURES:
        for options in ({}, {"hypothesis_template": "a drawing of {}"}):
            same(
                ask(name, load, image, candidate_labels=LABELS, **options),
                pipeline(name)(image, candidate_labels=LABELS, **options),
            )


def test_clip_divides_and_siglip_does_not(load: Load) -> None:
    for name, count in (("clip", 1), ("clip", 3), ("siglip", 3)):
        answer = ask(name, load, PICTURES[0], candidate_labels=LABELS[:count])
        total = sum(element["score"] for element in answer)
        assert (total == pytest.approx(1)) is (name == "clip")
        assert [element["score"] for element in answer] == sorted((e["score"] for e in answer), reverse=True)


def test_the_template_is_text_and_nothing_else(load: Load) -> None:
    def scores(template: str, label: str = "cat") -> list[float]:
        answer = ask("siglip", load, PICTURES[0], candidate_labels=[label], hypothesis_template=template)
        return [element["score"] for element in answer]

    assert scores("one {} in {}") == scores("{}", "one cat in cat")
    assert scores("{} {0.__class__}") == scores("{}", "cat {0.__class__}")
    for template in ("no place", "{0}", ""):
        field, _ = refused("clip", load, PICTURES[0], candidate_labels=["cat"], hypothesis_template=template)
        assert field == "parameters.hypothesis_template"
    field, message = refused("clip", load, PICTURES[0], candidate_labels=["cat"], hypothesis_template="{} " * 30)
    assert field == "parameters.candidate_labels.0"
    assert "64" in message


# ------------------------------------------------------------------------------------------------ questions on images


def test_vilt_answers_as_its_processor_and_model_do(load: Load, directory: Callable[[str], Path]) -> None:
    path = directory("vilt")
    processor = transformers.ViltProcessor(
        transformers.ViltImageProcessorPil.from_pretrained(path), transformers.AutoTokenizer.from_pretrained(path)
    )
    model = transformers.ViltForQuestionAnswering.from_pretrained(path).eval()
    for image in PICTURES:
        with torch.inference_mode():
            logits = model(**processor(image, "what is this?", return_tensors="pt")).logits[0]
        order = logits.argsort(descending=True).tolist()
        expected = [{"answer": model.config.id2label[i], "score": float(logits[i].sigmoid())} for i in order]
        same(ask("vilt", load, asked("vilt", image, "what is this?"), top_k=100), expected)
        same(ask("vilt", load, asked("vilt", image, "what is this?"), top_k=2), expected[:2])
        same(ask("vilt", load, asked("vilt", image, "what is this?")), expected[:5])


def test_blip_writes_and_scores_its_answers(load: Load) -> None:
    item = asked("blip", PICTURES[0], "what is this?")
    best = ask("blip", load, item, top_k=4)
    assert [answer["score"] for answer in best] == sorted((answer["score"] for answer in best), reverse=True)
    assert len({answer["answer"] for answer in best}) == 4
    assert len(ask("blip", load, item)) == 1
    handler = load("blip")
    features = handler._prepared(item)
    with torch.inference_mode():
        vision = handler.model.vision_model(pixel_values=features["pixel_values"])[0]
        question = handler.model.text_encoder(
            input_ids=features["input_ids"],
            attention_mask=features["attention_mask"],
            encoder_hidden_states=vision,
            encoder_attention_mask=torch.ones(vision.shape[:2], dtype=torch.long),
        )[0]
        written = handler.model.generate(
            **{name: features[name] for name in ("input_ids", "attention_mask", "pixel_values")},
            num_beams=4,
            num_return_sequences=4,
            max_new_tokens=20,
            length_penalty=0.0,
        )
        for row, answer in zip(written, best, strict=True):
            ids = row[None, : (row.tolist().index(3, 1) + 1 if 3 in row.tolist()[1:] else len(row))]
            logits = handler.model.text_decoder(
                input_ids=ids,
                encoder_hidden_states=question,
                encoder_attention_mask=torch.ones(question.shape[:2], dtype=torch.long),
            ).logits
            steps = logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])
            assert answer["score"] == pytest.approx(float(steps.sum().exp()), rel=1e-3)


def test_bad_questions_and_images_are_refused(load: Load) -> None:
    good = tiny.png(PICTURES[0])
    for name, values in (("vilt", {}), ("blip", {}), ("donut", {}), ("layoutlm", {"word_boxes": WORD_BOXES})):
        for item, field in (
            (asked(name, b"nothing", "what?"), "inputs.image"),
            (asked(name, good[:60], "what?"), "inputs.image"),
            (asked(name, good, "cat " * 100), "inputs.question"),
            (asked(name, good, " "), "inputs.question"),
        ):
            assert refused(name, load, item, **values)[0] == field
    assert refused("blip", load, asked("blip", good, "what?"), top_k=17)[0] == "parameters.top_k"


# ------------------------------------------------------------------------------------------------ questions on pages


def read(load: Load, question: str = "what is the total?", **values: Any) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = ask("layoutlm", load, asked("layoutlm", PICTURES[0], question), **values)
    return answers


def page(count: int) -> list[list[Any]]:
    """A page of `count` words, each one token."""
    return [[tiny.WORDS[i * 7 % len(tiny.WORDS)], [i % 30 * 30, i // 30 * 30, 999, 999]] for i in range(count)]


@pytest.mark.parametrize("count", [9, 90])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_answer_len": 2},
        {"handle_impossible_answer": True, "top_k": 500},
        {"max_seq_len": 40, "doc_stride": 5},
        {"max_seq_len": 40, "doc_stride": 0},
        {"lang": "deu"},
    ],
)
def test_answers_are_those_of_the_pipeline(count: int, options: dict[str, Any], load: Load, pipeline: Load) -> None:
    for question in ("what is the total?", "date?"):
        top_k = options.get("top_k", 1)
        theirs = pipeline("layoutlm")(
            image=PICTURES[0], question=question, word_boxes=page(count), **options | {"top_k": 20 * top_k}
        )
        seen: dict[Any, Any] = {}
        for answer in theirs:  # the pipeline tells the same words several times, and some from end to start
            if answer["start"] <= answer["end"]:
                seen.setdefault((answer["start"], answer["end"], answer["answer"]), answer)
        ours = read(load, question, word_boxes=page(count), **options)
        expected = list(seen.values())[:top_k]
        # Equally likely answers may change places.
        same(sorted(ours, key=lambda a: (a["start"], a["end"])), sorted(expected, key=lambda a: (a["start"], a["end"])))
        assert [a["score"] for a in ours] == sorted((a["score"] for a in ours), reverse=True)


def test_other_tokenizers_read_pages_as_the_pipeline_does(load: Load, pipeline: Load) -> None:
    for options in ({}, {"max_seq_len": 60, "doc_stride": 9}, {"handle_impossible_answer": True}):
        for question in ("total?", "what is it?"):
            theirs = pipeline("layoutlm_of_bytes")(
                image=PICTURES[0], question=question, word_boxes=WORD_BOXES, **options
            )
            item = asked("layoutlm_of_bytes", PICTURES[0], question)
            same(ask("layoutlm_of_bytes", load, item, word_boxes=WORD_BOXES, **options), theirs)


def test_donut_writes_what_the_pipeline_reads(load: Load, pipeline: Load) -> None:
    handler, reading = load("donut"), pipeline("donut")
    # The pipeline tells no answer that does not end, and a random model's does not: here it is made to.
    limits = reading.model.generation_config
    limits.max_new_tokens = 8
    limits.forced_eos_token_id = handler._reader._tokenizer.convert_tokens_to_ids("</s_answer>")
    for image in PICTURES:
        ours = ask("donut", load, asked("donut", image, "total?"), max_answer_len=7)
        theirs = reading(image=image, question="total?")
        same(ours, theirs)
        assert ours[0]["answer"]
    for written in ("12 euros</s_answer></s><pad>", "12 euros</s><pad><pad>", " 12 euros</s_answer> and more"):
        assert handler._reader._answer(written) == "12 euros"
    several = ask("donut", load, asked("donut", PICTURES[0], "total?"), top_k=3, max_answer_len=5)
    assert len({answer["answer"] for answer in several}) == 3
    long = ask("donut", load, asked("donut", PICTURES[0], "a question of many letters"), max_question_len=6)
    assert long == ask("donut", load, asked("donut", PICTURES[0], "a ques"))


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"word_boxes": WORD_BOXES}, "word_boxes"),
        ({"lang": "eng"}, "lang"),
        ({"doc_stride": 5}, "doc_stride"),
        ({"max_seq_len": 5}, "max_seq_len"),
        ({"handle_impossible_answer": False}, "handle_impossible_answer"),
        ({"top_k": 17}, "top_k"),
        ({"max_answer_len": 257}, "max_answer_len"),
    ],
)
def test_what_donut_has_no_use_for_is_refused(options: dict[str, Any], field: str, load: Load) -> None:
    assert refused("donut", load, asked("donut", PICTURES[0], "total?"), **options)[0] == f"parameters.{field}"


def test_without_words_the_missing_engine_is_named(load: Load) -> None:
    field, message = refused("layoutlm", load, asked("layoutlm", PICTURES[0], "what?"), lang="eng")
    assert field == "parameters.word_boxes"
    assert "OCR" in message


def test_answers_are_different_stretches_of_words(load: Load) -> None:
    words = [["12345", [0, 0, 9, 9]], ["cat", [10, 0, 19, 9]], ["1a2b3c", [20, 0, 29, 9]]]
    answers = read(load, word_boxes=words, top_k=100)
    assert {(a["start"], a["end"]) for a in answers} == {(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)}
    assert len(answers) == 6
    for answer in answers:
        assert answer["answer"] == " ".join(word for word, _ in words[answer["start"] : answer["end"] + 1])
    short = read(load, word_boxes=words, top_k=100, max_answer_len=1)
    assert {(a["start"], a["end"]) for a in short} == {(0, 0), (1, 1), (2, 2)}
    assert len(read(load, word_boxes=words, top_k=100, max_answer_len=10**30)) == 6
    assert read(load, word_boxes=words, top_k=2) == answers[:2]


def test_boxes_change_answers(load: Load) -> None:
    moved = [[word, [999 - n for n in reversed(box)]] for word, box in WORD_BOXES]
    assert read(load, word_boxes=WORD_BOXES) != read(load, word_boxes=moved)


def test_a_page_without_words_has_no_answer(load: Load) -> None:
    for words in ([], [["", [0, 0, 0, 0]], [" ", [1, 1, 2, 2]]]):
        assert read(load, word_boxes=words) == []
        impossible = read(load, word_boxes=words, handle_impossible_answer=True)
        assert [answer["answer"] for answer in impossible] == [""]
        assert impossible[0]["score"] == pytest.approx(1)


def test_long_questions_are_cut_where_asked(load: Load) -> None:
    question = "what is the total of this invoice 1234"
    cut = read(load, question, word_boxes=WORD_BOXES, max_question_len=4)
    same(cut, read(load, "what is the total", word_boxes=WORD_BOXES))
    assert cut != read(load, question, word_boxes=WORD_BOXES)
    same(
        read(load, question, word_boxes=WORD_BOXES, max_question_len=9),
        read(load, question[:-2], word_boxes=WORD_BOXES),
    )
    same(read(load, question, word_boxes=WORD_BOXES, max_question_len=500), read(load, question, word_boxes=WORD_BOXES))
    assert read(load, "cat " * 200, word_boxes=WORD_BOXES, max_question_len=20)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"max_seq_len": 65}, "parameters.max_seq_len"),
        ({"max_seq_len": 8}, "inputs.question"),
        ({"max_seq_len": 10**30}, "parameters.max_seq_len"),
        ({"doc_stride": 60}, "parameters.doc_stride"),
        ({"word_boxes": [["cat", [0, 0, 1, 1]]] * 10_001}, "parameters.word_boxes"),
        ({"word_boxes": [["cat", [0, 0, 1, 1]]] * 400, "doc_stride": 55}, "parameters.word_boxes"),
    ],
)
def test_pages_that_cannot_be_read_are_refused(options: dict[str, Any], field: str, load: Load) -> None:
    item = asked("layoutlm", PICTURES[0], "what is the total?")
    assert refused("layoutlm", load, item, **{"word_boxes": WORD_BOXES} | options)[0] == field


# ------------------------------------------------------------------------------------------------ video


@pytest.mark.parametrize("name", ["videomae", "timesformer"])
def test_video_classes_are_those_of_the_pipeline(name: str, load: Load, pipeline: Load, tmp_path: Path) -> None:
    for data in clips():
        (tmp_path / "clip.mp4").write_bytes(data)
        for options in ({}, {"top_k": 2}, {"function_to_apply": "sigmoid"}, {"function_to_apply": "none"}):
            same(ask(name, load, data, **options), pipeline(name)(str(tmp_path / "clip.mp4"), **options))


def test_the_sampling_rate_picks_frames(load: Load) -> None:
    pictures = [tiny.picture(i, (64, 48)) for i in range(12)]
    every_third = ask("videomae", load, tiny.video(pictures), frame_sampling_rate=3)
    same(every_third, ask("videomae", load, tiny.video(pictures[::3])))
    assert every_third != ask("videomae", load, tiny.video(pictures))


def test_a_short_video_goes_on_with_its_last_frame(load: Load) -> None:
    numbers = range(0, 10, 2)
    data = tiny.video([tiny.picture(i, (64, 48)) for i in range(5)])
    frames = video_module.frames(data, numbers, "inputs")
    decoded = [f.to_ndarray(format="rgb24") for f in av.open(io.BytesIO(data)).decode(video=0)]
    assert len(decoded) == 5
    for frame, number in zip(frames, (0, 2, 4, 4, 4), strict=True):
        assert (frame == decoded[number]).all()
    one = tiny.video([tiny.picture(0, (64, 48))])
    assert ask("videomae", load, one) == ask("videomae", load, one, frame_sampling_rate=2000)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_timesformer_keeps_any_number_of_frames_apart(
    count: int, load: Load, pipeline: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = clips()[0]
    (tmp_path / "clip.mp4").write_bytes(data)
    # The pipeline passes other numbers on to layers that do not know of them.
    monkeypatch.setattr(pipeline("timesformer").model.config, "num_frames", count)
    theirs = pipeline("timesformer")(str(tmp_path / "clip.mp4"), num_frames=count)
    same(ask("timesformer", load, data, num_frames=count), theirs)


def test_the_number_of_frames_is_what_the_model_can_see(load: Load) -> None:
    data = clips()[0]
    assert ask("timesformer", load, data, num_frames=8) != ask("timesformer", load, data)
    assert ask("videomae", load, data, num_frames=4) == ask("videomae", load, data)
    for name, options, field in (
        ("videomae", {"num_frames": 8}, "num_frames"),
        ("videomae", {"frame_sampling_rate": 2501}, "frame_sampling_rate"),
        ("videomae", {"frame_sampling_rate": 10**30}, "frame_sampling_rate"),
    ):
        assert refused(name, load, data, **options)[0] == f"parameters.{field}"


def sideways(data: bytes, degrees: int) -> bytes:
    """The MP4 `data` with the note that it is to be shown turned: what phones write."""
    matrix = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    a, b, c, d = (int(n * 0x10000).to_bytes(4, "big", signed=True) for n in matrix)
    start = data.index(b"tkhd") + 44
    zero = bytes(4)
    return data[:start] + a + b + zero + c + d + zero + data[start + 24 :]


@pytest.mark.parametrize(("degrees", "turns"), [(90, 3), (180, 2), (270, 1)])
def test_frames_are_upright(degrees: int, turns: int) -> None:
    data = tiny.video([tiny.picture(0, (64, 48))])
    upright = video_module.frames(data, [0], "inputs")[0]
    turned = video_module.frames(sideways(data, degrees), [0], "inputs")[0]
    assert (turned == np.rot90(upright, turns)).all()


def no_pictures() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="wav") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    return file.getvalue()


@pytest.mark.parametrize(
    "data", [b"x", no_pictures(), tiny.png(tiny.picture()), b"ffconcat version 1.0\nfile /etc/passwd"]
)
def test_what_is_no_video_is_refused(data: bytes, load: Load) -> None:
    assert refused("videomae", load, data)[0] == "inputs"


@pytest.mark.parametrize("limit", ["MAX_FRAME_PIXELS", "MAX_KEPT_PIXELS", "max_pixels", "max_video_pixels"])
def test_videos_that_are_too_large_are_refused(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits()
    if limit.isupper():
        monkeypatch.setattr(decoding_module, limit, 64 * 48 - 1)
    else:
        limits = Limits(**{limit: 64 * 48 - 1})  # type: ignore[arg-type] - both are numbers
    with pytest.raises(RequestProblem, match=f"more than {64 * 48 - 1} pixels"):
        video_module.frames(clips()[0], [0], "inputs", limits)


# ------------------------------------------------------------------------------------------------ loading


@pytest.mark.parametrize(
    ("task", "name", "reason"),
    [
        (DOCUMENT, "vilt", "Unrecognized|layoutlm"),
        (SEGMENT, "yolos", "Unrecognized|segments"),
        (VIDEO, "yolos", "Unrecognized|frames"),
    ],
)
def test_models_of_other_tasks_are_refused(task: str, name: str, reason: str, directory: Callable[[str], Path]) -> None:
    with pytest.raises(ValueError, match=reason):
        create_handler(TASKS[task], directory(name)).load()


def test_models_this_server_cannot_prepare_for_are_refused(tmp_path: Path) -> None:
    config = transformers.LayoutLMv3Config(
        **SMALL, vocab_size=30, max_position_embeddings=32, input_size=32, coordinate_size=4, shape_size=4,
        max_2d_position_embeddings=32,
    )  # fmt: skip
    save(tmp_path, transformers.LayoutLMv3ForQuestionAnswering(config))
    with pytest.raises(ModelDirectoryError, match="only layoutlm"):
        create_handler(TASKS[DOCUMENT], tmp_path).load()


# ------------------------------------------------------------------------------------------------ over HTTP


@pytest.fixture
def client(load: Load, serve: Serve) -> Iterator[Client]:
    names = ("yolos", "owlvit", "mask2former", "dpt", "clip", "vilt", "layoutlm", "videomae")
    live = serve(*(load(name) for name in names))
    with Client(live.url, max_retries=0, strict_responses=True) as made:
        yield made


def test_every_task_over_http(client: Client, load: Load) -> None:
    image = PICTURES[0]
    file = tiny.png(image)

    def dumped(answer: Any) -> Any:
        return [element.model_dump() for element in answer]

    same(dumped(client.object_detection(file, threshold=0.2)), ask("yolos", load, image, threshold=0.2))
    labels = {"candidate_labels": LABELS}
    found = client.zero_shot_object_detection(file, candidate_labels=LABELS, top_k=3)
    same(dumped(found), ask("owlvit", load, image, top_k=3, **labels))
    segments = client.image_segmentation(file, subtask="semantic")
    same(dumped(segments), ask("mask2former", load, image, subtask="semantic"))
    assert segments[0].mask.image().size == image.size
    assert client.depth_estimation(file).depth.image().size == image.size
    same(
        dumped(client.zero_shot_image_classification(file, candidate_labels=LABELS)), ask("clip", load, image, **labels)
    )
    question = "what is this?"
    answers = client.visual_question_answering({"image": file, "question": question}, top_k=2)
    same(dumped(answers), ask("vilt", load, asked("vilt", file, question), top_k=2))
    boxes = [(word, tuple(box)) for word, box in WORD_BOXES]
    read_answers = client.document_question_answering({"image": file, "question": question}, word_boxes=boxes)
    same(dumped(read_answers), read(load, question, word_boxes=WORD_BOXES))
    clip = clips()[0]
    same(dumped(client.video_classification(clip, top_k=2)), ask("videomae", load, clip, top_k=2))
    with pytest.raises(UnprocessableEntityError, match="OCR"):
        client.document_question_answering({"image": file, "question": question})
    with pytest.raises(UnprocessableEntityError, match="num_frames"):
        client.video_classification(clip, num_frames=5)
