"""Every habit of this project is one session: `nox -l` lists them, `nox` runs the default ones, which are the tests.

Sessions share one environment, `.nox/dev`: torch is large, and they should agree on what they test. What cannot live
with our dependencies has one of its own beside it.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = [
    "style",
    "types",
    "check",
    "tests",
    "serve",
    "javascript",
    "openapi",
    "editor",
    "project",
    "docs",
    "fuzz",
    "ray",
]

ROOT = Path(__file__).parent
ENVIRONMENT = ROOT / ".nox" / "dev"
RAY = ROOT / ".nox" / "ray"
BIN = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin")
CODE = ("generator", "templates", "training", "tests", "benchmarks", "examples", "noxfile.py")
PEERS = {"litserve": "litserve==0.2.19", "bentoml": "bentoml==1.4.39"}

_ready = False


def run(session: nox.Session, *command: str) -> None:
    """Run a command of the shared environment."""
    prepare(session)
    variables: dict[str, str | None] = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(ENVIRONMENT),
        # Without byte code every Python tool is 2.5 times slower.
        "PYTHONDONTWRITEBYTECODE": None,
    }
    session.run(str(BIN / command[0]), *command[1:], env=variables, external=True)


def prepare(session: nox.Session) -> None:
    """Make the shared environment and bring it up to date, once for each run of nox."""
    global _ready
    if not _ready:
        _ready = True
        extras = "clarifai,diffusion,otel,testing,torch"
        packages = ("-e", ".[site]", "-e", f"generated[{extras}]", "-r", "requirements-dev.txt")
        install(session, ENVIRONMENT, "-c", "constraints.txt", *packages)


def install(session: nox.Session, environment: Path, *packages: str) -> None:
    """Make an environment, unless it is there, and install into it."""
    make(session, environment)
    session.run(str(environment / BIN.name / "pip"), "install", "--quiet", *packages, external=True)


def make(session: nox.Session, environment: Path) -> None:
    """Make an environment, unless it is there."""
    if not environment.exists():
        # virtualenv came with nox, and needs no part of Python that a system may have split off.
        session.run(sys.executable, "-m", "virtualenv", "--quiet", str(environment), external=True)


def share(environment: Path) -> None:
    """Let an environment have what ours has and it has not: torch and transformers above all, which are large."""
    packages = next(environment.glob("lib/python*/site-packages"))
    shared = ENVIRONMENT / packages.relative_to(environment)
    (packages / "shared.pth").write_text(f"{shared}\n", encoding="utf-8")


def npm(session: nox.Session, tests: str, folder: Path) -> None:
    """Install the packages that a folder of tests locks."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "tests" / tests / name, folder)
    run(session, "npm", "ci", "--prefix", os.fspath(folder), "--ignore-scripts", "--no-audit", "--no-fund")


@nox.session
def style(session: nox.Session) -> None:
    """Lint and formatting of everything written by hand."""
    run(session, "ruff", "check", *CODE)
    run(session, "ruff", "format", "--check", *CODE)


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict over the generator, the generated package with its runtime, and the programs beside them.

    The generated package is checked by pyright too, which is what many of its users' editors run.
    """
    run(session, "mypy", "-p", "taskbind", "-p", "inference_tasks")
    calls = "tests/client/typed_calls.py"
    run(session, "mypy", "noxfile.py", "examples", "benchmarks", calls)
    run(session, "pyright", "--pythonpath", str(BIN / "python"), "generated/inference_tasks", calls)


@nox.session
def check(session: nox.Session) -> None:
    """The specs have nothing to report, and the generated tree is what they generate."""
    run(session, "taskbind", "lint")
    run(session, "taskbind", "check", "--diff")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests that need no session of their own; arguments go to pytest.

    TASKBIND_CORPUS may name a folder of foreign specs to test against.
    """
    run(
        session,
        "pytest",
        *(session.posargs or ["--numprocesses", "2", "--ignore", "tests/site", "--ignore", "tests/project"]),
    )


@nox.session
def serve(session: nox.Session) -> None:
    """Hold the client against the real `transformers serve`, with tiny models made on the spot."""
    run(session, "pip", "install", "--quiet", "-c", "constraints.txt", "transformers[serving]", "python-multipart")
    run(session, "pytest", "tests/end_to_end/test_transformers_serve.py", *session.posargs)


@nox.session
def ray(session: nox.Session) -> None:
    """Hold the server on a local Ray cluster against the one process, in an environment of its own below .nox/.

    It pins what other servers pin to other versions; what the shared environment has already is not installed again.
    """
    prepare(session)
    make(session, RAY)
    share(RAY)
    install(session, RAY, "-c", "constraints.txt", "-e", "generated[ray,testing]")
    session.run(str(RAY / BIN.name / "python"), "-m", "pytest", "tests/ray", *session.posargs, external=True)


@nox.session
def javascript(session: nox.Session) -> None:
    """Hold the server against Hugging Face's own JavaScript client, which npm puts below .nox/."""
    npm(session, "end_to_end", ROOT / ".nox" / "js")
    run(session, "pytest", "tests/end_to_end/test_js_client.py", "tests/docs/test_migrating.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site of the docs into ./site and test it, in a browser, too: Debian's chromium, and axe-core of npm."""
    npm(session, "site", ROOT / ".nox" / "site")
    run(session, "taskbind", "generate")
    run(session, "taskbind", "site")
    run(session, "pytest", "tests/site", "tests/playground/test_access.py", *session.posargs)


@nox.session
def material(session: nox.Session) -> None:
    """Build the same site with Material for MkDocs, which has an environment of its own."""
    environment = ROOT / ".nox" / "material"
    install(session, environment, "mkdocs-material==9.8.1")
    session.env["TASKBIND_MKDOCS"] = str(environment / BIN.name / "mkdocs")
    run(session, "pytest", "tests/site/test_material.py", *session.posargs)


@nox.session
def openapi(session: nox.Session) -> None:
    """Have validators and generators from PyPI and npm read the OpenAPI document, and call the server with a client.

    TypeScript's compiler comes with them, so it reads the generated types here, too, and those of a plugin.
    openapi-python-client holds httpx and typer below versions that ours need not be below, and so has an environment.
    """
    install(session, ROOT / ".nox" / "openapi", "-r", "tests/openapi/requirements.txt")
    npm(session, "openapi", ROOT / ".nox" / "openapi-js")
    run(session, "pytest", "tests/openapi", "tests/typescript", "tests/generator/test_extending.py", *session.posargs)


@nox.session
def editor(session: nox.Session) -> None:
    """Ask the engine of editors, of npm, to complete and check TOML files by their JSON Schemas."""
    npm(session, "editor", ROOT / ".nox" / "editor")
    run(session, "pytest", "tests/editor", *session.posargs)


@nox.session
def project(session: nox.Session) -> None:
    """Begin projects as strangers do, and use this repository with pre-commit: with packages built into .nox/wheels."""
    wheels = ROOT / ".nox" / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    # pre-commit makes a package of its own for a local hook, which setuptools builds.
    build = ("hatchling", "editables", "setuptools", "virtualenv", "nox", "pre-commit", "pytest")
    packages = (".[site]", "./generated[serve,testing]", *build)
    run(session, "pip", "wheel", "--quiet", "--wheel-dir", str(wheels), "-c", "constraints.txt", *packages)
    run(session, "pytest", "tests/project", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Have schemathesis test running servers by their OpenAPI document (minutes); it has an environment of its own.

    It pins jsonschema-rs to one minor version, which is not always ours.
    """
    install(session, ROOT / ".nox" / "schemathesis", "-r", "tests/fuzz/requirements.txt")
    run(session, "pytest", "tests/fuzz", *session.posargs)


@nox.session
def conformance(session: nox.Session) -> None:
    """Hold the models against the official JSON Schema test suite, and print the table that its README keeps."""
    run(session, "pytest", "tests/conformance", *session.posargs)


@nox.session
def laws(session: nox.Session) -> None:
    """Hold all models against their schemas in more than 200,000 cases, and seed bugs that these must catch."""
    run(session, "python", "-m", "tests.laws", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Generate from specs/, serve the demo models, and call all tasks with the generated client."""
    run(session, "taskbind", "generate")
    run(session, "python", "examples/demo.py")


@nox.session
def generate(session: nox.Session) -> None:
    """Bring generated/ up to date."""
    run(session, "taskbind", "generate", *session.posargs)


@nox.session
def record(session: nox.Session) -> None:
    """Record the responses that the docs show from the running server, run all programs of the docs, and generate."""
    for what in ("record", "record_predict", "execute"):
        run(session, "taskbind", "generate")
        run(session, "python", "-m", f"tests.docs.{what}")
    run(session, "taskbind", "generate")


@nox.session
def train(session: nox.Session) -> None:
    """Train the demo models anew (minutes; needs espeak-ng); arguments name tasks."""
    run(session, "pip", "install", "--quiet", "-c", "constraints.txt", "-r", "training/requirements.txt")
    run(session, "python", "-m", "training", *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """Install the servers that benchmarks/bench_peers.py compares ours with, and run it; arguments go to it.

    Each has its environment, with torch and transformers out of ours: the same ones for all, and nothing replaces them.
    """
    for peer, requirement in PEERS.items():
        environment = ROOT / ".nox" / "peers" / peer
        install(session, environment, requirement)
        share(environment)
    run(session, "python", "benchmarks/bench_peers.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure every claim in benchmarks/, each beside its target; arguments name some of them."""
    for path in sorted(Path("benchmarks").glob("bench_*.py")):
        if not session.posargs or path.stem.removeprefix("bench_") in session.posargs:
            run(session, "python", os.fspath(path))
