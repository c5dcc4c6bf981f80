"""What the laws are held against: a package, its specs, and the schemas of its tasks."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

from inference_tasks._runtime.testing.places import declared, hit
from inference_tasks._runtime.testing.shapes import Shapes
from taskbind import ir
from taskbind.diagnostics import Report
from taskbind.load import load
from taskbind.lower import lower
from taskbind.normalize import normalize
from tests.support import defaults
from tests.support.laws import Judge, Laws, Tally
from tests.support.payloads import cases

ROOT = Path(__file__).parents[2]
Kind = Literal["input", "output", "stream"]
_NAMES = {"input": "input_model", "output": "output_type", "stream": "stream_type"}


@dataclass(frozen=True)
class Project:
    """A spec root and the package that was generated from it; `out` is where the package lies if not installed."""

    specs: Path
    package: str
    out: Path | None = None

    def subjects(self) -> list[Subject]:
        """All schemas of all tasks."""
        return [
            Subject(self, task.id, kind)
            for task in read(self.specs).api.tasks
            for kind in ("input", "output", "stream")
            if getattr(task, kind)
        ]

    def module(self, name: str) -> Any:
        """A module of the package."""
        if self.out and str(self.out) not in sys.path:
            sys.path.insert(0, str(self.out))
        return importlib.import_module(f"{self.package}.{name}")


OURS = Project(ROOT / "specs", "inference_tasks")


@dataclass(frozen=True)
class Read:
    """Specs as they were read: the IR, and what the specs say themselves."""

    api: ir.Api
    judge: Judge


@cache
def read(specs: Path) -> Read:
    """The specs under a folder, read once."""
    report = Report()
    tree = normalize(load(specs, report), report)
    api = lower(tree, report)
    assert not report.fatal, list(report.fatal)
    return Read(api, Judge(tree))


@dataclass
class Row:
    """What happened to one subject."""

    name: str
    tally: Tally
    hit: int
    declared: int


@dataclass(frozen=True)
class Subject:
    """One schema of one task: what the specs say of it, and what was generated from it."""

    project: Project
    task: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.task}/{self.kind}"

    @property
    def id(self) -> str:
        """The id of the definition in the IR."""
        task = next(task for task in read(self.project.specs).api.tasks if task.id == self.task)
        return str(getattr(task, self.kind))

    @cached_property
    def laws(self) -> Laws:
        """The laws that tie the two together."""
        judge, id = read(self.project.specs).judge, self.id
        binding = self.project.module("_tasks").TASKS[self.task]
        types = self.project.module("_runtime.types")
        generated = binding._get(getattr(binding, _NAMES[self.kind]))
        shapes, root = self._shipped()
        return Laws(
            lambda payload: judge.accepts(id, payload),
            lambda payload: shapes.bundle.accepts(root, payload),
            lambda payload: defaults.declared(judge.shapes, judge.schema(id), payload),
            getattr(binding, f"{self.kind}_adapter"),
            generated if isinstance(generated, type) and issubclass(generated, types.Model) else None,
            types.dump,
            types.parse_json,
        )

    def _shipped(self) -> tuple[Shapes, Any]:
        testing = self.project.module("_runtime.testing")
        binding = self.project.module("_tasks").TASKS[self.task]
        shapes, root = testing._root(binding.module, getattr(binding, _NAMES[self.kind]))
        return shapes, root

    def measure(self, draws: int = 6, seed: int = 0, limit: int | None = None) -> Row:
        """Hold the laws against the data of this schema, without stopping at the first break."""
        judge = read(self.project.specs).judge
        shapes, schema = judge.shapes, judge.schema(self.id)
        tally, paths = Tally(), declared(shapes, schema)
        found: set[str] = set()
        for case in cases(shapes, schema, draws, seed, limit):
            self.laws.hold(case, tally)
            if case.kind == "valid":
                found |= hit(shapes, schema, case.payload)
        return Row(str(self), tally, len(paths & found), len(paths))
