"""Claim: `taskbind check` on a tree that is up to date costs at most 0.15 s of CPU."""

from __future__ import annotations

import measure

with measure.project() as copy:
    cost = measure.command(measure.taskbind(), "check", cwd=copy)
    measure.report("no-op check, CPU", cost.cpu, 0.15, "s")
