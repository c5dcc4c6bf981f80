"""The report for programs. It is ours and stable: ``version`` grows when a member goes or changes its meaning; new ones
may come::

    {"version": 1, "old": "main", "new": "the working tree", "specs": "specs",
     "counts": {"wire": {"breaking": 1, "dangerous": 0, "safe": 2}, "python": {…}},
     "suggested": {"bump": "major", "version": "2.0.0"},
     "changes": [{"task": "my-task", "side": "request", "path": "parameters.top_k", "kind": "required", "name": "",
                  "before": null, "after": null, "direction": "input", "rule": "…", "wire": "breaking",
                  "python": "breaking", "message": "…", "pointer": "/properties/…", "file": "specs/my-task/input.json",
                  "line": 12, "witness": {…}, "proof": "witness", "ignored": null}],
     "ignores": {"file": "taskbind.toml", "expired": [{"rule": "…", "line": 9, "until": "2026-01-31"}], "unused": []}}

``before`` and ``after`` are what :class:`~taskbind.evolve.change.Kind` says, in the form of `api.json`; they and
``witness`` are left out where there is no value, for which null could be mistaken. ``specs`` and ``file`` are relative
to the current folder; where NEW is an `api.json`, ``specs`` is null and ``file`` is relative to the spec root that it
was made from. ``line`` counts from 1. ``file``, ``line`` and ``pointer`` are null where they are not known,
``direction`` where no data goes. ``ignored`` is ``{"reason": "…", "until": "2027-01-31", "line": 3}`` where an entry of
the ignore list holds; ``counts`` are without these. ``bump`` is ``major``, ``minor``, ``patch`` or ``none``.
"""

from __future__ import annotations

from typing import Any, Final

from ... import ir
from ...formats import dump
from ...ir_json import dump as dump_ir
from ..compare import Audience, Comparison, Finding
from ..ignore import Ignore
from . import words

_VERSION: Final = 1


def as_json(comparison: Comparison, audience: Audience) -> str:
    """All findings as one JSON document; it has the levels of both audiences, whichever counts."""
    counts = {who: comparison.counting(who) for who in ("wire", "python")}
    suggested = comparison.suggested
    return dump(
        {
            "version": _VERSION,
            "old": comparison.old.name,
            "new": comparison.new.name,
            "specs": comparison.new.specs,
            "counts": {who: {level: counts[who][level] for level in words.LEVELS} for who in counts},
            "suggested": {"bump": suggested.bump or "none", "version": suggested.version},
            "changes": [_change(finding) for finding in comparison.findings],
            "ignores": {
                "file": comparison.ignore_file,
                "expired": [_entry(ignore) for ignore in comparison.expired],
                "unused": [_entry(ignore) for ignore in comparison.unused],
            },
        }
    )


def _change(finding: Finding) -> dict[str, Any]:
    verdict, change, place = finding.verdict, finding.verdict.change, finding.place
    values = {"before": change.before, "after": change.after, "witness": verdict.witness}
    told = {key: _value(value) for key, value in values.items() if value is not ir.ABSENT}
    out = {
        "task": change.task,
        "side": change.side,
        "path": change.path,
        "kind": change.kind,
        "name": change.name,
        "before": None,
        "after": None,
        "direction": words.direction(change),
        "rule": verdict.rule,
        "wire": verdict.wire,
        "python": verdict.python,
        "message": words.sentence(verdict),
        "pointer": place.pointer if place else None,
        "file": place.file if place else None,
        "line": (place.line if place else 0) or None,
        "witness": None,
        "proof": verdict.proof,
        "ignored": _ignored(finding.ignored) if finding.ignored else None,
    }
    return {key: told.get(key, value) for key, value in out.items() if key not in values or key in told}


def _value(value: Any) -> Any:
    """JSON for what a change holds: JSON values, parts of an IR, and tuples and dicts of them."""
    if isinstance(value, dict):
        return {key: _value(item) for key, item in value.items()}
    return [_value(item) for item in value] if isinstance(value, tuple | list) else dump_ir(value)


def _ignored(ignore: Ignore) -> dict[str, Any]:
    return {"reason": ignore.reason, "until": ignore.until.isoformat(), "line": ignore.line}


def _entry(ignore: Ignore) -> dict[str, Any]:
    return {"rule": ignore.rule, "line": ignore.line, "until": ignore.until.isoformat()}
