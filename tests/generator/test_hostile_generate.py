"""Hostile specs all the way: refused with a place and nothing written, or turned into a package that does no harm."""

from __future__ import annotations

import ast
import importlib
import shutil
import time
from pathlib import Path

import pytest

from taskbind.config import Config
from taskbind.diagnostics import TaskbindError
from taskbind.pipeline import SpecError, generate
from tests.support.project import imported

SECONDS = 10.0
# What the modules made from a spec may import, beside their own package.
IMPORTS = {"__future__", "abc", "collections", "importlib", "pydantic", "starlette", "sys", "typing"}


def hostile(corpus: Path, tmp_path: Path) -> list[tuple[str, Config]]:
    out = []
    for file in sorted((corpus / "hostile-specs").iterdir()):
        folder = tmp_path / file.stem / "specs" / "hostile"
        folder.mkdir(parents=True)
        shutil.copyfile(file, folder / f"input{file.suffix}")
        (folder / "output.json").write_text('{"type": "string"}')
        out.append((file.name, Config(folder.parent, tmp_path / file.stem / "out", package="made")))
    return out


def test_refused_or_harmless(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    taken = []
    for name, config in hostile(corpus, tmp_path):
        before = sorted(tmp_path.rglob("*"))
        start = time.process_time()
        try:
            generate(config)
        except TaskbindError as error:
            assert not isinstance(error, SpecError) or error.report.fatal, name
            assert sorted(tmp_path.rglob("*")) == before, f"{name}: something was written"
            continue
        finally:
            assert time.process_time() - start < SECONDS, name
        taken.append(name)
        assert {path.name for path in tmp_path.iterdir()} == {path.name.split("/")[0] for path in tmp_path.iterdir()}
        assert {path.relative_to(config.out).parts[0] for path in config.out.rglob("*")} <= {
            "LICENSE", "README.md", "api.json", "docs", "made", "manifest.json", "openapi.json", "pyproject.toml",
        }  # fmt: skip
        for path in (config.out / "made").rglob("*.py"):
            if "_runtime" not in path.parts:
                assert imports(path) <= IMPORTS | {"made"}, f"{name}: {path.name}"
        with imported(config):
            importlib.import_module("made.models.hostile")
            importlib.import_module("made._client")
    assert len(taken) >= 5, "most odd texts are just text"


def imports(path: Path) -> set[str]:
    """The top-level packages that a module imports by statement."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found
