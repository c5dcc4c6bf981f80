"""Claim: importing the generated package costs at most 25 ms of CPU, a first client 200 ms, interpreter included."""

from __future__ import annotations

import measure

measure.report("python -c pass, CPU (included below)", measure.python("pass").cpu * 1000, 25.0, "ms")
measure.report("import inference_tasks, CPU", measure.python("import inference_tasks").cpu * 1000, 25.0, "ms")
first = measure.python("from inference_tasks import Client; Client('http://127.0.0.1:9')")
measure.report("first Client(), CPU", first.cpu * 1000, 200.0, "ms")
