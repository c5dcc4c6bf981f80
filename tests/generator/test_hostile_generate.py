"""Hostile specs all the way: refused with a place and nothing written, or turned into a package that does no harm."""

from __future__ import annotations

import ast
import importlib
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from taskbind.config import Config
from taskbind.diagnostics import TaskbindError
from taskbind.pipeline import SpecError, generate
from tests.support.project import closed, echo_task, generate_project, imported

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
            "site",
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


def ladder(name: str, levels: int, width: int) -> dict[str, Any]:
    """Definitions each of which refers `width` times to the next one: written out, they are beyond all bounds."""
    last = {"type": "string"}
    return {
        f"{name}{level}": {
            "type": "object",
            "properties": {
                f"f{i}": {"$ref": f"#/$defs/{name}{level + 1}"} if level < levels else last for i in range(width)
            },
        }
        for level in range(levels + 1)
    }


def tower(keyword: str, levels: int) -> dict[str, Any]:
    """Unions of the next definition and a list of it, without any object to give it a name."""
    steps = {
        f"U{i}": {keyword: [{"$ref": f"#/$defs/U{i + 1}"}, {"type": "array", "items": {"$ref": f"#/$defs/U{i + 1}"}}]}
        for i in range(levels)
    }
    return {"$defs": {**steps, f"U{levels}": {"type": "string"}}, "$ref": "#/$defs/U0"}


def loops(keyword: str, *required: str) -> dict[str, Any]:
    """Two objects that hold themselves, put together."""
    defs = {
        name: {
            "type": "object",
            "properties": {"child": {"$ref": f"#/$defs/{name}"}, name: {"type": "string"}},
            "required": list(required),
        }
        for name in ("A", "B")
    }
    return {"$defs": defs, keyword: [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]}


@pytest.mark.parametrize(
    ("output", "good", "bad"),
    [
        ({"$defs": ladder("A", 22, 2), "$ref": "#/$defs/A0"}, {"f0": {"f1": {}}}, {"f0": {"f1": 1}}),
        (
            {
                "$defs": ladder("A", 15, 3) | ladder("B", 15, 3),
                "allOf": [{"$ref": "#/$defs/A0"}, {"$ref": "#/$defs/B0"}],
            },
            {"f0": {"f2": {}}},
            {"f0": {"f2": "x"}},
        ),
        (tower("anyOf", 22), [["x"]], [[1]]),
        (tower("oneOf", 22), "x", []),
        (loops("allOf"), {"child": {"A": "x", "B": "y"}}, {"child": {"A": "x", "B": 1}}),
        (loops("oneOf", "child"), None, {"child": {"child": {}}}),
    ],
    ids=["ladder", "two ladders", "tower of anyOf", "tower of oneOf", "loops together", "loops apart"],
)
def test_what_grows_without_end_is_cut_short(tmp_path: Path, output: Any, good: Any, bad: Any) -> None:
    config, _ = generate_project(tmp_path, echo_task(output=output))
    with imported(config):
        adapter = importlib.import_module("made._tasks").TASKS["echo"].output_adapter
        with pytest.raises(ValidationError):
            adapter.validate_python(bad)
        if good is not None:
            assert adapter.dump_python(adapter.validate_python(good), exclude_unset=True) == good


@pytest.mark.parametrize(("levels", "taken"), [(30, True), (200, False), (2_000, False)])
def test_types_may_nest_deep_but_not_for_ever(tmp_path: Path, levels: int, taken: bool) -> None:
    """Each level is a definition of its own, so that no file is nested deep."""
    nested = {f"D{i}": closed({"x": {"$ref": f"#/$defs/D{i + 1}"}}, title=f"D{i}") for i in range(levels)}
    nested[f"D{levels}"] = closed({"x": {"type": "string"}}, title=f"D{levels}")
    files = echo_task() | {
        "echo/input.json": closed({"inputs": {"$ref": "#/$defs/D0"}}, title="EchoInput", **{"$defs": nested})
    }
    if taken:
        generate_project(tmp_path, files)
        return
    with pytest.raises(SpecError) as failed:
        generate_project(tmp_path, files)
    assert {diagnostic.code for diagnostic in failed.value.report.fatal} == {"TB305"}
    assert not (tmp_path / "out").exists()
