"""An upgrade of the tool that changes nothing but its version: nothing but the manifest changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import taskbind
from tests.conftest import ROOT

TOOLS = {"taskbind": "0.1.99", "datamodel-code-generator": "0.89.99", "jinja2": "3.1.99", "ruff": "0.17.99"}


def other_version(folder: Path) -> Path:
    """A copy of the tool with its next version, beside metadata that say the same of what it is built on."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(ROOT / "generator" / "taskbind", folder / "generator" / "taskbind", ignore=ignored)
    shutil.copytree(ROOT / "templates", folder / "templates", ignore=ignored)
    init = folder / "generator" / "taskbind" / "__init__.py"
    text = init.read_text(encoding="utf-8")
    assert taskbind.__version__ in text
    init.write_text(text.replace(taskbind.__version__, TOOLS["taskbind"]), encoding="utf-8")
    for name, version in TOOLS.items():
        about = folder / "generator" / f"{name.replace('-', '_')}-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    return folder / "generator"


def generate(project: Path, tool: Path) -> dict[str, bytes]:
    """What a tool makes of a project."""
    command = [sys.executable, "-m", "taskbind", "generate"]
    done = subprocess.run(
        command, cwd=project, env=os.environ | {"PYTHONPATH": os.fspath(tool)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    out = project / "generated"
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_the_manifest_alone_knows_versions(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "specs", project / "specs")
    shutil.copy(ROOT / "taskbind.toml", project)
    before = generate(project, ROOT / "generator")
    after = generate(project, other_version(tmp_path / "upgrade"))
    assert before.keys() == after.keys()
    assert {path for path in after if after[path] != before[path]} == {"manifest.json"}
    manifests: list[dict[str, Any]] = [json.loads(tree["manifest.json"]) for tree in (before, after)]
    tools = [manifest.pop("tool") for manifest in manifests]
    assert manifests[0] == manifests[1]
    assert {name: tools[1][name] for name in TOOLS} == TOOLS
    assert all(tools[0][name] != version for name, version in TOOLS.items())
    assert all(
        version.encode() not in data
        for version in TOOLS.values()
        for path, data in after.items()
        if path != "manifest.json"
    )
