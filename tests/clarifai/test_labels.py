"""The labels of models, and what they are called in other languages."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from starlette.types import Message

from inference_tasks._runtime.server.host import ModelHost
from inference_tasks._runtime.server.metrics import Metrics
from inference_tasks._runtime.server.settings import Settings
from inference_tasks._runtime.torch import create_handler, labels as labels_module
from inference_tasks._runtime.torch.base import ModelDirectoryError
from inference_tasks._runtime.torch.demo import sound, text, vision
from inference_tasks._tasks import TASKS
from inference_tasks.server import Handler, ImageClassificationHandler, ZeroShotClassificationHandler

from ..server import tiny_vision as tiny

PETS = ("cat", "dog")
GERMAN = {"cat": "Katze", "dog": "Hund"}


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return vision.classifier(tmp_path_factory.mktemp("pets"), *PETS)


@pytest.fixture
def directory(pets: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pets, tmp_path / "model"))


def handler(directory: Path, task: str = "image-classification") -> Handler[Any, Any, Any]:
    return create_handler(TASKS[task], directory)


@pytest.mark.parametrize(
    ("task", "build", "labels"),
    [
        ("audio-classification", sound.classifier, ["silence", "tone", "noise", "clicks", "speech"]),
        ("image-classification", vision.classifier, list("0123456789")),
        ("image-segmentation", tiny.segformer, ["sky", "road", "car"]),
        ("object-detection", tiny.yolos, ["cat", "dog", "bird"]),
        ("text-classification", text.classifier, ["NEGATIVE", "POSITIVE"]),
        # As answers hold them: entities first, whose kinds have no mark; and tokens, as they are.
        ("token-classification", text.tagger, ["O", "PER", "LOC", "B-PER", "I-PER", "B-LOC", "I-LOC"]),
        ("video-classification", tiny.videomae, list("abcdefg")),
        ("visual-question-answering", tiny.vilt, ["yes", "no", "two", "red", "cat", "dog", "left"]),
        ("visual-question-answering", tiny.blip, []),
        ("zero-shot-classification", text.judge, []),
        ("fill-mask", text.masked, []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_labels_of_a_model_are_those_of_its_configuration(
    task: str, build: Callable[[Path], Any], labels: list[str], tmp_path: Path
) -> None:
    build(tmp_path)
    model = handler(tmp_path, task)
    assert list(model.labels) == []
    model.load()
    assert list(model.labels) == labels
    model.unload()
    assert list(model.labels) == []


def test_whatever_entities_are_called_is_a_label(tmp_path: Path) -> None:
    model = handler(text.tagger(tmp_path), "token-classification")
    model.load()
    parameters = model.binding.parameters_class
    found = {
        name
        for strategy in ("none", "simple", "first")
        for entity in model("Ada met Bob in Rome", parameters(aggregation_strategy=strategy, ignore_labels=[]))
        for name in (entity.entity, entity.entity_group)
        if name is not None
    }
    assert found
    assert found <= set(model.labels)


def test_names_in_other_languages_are_known_before_the_model_is_loaded(directory: Path) -> None:
    (directory / "labels.de.json").write_text(json.dumps(GERMAN))
    (directory / "labels.zh-Hans.json").write_text(json.dumps({"cat": "猫"}), encoding="utf-8")
    (directory / "labels.en.json").write_text("{}")
    model = handler(directory)
    assert model.label_names == {"de": GERMAN, "en": {}, "zh-Hans": {"cat": "猫"}}
    model.load()
    model.unload()
    assert list(model.label_names) == ["de", "en", "zh-Hans"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b'"cat"',
        b"{",
        b'{"cat": 1}',
        b'{"cat": null}',
        b'{"cat": ""}',
        b'{"cat": ["Katze"]}',
        b'{"cat": "Katze", "cat": "Kater"}',
        b'{"cat": "\\ud800"}',
        b'{"cat": "\xff"}',
        b"[" * 100_000,
        b'{"cat":' * 100_000,
        b'{"cat": "Katze"}' + b" " * labels_module.MAX_BYTES,
    ],
    ids=lambda content: content[:20].decode("latin-1"),
)
def test_a_file_of_names_that_cannot_be_used_is_refused(content: bytes, directory: Path) -> None:
    (directory / "labels.de.json").write_bytes(content)
    with pytest.raises(ModelDirectoryError, match=r"labels\.de\.json: must be a JSON object") as caught:
        handler(directory)
    assert len(str(caught.value)) < 400


def test_a_folder_in_its_place_is_refused(directory: Path) -> None:
    (directory / "labels.de.json").mkdir()
    with pytest.raises(ModelDirectoryError, match="must be a JSON object"):
        handler(directory)


@pytest.mark.parametrize("language", ["de_DE", "d", "-", "de-", "deutschland", "de.old", "de DE", "dé"])
def test_a_file_of_no_language_is_refused(language: str, directory: Path) -> None:
    (directory / f"labels.{language}.json").write_text("{}")
    with pytest.raises(ModelDirectoryError, match="no language tag, such as de or zh-Hans"):
        handler(directory)


def test_too_many_languages_are_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels_module, "MAX_LANGUAGES", 2)
    for language in ("de", "fr"):
        (directory / f"labels.{language}.json").write_text("{}")
    assert list(handler(directory).label_names) == ["de", "fr"]
    (directory / "labels.it.json").write_text("{}")
    with pytest.raises(ModelDirectoryError, match="more than 2 languages"):
        handler(directory)


def test_a_name_for_what_is_no_label_is_refused_once_the_labels_are_known(directory: Path) -> None:
    (directory / "labels.de.json").write_text('{"cat": "Katze", "dgo": "Hund"}')
    model = handler(directory)
    with pytest.raises(ModelDirectoryError, match=r"labels\.de\.json names 'dgo', which is no label of this model"):
        model.load()


def test_other_files_are_none_of_its_business(directory: Path) -> None:
    (directory / "labels.json").write_text("no JSON")
    (directory / "labels.txt").write_text("no JSON")
    assert handler(directory).label_names == {}


class Pets(ImageClassificationHandler):
    labels = PETS
    label_names = MappingProxyType({"de": GERMAN})

    def __call__(self, inputs: Any, parameters: Any) -> Any:
        return []


class Free(ZeroShotClassificationHandler):
    def __call__(self, inputs: Any, parameters: Any) -> Any:
        return []


def test_a_host_tells_what_its_handler_does(directory: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        host = ModelHost(Pets(), Settings(), Metrics(), threads)
        assert (list(host.labels), list(host.languages)) == ([*PETS], ["de"])
        assert host.names("de") == GERMAN
        assert host.names("fr") == {}
        free = ModelHost(Free(), Settings(), Metrics(), threads)
        assert (list(free.labels), list(free.languages), free.names("de")) == ([], [], {})


def test_the_labels_of_a_model_are_there_once_it_was_waited_for(directory: Path) -> None:
    (directory / "labels.de.json").write_text(json.dumps(GERMAN))

    async def receive() -> Message:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("unreachable")

    async def waited() -> tuple[list[str], list[str]]:
        with ThreadPoolExecutor(1) as threads:
            host = ModelHost(handler(directory), Settings(lazy=True), Metrics(), threads)
            before = list(host.labels)
            await host.loaded(receive)
            host.stop()
            return before, list(host.labels)

    assert asyncio.run(waited()) == ([], [*PETS])
