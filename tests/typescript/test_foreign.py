"""The types of specs that others wrote: they compile, whatever is in them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

from taskbind.config import Config
from taskbind.context import Context
from taskbind.diagnostics import LOOSENABLE, Report, TaskbindError
from taskbind.escape import js
from taskbind.pipeline import read_api
from taskbind.plan import plan
from taskbind.render import typescript
from tests.laws.subjects import read
from tests.support.payloads import drawn
from tests.support.typescript import findings, need_compiler, program, variable

TAKEN: Final = set("01 04 07 10 13 25 28 40 43 46 61 64".split())
"""The hostile specs that types are made of; the others are refused."""


def write(specs: Path, out: Path) -> None:
    """Write the types of a spec root."""
    config = Config(specs, out, allow_loose=tuple(LOOSENABLE))
    api = read_api(config, Report(loose=LOOSENABLE))
    out.mkdir()
    for path, text in typescript.render(api, plan(api, config), Context(config)).items():
        (out / Path(path).name).write_text(str(text), encoding="utf-8")


def test_types_of_hugging_faces_specs(corpus: Path, tmp_path: Path) -> None:
    need_compiler()
    write(corpus / "hf-tasks", tmp_path / "types")
    assert findings(tmp_path) == []


def test_payloads_of_hugging_faces_specs_have_their_types(corpus: Path, tmp_path: Path) -> None:
    need_compiler()
    specs = read(corpus / "hf-tasks")
    write(corpus / "hf-tasks", tmp_path / "types")
    lines = []
    for task in specs.api.tasks:
        for kind, written in (("input", js), ("output", variable), ("stream", variable)):
            if id := getattr(task, kind):
                payloads = drawn(specs.judge.shapes, specs.judge.schema(id), 4)
                lines += [(f"Tasks[{json.dumps(task.id)}]['{kind}']", written(payload)) for payload in payloads]
    program(tmp_path, "payloads.mts", {"{ Tasks }": "./types/index.js"}, lines)
    assert [(lines[finding.line - 2], finding) for finding in findings(tmp_path)] == []
    assert len(lines) > 100


def test_types_of_hostile_specs(corpus: Path, tmp_path: Path) -> None:
    need_compiler()
    taken = set()
    for file in sorted((corpus / "hostile-specs").iterdir()):
        folder = tmp_path / "specs" / file.stem / "hostile"
        folder.mkdir(parents=True)
        shutil.copyfile(file, folder / f"input{file.suffix}")
        shutil.copyfile(file, folder / f"output{file.suffix}")
        try:
            write(folder.parent, tmp_path / file.stem)
        except TaskbindError:
            continue
        taken.add(file.name[:2])
    assert taken == TAKEN
    assert findings(tmp_path) == []
