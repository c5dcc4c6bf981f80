"""The types of our own tasks: what compilers of every setting make of them, and which payloads have them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from taskbind import ir_json
from taskbind.escape import js
from tests.conftest import ROOT
from tests.laws.subjects import OURS, read
from tests.support.payloads import cases
from tests.support.server import environment, running_server
from tests.support.typescript import STRICTEST, findings, need_compiler, program, variable

TYPES = ROOT / "generated" / "typescript"
NAME = "inference-tasks-types"
SHAPES = {
    "left out",
    "null",
    "true",
    "an object",
    "an array of a string",
    "a number in a string",
    "an undeclared member that is 1",
    "wrapped in an array",
    "wrapped in an object",
    "upper case",
}
"""Mistakes that no type lets pass; the others are ranges and lengths, and fractions for integers."""
IMPORT = {"{ Tasks }": NAME}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the package installed."""
    need_compiler()
    shutil.copytree(TYPES, tmp_path / "node_modules" / NAME)
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        STRICTEST | {"module": "nodenext"},
        {"module": "es2022", "moduleResolution": "bundler", "strict": True},
        {"module": "commonjs", "moduleResolution": "node10", "strict": True},
        {"module": "nodenext", "strict": False},
    ],
    ids=["strictest", "bundler", "old", "lax"],
)
def test_every_kind_of_project_takes_them(project: Path, options: dict[str, Any]) -> None:
    uses = f'import type {{ Tasks }} from "{NAME}";\nlet id: keyof Tasks = "fill-mask";\nid = "no-such-task";\n'
    for name in ("module.mts", "common.cts", "either.ts"):
        (project / name).write_text(uses, encoding="utf-8")
    # What is installed is looked into by the strictest setting alone, so here it is part of the project.
    shutil.copytree(TYPES, project / "types")
    found = findings(project, **options)
    assert {(finding.file, finding.line, finding.code) for finding in found} == {
        (name, 3, "TS2322") for name in ("module.mts", "common.cts", "either.ts")
    }


CODE = re.search(r"```ts\n(.*?)```", (TYPES / "README.md").read_text(encoding="utf-8"), re.DOTALL)
CALL = """
const answer = await call("text-classification", { inputs: "What a day!", parameters: { top_k: 1 } });
const best: number | undefined = answer[0]?.score;
console.log(best);
"""


def test_the_program_of_the_readme_compiles(project: Path) -> None:
    assert CODE
    wrong = 'await call("text-classification", { inputs: "x", parameters: { topk: 1 } });\n'
    (project / "program.mts").write_text(CODE[1] + CALL + wrong, encoding="utf-8")
    line = (CODE[1] + CALL).count("\n") + 1
    assert [(finding.line, finding.code) for finding in findings(project)] == [(line, "TS2561")]


def test_the_program_of_the_readme_runs(project: Path) -> None:
    assert CODE
    with running_server(("-m", "inference_tasks", "serve", "--port", "0")) as url:
        text = CODE[1].replace("http://localhost:8000", url)
        assert text != CODE[1]
        (project / "program.mts").write_text(text + CALL, encoding="utf-8")
        assert findings(project, **STRICTEST | {"module": "nodenext", "noEmit": False}) == []
        done = subprocess.run(["node", "program.mjs"], cwd=project, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 0 < float(done.stdout) <= 1


def test_examples_have_their_types(project: Path) -> None:
    document = json.loads((ROOT / "generated" / "openapi.json").read_text(encoding="utf-8"))
    lines = []
    for path, operations in document["paths"].items():
        if not path.startswith("/tasks/"):
            continue
        type = f"Tasks[{json.dumps(path.removeprefix('/tasks/'))}]"
        body, answer = operations["post"]["requestBody"], operations["post"]["responses"]["200"]
        for kind, content in (("input", body["content"]), ("output", answer["content"])):
            examples = content["application/json"].get("examples", {}).values()
            lines += [(f"{type}['{kind}']", js(example["value"])) for example in examples]
    api = ir_json.from_json(json.loads((ROOT / "generated" / "api.json").read_text(encoding="utf-8")))
    assert len(lines) > 2 * len(api.tasks)
    program(project, "examples.mts", IMPORT, lines)
    assert findings(project) == []


def test_all_valid_payloads_have_them(project: Path, tables: list[str]) -> None:
    """And many of the invalid ones have not: those where a member is missing, unknown, or of another type."""
    specs = read(OURS.specs)
    lines: list[tuple[str, str]] = []
    valid: list[bool] = []
    whats: list[str] = []
    for subject in OURS.subjects():
        judge, id = specs.judge, subject.id
        for case in cases(judge.shapes, judge.schema(id), draws=4, limit=60):
            valid.append(judge.accepts(id, case.payload))
            written = variable if valid[-1] and subject.kind != "input" else js
            lines.append((f"Tasks[{json.dumps(subject.task)}]['{subject.kind}']", written(json.loads(case.text))))
            whats.append(case.what.partition(" at ")[0])
    program(project, "payloads.mts", IMPORT, lines)
    refused = {finding.line - 2: finding for finding in findings(project)}
    wrong = [(lines[number], finding) for number, finding in refused.items() if valid[number]]
    assert not wrong, wrong[:5]
    kinds: Counter[tuple[str, bool]] = Counter()
    for number, what in enumerate(whats):
        if not valid[number]:
            kinds[what, number in refused] += 1
    count, invalid = len(refused), valid.count(False)
    tables.append(
        f"types of our tasks: {sum(valid)} valid payloads accepted, {count} of {invalid} invalid ones refused"
    )
    assert {what for what, known in kinds if what in SHAPES and not known} == set()
    assert {what for what, known in kinds if known} > SHAPES
    assert count > 0.8 * invalid
