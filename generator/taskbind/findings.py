"""The findings of `taskbind lint` for programs: JSON, SARIF, and the annotations of GitHub's workflow log.

The JSON document is ours and stable: ``version`` grows when a member goes or changes its meaning; new ones may come::

    {"version": 1, "specs": "specs",
     "counts": {"error": 1, "warning": 0, "info": 0, "repaired": 0, "loose": 0},
     "findings": [{"path": "my-task/input.json", "line": 3, "pointer": "/minimum", "code": "TB121", "severity": "error",
                   "title": "…", "message": "…", "fix": "…", "repaired": false, "loose": false}]}

``path`` is relative to ``specs``, which is relative to the current folder; ``line`` counts from 1 and is null where it
is not known; ``pointer`` is a JSON Pointer; ``fix`` may be empty. An error that is ``repaired`` or ``loose`` does not
stop generation. Findings are sorted by path, line, pointer and code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from .diagnostics import Code, Diagnostic, Report, Severity, relative
from .explain import codes
from .formats import Command, SarifLevel, dump, github_command, sarif_location, sarif_log, sarif_rule

_VERSION: Final = 1
_SARIF_LEVEL: Final[Mapping[Severity, SarifLevel]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
_COMMAND: Final[Mapping[Severity, Command]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "notice",
}


def as_json(report: Report, specs: Path, folder: Path) -> str:
    """The findings as one JSON document; see the head of this module."""
    known = codes()
    findings = [
        {
            "path": d.path,
            "line": d.line or None,
            "pointer": d.pointer,
            "code": d.code,
            "severity": d.severity.value,
            "title": _title(known, d),
            "message": d.message,
            "fix": d.fix,
            "repaired": d.repaired,
            "loose": d.loose,
        }
        for d in report
    ]
    counts = {severity.value: report.count(severity) for severity in Severity}
    counts |= {key: sum(bool(finding[key]) for finding in findings) for key in ("repaired", "loose")}
    return dump({"version": _VERSION, "specs": relative(specs, folder), "counts": counts, "findings": findings})


def as_sarif(report: Report, specs: Path, folder: Path) -> str:
    """The findings as a SARIF 2.1.0 log, for code scanning."""
    known = codes()
    used = sorted({d.code for d in report})
    rules = [_rule(known.get(code) or Code(code, Severity.ERROR, code, code)) for code in used]
    where = relative(specs, folder)
    return sarif_log(rules, [_result(d, where, used.index(d.code)) for d in report])


def _rule(code: Code) -> dict[str, Any]:
    return sarif_rule(code.code, code.title, code.text, _SARIF_LEVEL[code.severity])


def _result(d: Diagnostic, specs: str, rule: int) -> dict[str, Any]:
    result = {
        "ruleId": d.code,
        "ruleIndex": rule,
        "level": _SARIF_LEVEL[d.severity],
        "message": {"text": f"{d.message} (fix: {d.fix})" if d.fix else d.message},
        "locations": [sarif_location(specs, d.path, d.line, d.pointer)],
        "properties": {"fix": d.fix, "repaired": d.repaired},
    }
    if d.loose:
        result["suppressions"] = [{"kind": "external", "justification": "--allow-loose"}]
    return result


def as_github(report: Report, specs: Path, folder: Path) -> str:
    """The findings as workflow commands, which GitHub shows beside the lines of a pull request."""
    known = codes()
    lines = []
    for d in report:
        path = str(PurePosixPath(relative(specs, folder)) / d.path)
        notes = [d.pointer] * bool(d.pointer) + [d.message + (f" (fix: {d.fix})" if d.fix else "")]
        title = f"{d.code} {_title(known, d)}"
        lines.append(github_command(_COMMAND[d.severity], ": ".join(notes), file=path, line=d.line, title=title))
    return "\n".join(lines)


FORMATS: Final[Mapping[str, Callable[[Report, Path, Path], str]]] = {
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
"""What writes a report in each format, given the folder of the specs and the one in which the command runs."""


def _title(known: Mapping[str, Code], d: Diagnostic) -> str:
    return known[d.code].title if d.code in known else d.code
