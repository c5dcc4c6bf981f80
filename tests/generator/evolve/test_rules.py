"""The catalogue of rules: the example of each goes the whole way, and brings out that rule and nothing that breaks."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from taskbind import ir
from taskbind.cli import main
from taskbind.config import Config
from taskbind.diagnostics import Report
from taskbind.evolve import cases, dialects, judge as judging
from taskbind.evolve.catalogue import page
from taskbind.evolve.change import Change, Kind
from taskbind.evolve.judge import judge
from taskbind.evolve.proof import Answer, Prover
from taskbind.evolve.rules import ENFORCED, GROUPS, RULES, Rule
from taskbind.evolve.rules.rule import Files
from taskbind.evolve.verdict import Level
from taskbind.pipeline import read_api

from .verdicts import Sides

ROOT = Path(__file__).parents[3]
OF_DATA = [rule for rule in RULES.values() if not rule.id.startswith("python-")]


def read(folder: Path, rule: Rule, files: Files) -> ir.Api:
    for path, text in rule.example.specs(files).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return read_api(Config(folder, folder / "out"), Report())


@pytest.mark.parametrize("rule", OF_DATA, ids=lambda rule: rule.id)
def test_the_example_of_a_rule(rule: Rule, tmp_path: Path) -> None:
    old = read(tmp_path / "old", rule, rule.example.old)
    new = read(tmp_path / "new", rule, rule.example.new)
    found = judge(old, new)
    assert [(v.rule, v.wire, v.python) for v in found if v.rule == rule.id] == [(rule.id, rule.wire, rule.python)]
    assert not [v for v in found if v.rule != rule.id and v.level is Level.BREAKING]
    assert len(found) == 1, [v.rule for v in found]
    assert found[0].proof != "unknown"


SHOWABLE = [
    rule
    for rule in OF_DATA
    if rule.wire is Level.BREAKING and rule.id.startswith(("request", "response")) and "-media-" not in rule.id
]


@pytest.mark.parametrize("rule", SHOWABLE, ids=lambda rule: rule.id)
def test_payloads_would_find_a_rule_that_called_it_safe(
    rule: Rule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rule that breaks is needed: with proofs switched off, nothing else sees what its example breaks."""
    old, new = (read(tmp_path / name, rule, getattr(rule.example, name)) for name in ("old", "new"))
    side = rule.id.partition("-")[0]
    Sides(old, new).check("example", side)
    monkeypatch.setattr(judging, "RULES", {**RULES, rule.id: replace(rule, wire=Level.SAFE)})
    monkeypatch.setattr(Prover, "holds", lambda prover, claim: Answer.UNKNOWN)
    with pytest.raises(AssertionError):
        Sides(old, new).check("example", side)


def test_ids_are_unique_and_say_the_direction() -> None:
    assert sum(map(len, GROUPS.values())) == len(RULES)
    assert all(id == rule.id for id, rule in RULES.items())
    assert {id.partition("-")[0] for id in RULES} == {"request", "response", "task", "stream", "dialect", "python"}


def test_what_models_enforce_breaks_python() -> None:
    for name in ENFORCED:
        sides = [rule for side in ("request", "response") if (rule := RULES.get(f"{side}-{name}"))]
        assert sides
        assert {rule.python for rule in sides} == {Level.BREAKING}


def test_every_kind_leads_to_a_rule() -> None:
    assert cases.data_kinds() == set(Kind) - {Kind.WIRE}
    spoken = {name for type in (ir.Dialect, ir.Wire) for name in type.__dataclass_fields__}
    assert dialects.attributes() == spoken - {"name", "title", "summary", "dialect"}


WIDE, HIGH = (("$.x", "{width}"), ("$.y", "{height}")), (("$.x", "{height}"), ("$.y", "{height}"))


@pytest.mark.parametrize(
    ("before", "after", "places"), [((), WIDE, '"$.x", "$.y"'), (WIDE, (), '"$.x", "$.y"'), (WIDE, HIGH, '"$.x"')]
)
def test_numbers_change_their_units_in_either_direction(before: ir.Form, after: ir.Form, places: str) -> None:
    change = Change("example", "dialect", "cloud", Kind.WIRE, before, after, "scales")
    api = ir.Api((), ())
    assert list(dialects.dialect_cases(change, api, api)) == [
        ("dialect-scale-changed", f"numbers of answers are in other units: {places}")
    ]


CALL = {"$.inputs": "$.data", "$.parameters": "$.params"}
NARROW = {"$.parameters": "$.params", "$.inputs": "$.data"}
NESTED = CALL | {"$.parameters.top_k": "$.params.max_concepts"}
TAKEN = CALL | {"$.parameters.top_k": "$.params.seed"}
ADDS = ["dialect-request-form-spoken", "dialect-request-form-added"]
REMOVES = [ADDS[0], "dialect-request-form-removed", ADDS[1]]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(CALL, NARROW, [], id="pairs have no order"),
        pytest.param(CALL, NESTED, ADDS, id="a place inside, where nobody sent anything"),
        pytest.param(NESTED, CALL, REMOVES, id="no place inside any more"),
        pytest.param(CALL, TAKEN, REMOVES, id="a place inside that had another meaning"),
        pytest.param(CALL, CALL | {"$.inputs": "$.body"}, REMOVES, id="another place"),
    ],
)
def test_forms_are_read_by_the_longest_place(before: dict[str, str], after: dict[str, str], told: list[str]) -> None:
    integer = ir.Scalar("integer")
    options = ir.Object((ir.Field("top_k", integer, False), ir.Field("seed", integer, False)), False)
    request = ir.Object((ir.Field("inputs", ir.Scalar("string"), True), ir.Field("parameters", options, False)), False)

    def api(form: dict[str, str]) -> ir.Api:
        wire = ir.Wire("cloud", requests=(tuple(form.items()),))
        task = ir.Task("example", "Example", "in", "in", wires=(wire,))
        dialect = ir.Dialect("cloud", "Cloud", "A service.", closed=True, named_only=True)
        return ir.Api((task,), (ir.Definition("in", "In", request),), (dialect,))

    assert [verdict.rule for verdict in judge(api(before), api(after))] == told


def test_scales_have_no_order() -> None:
    api = ir.Api((), ())
    change = Change("example", "dialect", "cloud", Kind.WIRE, WIDE, WIDE[::-1], "scales")
    assert list(dialects.dialect_cases(change, api, api)) == []


# ---------------------------------------------------------------------------------------------------------------- docs


def test_the_page_of_the_docs_is_the_catalogue() -> None:
    assert (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8") == page(), (
        "run `taskbind explain --rules > docs/compatibility.md`"
    )


def test_every_rule_has_an_anchor_and_an_example_on_the_page() -> None:
    text = page()
    headings = re.findall(r"^##+ (.*)$", text, re.MULTILINE)
    assert len(set(headings)) == len(headings)
    for id in RULES:
        assert f"[`{id}`](#{id})" in text
        _, _, section = text.partition(f"\n### {id}\n")
        assert re.search(r"^[-+]", section.partition("\n##")[0], re.MULTILINE), id


def test_explain_tells_what_a_rule_means() -> None:
    told = CliRunner().invoke(main, ["explain", "Request-Member-Required"])
    assert told.output.startswith("request-member-required (wire: breaking, Python: breaking): Request: ")
    assert RULES["request-member-required"].text in told.output
    assert CliRunner().invoke(main, ["explain", "--rules"]).output == page()
    unknown = CliRunner().invoke(main, ["explain", "request-member-requird"])
    assert (unknown.exit_code, "did you mean request-member-required?" in unknown.output) == (2, True)
    assert CliRunner().invoke(main, ["explain"]).exit_code == 2
