"""The same specs give the same bytes: any hash seed, locale, time zone, directory order, place; and never twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Generates with every directory listed in an order made from the seed.
CHILD = """
import os, random, sys
from pathlib import Path

order = random.Random(int(sys.argv[1]))
listdir, scandir = os.listdir, os.scandir

class Scan:
    def __init__(self, path):
        with scandir(path) as entries:
            self.entries = sorted(entries, key=lambda entry: entry.name)
        order.shuffle(self.entries)
    def __enter__(self):
        return iter(self.entries)
    def __exit__(self, *_):
        pass
    def __iter__(self):
        return iter(self.entries)
    def close(self):
        pass

os.listdir = lambda *arguments: order.sample(names := sorted(listdir(*arguments)), len(names))
os.scandir = lambda path=".": Scan(path)

from taskbind.config import load_config
from taskbind.pipeline import generate

generate(load_config(Path.cwd()))
"""


def read(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("seed", "variables"),
    [
        ("1", {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}),
        ("2", {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "COLUMNS": "40"}),
    ],
)
def test_the_same_bytes_anywhere(root: Path, tmp_path: Path, seed: str, variables: dict[str, str]) -> None:
    project = tmp_path / f"another place {seed}"
    project.mkdir()
    shutil.copy(root / "taskbind.toml", project)
    shutil.copytree(root / "specs", project / "specs")
    command = [sys.executable, "-c", CHILD, seed]
    subprocess.run(command, cwd=project, env={**os.environ, **variables}, check=True)
    made, committed = read(project / "generated"), read(root / "generated")
    committed = {path: data for path, data in committed.items() if "__pycache__" not in path}
    assert made.keys() == committed.keys()
    assert [path for path in made if made[path] != committed[path]] == []


def test_generating_again_writes_nothing(root: Path, tmp_path: Path) -> None:
    shutil.copy(root / "taskbind.toml", tmp_path)
    shutil.copytree(root / "specs", tmp_path / "specs")
    shutil.copytree(root / "generated", tmp_path / "generated", ignore=shutil.ignore_patterns("__pycache__"))
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in (tmp_path / "generated").rglob("*")}

    command = [sys.executable, "-m", "taskbind", "generate"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in (tmp_path / "generated").rglob("*")} == before
    manifest = tmp_path / "generated" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"specs"', '"old-specs"', 1))
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    after = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in (tmp_path / "generated").rglob("*")}
    changed = {p.name for p in after if p.is_file() and after[p] != before.get(p)}
    assert changed == {"manifest.json"}


def test_nothing_generated_names_this_machine(root: Path) -> None:
    here = str(root).encode()
    assert [path for path, data in read(root / "generated").items() if here in data and "__pycache__" not in path] == []
