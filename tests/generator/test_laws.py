"""Laws 1 and 2 on our own tasks: the model accepts what the schema accepts, and dumps what it parsed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import TypeAdapter

from inference_tasks._tasks import TASKS
from taskbind import ir
from taskbind.diagnostics import Report
from taskbind.load import load
from taskbind.lower import lower
from taskbind.normalize import normalize
from tests.support.laws import Judge, Tally
from tests.support.payloads import mutated, valid

SPECS = Path(__file__).parents[2] / "specs"


@cache
def specs() -> tuple[ir.Api, Judge]:
    report = Report()
    tree = normalize(load(SPECS, report), report)
    api = lower(tree, report)
    assert not len(report), list(report)
    return api, Judge(tree)


def roots() -> list[Any]:
    api, _ = specs()
    return [
        pytest.param(kind, task.id, getattr(task, kind), id=f"{task.id}-{kind}")
        for task in api.tasks
        for kind in ("input", "output")
    ]


def adapter(kind: str, task: str) -> TypeAdapter[Any]:
    binding = TASKS[task]
    return binding.input_adapter if kind == "input" else binding.output_adapter


@pytest.mark.parametrize(("kind", "task", "id"), roots())
@settings(max_examples=300)
@given(data=st.data())
def test_models_round_trip_valid_payloads(kind: str, task: str, id: str, data: st.DataObject) -> None:
    api, judge = specs()
    payload = data.draw(valid(api, ir.Ref(id)))
    assert judge.accepts(id, payload), "the strategy draws only what the schema accepts"
    tally = Tally()
    tally.record(payload, True, adapter(kind, task))
    assert not tally.broken


@pytest.mark.parametrize(("kind", "task", "id"), roots())
@settings(max_examples=600)
@given(data=st.data())
def test_models_agree_with_the_schema_one_mistake_away(kind: str, task: str, id: str, data: st.DataObject) -> None:
    api, judge = specs()
    payload = data.draw(mutated(api, ir.Ref(id)))
    tally = Tally()
    tally.record(payload, judge.accepts(id, payload), adapter(kind, task))
    assert not tally.broken


def test_a_model_built_by_hand_dumps_only_what_was_set() -> None:
    from inference_tasks.models import AutomaticSpeechRecognitionOutput

    result = AutomaticSpeechRecognitionOutput(text="hello")
    assert result.chunks is None
    assert result.model_dump() == {"text": "hello"}
    assert result.model_dump_json() == '{"text":"hello"}'
