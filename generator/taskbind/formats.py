"""What the reports for programs have in common: JSON, SARIF 2.1.0, and the workflow commands of GitHub.

They hold text from specs, so everything is escaped here. Output is ASCII where that says the same: names of files need
not be Unicode, and not every pipe is UTF-8.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal
from urllib.parse import quote

from . import __version__
from .diagnostics import one_line, relative

_SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT: Final = "%SRCROOT%"
_SPECS: Final = "SPECS"
_BASES: Final = {
    _ROOT: "The root of the repository; where that is not known, the folder in which taskbind ran.",
    _SPECS: "The folder of the specs, where they lie outside of that one.",
}

SarifLevel = Literal["error", "warning", "note"]
Command = Literal["error", "warning", "notice"]


def dump(value: Any) -> str:
    """A JSON document."""
    return json.dumps(value, indent=2)


def sarif_log(rules: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]], **run: Any) -> str:
    """A SARIF log of one run, whose `rules` and `results` are finished objects.

    Where the bases of its paths lie is left to the reader: a log is the same on every machine.
    """
    told = {
        "tool": {"driver": {"name": "taskbind", "semanticVersion": __version__, "rules": rules}},
        "originalUriBaseIds": {id: {"description": {"text": text}} for id, text in _BASES.items()},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return dump({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [told | run]})


def sarif_rule(id: str, title: str, text: str, level: SarifLevel) -> dict[str, Any]:
    """One rule of a SARIF log."""
    return {
        "id": id,
        "shortDescription": {"text": title},
        "fullDescription": {"text": text},
        "help": {"text": text},
        "defaultConfiguration": {"level": level},
    }


def sarif_location(specs: str | None, path: str, line: int, pointer: str) -> dict[str, Any]:
    """A place in a SARIF log: a file relative to the spec root, its line (0: unknown), a JSON Pointer.

    `specs` leads from the current folder to the spec root; None if nobody knows that. GitHub's code scanning takes
    every path for one from the repository on, whatever its base says; so that is what it has to be.
    """
    file = _in_repository(str(PurePosixPath(specs or "..", path)))
    uri, base = (path, _SPECS) if PurePosixPath(file).parts[0] == ".." else (file, _ROOT)
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(uri), "uriBaseId": base}}
    if line:
        place["region"] = {"startLine": line}
    location: dict[str, Any] = {"physicalLocation": place}
    if pointer:
        location["logicalLocations"] = [{"fullyQualifiedName": pointer, "kind": "value"}]
    return location


def github_command(command: Command, message: str, *, file: str = "", line: int = 0, title: str = "") -> str:
    """One line that GitHub's workflow log makes an annotation of, beside the line of the file if that is given.

    `file` is relative to the current folder.
    """
    properties = {"file": _in_repository(file) if file else "", "line": str(line) if line else "", "title": title}
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{command}{' ' * bool(told)}{told}::{_data(message)}"


def _in_repository(path: str) -> str:
    """A path from the current folder on, as GitHub wants it: from the repository on, if a workflow says where that is
    and the current folder lies in it."""
    here, workspace = Path.cwd(), os.environ.get("GITHUB_WORKSPACE")
    root = Path(workspace).resolve() if workspace else here
    return relative(here / path, root) if root != here and here.is_relative_to(root) else path


def _uri(path: str) -> str:
    return quote(os.fsencode(path))


def _data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return one_line(escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
