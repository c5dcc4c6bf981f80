"""`taskbind import clarifai` on whole files: each folder of `clarifai/` holds one, its specs, and what is told."""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.testclient import TestClient

from taskbind.config import Config
from taskbind.importing.clarifai import read
from taskbind.importing.write import write
from taskbind.pipeline import generate
from tests.support.project import contents, imported

CASES = Path(__file__).parent / "clarifai"
NAMES = sorted(path.name for path in CASES.iterdir())
SOUND = base64.b64encode(b"RIFF" + bytes(40)).decode()


@pytest.mark.parametrize("case", NAMES)
def test_a_file_becomes_the_specs_beside_it(case: str, tmp_path: Path) -> None:
    made = read(CASES / case / "input.json")
    write(made, tmp_path / "specs")
    assert contents(tmp_path / "specs") == contents(CASES / case / "specs")
    assert "".join(f"{each}\n" for each in made.report) == (CASES / case / "findings.txt").read_text(encoding="utf-8")


def test_the_files_are_answers_of_the_api_and_any_json_of_theirs_means_the_same(tmp_path: Path) -> None:
    from clarifai_grpc.grpc.api import service_pb2 as protos
    from google.protobuf.json_format import MessageToJson, ParseDict

    answers = {
        "speech": protos.SingleModelResponse,
        "models": protos.MultiModelResponse,
        "model-types": protos.MultiModelTypeResponse,
    }
    assert sorted(answers) == NAMES
    for name, kind in answers.items():
        message = ParseDict(json.loads((CASES / name / "input.json").read_text(encoding="utf-8")), kind())
        found = []
        for ways in ({}, {"preserving_proto_field_name": True}, {"use_integers_for_enums": True}):
            (tmp_path / "again.json").write_text(MessageToJson(message, **ways), encoding="utf-8")
            found.append(read(tmp_path / "again.json").files)
        assert found[0] == found[1] == found[2]
        assert found[0].keys() == read(CASES / name / "input.json").files.keys()


@pytest.fixture(scope="module", params=NAMES)
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package that is generated from the specs of a case."""
    name = f"clarifai_{request.param.replace('-', '_')}"
    config = Config(CASES / request.param / "specs", tmp_path_factory.mktemp(name) / "out", package=name)
    generate(config)
    with imported(config) as module:
        yield module


def test_the_generated_package_speaks_what_was_imported(package: ModuleType) -> None:
    wires = importlib.import_module(f"{package.__name__}._dialects").DIALECTS["clarifai"].wires
    calls = CALLS[package.__name__]
    assert set(wires) == set(calls)
    for task, (request, call, data, answer) in calls.items():
        assert wires[task].asked(request) == call
        assert wires[task].heard(data, lambda value: value) == answer


@pytest.mark.parametrize("package", ["speech"], indirect=True)
def test_a_generated_server_answers_a_method_whole_and_in_pieces(package: ModuleType) -> None:
    server: Any = importlib.import_module(f"{package.__name__}.server")
    pieces = [{"text": "Hello", "span": [0, 0.5]}, {"text": "there", "span": [0.5, 1]}]
    ways = {"__call__": lambda self, request: pieces, "stream": lambda self, request: iter(pieces)}
    handler = type("Segments", (server.WhisperLargeV3SegmentsHandler,), ways)()
    with TestClient(server.create_app([handler])) as client:
        answer = client.post("/tasks/whisper-large-v3-segments", json={"audio": SOUND})
        assert (answer.status_code, answer.json()) == (200, pieces)
        answer = client.post("/tasks/whisper-large-v3-segments", json={"audio": SOUND, "stream": True})
        events = [line.removeprefix("data:").strip() for line in answer.text.splitlines() if line.startswith("data:")]
        assert [json.loads(event) for event in events if event != "[DONE]"] == pieces
        assert client.post("/tasks/whisper-large-v3-segments", json={"audio": SOUND, "overlap": "x"}).status_code == 422


CONCEPT = {"id": "cat", "name": "cat", "value": 0.5}
BOX = {"top_row": 0.1, "left_col": 0.2, "bottom_row": 0.3, "right_col": 0.4}
REGION = {"id": "r", "bounding_box": BOX, "concepts": [CONCEPT]}
REGION_THERE = {"id": "r", "region_info": {"bounding_box": BOX}, "data": {"concepts": [CONCEPT]}}
FOUND = ({"regions": [REGION_THERE]}, [REGION])
CALLS: dict[str, dict[str, tuple[Any, Any, Any, Any]]] = {
    "clarifai_speech": {
        "whisper-large-v3": (
            {"audio": SOUND, "parameters": {"beams": 2}},
            {"data": {"audio": {"base64": SOUND}}, "params": {"beams": 2}},
            {"text": {"raw": "Hello."}},
            "Hello.",
        )
    },
    "clarifai_models": {
        "street-detector": (
            {"image": SOUND, "parameters": {"threshold": 0.1}},
            {"data": {"image": {"base64": SOUND}}, "params": {"threshold": 0.1}},
            *FOUND,
        )
    },
    "clarifai_model_types": {
        "visual-classifier": (
            {"image": SOUND, "parameters": {"max_concepts": 3}},
            {"data": {"image": {"base64": SOUND}}, "params": {"max_concepts": 3}},
            {"concepts": [CONCEPT]},
            [CONCEPT],
        ),
        "visual-detector": ({"image": SOUND}, {"data": {"image": {"base64": SOUND}}}, *FOUND),
        "text-embedder": (
            {"text": "a"},
            {"data": {"text": {"raw": "a"}}},
            {"embeddings": [{"vector": [1, 0.5], "num_dimensions": 2}]},
            [[1, 0.5]],
        ),
    },
}
