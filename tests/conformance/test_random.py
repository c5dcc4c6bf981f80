"""Random schemas: the generated models agree with a validator on every one, whatever keywords meet in it."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, given, settings, strategies as st

from taskbind.diagnostics import Report
from taskbind.load.dialects import metaschema_problem
from taskbind.normalize import normalize
from tests.conformance.models import RefusedError, verdict
from tests.conformance.suite import DIALECTS, Group
from tests.generator.test_normalize import tree_of
from tests.generator.test_normalize_meaning import REPAIRS, SCHEMAS
from tests.generator.test_normalize_properties import instances

DRAFT = "draft2020-12"
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


@settings(max_examples=150)
@given(SCHEMAS, st.lists(instances, min_size=4, max_size=12))
def test_models_agree_with_random_schemas(folder: Path, schema: dict[str, Any], values: list[Any]) -> None:
    schema = {"$schema": DIALECTS[DRAFT], **schema}
    assume(metaschema_problem(schema) is None)
    tree, report = tree_of(schema), Report()
    normalize(tree, report)
    assume(REPAIRS.isdisjoint(finding.code for finding in report))
    root = folder / f"random_{next(NUMBERS)}"  # names a package; another of the same name would be taken for it
    try:
        with verdict(Group(DRAFT, "random", "random", schema, ()), root) as ask:
            judge = jsonschema_rs.validator_for(schema, validate_formats=False, offline=True)
            for value in values:
                assert ask(value) == ("accepts" if judge.is_valid(value) else "refuses"), value
    except RefusedError:
        assume(False)
    finally:
        shutil.rmtree(root, ignore_errors=True)
