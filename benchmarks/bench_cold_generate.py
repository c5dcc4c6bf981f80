"""Claim: generating everything into an empty place costs at most 2 s of CPU and 100 MB of memory."""

from __future__ import annotations

import shutil

import measure

with measure.project() as copy:

    def clear(run: int) -> None:
        """Take away what the last run made, and what it kept for the next one."""
        shutil.rmtree(copy / "generated", ignore_errors=True)
        (copy / ".generated.taskbind-cache").unlink(missing_ok=True)

    cost = measure.command(measure.taskbind(), "generate", cwd=copy, before=clear)
    measure.report("cold generate, CPU", cost.cpu, 2.0, "s")
    measure.report("cold generate, peak memory", cost.memory, 100.0, "MB")
