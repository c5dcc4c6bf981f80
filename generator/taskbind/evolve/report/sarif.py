"""The report for code scanning: SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...formats import SarifLevel, sarif_location, sarif_log, sarif_rule
from ..compare import Audience, Comparison, pick
from ..rules import RULES
from ..verdict import Level
from . import words
from .entry import Entry, told_once

_LEVEL: Final[Mapping[Level, SarifLevel]] = {
    Level.BREAKING: "error",
    Level.DANGEROUS: "warning",
    Level.SAFE: "note",
}


def as_sarif(comparison: Comparison, audience: Audience) -> str:
    """All entries as a log; what is ignored is suppressed with its reason."""
    entries = told_once(comparison.findings, at_one_place=True)
    used = sorted({entry.finding.verdict.rule for entry in entries})
    results = [_result(entry, used.index(entry.finding.verdict.rule), comparison, audience) for entry in entries]
    told = [
        {"level": "warning", "message": {"text": f"{comparison.ignore_file}:{line}: {said}"}}
        for line, said in words.ignore_list(comparison)
    ]
    run = [{"executionSuccessful": True, "toolConfigurationNotifications": told}]
    rules = [_rule(id, audience) for id in used]
    return sarif_log(rules, results, **({"invocations": run} if told else {}))


def _rule(id: str, audience: Audience) -> dict[str, Any]:
    rule = RULES[id]
    return sarif_rule(id, rule.title, rule.text, _LEVEL[pick(rule.wire, rule.python, audience)])


def _result(entry: Entry, rule: int, comparison: Comparison, audience: Audience) -> dict[str, Any]:
    finding, verdict, place = entry.finding, entry.finding.verdict, entry.finding.place
    message = ". ".join([words.about(entry, comparison).removesuffix("."), *words.notes(entry)])
    result: dict[str, Any] = {
        "ruleId": verdict.rule,
        "ruleIndex": rule,
        "level": _LEVEL[finding.level(audience)],
        "message": {"text": message},
        "locations": [sarif_location(place.specs, place.path, place.line, place.pointer)] if place else [],
        "properties": {
            "tasks": list(entry.tasks),
            "wire": verdict.wire,
            "python": verdict.python,
            "proof": verdict.proof,
        },
    }
    if finding.ignored:
        result["suppressions"] = [{"kind": "external", "justification": words.ignored(finding.ignored)}]
    return result
