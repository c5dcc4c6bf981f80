"""In which numbers models compute, and whether they are compiled for that."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("diffusers", reason="diffusers is not installed")

import torch

from inference_tasks._runtime.server.batcher import run_batch
from inference_tasks._runtime.server.calls import Interpreter
from inference_tasks._runtime.server.decode import decode
from inference_tasks._runtime.server.handler import modules_of
from inference_tasks._runtime.torch import create_handler
from inference_tasks._runtime.torch.demo import build
from inference_tasks._runtime.torch.placement import Placement
from inference_tasks._tasks import TASKS
from tests.docs.specs import examples

EXAMPLES = {
    "audio-classification": "clicks",
    "audio-to-audio": "noisy",
    "automatic-speech-recognition": "digits",
    "chat-completion": "tool-call",
    "document-question-answering": "invoice",
    "feature-extraction": "sentence",
    "image-segmentation": "boat",
    "image-to-image": "noisy-heart",
    "image-to-text": "balloon",
    "question-answering": "lighthouse",
    "table-question-answering": "peaks",
    "tabular-regression": "cars",
    "text-generation": "date-grammar",
    "text-to-audio": "bell",
    "text-to-image": "balloon",
    "text-to-speech": "turn-left",
    "translation": "museum-to-french",
    "video-classification": "juggling",
    "visual-question-answering": "door-colour",
    "zero-shot-object-detection": "table",
}
"""Task → the example that its model answers; together, all ways in which networks are called here."""


def answered(task: str, name: str, directory: Path, placement: Placement) -> tuple[Any, Any]:
    """The answer to an example, and what answered."""
    handler = create_handler(TASKS[task], directory, placement=placement)
    handler.load()
    call = Interpreter(TASKS[task]).payload(examples()[task, name].payload)
    media = TASKS[task].media if Interpreter(TASKS[task]).shape != "whole" else None
    inputs = decode(media, call.inputs, "inputs") if media else call.inputs
    (answer,) = run_batch(handler, [inputs], call.parameters)
    if isinstance(answer, Exception):
        raise answer
    return answer, handler


@pytest.mark.parametrize("task", EXAMPLES)
def test_a_model_computes_in_half_the_bits(task: str, tmp_path: Path) -> None:
    build(task, "", tmp_path)
    _, handler = answered(task, EXAMPLES[task], tmp_path, Placement(device="cpu", dtype="bfloat16"))
    weights = [weight for module in modules_of(vars(handler).values()) for weight in module.parameters()]
    assert {weight.dtype for weight in weights} == {torch.bfloat16}
    full = create_handler(TASKS[task], tmp_path, placement=Placement(device="cpu"))
    full.load()
    assert handler.memory() < full.memory()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_answer_is_nearly_the_same(dtype: Any, tmp_path: Path) -> None:
    build("text-classification", "", tmp_path)
    exact, _ = answered("text-classification", "complaint-all", tmp_path, Placement(device="cpu"))
    rough, _ = answered("text-classification", "complaint-all", tmp_path, Placement(device="cpu", dtype=dtype))
    assert {one.label for one in rough} == {one.label for one in exact}
    scores = {one.label: one.score for one in exact}
    assert [one.score for one in rough] == pytest.approx([scores[one.label] for one in rough], abs=0.02)
    assert rough != exact


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles for a CPU with a C++ compiler")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_compiled_model_answers_the_same(dtype: Any, tmp_path: Path) -> None:
    build("text-classification", "", tmp_path)
    plain, _ = answered("text-classification", "complaint-all", tmp_path, Placement(device="cpu", dtype=dtype))
    compiled, handler = answered(
        "text-classification", "complaint-all", tmp_path, Placement(device="cpu", dtype=dtype, compile=True)
    )
    assert {one.label: one.score for one in compiled} == pytest.approx(
        {one.label: one.score for one in plain}, abs=1e-4 if dtype == "float32" else 0.02
    )
    texts, none = ["a", "good and bad", "a b c d e f g"], TASKS["text-classification"].parameters_class()
    assert [len(answer) for answer in run_batch(handler, texts, none)] == [2, 2, 2]


def test_where_nothing_can_be_compiled_loading_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import config

    build("text-classification", "", tmp_path)
    torch._dynamo.reset()
    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    monkeypatch.setattr(config, "force_disable_caches", True)
    handler = create_handler(TASKS["text-classification"], tmp_path, placement=Placement(device="cpu", compile=True))
    with pytest.raises(RuntimeError, match="compile: torch cannot compile for cpu here: "):
        handler.load()
    torch._dynamo.reset()
