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

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from . import __version__
from .diagnostics import Code, Diagnostic, Report, Severity, one_line
from .explain import codes

_VERSION: Final = 1
_SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SARIF_LEVEL: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_COMMAND: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


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
    return _dump({"version": _VERSION, "specs": _relative(specs, folder), "counts": counts, "findings": findings})


def as_sarif(report: Report, specs: Path, folder: Path) -> str:
    """The findings as a SARIF 2.1.0 log, for code scanning.

    Paths are relative to the spec root, and that to the folder of the run, whose own place is left to the reader: a log
    is the same on every machine.
    """
    known = codes()
    used = sorted({d.code for d in report})
    root = _relative(specs, folder)
    bases: dict[str, Any] = {"SPECS": {"description": {"text": "The folder of the specs."}}}
    if root != "." and ".." not in PurePosixPath(root).parts:  # a base must have a path and cannot lead upwards
        bases["SPECS"] |= {"uri": f"{_uri(root)}/", "uriBaseId": "PROJECT"}
        bases["PROJECT"] = {"description": {"text": "The folder in which taskbind ran."}}
    driver = {"name": "taskbind", "semanticVersion": __version__, "rules": [_rule(code, known) for code in used]}
    run = {
        "tool": {"driver": driver},
        "originalUriBaseIds": bases,
        "columnKind": "unicodeCodePoints",
        "results": [_result(d, used.index(d.code)) for d in report],
    }
    return _dump({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str, known: Mapping[str, Code]) -> dict[str, Any]:
    found = known.get(code) or Code(code, Severity.ERROR, code, code)
    return {
        "id": code,
        "shortDescription": {"text": found.title},
        "fullDescription": {"text": found.text},
        "help": {"text": found.text},
        "defaultConfiguration": {"level": _SARIF_LEVEL[found.severity]},
    }


def _result(d: Diagnostic, rule: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(d.path), "uriBaseId": "SPECS"}}
    if d.line:
        place["region"] = {"startLine": d.line}
    location: dict[str, Any] = {"physicalLocation": place}
    if d.pointer:
        location["logicalLocations"] = [{"fullyQualifiedName": d.pointer, "kind": "value"}]
    result = {
        "ruleId": d.code,
        "ruleIndex": rule,
        "level": _SARIF_LEVEL[d.severity],
        "message": {"text": f"{d.message} (fix: {d.fix})" if d.fix else d.message},
        "locations": [location],
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
        path = str(PurePosixPath(_relative(specs, folder)) / d.path)
        properties = {"file": path, "line": str(d.line) if d.line else "", "title": f"{d.code} {_title(known, d)}"}
        told = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
        notes = [d.pointer] * bool(d.pointer) + [d.message + (f" (fix: {d.fix})" if d.fix else "")]
        lines.append(f"::{_COMMAND[d.severity]} {told}::{_data(': '.join(notes))}")
    return "\n".join(lines)


FORMATS: Final[Mapping[str, Callable[[Report, Path, Path], str]]] = {
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
"""What writes a report in each format, given the folder of the specs and the one in which the command runs."""


def _data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return one_line(escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _title(known: Mapping[str, Code], d: Diagnostic) -> str:
    return known[d.code].title if d.code in known else d.code


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path.as_posix()


def _uri(path: str) -> str:
    return quote(os.fsencode(path))


def _dump(value: Any) -> str:
    # ASCII: file names need not be Unicode, and not every pipe is UTF-8.
    return json.dumps(value, indent=2)
