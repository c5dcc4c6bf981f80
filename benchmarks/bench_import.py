"""Claim: importing the package costs at most 25 ms of CPU, a first client 200 ms, one task's models 15 ms more.

The first two include the interpreter. The third is what importing the models of a task and making their validators
costs once pydantic is there, for each task in a process of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

import measure

from inference_tasks._tasks import TASKS

RUNS = 5
MODELS = """
import time
import inference_tasks
from inference_tasks._runtime import checks, types, validation
from inference_tasks._tasks import TASKS

class Warm(types.Model):
    one: types.Integer

start = time.process_time()
task = TASKS[{!r}]
task.input_adapter, task.output_adapter
print(time.process_time() - start)
"""


def models(task: str) -> float:
    """Milliseconds for the models of one task."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", MODELS.format(task)]
    costs = [float(subprocess.check_output(command, env=environment, cwd=measure.ROOT)) for _ in range(RUNS)]
    return statistics.median(costs) * 1000


measure.report("python -c pass, CPU (included below)", measure.python("pass").cpu * 1000, 25.0, "ms")
measure.report("import inference_tasks, CPU", measure.python("import inference_tasks").cpu * 1000, 25.0, "ms")
first = measure.python("from inference_tasks import Client; Client('http://127.0.0.1:9')")
measure.report("first Client(), CPU", first.cpu * 1000, 200.0, "ms")
costs = sorted((models(task), task) for task in TASKS)
measure.report(
    f"one task's models, median of {len(costs)} tasks, CPU", statistics.median(c for c, _ in costs), 15.0, "ms"
)
for cost, task in costs[-3:]:
    measure.report(f"one task's models: {task}, CPU", cost, 15.0, "ms")
