"""The laws on our own tasks: a smaller draw of what `python -m tests.laws` runs in full."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from inference_tasks._runtime.testing.cover import cover
from inference_tasks._runtime.testing.drawing import boundary, invalid, valid
from inference_tasks._runtime.testing.places import Change, places
from tests.laws.__main__ import table
from tests.laws.subjects import OURS, Row, Subject, read
from tests.support.laws import Tally
from tests.support.payloads import Case, as_case

SUBJECTS = OURS.subjects()
CASES = 200


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """One line a schema, for the table after the run."""
    return []


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_laws_hold_one_change_away_from_valid_payloads(subject: Subject, rows: list[Row], tables: list[str]) -> None:
    row = subject.measure(draws=2, limit=CASES)
    assert not row.tally.broken, "\n".join(map(str, row.tally.broken[:3]))
    assert row.hit == row.declared, "the data has every member that the schema names"
    rows.append(row)
    if len(rows) == len(SUBJECTS):
        tables.append(table([(OURS, row) for row in rows]))


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
@settings(max_examples=6)
@given(data=st.data())
def test_laws_hold_on_payloads_that_are_drawn(subject: Subject, data: st.DataObject) -> None:
    judge = read(OURS.specs).judge
    shapes, schema = judge.shapes, judge.schema(subject.id)
    tally = Tally()
    for strategy in (valid, invalid, boundary):
        case = as_case(data.draw(strategy(shapes, schema)))
        assert judge.accepts(subject.id, case.payload) is (strategy is not invalid)
        subject.laws.hold(case, tally)
    assert not tally.broken


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_no_value_that_json_lacks_gets_into_a_model(subject: Subject) -> None:
    """At no place: typed or not, or in a member that the schema does not name."""
    judge = read(OURS.specs).judge
    shapes, schema = judge.shapes, judge.schema(subject.id)
    for payload in cover(shapes, schema)[:4]:
        for place in places(shapes, schema, payload):
            for lacking in (math.nan, math.inf, -math.inf, "\ud800"):
                for value in (lacking, [lacking], {"x": [lacking]}, *([{lacking: 1}] if lacking == "\ud800" else [])):
                    change = Change(payload, place.path, "a value that JSON lacks", value)
                    for refused in (change.payload, {**payload, "x": value} if isinstance(payload, dict) else value):
                        case = Case("mutant", str(change), refused, json.dumps(refused))
                        for parse in (subject.laws.from_python, subject.laws.from_json):
                            with pytest.raises(ValidationError):
                                parse(case)


def test_a_model_built_by_hand_dumps_only_what_was_set() -> None:
    from inference_tasks.models import AutomaticSpeechRecognitionOutput

    result = AutomaticSpeechRecognitionOutput(text="hello")
    assert result.chunks is None
    assert result.model_dump() == {"text": "hello"}
    assert result.model_dump_json() == '{"text":"hello"}'
