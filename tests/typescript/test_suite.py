"""The official JSON Schema test suite in TypeScript: types refuse nothing that a schema accepts."""

from __future__ import annotations

import json
from pathlib import Path

from taskbind.config import Config
from taskbind.context import Context
from taskbind.diagnostics import Report
from taskbind.escape import js
from taskbind.pipeline import SpecError, read_api
from taskbind.plan import plan
from taskbind.render import typescript
from tests.conformance.models import REQUEST
from tests.conformance.suite import TASK, groups
from tests.support.typescript import findings, need_compiler, program, variable

NOTHING_IN_COMMON = {
    "draft2020-12/defs: validate definition against metaschema: valid definition schema",
    "draft2020-12/dynamicRef: A $dynamicRef that initially resolves to a schema with a matching $dynamicAnchor "
    "resolves to the first $dynamicAnchor in the dynamic scope: The recursive part is valid against the root",
    "draft2020-12/dynamicRef: A $dynamicRef that initially resolves to a schema without a matching $dynamicAnchor "
    "behaves like a normal $ref to $anchor: The recursive part doesn't need to validate against the root",
    "draft2020-12/ref: remote ref, containing refs itself: remote ref valid",
}
"""Answers with none of the members that their types declare, which may all be missing: a program that writes such a
value is refused, as it would be for a misspelt one."""


def test_types_take_all_valid_payloads(tmp_path: Path, tables: list[str]) -> None:
    need_compiler()
    asked: dict[tuple[str, int], tuple[str, bool]] = {}
    types = tmp_path / "types"
    for number, group in enumerate(groups()):
        specs = group.write(tmp_path / "specs" / str(number))
        (specs / TASK / "input.json").write_text(json.dumps(REQUEST), encoding="utf-8")
        config = Config(specs, tmp_path / "out")
        try:
            api = read_api(config, Report())
        except SpecError:
            continue  # test_models.py counts them
        names = plan(api, config)
        for path, text in typescript.render(api, names, Context(config)).items():
            target = types / str(number) / path.removeprefix("typescript/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(str(text), encoding="utf-8")
        output = f"Tasks[{json.dumps(TASK)}]['output']"
        program(
            types,
            f"{number}.mts",
            {"{ Tasks }": f"./{number}/index.js"},
            [(output, (variable if test.valid else js)(test.data)) for test in group.tests],
        )
        for line, test in enumerate(group.tests, 2):
            asked[f"{number}.mts", line] = (f"{group}: {test.name}", test.valid)
    found = findings(types)
    refused = {(finding.file, finding.line): finding for finding in found}
    unknown = [finding for finding in found if (finding.file, finding.line) not in asked]
    assert not unknown, unknown[:10]
    wrong = {asked[place][0]: finding for place, finding in refused.items() if asked[place][1]}
    invalid = [place for place, (_, valid) in asked.items() if not valid]
    count = sum(place in refused for place in invalid)
    tables.append(f"TypeScript refuses {count} of {len(invalid)} invalid payloads of the official suite by their types")
    assert wrong.keys() == NOTHING_IN_COMMON, list(wrong.items())[:40]
    assert count > len(invalid) / 3
