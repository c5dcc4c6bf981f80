"""The same command on unmodified foreign specs: every task generates, imports, and is measured against its schema."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskbind.config import Config
from taskbind.pipeline import generate
from tests.laws.__main__ import table
from tests.laws.subjects import Project

PACKAGE = "hf_tasks"
CASES = 200


@pytest.fixture(scope="module")
def out(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package generated from the foreign specs, importable."""
    out = tmp_path_factory.mktemp("corpus") / "out"
    outcome = generate(Config(corpus / "hf-tasks", out, package=PACKAGE))
    assert outcome.tasks == 32
    assert not outcome.report.fatal
    assert all(diagnostic.fix for diagnostic in outcome.report if diagnostic.repaired)
    sys.path.insert(0, str(out))
    yield out
    sys.path.remove(str(out))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def test_every_module_of_the_package_imports(out: Path) -> None:
    models = importlib.import_module(f"{PACKAGE}.models")
    assert len(models.__all__) > 100
    for name in models.__all__:
        getattr(models, name)
    client = importlib.import_module(PACKAGE).Client("http://127.0.0.1:9")
    assert callable(client.zero_shot_classification)
    client.close()


def test_classes_have_names_that_a_person_would_give(out: Path) -> None:
    sources = {path.name: path.read_text(encoding="utf-8") for path in (out / PACKAGE / "models").glob("*.py")}
    names = [name for source in sources.values() for name in re.findall(r"^class (\w+)", source, re.MULTILINE)]
    assert len(names) > 100
    assert [name for name in names if re.search(r"\d$|Variant\d", name)] == []
    assert [name for name, source in sources.items() if "RootModel" in source] == []


def test_the_package_is_strictly_typed(out: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "pyproject.toml", "-p", f"{PACKAGE}.models"]
    command += ["-m", f"{PACKAGE}._client", "-m", f"{PACKAGE}._tasks", "-m", f"{PACKAGE}.server", "-m", PACKAGE]
    result = subprocess.run(command, cwd=out, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_the_laws_hold(out: Path, corpus: Path, tables: list[str]) -> None:
    """A smaller draw of what `python -m tests.laws` runs in full."""
    project = Project(corpus / "hf-tasks", PACKAGE, out)
    rows = [subject.measure(draws=2, limit=CASES) for subject in project.subjects()]
    tables.append(table([(project, row) for row in rows]))
    assert sum(row.tally.total for row in rows) > 10_000
    assert all(row.hit == row.declared for row in rows), "the data has every member that the schemas name"
    broken = [f"{row.name}: {each}" for row in rows for each in row.tally.broken]
    assert not broken, "\n".join(broken[:10])
