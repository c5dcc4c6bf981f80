"""`taskbind import clarifai` on drawn signatures: it never crashes, and what it writes is sound, defaults too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, given, settings, strategies as st

from taskbind.config import Config
from taskbind.diagnostics import Severity, TaskbindError
from taskbind.importing.clarifai import read
from taskbind.importing.write import Imported, ImportRefusedError, write
from taskbind.pipeline import generate
from tests.support.project import imported as package_of

from . import signatures as drawn

STYLE = "TB260"
"""From here on findings are of style, such as members without a description, or a whole number that is a FLOAT."""
SLOW = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def imported(folder: str, value: Any) -> Imported:
    file = Path(folder) / "signatures.json"
    file.write_text(json.dumps(value), encoding="utf-8")
    return read(file)


def defaults(schema: Any) -> Iterator[dict[str, Any]]:
    """The schemas with a default in a schema."""
    if isinstance(schema, dict):
        if "default" in schema and "properties" not in schema:
            yield schema
        for key, inner in schema.items():
            if key not in ("default", "enum", "const", "examples"):
                yield from defaults(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from defaults(inner)


def check(folder: str, made: Imported) -> None:
    """What was imported lints without errors, and each default is valid where it stands."""
    to = Path(folder) / "specs"
    for finding in write(made, to).findings:
        assert finding.severity is not Severity.ERROR, finding
        assert finding.code >= STYLE, finding
    own = {"shared:": (to / "clarifai.json").read_text(encoding="utf-8")} if (to / "clarifai.json").exists() else {}
    for path in sorted(to.glob("*/input.json")):
        text = path.read_text(encoding="utf-8").replace("../clarifai.json#", "urn:shared#")
        for schema in defaults(json.loads(text)):
            registry = jsonschema_rs.Registry([("urn:shared", json.loads(each)) for each in own.values()])
            assert jsonschema_rs.validator_for(schema, registry=registry).is_valid(schema["default"]), schema


@given(st.lists(drawn.signatures(), min_size=1, max_size=2))
@SLOW
def test_what_is_well_made_becomes_tasks(value: Any) -> None:
    with TemporaryDirectory() as folder:
        made = imported(folder, value)
        if not made.report.fatal:  # a field may be called `stream` where that asks for pieces
            assert len([path for path in made.files if path.endswith("/input.json")]) == len(value)
        check(folder, made)


@given(st.lists(drawn.signatures(), min_size=3, max_size=3))
@settings(SLOW, max_examples=5)
def test_what_is_well_made_generates(value: Any) -> None:
    with TemporaryDirectory() as folder:
        write(imported(folder, value), Path(folder) / "specs")
        config = Config(Path(folder) / "specs", Path(folder) / "out", package="drawn")
        generate(config)
        with package_of(config) as package:
            assert package.Client("http://127.0.0.1")


@given(drawn.files())
@SLOW
def test_no_file_crashes_it(value: Any) -> None:
    with TemporaryDirectory() as folder:
        try:
            made = imported(folder, value)
        except ImportRefusedError as error:
            assert all(each.code.startswith("TB") and each.message for each in error.report)
            assert error.report.fatal
        except TaskbindError as error:
            assert str(error)
        else:
            check(folder, made)
