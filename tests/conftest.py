"""What all tests share: the repository's own tree, and tables that belong in the test output."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent

settings.register_profile(
    "ci",
    # The same examples on every machine: a failure here is a failure everywhere.
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.register_profile("free", parent=settings.get_profile("ci"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

TABLES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Make room for tables."""
    config.stash[TABLES] = []


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's tables to the process that prints."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["tables"] = session.config.stash[TABLES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the tables of a worker that is done."""
    node.config.stash[TABLES] += getattr(node, "workeroutput", {}).get("tables", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables that tests have measured."""
    for table in terminalreporter.config.stash[TABLES]:
        terminalreporter.section("measured")
        terminalreporter.write_line(table)


@pytest.fixture
def tables(request: pytest.FixtureRequest) -> list[str]:
    """Append a text here to have it printed after the test run."""
    return request.config.stash[TABLES]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def corpus() -> Path:
    """A folder of foreign specs to test against, named by TASKBIND_CORPUS."""
    path = os.environ.get("TASKBIND_CORPUS")
    if not path or not Path(path).is_dir():
        pytest.skip("TASKBIND_CORPUS names no folder with foreign specs")
    return Path(path)
