"""The torch tasks: what goes into models and comes out, alone and together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import numpy as np
import PIL.Image
import torch
import transformers

from inference_tasks._runtime.torch import create_handler
from inference_tasks._runtime.torch.base import ModelDirectoryError
from inference_tasks._runtime.torch.demo.weights import labelled
from inference_tasks._tasks import TASKS
from inference_tasks.server import Audio, RequestProblem

from . import models
from .live import Serve

RATE = 16_000


def handler(task: str, directory: Path, **options: Any) -> Any:
    torch.manual_seed(0)
    made = create_handler(TASKS[task], directory, **options)
    made.load()
    return made


def parameters(task: str, **values: Any) -> Any:
    return TASKS[task].parameters_class(**values)


def noise(seconds: float, seed: int = 0, rate: int = RATE) -> Audio:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, int(seconds * rate)).astype(np.float32)
    return Audio(samples, rate)


def scores(answer: Any) -> list[float]:
    return [element.score for element in answer]


# ------------------------------------------------------------------------------------------------ loading


def test_directories_that_hold_no_safe_model_are_refused(tmp_path: Path) -> None:
    binding = TASKS["text-classification"]
    with pytest.raises(ModelDirectoryError, match="no such directory"):
        create_handler(binding, tmp_path / "nowhere")
    with pytest.raises(ModelDirectoryError, match=r"config\.json"):
        create_handler(binding, tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ModelDirectoryError, match="pickled weights"):
        create_handler(binding, tmp_path)


def test_a_name_of_the_hub_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelDirectoryError, match="local directories only"):
        create_handler(TASKS["text-classification"], Path("distilbert/distilbert-base-uncased"))


def test_weights_of_another_task_are_refused(tmp_path: Path) -> None:
    models.ctc(tmp_path)
    with pytest.raises(ModelDirectoryError, match="lacks weights"):
        handler("audio-classification", tmp_path)


def test_code_in_the_directory_is_never_run(tmp_path: Path) -> None:
    models.words(tmp_path, "a", "b")
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')")
    config = (tmp_path / "config.json").read_text()
    trap = '"auto_map": {"AutoConfig": "evil.Config", "AutoModelForSequenceClassification": "evil.Model"}, "model_type"'
    (tmp_path / "config.json").write_text(config.replace('"model_type"', trap))
    assert len(handler("text-classification", tmp_path)("abc", parameters("text-classification"))) == 2


# ------------------------------------------------------------------------------------------------ classification


def test_top_k_orders_and_limits(tmp_path: Path) -> None:
    task = "image-classification"
    made = handler(task, models.pictures(tmp_path, *"abcdefgh"))
    image = PIL.Image.new("RGB", (40, 30), "red")
    for top_k, expected in ((None, 5), (1, 1), (3, 3), (8, 8), (10**30, 8)):
        answer = made(image, parameters(task) if top_k is None else parameters(task, top_k=top_k))
        assert len(answer) == expected
        assert scores(answer) == sorted(scores(answer), reverse=True)
    assert sum(scores(made(image, parameters(task, top_k=8)))) == pytest.approx(1)


def test_function_to_apply(tmp_path: Path) -> None:
    task = "text-classification"
    made = handler(task, models.words(tmp_path, "a", "b", "c"))
    raw = torch.tensor(scores(made("hello", parameters(task, function_to_apply="none"))))
    for name, function in (("softmax", lambda x: x.softmax(-1)), ("sigmoid", torch.sigmoid)):
        answer = scores(made("hello", parameters(task, function_to_apply=name)))
        assert answer == pytest.approx(function(raw).tolist(), abs=1e-6)
    assert scores(made("hello", parameters(task))) == pytest.approx(raw.softmax(-1).tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("problem", "function"),
    [("multi_label_classification", "sigmoid"), ("regression", "none"), ("single_label_classification", "softmax")],
)
def test_default_function_is_what_the_model_was_trained_with(tmp_path: Path, problem: str, function: str) -> None:
    task = "text-classification"
    made = handler(task, models.words(tmp_path, "a", "b", problem_type=problem))
    assert scores(made("x", parameters(task))) == scores(made("x", parameters(task, function_to_apply=function)))


def test_texts_of_all_lengths_go_together_and_too_long_ones_are_refused(tmp_path: Path) -> None:
    task = "text-classification"
    made = handler(task, models.words(tmp_path, "a", "b"))
    texts = ["a", "hello", "x" * 16, "x" * 17, "", "y" * 200_000, "zz"]
    answers = made.batch(texts, parameters(task))
    for text, answer in zip(texts, answers, strict=True):
        if text and len(text) <= 16:
            assert scores(answer) == pytest.approx(scores(made(text, parameters(task))), abs=1e-5)
        else:
            assert isinstance(answer, RequestProblem)
            assert answer.fields[0].field == "inputs"


def test_sounds_of_all_lengths_go_together(tmp_path: Path) -> None:
    task = "audio-classification"
    made = handler(task, models.sounds(tmp_path, "a", "b"))
    sounds = [noise(1.0), noise(0.4, 1), noise(2.0, 2, 44_100), noise(0.001, 3)]
    for sound, answer in zip(sounds, made.batch(sounds, parameters(task)), strict=True):
        assert scores(answer) == pytest.approx(scores(made(sound, parameters(task))), abs=1e-4)


def test_one_long_text_does_not_make_the_short_ones_long(tmp_path: Path) -> None:
    made = handler("text-classification", models.words(tmp_path, "a", "b"))
    assert read(made, [*["ab"] * 20, "abcdefghijklmnop", *["ba"] * 20]) == [16, 80]
    assert read(made, ["ab", "abc", "abcde"]) == [15], "a little padding costs less than another pass"


def test_rows_end_together_for_models_that_judge_by_the_end(tmp_path: Path) -> None:
    models.words(tmp_path, "a", "b")
    config = transformers.XLNetConfig(vocab_size=29, d_model=16, n_layer=2, n_head=2, d_inner=32, **labelled("a", "b"))
    transformers.XLNetForSequenceClassification(config).save_pretrained(tmp_path)
    about = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({**about, "padding_side": "left"}))
    assert read(handler("text-classification", tmp_path), ["ab", "abcdef", "c"]) == [18]


def read(made: Any, texts: list[str]) -> list[int]:
    """How many tokens, padding counted, each pass of the model reads that answers `texts` as it answers them alone."""
    task = made.binding.id
    sizes: list[int] = []
    watch = made.model.register_forward_pre_hook(
        lambda module, args, options: sizes.append(options["input_ids"].numel()), with_kwargs=True
    )
    together = made.batch(texts, parameters(task))
    watch.remove()
    for text, answer in zip(texts, together, strict=True):
        alone = made(text, parameters(task))
        assert [element.label for element in answer] == [element.label for element in alone]
        assert scores(answer) == pytest.approx(scores(alone), abs=1e-5)
    return sizes


# ------------------------------------------------------------------------------------------------ speech

ASR = "automatic-speech-recognition"


def test_ctc_reads_alike_alone_and_together(tmp_path: Path) -> None:
    made = handler(ASR, models.ctc(tmp_path))
    sounds = [noise(1.0), noise(0.4, 1), noise(1.0, 2), noise(0.01, 3)]
    for sound, answer in zip(sounds, made.batch(sounds, parameters(ASR)), strict=True):
        assert answer.text == made(sound, parameters(ASR)).text
        assert answer.model_dump().keys() == {"text"}


def test_ctc_words_have_their_times(tmp_path: Path) -> None:
    made = handler(ASR, models.ctc(tmp_path))
    sound = noise(2.0)
    answer = made(sound, parameters(ASR, return_timestamps=True))
    assert answer.chunks is not None
    assert " ".join(chunk.text for chunk in answer.chunks).split() == answer.text.split()
    times = [time for chunk in answer.chunks for time in chunk.timestamp]
    assert times == sorted(times)
    assert all(0 <= time <= sound.seconds for time in times)


def test_ctc_frames_stand_for_their_share_of_the_sound(tmp_path: Path) -> None:
    made = handler(ASR, models.ctc(tmp_path))
    assert made._reader._step(10.0, 499) == pytest.approx(0.02)


def test_ctc_has_no_generation_to_set(tmp_path: Path) -> None:
    made = handler(ASR, models.ctc(tmp_path))
    with pytest.raises(RequestProblem) as caught:
        made(noise(1), parameters(ASR, generation_parameters={"num_beams": 2}))
    assert caught.value.fields[0].field == "parameters.generation_parameters"


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Any:
    torch.manual_seed(1)
    return handler(ASR, models.whisper(tmp_path_factory.mktemp("whisper")))


def test_whisper_generates(whisper: Any) -> None:
    sounds = [noise(1.0), noise(3.0, 1)]
    together = whisper.batch(sounds, parameters(ASR))
    assert [answer.text for answer in together] == [whisper(sound, parameters(ASR)).text for sound in sounds]
    assert together[0].model_dump().keys() == {"text"}


def test_whisper_takes_generation_parameters(whisper: Any) -> None:
    lengths = [
        len(whisper(noise(1.0), parameters(ASR, generation_parameters={"max_new_tokens": n})).text) for n in (1, 8)
    ]
    assert lengths[0] <= lengths[1]
    beams = {"num_beams": 2, "max_new_tokens": 3, "early_stopping": True}
    assert isinstance(whisper(noise(1.0), parameters(ASR, generation_parameters=beams)).text, str)
    sampled = {"do_sample": True, "temperature": 1.5, "top_k": 5, "max_new_tokens": 3}
    assert isinstance(whisper(noise(1.0), parameters(ASR, generation_parameters=sampled)).text, str)


@pytest.mark.parametrize("given", [{"do_sample": True}, {"temperature": 1.5}, {"temperature": 1.5, "do_sample": True}])
def test_whisper_draws_by_either_name(whisper: Any, given: dict[str, Any]) -> None:
    torch.manual_seed(0)
    sampled = parameters(ASR, generation_parameters={**given, "max_new_tokens": 12})
    assert len({whisper(noise(1.0), sampled).text for _ in range(3)}) == 3
    narrow = parameters(ASR, generation_parameters={**given, "top_k": 1, "max_new_tokens": 12})
    greedy = parameters(ASR, generation_parameters={"temperature": 0, "max_new_tokens": 12})
    assert whisper(noise(1.0), narrow).text == whisper(noise(1.0), greedy).text


@pytest.mark.parametrize(
    "given",
    [
        {"max_new_tokens": 5000},
        {"max_new_tokens": 100},
        {"top_k": 5},
        {"temperature": 0.5, "do_sample": False},
        {"num_beams": 2, "do_sample": True},
    ],
)
def test_whisper_refuses_what_it_cannot_generate(whisper: Any, given: dict[str, Any]) -> None:
    with pytest.raises(RequestProblem) as caught:
        whisper(noise(1.0), parameters(ASR, generation_parameters=given))
    assert caught.value.status == 422
    assert caught.value.fields[0].field.startswith("parameters.generation_parameters")


@pytest.mark.parametrize("seconds", [2.0, 33.0])
def test_whisper_timestamps(whisper: Any, seconds: float) -> None:
    answer = whisper(noise(seconds), parameters(ASR, return_timestamps=True))
    assert answer.chunks
    for chunk in answer.chunks:
        start, end = chunk.timestamp
        assert start >= 0
        assert end is None or end >= start


def test_whisper_reads_beyond_its_window(whisper: Any) -> None:
    mixed = whisper.batch([noise(1.0), noise(31.0), noise(2.0)], parameters(ASR))
    assert all(isinstance(answer.text, str) for answer in mixed)


def test_served_over_http(serve: Serve, tmp_path: Path) -> None:
    live = serve(create_handler(TASKS["text-classification"], models.words(tmp_path, "a", "b")))
    answer = live.text("hello", {"top_k": 1})
    assert answer.status_code == 200, answer.text
    assert answer.json()[0].keys() == {"label", "score"}
    assert live.text("x" * 17).status_code == 422
