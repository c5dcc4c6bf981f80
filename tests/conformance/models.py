"""The generated models of the suite's schemas: each group's is made, imported and asked, on both paths."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from taskbind.config import Config
from taskbind.context import Context
from taskbind.diagnostics import Report
from taskbind.pipeline import SpecError, read_api
from taskbind.plan import plan
from taskbind.render import models, schemas
from tests.conformance.suite import TASK, Group

RUNTIME = "inference_tasks._runtime"
REQUEST = {"type": "object", "properties": {"inputs": {"type": "string"}}}

Verdict = Callable[[Any], str]


class RefusedError(Exception):
    """The generator refuses a group; `codes` say why."""

    def __init__(self, codes: list[str]) -> None:
        super().__init__(", ".join(codes))
        self.codes = codes


@contextmanager
def verdict(group: Group, root: Path) -> Iterator[Verdict]:
    """A function that says what the model of a group makes of a payload. Raises RefusedError.

    It answers ``"accepts"`` or ``"refuses"``, or tells what is wrong: the two paths differ, or the value is not given
    back unchanged.
    """
    package = f"group_{root.name}"
    specs = group.write(root / "specs")
    (specs / TASK / "input.json").write_text(json.dumps(REQUEST), encoding="utf-8")
    config = Config(specs, root / "out", package=package)
    report = Report()
    try:
        api = read_api(config, report)
    except SpecError:
        assert all(finding.code and finding.line and finding.fix for finding in report.fatal), report.fatal
        raise RefusedError(sorted({finding.code for finding in report.fatal})) from None
    names, context = plan(api, config), Context(config)
    for path, text in (models.render(api, names, context) | schemas.render(api, names, context)).items():
        target = config.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
    (config.out / package / "__init__.py").touch()
    sys.path.insert(0, str(config.out))
    for name in ("", ".types", ".checks", ".encoded"):  # one runtime serves all groups
        sys.modules[f"{package}._runtime{name}"] = importlib.import_module(RUNTIME + name)
    try:
        importlib.invalidate_caches()
        module = importlib.import_module(f"{package}.models.{TASK}")
        from pydantic import TypeAdapter

        yield _asker(TypeAdapter(getattr(module, names.tasks[0].output_name)))
    finally:
        sys.path.remove(str(config.out))
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]


def _asker(adapter: Any) -> Verdict:
    def ask(payload: Any) -> str:
        text = json.dumps(payload)
        answers = []
        for validate, value in ((adapter.validate_python, payload), (adapter.validate_json, text)):
            try:
                model = validate(value, by_name=False, by_alias=True)
            except ValidationError:
                answers.append("refuses")
                continue
            back = adapter.dump_python(model, mode="json", exclude_unset=True, by_alias=True)
            answers.append("accepts" if back == payload else f"changes it to {back!r}")
        return answers[0] if answers[0] == answers[1] else f"{answers[0]} as Python, {answers[1]} as JSON"

    return ask
