"""The trained demo models as they are committed: small, safe to load, and complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

DEMO = Path(__file__).parent.parent / "templates" / "demo"
BUDGET = 5_000_000

# The Auto class of each task, and the labels that its config must name; speech recognition has letters instead.
AUTO_CLASSES = {
    "audio-classification": "AutoModelForAudioClassification",
    "automatic-speech-recognition": "AutoModelForCTC",
    "image-classification": "AutoModelForImageClassification",
    "text-classification": "AutoModelForSequenceClassification",
}
LABELS = {
    "audio-classification": ["tone", "chirp", "noise", "clicks", "chord", "speech", "silence"],
    "image-classification": list("0123456789"),
    "text-classification": ["NEGATIVE", "POSITIVE"],
}
# What a model directory may hold: weights that cannot run code, and text.
FILES = {
    "config.json",
    "model.safetensors",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
}


def files_of(task: str) -> list[Path]:
    return sorted(path for path in (DEMO / task).rglob("*") if path.is_file())


def config_of(task: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((DEMO / task / "config.json").read_text(encoding="utf-8"))
    return config


def test_all_together_keep_to_the_budget() -> None:
    sizes = {task: sum(path.stat().st_size for path in files_of(task)) for task in AUTO_CLASSES}
    assert all(sizes.values()), sizes
    assert sum(sizes.values()) < BUDGET, sizes


@pytest.mark.parametrize("task", AUTO_CLASSES)
def test_the_weights_are_safetensors_and_nothing_is_left_over(task: str) -> None:
    names = {path.relative_to(DEMO / task).as_posix() for path in files_of(task)}
    assert {"config.json", "model.safetensors"} <= names
    assert names <= FILES


@pytest.mark.parametrize("task", AUTO_CLASSES)
def test_no_file_names_a_place_on_the_machine_that_trained_it(task: str) -> None:
    for path in files_of(task):
        if path.suffix == ".json" and path.name != "tokenizer.json":  # which holds words, some of them with slashes
            document = json.loads(path.read_text(encoding="utf-8"))
            texts = [value for value in document.values() if isinstance(value, str)]
            assert not [text for text in texts if text.startswith(("/", "~")) or "\\" in text], path.name


@pytest.mark.parametrize("task", LABELS)
def test_the_config_names_the_labels(task: str) -> None:
    config = config_of(task)
    assert list(config["id2label"].values()) == LABELS[task]
    assert config["label2id"] == {label: index for index, label in enumerate(LABELS[task])}


def test_the_speech_config_tells_how_long_a_frame_is() -> None:
    """Word times come from `inputs_to_logits_ratio`, which is only true of 80 mel bands; see the training module."""
    directory = DEMO / "automatic-speech-recognition"
    config = transformers.AutoConfig.from_pretrained(directory, local_files_only=True)
    extractor = transformers.AutoFeatureExtractor.from_pretrained(directory, local_files_only=True)
    assert config.inputs_to_logits_ratio == 160 * extractor.stride
    assert config.inputs_to_logits_ratio / extractor.sampling_rate == 0.03


@pytest.mark.parametrize("task", AUTO_CLASSES)
def test_the_auto_class_finds_every_weight(task: str) -> None:
    auto = getattr(transformers, AUTO_CLASSES[task])
    _, report = auto.from_pretrained(DEMO / task, local_files_only=True, output_loading_info=True)
    assert not any(report.values()), report
