"""Sounds out of texts and sounds, and values out of tables. (Images and films are in test_torch_diffusion.)"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import numpy as np
import soundfile
import torch
import transformers
from safetensors.torch import load_file, save_file

from inference_tasks import Client
from inference_tasks._runtime.torch import create_handler
from inference_tasks._runtime.torch.base import ModelDirectoryError
from inference_tasks._tasks import TASKS
from inference_tasks.server import Audio, RequestProblem

from . import tiny_making as tiny
from .live import Serve, b64

SPEECH, SOUND, CONVERT = "text-to-speech", "text-to-audio", "audio-to-audio"
CLASSIFY, ESTIMATE = "tabular-classification", "tabular-regression"
FIELD = "parameters.generation_parameters"

Load = Callable[[str, str], Any]


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("makers")
    made = {name: getattr(tiny, name)(root / name) for name in ("vits", "speecht5", "musicgen", "bark", "converter")}
    made["stereo"] = tiny.musicgen(root / "stereo", channels=2)
    made["voices"] = tiny.vits(root / "voices", num_speakers=2, speaker_embedding_size=8)
    made["classifier"] = tiny.table(root / "classifier", classes=["no", 7, "yes"])
    made["estimator"] = tiny.table(root / "estimator", target={"mean": 20.0, "scale": 6.0}, hidden_sizes=[])
    return made


@pytest.fixture(scope="module")
def loaded(directories: dict[str, Path]) -> Load:
    """The handler of a task on one of the models, loaded once."""
    handlers: dict[tuple[str, str], Any] = {}

    def load(task: str, model: str) -> Any:
        if (task, model) not in handlers:
            handlers[task, model] = create_handler(TASKS[task], directories[model])
            handlers[task, model].load()
        return handlers[task, model]

    return load


def given(task: str, **generation: Any) -> Any:
    return TASKS[task].parameters_class(**({"generation_parameters": generation} if generation else {}))


def heard(answer: Any) -> Any:
    samples, rate = soundfile.read(io.BytesIO(answer.audio.data), dtype="float32")
    assert rate == answer.sampling_rate
    return samples


def alike(one: Any, other: Any) -> bool:
    return one.shape == other.shape and np.abs(one - other).max() < 1e-4


def noise(seconds: float, seed: int = 0, rate: int = 16_000) -> Audio:
    return Audio(np.random.default_rng(seed).uniform(-0.5, 0.5, int(seconds * rate)).astype(np.float32), rate)


def blamed(call: Callable[[], Any]) -> str:
    with pytest.raises(RequestProblem) as caught:
        call()
    assert caught.value.status == 422
    return caught.value.fields[0].field


# ------------------------------------------------------------------------------------------------ sound


@pytest.mark.parametrize("model", ["vits", "voices", "speecht5", "musicgen", "bark"])
def test_texts_go_together_as_they_go_alone_and_bad_ones_fail_alone(loaded: Load, model: str) -> None:
    speak = loaded(SPEECH, model)
    texts = ["hello", "turn left", " ", "x" * 6_000, "all aboard"]
    answers = speak.batch(texts, given(SPEECH))
    for index in (0, 1, 4):
        assert alike(heard(answers[index]), heard(speak(texts[index], given(SPEECH))))
    assert not alike(heard(answers[0]), heard(answers[1]))
    for index in (2, 3):
        assert answers[index].fields[0].field == "inputs"


@pytest.mark.parametrize(("model", "most"), [("speecht5", 30), ("musicgen", 64), ("bark", 32)])
def test_texts_longer_than_the_model_reads_are_refused(loaded: Load, model: str, most: int) -> None:
    with pytest.raises(RequestProblem, match=f"at most {most}"):
        loaded(SPEECH, model)("x" * (most + 1), given(SPEECH))


@pytest.mark.parametrize("model", ["vits", "speecht5", "musicgen", "stereo", "bark"])
def test_sounds_are_those_of_the_pipeline(loaded: Load, directories: dict[str, Path], model: str) -> None:
    directory, options = directories[model], {}
    arguments: dict[str, Any] = {}
    if model == "speecht5":
        options["vocoder"] = transformers.SpeechT5HifiGan.from_pretrained(directory / "vocoder")
        arguments["forward_params"] = {
            "speaker_embeddings": load_file(directory / "speaker.safetensors")["voice"][None]
        }
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    if model == "bark":
        options["processor"] = transformers.BarkProcessor(tokenizer)
    theirs = transformers.pipeline("text-to-audio", model=str(directory), tokenizer=tokenizer, **options)
    made = theirs("hello there", **arguments)
    ours = loaded(SOUND, model)("hello there", given(SOUND))
    assert ours.sampling_rate == made["sampling_rate"]
    samples = made["audio"].T if model == "stereo" else made["audio"]
    assert alike(heard(ours), np.clip(samples, -1, 1))


@pytest.mark.parametrize(("model", "samples"), [("musicgen", 80), ("bark", 480)])
def test_tokens_set_the_length(loaded: Load, model: str, samples: int) -> None:
    make = loaded(SOUND, model)
    short, long = (len(heard(make("bell", given(SOUND, max_new_tokens=n)))) for n in (6, 10))
    assert long - short == 4 * samples


@pytest.mark.parametrize("model", ["musicgen", "bark"])
def test_sampling_follows_its_parameters(loaded: Load, model: str) -> None:
    make = loaded(SOUND, model)

    def made(seed: int = 0, **values: Any) -> Any:
        torch.manual_seed(seed)
        return heard(make("bell", given(SOUND, max_new_tokens=10, **values)))

    plain = made()
    assert alike(plain, made(seed=1))
    assert alike(plain, made(use_cache=False))
    sampled = made(do_sample=True)
    assert not alike(plain, sampled)
    assert not alike(sampled, made(seed=1, do_sample=True))
    for narrow in ({"top_k": 1}, {"top_p": 0.0}, {"typical_p": 0.001}, {"epsilon_cutoff": 0.5}, {"eta_cutoff": 0.5}):
        assert not alike(sampled, made(do_sample=True, **narrow)), narrow
    assert alike(plain, made(do_sample=True, top_k=1))
    assert not alike(sampled, made(do_sample=True, temperature=0.2))


@pytest.mark.parametrize(
    ("model", "values", "field"),
    [
        ("vits", {"do_sample": True}, FIELD),
        ("speecht5", {"max_new_tokens": 3}, FIELD),
        ("bark", {"max_length": 30}, f"{FIELD}.max_length"),
        ("bark", {"num_beams": 2}, f"{FIELD}.num_beams"),
        ("bark", {"do_sample": True, "temperature": 0.0}, f"{FIELD}.temperature"),
        ("bark", {"top_k": 3}, f"{FIELD}.top_k"),
        ("bark", {"min_new_tokens": 9, "max_new_tokens": 8}, f"{FIELD}.min_new_tokens"),
        ("musicgen", {"temperature": 0.5}, f"{FIELD}.temperature"),
        ("musicgen", {"min_new_tokens": 9, "max_new_tokens": 8}, f"{FIELD}.min_new_tokens"),
        ("musicgen", {"num_beams": 2}, FIELD),
        ("musicgen", {"do_sample": True, "temperature": 0.0}, f"{FIELD}.temperature"),
        ("musicgen", {"penalty_alpha": 0.5}, f"{FIELD}.penalty_alpha"),
        ("musicgen", {"num_beam_groups": 2}, f"{FIELD}.num_beam_groups"),
    ],
)
def test_what_a_model_cannot_do_is_refused(loaded: Load, model: str, values: dict[str, Any], field: str) -> None:
    assert blamed(lambda: loaded(SPEECH, model)("hello", given(SPEECH, **values))) == field


def test_recordings_are_said_in_another_voice(loaded: Load, directories: dict[str, Path]) -> None:
    convert, directory = loaded(CONVERT, "converter"), directories["converter"]
    sounds = [noise(0.3), noise(0.1, 1, 44_100), noise(61.0), noise(0.001)]
    answers = convert.batch(sounds, None)
    assert isinstance(answers[2], RequestProblem)
    assert answers[2].fields[0].field == "inputs"
    del sounds[2], answers[2]
    model = transformers.SpeechT5ForSpeechToSpeech.from_pretrained(directory).eval()
    vocoder = transformers.SpeechT5HifiGan.from_pretrained(directory / "vocoder").eval()
    voice = load_file(directory / "speaker.safetensors")["voice"][None]
    for sound, ((element,), alone) in zip(sounds, zip(answers, map(convert, sounds), strict=True), strict=True):
        assert element.blob == alone[0].blob
        assert (element.label, element.content_type) == ("speech", "audio/wav")
        samples = sound.resampled(16_000).samples
        padded = torch.tensor(np.pad(samples, (0, max(0, 1600 - len(samples)))))[None]
        with torch.inference_mode():
            expected = model.generate_speech(padded, voice, vocoder=vocoder).numpy()
        made, rate = soundfile.read(io.BytesIO(element.blob.data), dtype="float32")
        assert rate == 16_000
        assert alike(made, np.clip(expected, -1, 1))


def test_directories_without_all_parts_are_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    directory = tiny.speecht5(tmp_path / "speecht5")
    (directory / "speaker.safetensors").rename(tmp_path / "speaker.safetensors")
    with pytest.raises(ModelDirectoryError, match="speaker"):
        create_handler(TASKS[SPEECH], directory)
    save_file({"voice": torch.zeros(3)}, directory / "speaker.safetensors")
    with pytest.raises(ModelDirectoryError, match="16 numbers"):
        create_handler(TASKS[SPEECH], directory).load()
    (directory / "vocoder").rename(tmp_path / "vocoder")
    with pytest.raises(ModelDirectoryError, match="vocoder"):
        create_handler(TASKS[SPEECH], directory)
    config = directory / "config.json"
    config.write_text(config.read_text().replace('"model_type": "speecht5"', '"model_type": "bert"'))
    with pytest.raises(ModelDirectoryError, match="makes sound"):
        create_handler(TASKS[SPEECH], directory)


# ------------------------------------------------------------------------------------------------ tables


def table(task: str, **columns: Any) -> Any:
    return TASKS[task].input_class(inputs={"data": columns}).inputs


ROWS = {"weight": [900, "1400.5", 2000], "district": ["Old Town", 3, "Harbour"]}
FEATURES = np.array([[-1, 1, 0, 0], [1.5025, 0, 0, 1], [4.5, 0, 1, 0]])


def outputs(directory: Path, layers: int) -> Any:
    """What the network makes of FEATURES, computed once more."""
    weights = {name: tensor.double().numpy() for name, tensor in load_file(directory / "model.safetensors").items()}
    values = FEATURES
    for layer in range(layers):
        values = values @ weights[f"layers.{layer}.weight"].T + weights[f"layers.{layer}.bias"]
        values = np.maximum(values, 0) if layer < layers - 1 else values
    return values


def test_rows_are_classified(loaded: Load, directories: dict[str, Path]) -> None:
    expected = [["no", 7, "yes"][index] for index in outputs(directories["classifier"], 2).argmax(axis=1)]
    assert loaded(CLASSIFY, "classifier")(table(CLASSIFY, **ROWS)) == expected
    assert len(set(expected)) == 3


def test_numbers_are_estimated(loaded: Load, directories: dict[str, Path]) -> None:
    expected = outputs(directories["estimator"], 1)[:, 0] * 6 + 20
    assert loaded(ESTIMATE, "estimator")(table(ESTIMATE, **ROWS)) == pytest.approx(expected.tolist(), abs=1e-4)


def test_tables_go_together_and_bad_ones_fail_alone(loaded: Load) -> None:
    estimate = loaded(ESTIMATE, "estimator")
    bad = {
        "inputs.data": [
            {"weight": [1]},
            {},
            {**ROWS, "colour": ["red"] * 3},
            {"weight": [1, 2], "district": ["Harbour"]},
            {"weight": [1] * 100_001, "district": ["Harbour"] * 100_001},
        ],
        "inputs.data.district.1": [{"weight": [1, 2], "district": ["Harbour", "Moon"]}],
        "inputs.data.weight.0": [
            {"weight": [value], "district": ["Harbour"]} for value in ("heavy", "", "nan", "1e999")
        ],
    }
    fields = [field for field, tables in bad.items() for _ in tables]
    wrong = [table(ESTIMATE, **columns) for tables in bad.values() for columns in tables]
    right = [table(ESTIMATE, **ROWS), table(ESTIMATE, weight=[], district=[])]
    answers = estimate.batch([right[0], *wrong, right[1]], None)
    assert [answer.fields[0].field for answer in answers[1:-1]] == fields
    assert answers[0] == pytest.approx(estimate(right[0]))
    assert answers[-1] == []


@pytest.mark.parametrize(
    "spoiled",
    [
        {"model_type": "bert"},
        {"columns": [{"name": "weight", "mean": 0, "scale": 0}]},
        {"columns": [{"name": "weight"}]},
        {"columns": "all"},
        {"hidden_sizes": [8, 8]},
        {"activation": "os.system"},
        {"classes": []},
        {"classes": [True, False, None]},
        {"classes": ["a", "b"]},
    ],
)
def test_directories_whose_files_do_not_fit_are_refused(tmp_path: Path, spoiled: dict[str, Any]) -> None:
    directory = tiny.table(tmp_path, classes=["a", "b", "c"])
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps(config | spoiled))
    with pytest.raises(ModelDirectoryError, match="no model for tables"):
        create_handler(TASKS[CLASSIFY], directory).load()


def test_pickled_tables_are_refused(tmp_path: Path) -> None:
    directory = tiny.table(tmp_path, classes=["a"])
    (directory / "model.safetensors").rename(directory / "model.pkl")
    with pytest.raises(ModelDirectoryError, match="pickled"):
        create_handler(TASKS[CLASSIFY], directory)


# ------------------------------------------------------------------------------------------------ over HTTP


def test_served_to_the_client(serve: Serve, loaded: Load) -> None:
    models = {SPEECH: "vits", SOUND: "musicgen", CONVERT: "converter", CLASSIFY: "classifier", ESTIMATE: "estimator"}
    live = serve(*(loaded(task, model) for task, model in models.items()))
    with Client(live.url) as client:
        assert heard(client.text_to_speech("hello")).size
        assert heard(client.text_to_audio("bell", generation_parameters={"max_new_tokens": 6})).size
        sound = io.BytesIO()
        soundfile.write(sound, noise(0.2).samples, 16_000, format="FLAC")
        assert client.audio_to_audio(sound.getvalue())[0].blob.data[:4] == b"RIFF"
        assert len(client.tabular_classification({"data": ROWS})) == 3
        assert len(client.tabular_regression({"data": ROWS})) == 3
    refused = live.post(
        "/tasks/text-to-speech", json={"inputs": "x", "parameters": {"generation_parameters": {"top_k": 1}}}
    )
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, FIELD)
    silent = live.post("/tasks/audio-to-audio", json={"inputs": b64(b"no sound")})
    assert silent.status_code == 422
