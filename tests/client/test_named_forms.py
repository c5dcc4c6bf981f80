"""Dialects that hold what is named only: nested places, lengths, pixels as parts; and Clarifai's own wires."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import TypeAdapter

from inference_tasks._dialects import DIALECTS
from inference_tasks._runtime.dialect import Wire
from inference_tasks._runtime.errors import InputError
from inference_tasks._runtime.forms import EACH, Form, Length, NoPlaceError, complete, hear, speak, speak_named
from inference_tasks._runtime.types import dump
from inference_tasks._runtime.validation import validate_request, validate_response
from inference_tasks._tasks import TASKS
from inference_tasks.testing import requests, responses

CLARIFAI = DIALECTS["clarifai"]
HEARABLE = sorted(task for task, wire in CLARIFAI.wires.items() if not wire.missing)

INNER: Form = ((("parameters",), ("params",)), (("parameters", "top_k"), ("params", "most")))
OUTER: Form = ((("parameters", "generation"), ("params",)), (("parameters", "language"), ("params", "language")))
VECTORS: Form = (((EACH, EACH), ("vectors", EACH, "v", EACH)),)
VECTOR: Form = (((), ("vectors", 0, "v")),)
FACTS = {"{id}": "7f", "{width}": 640, "{height}": 480}


def anything(value: Any) -> Any:
    return value


def unread(value: Any) -> Any:
    """Accepts what has no member of a wire in it."""
    return TypeAdapter(list[float] | list[list[float]]).validate_python(value, strict=True)


def without_empty(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    members = {name: without_empty(inner) for name, inner in value.items()}
    return {name: inner for name, inner in members.items() if inner != {}}


class TestNestedPlaces:
    """Of two places the longer one holds; the other has the rest."""

    @pytest.mark.parametrize(
        ("form", "spec", "wire"),
        [
            (INNER, {"parameters": {"top_k": 3, "f": 1}}, {"params": {"most": 3, "f": 1}}),
            (INNER, {"parameters": {"top_k": 3}}, {"params": {"most": 3}}),
            (INNER, {"parameters": {"f": {"g": [1]}}}, {"params": {"f": {"g": [1]}}}),
            (INNER, {"parameters": {}}, {"params": {}}),
            (OUTER, {"parameters": {"generation": {"t": 1}, "language": "de"}}, {"params": {"t": 1, "language": "de"}}),
            (OUTER, {"parameters": {"language": "de", "generation": {"t": 1}}}, {"params": {"language": "de", "t": 1}}),
        ],
    )
    def test_both_ways(self, form: Form, spec: Any, wire: Any) -> None:
        before = copy.deepcopy(spec)
        assert speak((form,), spec) == wire
        assert speak_named((form,), spec, lossy=False) == wire
        assert (
            hear((form,), wire, lambda value: anything(value) if "params" not in value else 1 / 0, named=True) == spec
        )
        assert spec == before, "what is spoken is left as it was"

    def test_two_values_for_one_place_do_not_fit(self) -> None:
        clash = {"parameters": {"top_k": 3, "most": 4}}
        with pytest.raises(NoPlaceError):
            speak_named((INNER,), clash, lossy=True)


class TestNamedOnly:
    """What no form names is dropped from answers, and refused in requests."""

    def test_what_has_no_place_is_told_by_name(self) -> None:
        wire = Wire(named_only=True, requests=(INNER,))
        with pytest.raises(InputError, match=r"^stream, inputs: there is no place"):
            wire.asked({"parameters": {"top_k": 1}, "stream": True, "inputs": [1]})

    def test_the_form_that_loses_least_is_spoken(self) -> None:
        entity: Form = (((EACH, "entity"), ("regions", EACH, "name")),)
        group: Form = (((EACH, "group"), ("regions", EACH, "name")),)
        assert speak_named((entity, group), [{"group": "PER", "n": 1}], lossy=True) == {"regions": [{"name": "PER"}]}
        assert speak_named((entity, group), [{"entity": "B"}], lossy=True) == {"regions": [{"name": "B"}]}

    def test_the_reading_that_loses_no_item_is_heard_and_else_the_last(self) -> None:
        one = {"vectors": [{"v": [0.5, 1.0], "n": 2}]}
        two = {"vectors": [{"v": [0.5]}, {"v": [1.0]}]}
        assert hear((VECTORS, VECTOR), one, unread, named=True) == [0.5, 1.0]
        assert hear((VECTORS, VECTOR), two, unread, named=True) == [[0.5], [1.0]]

    def test_no_items_are_an_empty_object(self) -> None:
        wire = CLARIFAI.wires["object-detection"]
        assert wire.answered([], FACTS) == {}
        assert wire.heard({}, TypeAdapter(list[Any]).validate_python, FACTS) == []

    def test_what_a_request_may_say(self) -> None:
        wire = CLARIFAI.wires["zero-shot-classification"]
        assert wire.takes("params", "select_concepts")
        assert wire.takes("data", "text", "raw")
        assert not wire.takes("params", "max_concepts")
        assert not wire.takes("data", "image")


class TestAdded:
    """Texts with facts in them, lengths, and members elsewhere."""

    def test_facts_in_a_text(self) -> None:
        value: Any = {"regions": [{}, {"id": "mine"}, {}]}
        complete(((("regions", EACH, "id"), "{id}-{index}"), (("regions", EACH, "n"), "{index}")), value, FACTS)
        assert [region["id"] for region in value["regions"]] == ["7f-0", "mine", "7f-2"]
        assert [region["n"] for region in value["regions"]] == [0, 1, 2]

    def test_an_unknown_fact_stays_as_it_is(self) -> None:
        value: dict[str, Any] = {}
        complete(((("a",), "{model}"), (("b",), "of {model}")), value)
        assert value == {"a": "{model}", "b": "of {model}"}

    def test_the_length_of_a_list(self) -> None:
        value: Any = {"vectors": [{"v": [1, 2, 3]}, {"v": "no list"}, {}]}
        complete(((("vectors", EACH, "n"), Length(("vectors", EACH, "v"))),), value)
        assert [vector.get("n") for vector in value["vectors"]] == [3, None, None]

    def test_a_member_of_the_same_item(self) -> None:
        value: Any = {"regions": [{"data": [{"value": 0.5}]}, {"data": []}]}
        complete(((("regions", EACH, "value"), ("regions", EACH, "data", 0, "value")),), value)
        assert value["regions"] == [{"data": [{"value": 0.5}], "value": 0.5}, {"data": []}]


class TestPixels:
    """Whole pixels in the spec, parts of the image on the wire."""

    BOX = ({"label": "car", "score": 0.5, "box": {"xmin": 34, "ymin": 0, "xmax": 640, "ymax": 479}},)

    def test_boxes_there_and_back(self) -> None:
        wire = CLARIFAI.wires["object-detection"]
        assert wire.measured
        said = wire.answered(copy.deepcopy(list(self.BOX)), FACTS)
        edges = said["regions"][0]["region_info"]["bounding_box"]
        assert edges == {"left_col": 34 / 640, "top_row": 0.0, "right_col": 1.0, "bottom_row": 479 / 480}
        heard = wire.heard(json.loads(json.dumps(said)), TypeAdapter(list[Any]).validate_python, FACTS)
        assert heard == list(self.BOX)

    @given(st.integers(1, 100_000), st.data())
    def test_every_pixel_is_found_again(self, size: int, data: st.DataObject) -> None:
        pixel = data.draw(st.integers(0, size))
        wire = Wire(named_only=True, answers=(((("x",), ("r", "x")),),), scales=((("x",), "{width}"),))
        said = json.loads(json.dumps(wire.answered({"x": pixel}, {"{width}": size})))
        assert wire.heard(said, anything if "r" not in said else dict.copy, {"{width}": size}) == {"x": pixel}

    @pytest.mark.parametrize("part", [True, "0.5", None, 1e308])
    def test_what_is_no_part_is_left_to_the_model(self, part: Any) -> None:
        wire = Wire(named_only=True, answers=(((("x",), ("r", "x")),),), scales=((("x",), "{width}"),))
        heard = wire.heard({"r": {"x": part}}, dict.copy, {"{width}": 1000})["x"]
        assert heard == (float("inf") if part == 1e308 else part)


@pytest.mark.parametrize("task", sorted(CLARIFAI.wires))
@settings(max_examples=40)
@given(data=st.data())
def test_requests_are_understood_as_they_were_meant(task: str, data: st.DataObject) -> None:
    """Whatever can be said of a request is heard on the other side; the rest is refused by name."""
    binding, wire = TASKS[task], CLARIFAI.wires[task]
    request = data.draw(requests(task))
    try:
        said = wire.asked(copy.deepcopy(request))
    except InputError as error:
        assert "no place" in str(error)
        return
    heard = hear(wire.requests, said, lambda value: validate_request(binding, value))
    # Where parameters of parameters have no level of their own, none of them are not told from no such object.
    assert without_empty(dump(heard)) == without_empty(request)


@pytest.mark.parametrize("task", HEARABLE)
@settings(max_examples=40)
@given(data=st.data())
def test_answers_are_heard_as_they_were_said(task: str, data: st.DataObject) -> None:
    """What is heard of an answer, said again, is the same on the wire."""
    binding, wire = TASKS[task], CLARIFAI.wires[task]
    said = wire.answered(data.draw(responses(task)), FACTS)
    heard = wire.heard(copy.deepcopy(said), lambda value: validate_response(binding, value), FACTS)
    assert wire.answered(dump(heard), FACTS) == said


def test_a_reading_that_was_scaled_in_vain_is_not_scaled_again() -> None:
    whole: Form = (((EACH, "box"), ("regions", EACH, "box")), ((EACH, "label"), ("regions", EACH, "name")))
    part: Form = (((EACH, "box"), ("regions", EACH, "box")),)
    wire = Wire(named_only=True, answers=(whole, part), scales=(((EACH, "box", "x"), "{width}"),))
    tried: list[Any] = []

    def second(reading: Any) -> Any:
        tried.append(reading)
        return reading if len(tried) == 2 else TypeAdapter(int).validate_python(reading)

    said = {"regions": [{"box": {"x": 0.5}, "name": "cat"}]}
    assert wire.heard(said, second, {"{width}": 100})[0]["box"] == {"x": 50}
    assert said == {"regions": [{"box": {"x": 0.5}, "name": "cat"}]}


@pytest.mark.parametrize("vectors", [[0.5, 1.0], [[0.5, 1.0]], [[0.5], [1.0]]])
def test_one_text_in_a_list_stays_in_it(vectors: Any) -> None:
    wire, binding = CLARIFAI.wires["feature-extraction"], TASKS["feature-extraction"]
    said = wire.answered(copy.deepcopy(vectors))
    assert dump(wire.heard(said, lambda value: validate_response(binding, value))) == vectors


@pytest.mark.parametrize("time", [{}, {"begin_time": 0.5}, {"end_time": None}])
def test_a_segment_may_lack_what_is_zero(time: Any) -> None:
    wire, binding = CLARIFAI.wires["automatic-speech-recognition"], TASKS["automatic-speech-recognition"]
    said = {"text": {"raw": "go"}, "time_segments": [{"time_info": time, "data": {"text": {"raw": "go"}}}]}
    heard = dump(wire.heard(said, lambda value: validate_response(binding, value)))
    assert heard["chunks"][0]["timestamp"] == [time.get("begin_time", 0), time.get("end_time", 0)]


def test_two_members_for_one_place_are_told() -> None:
    wire = CLARIFAI.wires["text-generation"]
    with pytest.raises(InputError, match="two members of this request have one place"):
        wire.asked({"inputs": "x", "parameters": {"max_new_tokens": 3, "max_tokens": 4}})
