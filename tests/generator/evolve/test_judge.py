"""Verdicts: one for each direction, lowered by a proof, shown by a payload, and the worse where neither is found."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from taskbind import ir
from taskbind.evolve import judge as judging
from taskbind.evolve.changes import changes
from taskbind.evolve.judge import judge
from taskbind.evolve.proof import Answer, Prover, close
from taskbind.evolve.rules import ENFORCED, RULES
from taskbind.evolve.verdict import Level, Verdict
from tests.generator.test_changes import AB, CASES, INTEGER, NUMBER, SOUND, TEXT, api, member, object_of, one

from .verdicts import Sides

A, B = (object_of(member(name, TEXT, required=True), additional=True) for name in ("a", "b"))
AFTER = object_of(member("c", TEXT), additional=True)
PAIR = (object_of(member("a", TEXT, required=True), member("b", TEXT), additional=True), B)


def verdicts(old: ir.Type | ir.Api, new: ir.Type | ir.Api, side: str = "request") -> list[Verdict]:
    """The verdicts on a member `x` of a request, or of an answer; none of them is wrong."""
    made = [each if isinstance(each, ir.Api) else one(each) for each in (old, new)]
    sides = Sides(*made)
    sides.check("t", side)
    return [verdict for verdict in sides.verdicts if verdict.change.side == side]


def told(found: list[Verdict]) -> list[tuple[str, str, str]]:
    return [(v.rule.partition("-")[2], v.wire.value, v.proof) for v in found]


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_change_has_a_verdict_on_both_sides(name: str) -> None:
    old, new, _ = CASES[name]
    for before, after in ((old, new), (new, old)):
        sides = Sides(before, after)
        told = {(v.change.side, v.change.path, v.change.name) for v in sides.verdicts}
        assert told == {(c.side, c.path, c.name) for c in changes(before, after)}
        for side in ("request", "response"):
            sides.check("t", side)


LOWERED = {
    "a step that divides the old one": (
        replace(INTEGER, multiple_of=4),
        replace(INTEGER, multiple_of=2),
        [("step-changed", "safe", "covers")],
    ),
    "a bound that another one implies": (
        replace(INTEGER, exclusive_minimum=0),
        replace(INTEGER, minimum=1),
        [("bound-set", "safe", "covers"), ("bound-removed", "safe", "rule")],
    ),
    "a pattern that all listed values match": (
        ir.Enum(("ab", "ac")),
        replace(TEXT, pattern="^a"),
        [("values-freed", "safe", "rule"), ("pattern-set", "safe", "covers")],
    ),
    "an alternative that another one takes": (
        ir.Union((INTEGER, ir.Array(INTEGER), ir.Array(NUMBER))),
        ir.Union((NUMBER, ir.Array(NUMBER))),
        [("alternative-removed", "safe", "covers"), ("type-widened", "safe", "rule")],
    ),
    "another alternative that overlaps with none": (
        ir.Union((A, B), exclusive=True),
        ir.Union((A, B, INTEGER), exclusive=True),
        [("exclusive-alternative-added", "safe", "covers")],
    ),
    "a wider alternative that overlaps with none": (
        ir.Union((replace(INTEGER, maximum=4), replace(NUMBER, minimum=9)), exclusive=True),
        ir.Union((replace(INTEGER, maximum=7), replace(NUMBER, minimum=9)), exclusive=True),
        [("bound-loosened", "safe", "rule")],
    ),
    "a name whose values were of its type": (
        ir.Map(INTEGER),
        object_of(member("total", NUMBER), additional=INTEGER),
        [("member-added", "safe", "covers")],
    ),
    "a condition that always holds": (
        replace(INTEGER, minimum=1),
        ir.Checked(replace(INTEGER, minimum=1), '{"not": {"const": 0}}'),
        [("check-added", "safe", "covers")],
    ),
    "media of any type": (SOUND, ir.Media("binary", "application/octet-stream"), [("type-changed", "safe", "covers")]),
    "a text where media were": (SOUND, TEXT, [("type-changed", "safe", "covers")]),
}


@pytest.mark.parametrize("name", LOWERED)
def test_a_proof_lowers_what_affects_nobody(name: str) -> None:
    old, new, expected = LOWERED[name]
    found = verdicts(old, new)
    assert told(found) == expected
    assert all(
        verdict.python is Level.SAFE for verdict in found if RULES[verdict.rule].id.partition("-")[2] in ENFORCED
    )
    mirrored = verdicts(new, old, "response")
    assert all(verdict.wire is Level.SAFE for verdict in mirrored), told(mirrored)


SHOWN: dict[str, tuple[ir.Type | ir.Api, ir.Type | ir.Api, str, Any]] = {
    "a bound": (replace(INTEGER, minimum=0), replace(INTEGER, minimum=5), "bound-tightened", {"x": 0}),
    "a fraction": (NUMBER, INTEGER, "type-narrowed", {"x": 0.5}),
    "a value": (AB, ir.Enum(("a",)), "value-removed", {"x": "b"}),
    "null": (ir.Union((TEXT, ir.NULL)), TEXT, "null-refused", {"x": None}),
    "a pattern": (TEXT, replace(TEXT, pattern="^b$"), "pattern-set", {"x": ""}),
    "a length": (ir.Array(TEXT), ir.Array(TEXT, max_items=2), "bound-set", {"x": ["a", "a", "a"]}),
    "items alike": (ir.Array(AB), ir.Array(AB, unique=True), "items-unique", {"x": ["a", "a"]}),
    "a missing member": (
        api(object_of(member("x", TEXT, required=True), member("y", INTEGER))),
        api(object_of(member("x", TEXT, required=True), member("y", INTEGER, required=True))),
        "member-required",
        {"x": ""},
    ),
    "an alternative": (ir.Union((TEXT, INTEGER)), TEXT, "alternative-removed", {"x": 0}),
    "two alternatives at once": (
        ir.Union((*PAIR,), exclusive=False),
        ir.Union((*PAIR,), exclusive=True),
        "alternatives-exclusive",
        {"x": {"a": "", "b": ""}},
    ),
    "inside of a list of lists": (
        ir.Array(ir.Array(NUMBER, min_items=2)),
        ir.Array(ir.Array(replace(NUMBER, maximum=9), min_items=2)),
        "bound-set",
        {"x": [[10, 0]]},
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_small_payload_shows_what_breaks(name: str) -> None:
    old, new, rule, payload = SHOWN[name]
    (verdict,) = verdicts(old, new)
    assert (verdict.rule, verdict.wire, verdict.proof) == (f"request-{rule}", Level.BREAKING, "witness")
    assert verdict.witness == payload
    (mirrored,) = verdicts(new, old, "response")
    assert (mirrored.wire, mirrored.witness) == (Level.BREAKING, payload)


NAMED = [object_of(member(name, TEXT, required=True), additional=True) for name in "abc"]
MORE_SHOWN: dict[str, tuple[ir.Type, ir.Type, str, Any]] = {
    "an alternative with members of its own": (ir.Union((A, NAMED[2])), A, "alternative-removed", {"c": ""}),
    "one of three of which exactly one must fit": (
        ir.Union((*NAMED,), exclusive=True),
        ir.Union((*NAMED[:2],), exclusive=True),
        "alternative-removed",
        {"c": ""},
    ),
    "a name that any value could have": (
        ir.Map(ir.Any()),
        object_of(member("a", NUMBER), additional=True),
        "free-member-typed",
        {"a": []},
    ),
    "a name that values of another type could have": (
        ir.Map(NUMBER),
        object_of(member("b", TEXT), additional=NUMBER),
        "free-member-typed",
        {"b": 0},
    ),
    "a name that fits a pattern": (
        ir.Checked(
            object_of(member("a", TEXT), additional=True),
            '{"additionalProperties":false,"patternProperties":{"^y":{"type":"string"}},"properties":{"a":true}}',
        ),
        object_of(member("a", TEXT)),
        "others-restricted",
        {"y": "a"},
    ),
}


@pytest.mark.parametrize("name", MORE_SHOWN)
def test_a_payload_shows_names_and_alternatives(name: str) -> None:
    old, new, rule, payload = MORE_SHOWN[name]
    for found in (verdicts(old, new), verdicts(new, old, "response")):
        (shown,) = [verdict for verdict in found if verdict.wire is Level.BREAKING]
        assert (shown.proof, shown.witness) == ("witness", {"x": payload})
    assert rule in {verdict.rule.partition("-")[2] for verdict in verdicts(old, new)}


def test_an_answer_that_may_be_less_breaks_python_code_that_builds_it() -> None:
    loose, tight = replace(INTEGER, exclusive_minimum=0), replace(INTEGER, minimum=1)
    levels = {v.rule: (v.wire, v.python) for v in verdicts(loose, tight, "response")}
    assert set(levels.values()) == {(Level.SAFE, Level.SAFE)}
    (verdict,) = verdicts(replace(INTEGER, multiple_of=4), replace(INTEGER, multiple_of=2), "response")
    assert (verdict.wire, verdict.python) == (Level.BREAKING, Level.SAFE)
    (verdict,) = verdicts(replace(INTEGER, multiple_of=2), replace(INTEGER, multiple_of=4), "response")
    assert (verdict.wire, verdict.python) == (Level.SAFE, Level.BREAKING)


def test_another_alternative_of_which_exactly_one_must_fit_is_told_once() -> None:
    apart, overlapping = ir.Union((NUMBER, TEXT)), ir.Union((NUMBER, TEXT, INTEGER), exclusive=True)
    assert told(verdicts(apart, overlapping)) == [("exclusive-alternative-added", "breaking", "witness")]
    three, two = ir.Union((*NAMED,)), ir.Union((*NAMED[:2],), exclusive=True)
    assert told(verdicts(three, two)) == [("alternative-removed", "breaking", "witness")]
    assert told(verdicts(two, three, "response")) == [("alternative-added", "breaking", "witness")]


def test_long_conditions_that_begin_alike_are_told_apart_by_their_keywords() -> None:
    def checked(*names: str) -> ir.Type:
        start = {"allOf": [{"not": {"required": [f"name{n}" for n in range(20)]}}]}
        return ir.Checked(A, json.dumps({**start, "anyOf": [{"required": [name]} for name in names]}))

    found = [verdict.message for verdict in verdicts(checked("a", "b"), checked("a", "c"))]
    assert [message.partition(";")[0].rstrip(".") for message in found] == [
        'values must fulfil another "anyOf" now',
        'values need not fulfil another "anyOf" any more',
    ]


def test_the_payload_has_what_conditions_ask_for() -> None:
    def spec(width: ir.Type) -> ir.Api:
        root = object_of(member("text", TEXT), member("url", TEXT), member("size", object_of(member("width", width))))
        return api(ir.Checked(root, '{"anyOf": [{"required": ["text"]}, {"required": ["url"]}]}'))

    (verdict,) = verdicts(spec(NUMBER), spec(INTEGER))
    assert verdict.witness == {"text": "", "url": "", "size": {"width": 0.5}}


def test_the_payload_is_refused_for_nothing_else() -> None:
    old = api(object_of(*(member(name, ir.Any(), required=True) for name in ("a", "b"))))
    new = api(object_of(*(member(name, INTEGER, required=True) for name in ("a", "b"))))
    assert [verdict.witness for verdict in verdicts(old, new)] == [{"a": "", "b": 0}, {"a": 0, "b": ""}]


def test_a_change_of_two_directions_is_two_verdicts() -> None:
    found = verdicts(ir.Enum(("a", "b")), ir.Enum(("b", "c")))
    assert told(found) == [("value-added", "safe", "rule"), ("value-removed", "breaking", "witness")]
    assert [(v.change.before, v.change.after) for v in found] == [((), ("c",)), (("a",), ())]
    found = verdicts(ir.Union((TEXT, INTEGER)), ir.Union((TEXT, ir.Array(TEXT))))
    assert told(found) == [("alternative-removed", "breaking", "witness"), ("alternative-added", "safe", "rule")]


def test_what_cannot_be_told_counts_as_breaking() -> None:
    ahead = [replace(TEXT, pattern=pattern) for pattern in ("^(?=a)a", "^(?=a)a.")]
    (verdict,) = judge(*map(one, ahead))[:1]
    assert (verdict.rule, verdict.wire, verdict.proof) == ("request-pattern-changed", Level.BREAKING, "unknown")
    assert verdict.witness is ir.ABSENT


def test_a_sender_sends_declared_members_only() -> None:
    open_text = object_of(member("x", TEXT), additional=True)
    assert told(verdicts(api(open_text), api(object_of(member("x", TEXT))))) == [("object-closed", "dangerous", "rule")]
    (verdict,) = verdicts(api(object_of(member("m", ir.Map(ir.Any())))), api(object_of(member("m", ir.Map(TEXT)))))
    assert (verdict.rule, verdict.witness) == ("request-others-restricted", {"m": {"other": 0}})
    by_pattern = ir.Checked(open_text, '{"patternProperties": {"^y": {"type": "string"}}}')
    added = object_of(member("x", TEXT), member("yes", INTEGER), additional=True)
    (verdict,) = verdicts(one(by_pattern), one(ir.Checked(added, by_pattern.schema)))
    assert (verdict.rule, verdict.wire) == ("request-free-member-typed", Level.BREAKING)


def test_a_closed_sender_keeps_what_fits_one_alternative_only() -> None:
    either = ir.Union(PAIR, exclusive=True)
    closed = close(either)
    assert isinstance(closed, ir.Checked)
    assert isinstance(closed.base, ir.Union)
    assert not closed.base.exclusive
    assert all(isinstance(v, ir.Object) and v.additional is False for v in closed.base.variants)
    assert "oneOf" in json.loads(closed.schema)


def test_a_definition_is_judged_at_every_place_by_its_direction() -> None:
    def boxes(edge: ir.Type) -> ir.Api:
        return api(
            object_of(member("one", ir.Ref("box")), member("many", ir.Array(ir.Ref("box")))),
            {"box": object_of(member("left", edge, required=True))},
        )

    found = judge(boxes(INTEGER), boxes(NUMBER))
    assert Counter((v.change.side, v.wire) for v in found) == {
        ("request", Level.SAFE): 2,
        ("response", Level.BREAKING): 2,
    }
    assert [v.witness for v in found[2:]] == [{"one": {"left": 0.5}}, {"many": [{"left": 0.5}]}]


def test_what_only_moved_has_no_verdict() -> None:
    box = object_of(member("left", INTEGER))
    assert judge(api(ir.Ref("a"), {"a": box}), api(ir.Ref("b"), {"b": ir.Ref("c"), "c": box})) == ()


def test_messages_say_what_happened_and_for_whom_it_matters() -> None:
    old = api(object_of(member("top_k", replace(INTEGER, maximum=9))))
    new = api(object_of(member("top_k", replace(INTEGER, maximum=5))))
    request, response = judge(old, new)
    assert request.message == "the maximum is 5, was 9; requests that worked are refused."
    built = "what is sent is accepted as before, but Python code may have to change"
    assert response.message == f"the maximum is 5, was 9; {built}."


def test_a_rule_that_is_wrong_is_overruled_by_a_payload(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "request-bound-set")
    (verdict,) = verdicts(INTEGER, replace(INTEGER, minimum=1))
    assert (verdict.wire, verdict.proof, verdict.witness) == (Level.BREAKING, "witness", {"x": 0})


def test_a_wrong_rule_is_found_by_payloads(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "request-bound-set")
    monkeypatch.setattr(Prover, "holds", lambda prover, claim: Answer.UNKNOWN)
    with pytest.raises(AssertionError):
        verdicts(INTEGER, replace(INTEGER, minimum=1))


def plant(monkeypatch: pytest.MonkeyPatch, id: str) -> None:
    """Make a rule say that a change is safe."""
    monkeypatch.setattr(judging, "RULES", {**RULES, id: replace(RULES[id], wire=Level.SAFE)})


# ------------------------------------------------------------------------------------------------------ size and depth


def test_definitions_may_be_nested_as_deep_as_they_like() -> None:
    depth = 1500

    def chain(last: ir.Type) -> ir.Api:
        links = {f"d{n}": object_of(member("m", ir.Ref(f"d{n + 1}"))) for n in range(depth)}
        return api(ir.Ref("d0"), links | {f"d{depth}": object_of(member("m", last))})

    found = judge(chain(TEXT), chain(NUMBER))
    assert [verdict.wire for verdict in found] == [Level.BREAKING] * 2


def test_a_recursive_type_is_judged_once() -> None:
    def tree(value: ir.Type) -> ir.Api:
        node = object_of(member("value", value), member("children", ir.Array(ir.Ref("node"))))
        return api(ir.Ref("node"), {"node": node})

    (verdict,) = verdicts(tree(NUMBER), tree(INTEGER))
    assert verdict.witness == {"value": 0.5}


def test_a_pattern_that_takes_backtracking_engines_for_ever_is_judged() -> None:
    endless = [replace(TEXT, pattern=pattern) for pattern in ("^(a+)+b$", "^(a+)+c$")]
    (verdict,) = verdicts(*endless)
    assert verdict.witness == {"x": "ab"}


def test_many_alternatives_of_which_exactly_one_must_fit_are_judged() -> None:
    def spec(type: ir.Type) -> ir.Type:
        objects = (
            object_of(member(f"x{n}", TEXT, required=True), member("y", type), additional=True) for n in range(60)
        )
        return ir.Union(tuple(objects), exclusive=True)

    assert {verdict.rule for verdict in verdicts(spec(TEXT), spec(ir.Any()))} == {"request-alternative-widened"}


def test_a_schema_that_is_too_much_work_is_not_proved() -> None:
    def conjunction(width: int) -> ir.Type:
        checks = [{"anyOf": [{"required": [f"a{n}"]}, {"required": [f"b{n}"]}]} for n in range(width)]
        return ir.Checked(ir.Map(ir.Any()), json.dumps({"allOf": checks}))

    found = verdicts(conjunction(30), conjunction(31))
    assert [(verdict.rule, verdict.wire) for verdict in found][-1] == ("request-check-removed", Level.SAFE)
    assert found[0].wire is Level.BREAKING
