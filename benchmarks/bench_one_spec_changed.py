"""Claim: generating after a change to one spec costs at most 0.6 s of CPU."""

from __future__ import annotations

import measure

with measure.project() as copy:
    spec = copy / "specs" / "image-classification" / "input.json"
    original = spec.read_text(encoding="utf-8")

    def change(run: int) -> None:
        """Change a description, anew for each run."""
        spec.write_text(original.replace("How to score", f"({run}) How to score"), encoding="utf-8")

    change(-1)
    assert spec.read_text(encoding="utf-8") != original, "the text to change is gone from the spec"
    cost = measure.command(measure.taskbind(), "generate", cwd=copy, before=change)
    measure.report("generate after one change, CPU", cost.cpu, 0.6, "s")
