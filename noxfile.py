"""Every habit of this project is one session: `nox -l` lists them, `nox` runs the default ones, which are the tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
CODE = ("generator", "templates", "tests", "benchmarks", "examples", "noxfile.py")

_ready = False


def session(**options: Any) -> Any:
    """Register a session. All share one environment: torch is large, and they must agree on what they test."""
    return nox.session(venv_location=".nox/dev", reuse_venv=True, **options)


def develop(session: nox.Session) -> None:
    """Install this project, the generated package and the tools, once for each run of nox."""
    global _ready
    # Without byte code every Python tool is 2.5 times slower.
    session.env["PYTHONDONTWRITEBYTECODE"] = None
    if not _ready:
        session.install("-c", "constraints.txt", "-e", ".", "-e", "generated[torch]", "-r", "requirements-dev.txt")
    _ready = True


@session()
def style(session: nox.Session) -> None:
    """Lint and formatting of everything written by hand."""
    develop(session)
    session.run("ruff", "check", *CODE)
    session.run("ruff", "format", "--check", *CODE)


@session()
def types(session: nox.Session) -> None:
    """mypy --strict over the generator and the generated package, runtime included."""
    develop(session)
    session.run("mypy", "-p", "taskbind", "-p", "inference_tasks")
    session.run("mypy", "noxfile.py", "examples", "benchmarks")


@session()
def check(session: nox.Session) -> None:
    """The specs have nothing to report, and the generated tree is what they generate."""
    develop(session)
    session.run("taskbind", "lint")
    session.run("taskbind", "check", "--diff")


@session()
def tests(session: nox.Session) -> None:
    """All tests; arguments go to pytest. TASKBIND_CORPUS may name a folder of foreign specs to test against."""
    develop(session)
    session.run("pytest", *session.posargs)


@session(default=False)
def demo(session: nox.Session) -> None:
    """Generate from specs/, serve the embedded demo models, and call all tasks with the generated client."""
    develop(session)
    session.run("taskbind", "generate")
    session.run("python", "examples/demo.py")


@session(default=False)
def generate(session: nox.Session) -> None:
    """Bring generated/ up to date."""
    develop(session)
    session.run("taskbind", "generate", *session.posargs)


@session(default=False)
def record(session: nox.Session) -> None:
    """Record the responses that the docs show from the running server, then generate."""
    develop(session)
    session.run("python", "-m", "tests.docs.record")
    session.run("taskbind", "generate")


@session(default=False)
def train(session: nox.Session) -> None:
    """Train the embedded demo models anew (minutes; needs espeak-ng); arguments name tasks."""
    develop(session)
    session.install("-c", "constraints.txt", "scikit-learn", "vaderSentiment")
    session.run("python", "templates/demo/train.py", *session.posargs)


@session(default=False)
def bench(session: nox.Session) -> None:
    """Measure every claim in benchmarks/, each beside its target."""
    develop(session)
    wanted = {Path(name).stem for name in session.posargs}
    for path in sorted(Path("benchmarks").glob("bench_*.py")):
        if not wanted or path.stem in wanted or path.stem.removeprefix("bench_") in wanted:
            session.run("python", os.fspath(path))
