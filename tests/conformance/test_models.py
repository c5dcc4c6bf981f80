"""The official test suite, held against generated models: the table that README.md keeps is the one that comes out."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.conformance.models import RefusedError, verdict
from tests.conformance.suite import DIALECTS, groups

README = Path(__file__).parent / "README.md"
MOST_REFUSED = 0.02


def test_models_agree_with_the_official_suite(tmp_path: Path, tables: list[str]) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    refused: list[str] = []
    wrong: list[str] = []
    for number, group in enumerate(groups()):
        counts[group.draft, "groups"] += 1
        try:
            with verdict(group, tmp_path / str(number)) as ask:
                found = {test.name: (ask(test.data), "accepts" if test.valid else "refuses") for test in group.tests}
        except RefusedError as error:
            refused.append(f"{group} ({error})")
            continue
        counts[group.draft, "accepted"] += 1
        counts[group.draft, "tests"] += len(group.tests)
        counts[group.draft, "agreed"] += sum(is_ == should for is_, should in found.values())
        wrong += [f"{group}: {name}: {is_}" for name, (is_, should) in found.items() if is_ != should]
    table = _table(counts, refused)
    tables.append(table)
    assert not wrong, "\n".join(wrong)
    total = sum(counts[draft, "groups"] for draft in DIALECTS)
    assert total > 600
    assert len(refused) <= MOST_REFUSED * total
    kept = re.search(r"(?s)<!-- result -->\n(.*?)\n<!-- end -->", README.read_text(encoding="utf-8"))
    assert kept, f"{README.name} keeps no result"
    assert kept[1] == table, f"{README.name} keeps another result"


def _table(counts: Counter[tuple[str, str]], refused: list[str]) -> str:
    rows = ["| draft | groups | accepted | tests in them | agreed |", "| :--- | ---: | ---: | ---: | ---: |"]
    for draft in DIALECTS:
        cells = " | ".join(str(counts[draft, name]) for name in ("groups", "accepted", "tests", "agreed"))
        rows.append(f"| {draft} | {cells} |")
    return "\n".join(
        [*rows, "", f"Refused, with the code of the reason ({len(refused)}):", "", *(f"- {r}" for r in refused)]
    )
