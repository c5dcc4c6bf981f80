"""Whatever a task may ask or answer is in its Clarifai form what Clarifai's protos hold, and means the same there."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from clarifai_grpc.channel.custom_converters.custom_message_to_dict import protobuf_to_dict
from clarifai_grpc.grpc.api.resources_pb2 import Data, Model
from google.protobuf.json_format import MessageToDict, ParseError
from hypothesis import assume, given, settings, strategies as st

from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime.errors import InputError
from inference_tasks._runtime.forms import hear
from inference_tasks._runtime.server.clarifai.options import MAX_CONCEPTS, options
from inference_tasks._runtime.server.clarifai.problems import Problem
from inference_tasks._runtime.server.settings import UNSET
from inference_tasks._runtime.types import dump
from inference_tasks._runtime.validation import validate_request, validate_response
from inference_tasks._tasks import TASKS
from inference_tasks.testing import boundary_responses, requests, responses

from . import judge
from .judge import alike

WIRES = DIALECTS["clarifai"].wires
HEARABLE = sorted(task for task, wire in WIRES.items() if not wire.missing)
FACTS = {"{id}": "7f", "{model}": "m", "{time}": 1, "{width}": 640, "{height}": 480}


def no_list_is_empty(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(item != [] and no_list_is_empty(item) for item in inner)


@pytest.mark.parametrize("task", sorted(WIRES))
@settings(max_examples=60)
@given(drawn=st.data())
def test_answers_are_data(task: str, drawn: st.DataObject) -> None:
    answer = drawn.draw(responses(task) | boundary_responses(task))
    # Nobody's embedding is of no numbers.
    assume(task != "feature-extraction" or no_list_is_empty(answer))
    said = json.loads(json.dumps(WIRES[task].answered(answer, FACTS), allow_nan=False))
    assume(judge.holdable(said, Data.DESCRIPTOR))
    judge.parsed(said, Data)
    assert list(judge.not_shown(said, Data.DESCRIPTOR)) == []


@pytest.mark.parametrize("task", HEARABLE)
@settings(max_examples=60)
@given(drawn=st.data())
def test_answers_mean_the_same_as_data(task: str, drawn: st.DataObject) -> None:
    binding, wire = TASKS[task], WIRES[task]
    answer = drawn.draw(responses(task))
    assume(task != "feature-extraction" or no_list_is_empty(answer))
    said = wire.answered(answer, FACTS)
    assume(judge.holdable(said, Data.DESCRIPTOR))
    message = judge.parsed(said, Data)

    def heard(value: Any) -> Any:
        return dump(wire.heard(copy.deepcopy(value), lambda found: validate_response(binding, found), FACTS))

    assert alike(heard(judge.written(message)), heard(said))


BOX = {"xmin": 0, "ymin": 0, "xmax": 64, "ymax": 48}


@pytest.mark.filterwarnings("ignore:label:DeprecationWarning")
@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("image-classification", []),
        ("object-detection", [{"label": "cat", "score": 0.0, "box": BOX}]),
        ("token-classification", [{"entity_group": "PER", "score": 0.5, "word": "Jim", "start": 0, "end": 3}]),
        ("text-generation", {"generated_text": ""}),
        ("automatic-speech-recognition", {"text": ""}),
        ("automatic-speech-recognition", {"text": "a", "chunks": [{"text": "", "timestamp": [0.0, 0.5]}]}),
    ],
)
def test_what_clarifai_leaves_out_is_understood(task: str, answer: Any) -> None:
    """It writes no zeros and no empty texts, but for those that the protos want shown."""
    binding, wire = TASKS[task], WIRES[task]
    message = judge.parsed(wire.answered(copy.deepcopy(answer), FACTS), Data)
    written = protobuf_to_dict(message)
    assert dump(wire.heard(written, lambda found: validate_response(binding, found), FACTS)) == answer


@pytest.mark.parametrize("said", [{}, {"concepts": []}, {"regions": []}])
@pytest.mark.parametrize("task", ["image-classification", "object-detection"])
def test_empty_lists_are_no_answers(task: str, said: Any) -> None:
    assert WIRES[task].heard(said, lambda found: validate_response(TASKS[task], found)) == []


@pytest.mark.parametrize("task", sorted(WIRES))
@settings(max_examples=60)
@given(drawn=st.data())
def test_requests_are_inputs_and_options(task: str, drawn: st.DataObject) -> None:
    request = drawn.draw(requests(task))
    wire = WIRES[task]
    try:
        said = wire.asked(copy.deepcopy(request))
    except InputError:
        return
    said_params = said.get("params", {})
    selected = [concept["name"] for concept in said_params.get("select_concepts", ())]
    assume(len(selected) == len(set(selected)))
    model = judge.options(said_params)
    assume(judge.holdable(said["data"], Data.DESCRIPTOR) and judge.holdable(model, Model.DESCRIPTOR))
    sent = MessageToDict(judge.parsed(model, Model), preserving_proto_field_name=True)
    try:
        params = options({"model": sent}, wire, UNSET).asked(wire, 0, MAX_CONCEPTS)
    except Problem:
        return
    told = {"data": judge.written(judge.data(said["data"])), "params": params}
    heard = hear(wire.requests, told, lambda value: validate_request(TASKS[task], value), named=True)
    assert alike(dump(heard), request)


@pytest.mark.parametrize("name", ["label", "text_raw", "base_64"])
def test_the_judge_refuses_unknown_members(name: str) -> None:
    for value in ({name: 1}, {"regions": [{"region_info": {name: 1}}]}):
        with pytest.raises(ParseError, match=f'no field named "{name}"'):
            judge.parsed(value, Data)


def test_the_judge_misses_what_the_protos_want_shown() -> None:
    value = {"concepts": [{"value": 0}, {"name": "x"}], "regions": [{"region_info": {"bounding_box": {"top_row": 1}}}]}
    edges = [f".regions[0].region_info.bounding_box.{edge}" for edge in ("left_col", "bottom_row", "right_col")]
    assert list(judge.not_shown(value, Data.DESCRIPTOR)) == [".concepts[1].value", *edges]
