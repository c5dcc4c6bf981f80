"""Claim: importing the package costs at most 25 ms of CPU, a first client 200 ms, one task's models 15 ms more.

The first two include the interpreter; the third is what pydantic and the models themselves add to what httpx and
pydantic need to be imported.
"""

from __future__ import annotations

import measure

CLIENT = "from inference_tasks import Client; client = Client('http://127.0.0.1:9')"
FIRST_USE = "import httpx, pydantic; from inference_tasks._runtime import checks, types, validation"
MODELS = "from inference_tasks._tasks import TASKS; b = TASKS['{}']; b.input_adapter; b.output_adapter"

measure.report("python -c pass, CPU (included below)", measure.python("pass").cpu * 1000, 25.0, "ms")
measure.report("import inference_tasks, CPU", measure.python("import inference_tasks").cpu * 1000, 25.0, "ms")
measure.report("first Client(), CPU", measure.python(CLIENT).cpu * 1000, 200.0, "ms")
ready = measure.python(f"{CLIENT}; {FIRST_USE}").cpu
measure.report("first Client() with httpx and pydantic, CPU", ready * 1000, 200.0, "ms")
for task in ("image-classification", "text-classification", "automatic-speech-recognition", "chat-completion"):
    models = measure.python(f"{CLIENT}; {FIRST_USE}; {MODELS.format(task)}").cpu
    measure.report(f"models of {task}, CPU", (models - ready) * 1000, 15.0, "ms")
